"""What a program did, in a form in which worlds can be compared: numbers that each kernel chooses for itself (processes,
addresses, times, inodes) are replaced by what they are."""

from __future__ import annotations

import errno
import functools
import re
import struct
from dataclasses import dataclass
from typing import NamedTuple

from faultline.callpage import DEFINITION
from faultline.worlds.window import BEGAN, DONE, ENDED, FILE, SIGNAL, Outcome

_LINE = re.compile(r"^SYSCALL\((\d+), (\w+)", re.MULTILINE)
_OTHERS = {1000: "load", 1001: "store", 1002: "add"}
_ERRORS_MAX = 4095

_PROCESSES = {"getpid", "gettid", "getpgid", "getsid", "setsid", "clone", "clone3", "wait4", "set_tid_address"}
_ADDRESSES = {"mmap", "mremap", "brk"}
_OWN_RESULT = {"times", "sched_getaffinity", "getppid"}  # a clock; as many bytes as the kernel has CPUs for; who started it
# What these give out is a clock's, a measure of the machine or chance.
_OWN_BYTES = {"clock_gettime", "clock_getres", "gettimeofday", "times", "getrusage", "sysinfo", "uname", "getrandom", "statfs", "fstatfs",
              "timer_gettime", "timerfd_gettime", "getitimer", "setitimer", "timer_settime", "timerfd_settime", "adjtimex", "clock_adjtime",
              "sched_getaffinity", "getcpu", "get_robust_list", "syslog", "sched_rr_get_interval", "sched_getattr", "ppoll", "pselect6", "nanosleep", "clock_nanosleep", "mincore"}


class Key(NamedTuple):
    """What is compared. `what` is "call", "signals", "end" or "file"; `call` its index in the program."""

    task: int
    what: str
    call: int = 0


@dataclass(frozen=True)
class Fact:
    """What happened there. `result` is readable; `data` what the call gave out."""

    name: str
    result: str
    data: bytes = b""

    def __str__(self) -> str:
        return self.result + (f" {self.data.hex()}" if self.data else "")


@functools.cache
def call_names() -> dict[int, str]:
    """Every number a program can have, with its name."""
    return {int(number): name for number, name in _LINE.findall(DEFINITION.read_text())} | _OTHERS


def _result(name: str, value: int) -> str:
    if -_ERRORS_MAX <= value < 0 and name not in _OTHERS.values():
        return errno.errorcode.get(-value, str(value))
    if name in _PROCESSES:
        return "process" if value > 0 else "0"
    if name in _ADDRESSES:
        return f"{value:#x}" if 0x10000000 <= value < 0x10040000 else f"address & 0xfff = {value & 0xfff:#x}"
    return "its own" if name in _OWN_RESULT else str(value)


def _stat(data: bytes) -> bytes:
    """Without device, inode, times and blocks."""
    if len(data) < 128:
        return data
    keep = bytearray(data[:128])
    keep[0:16] = bytes(16)     # device, inode
    keep[32:40] = bytes(8)     # device that it is
    keep[56:60] = bytes(4)     # size of a block
    keep[64:120] = bytes(56)   # blocks, times
    return bytes(keep)


def _statx(data: bytes) -> bytes:
    if len(data) < 256:
        return data
    keep = bytearray(data[:256])
    keep[0:4] = (int.from_bytes(keep[0:4], "little") & 0x31F).to_bytes(4, "little")  # which times there are is its own
    keep[4:16] = bytes(12)     # size of a block, attributes
    keep[32:40] = bytes(8)     # inode
    keep[48:176] = bytes(128)  # blocks, mask of attributes, times, devices, mount
    keep[176:] = bytes(80)
    return bytes(keep)


def _wait(data: bytes) -> bytes:
    return data[:4] if len(data) in (4, 148) else b""


def _entries(data: bytes) -> bytes:
    """Names and kinds in order."""
    found, at = [], 0
    while at + 19 <= len(data):
        length, kind = struct.unpack_from("<HB", data, at + 16)
        if length < 20:
            break
        found.append(bytes([kind]) + data[at + 19:at + length].split(b"\0")[0])
        at += length
    return b"/".join(sorted(found))


def _siginfo(data: bytes) -> bytes:
    """Signal, error and code; who sent it is a process."""
    return data[:12]


_BYTES = {"newfstatat": _stat, "fstat": _stat, "statx": _statx, "wait4": _wait, "getdents64": _entries, "waitid": lambda data: b"",
          "rt_sigtimedwait": _siginfo, "sigaltstack": lambda data: b"", "rt_sigaction": lambda data: data[:8] and bytes(data[24:32]),
          "timer_create": lambda data: b""}


def _data(name: str, data: bytes) -> bytes:
    if name in _OWN_BYTES:
        return b""
    return _BYTES[name](data) if name in _BYTES else data


class Trace:
    """One run of one program in one world."""

    def __init__(self, outcome: Outcome, numbers: dict[int, int], files: bool = True):
        """`numbers`: the call number of each call of the program; `files`: with what is in its files at the end."""
        self.outcome = outcome
        self.facts: dict[Key, Fact] = {}
        names = call_names()
        signals: dict[int, list[int]] = {}
        files = []
        for event in outcome.events:
            name = names.get(numbers.get(event.call, -1), f"call {numbers.get(event.call)}")
            if event.kind == BEGAN:
                self.facts[Key(event.task, "call", event.call)] = Fact(name, "no end")
            elif event.kind == ENDED:
                self.facts[Key(event.task, "call", event.call)] = Fact(name, _result(name, event.result), _data(name, event.data))
            elif event.kind == SIGNAL:
                signals.setdefault(event.task, []).append(event.result)
            elif event.kind == FILE and files:
                files.append(event.data.decode(errors="replace"))
            elif event.kind == DONE:
                self.facts[Key(event.task, "end")] = Fact("end", "its list has ended")
        for task, numbers_ in signals.items():
            self.facts[Key(task, "signals")] = Fact("signals", " ".join(map(str, sorted(numbers_))))
        for line in files:
            path, _, rest = line.partition(" ")
            self.facts[Key(1, f"file {path}")] = Fact("file", rest)
