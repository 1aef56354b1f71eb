"""Child processes that cannot outlive us, outgrow their memory or overstay their deadline.

Each child starts its own process group, is killed by the kernel when this process dies (PR_SET_PDEATHSIG, through setpriv,
so that no Python runs between fork and exec), and has its address space capped where `memory` is given. One that is
`untrusted` runs what anybody may have written, and has nobody's rights where ours are root's (untrusted.py).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultline import untrusted as nobody
from faultline.errors import MissingTool

MIB = 1 << 20
GIB = 1 << 30

# Which Debian package brings a tool; for the message of MissingTool only.
_PACKAGES = {
    "qemu-system-aarch64": "qemu-system-arm", "afl-fuzz": "afl++", "afl-showmap": "afl++", "cmake": "cmake",
    "ninja": "ninja-build", "gdb-multiarch": "gdb-multiarch", "valgrind": "valgrind", "patch": "patch",
    "clang-format-19": "clang-format-19", "clang-tidy-19": "clang-tidy-19", "llvm-cov-19": "llvm-19", "llvm-profdata-19": "llvm-19",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu", "aarch64-linux-gnu-addr2line": "gcc-aarch64-linux-gnu",
}


def require_tool(name: str) -> str:
    """The full path of a program. Raises MissingTool naming the command that installs it."""
    path = shutil.which(name)
    if path is None:
        package = _PACKAGES.get(name, name)
        raise MissingTool(f"{name} is missing: run scripts/setup (or apt-get install {package})")
    return path


def guarded(argv: Sequence[str | Path], memory: int | None = None, untrusted: bool = False, writes: Sequence[Path] = ()) -> list[str]:
    """The command line that runs argv capped and tied to our life. `memory` is bytes of address space."""
    argv = [str(word) for word in argv]
    if "/" not in argv[0]:
        argv[0] = require_tool(argv[0])
    # A change of user forgets the signal, so setpriv asks for it last. Whoever lost its parent before must not start either.
    guard = [nobody.SETPRIV, *(nobody.words(argv, writes) if untrusted else ()), "--pdeathsig", "KILL", "--",
             "/bin/sh", "-c", 'test "$PPID" = "$0" && exec "$@"', str(os.getpid())]
    if memory is not None:
        guard = ["/usr/bin/prlimit", f"--as={memory}", "--core=0", "--", *guard]
    else:
        guard = ["/usr/bin/prlimit", "--core=0", "--", *guard]
    return guard + argv


def start(argv: Sequence[str | Path], *, memory: int | None = None, env: Mapping[str, str] | None = None, untrusted: bool = False,
          writes: Sequence[Path] = (), **options) -> subprocess.Popen:
    """subprocess.Popen with the guards. `env` is added to ours; standard input is empty unless given. An `untrusted` child owns
    the empty folders `writes` until untrusted.take_back() after its end.

    The caller's thread must outlive the child: the kernel ties the child's life to the thread that started it.
    """
    options.setdefault("stdin", subprocess.DEVNULL)
    environment = {**(nobody.environment() if untrusted else os.environ), **(env or {})}
    return subprocess.Popen(guarded(argv, memory, untrusted, writes), env=environment, start_new_session=True, **options)


def descendants(pid: int) -> list[int]:
    """All living processes below pid, whichever session they moved to."""
    children: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                stat = Path(entry.path, "stat").read_text()
            except OSError:
                continue  # it ended while we looked
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        for child in children.get(todo.pop(), ()):
            found.append(child)
            todo.append(child)
    return found


def end(process: subprocess.Popen, grace: float = 0.0) -> None:
    """Ends a child and everything below it: SIGTERM and `grace` seconds where given, then SIGKILL. Never raises."""
    if process.poll() is None and grace > 0:
        _signal(process.pid, signal.SIGTERM)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            pass
    below = descendants(process.pid) if process.poll() is None else []
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    for pid in below:
        _signal(pid, signal.SIGKILL)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        pass  # stuck in the host kernel; nothing more can be done from here


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


@dataclass(frozen=True)
class Finished:
    """How a child ended. `status` is its exit status, negative for a signal, None when the deadline ended it."""

    argv: list[str]
    status: int | None
    output: str
    errors: str
    seconds: float
    data: bytes = b""  # `output` as it came

    @property
    def timed_out(self) -> bool:
        return self.status is None


def run(argv: Sequence[str | Path], *, deadline: float, memory: int | None = None, env: Mapping[str, str] | None = None,
        cwd: Path | None = None, merge: bool = False, stop: Callable[[], bool] | None = None,
        grace: float = 0.0, data: bytes | None = None, untrusted: bool = False, writes: Sequence[Path] = ()) -> Finished:
    """Runs a child to its end and returns what it said. `deadline` is seconds; `stop` is asked five times a second and
    ends the child early; `data` is its standard input. What start() gives away is ours again afterwards. Raises MissingTool, and OSError when it
    cannot be."""
    began = time.monotonic()
    process = start(argv, memory=memory, env=env, cwd=cwd, untrusted=untrusted, writes=writes, stdout=subprocess.PIPE,
                    stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
                    stderr=subprocess.STDOUT if merge else subprocess.PIPE)
    cut = False
    try:
        while True:
            try:
                output, errors = process.communicate(data, timeout=0.2 if stop else deadline)
                break
            except subprocess.TimeoutExpired:
                data = None  # it is on its way
                if time.monotonic() - began >= deadline or (stop and stop()):
                    cut = True
                    end(process, grace)
                    output, errors = process.communicate()
                    break
    finally:
        end(process)
        nobody.take_back(writes if untrusted else ())
    status = None if cut else process.returncode
    text = [part.decode(errors="replace") if part else "" for part in (output, errors)]
    return Finished([str(word) for word in argv], status, text[0], text[1], time.monotonic() - began, output or b"")
