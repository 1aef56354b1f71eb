"""Many commands, one boot: user/compare/init/batch.c is the first program and frames what each printed."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultline import debian, userland
from faultline.errors import FaultlineError, GuestError, GuestHang, KernelPanic
from faultline.paths import ROOT
from faultline.process import MIB
from faultline.qemu import Machine, MachineConfig

PROGRAMS = ROOT / "build" / "qemu-virt" / "user" / "compare"
LINUX_LINE = "console=ttyAMA0 quiet loglevel=1 rdinit=/init panic=-1"
LINUX_BOOT = 120.0    # processor seconds of QEMU until the first program
COMMAND_SLACK = 60.0  # and for a command beyond its own deadline
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True)
class Command:
    """One command of a batch: path and arguments, no tabs or newlines; `seconds` of the guest's time."""

    name: str
    argv: tuple[str, ...]
    seconds: float = 20.0


@dataclass
class Outcome:
    """What a command printed, and how it ended: "exit N", "signal N", "deadline", or what happened to the kernel."""

    output: str = ""
    end: str = "never ran"


@dataclass
class Kernel:
    """One of the two. `start` lets a booted or fresh machine begin with /init."""

    name: str
    config: MachineConfig
    start: Callable[[Machine], None]


def linux(memory: int = 512 * MIB, icount: bool = False, line: str = "") -> Kernel:
    """Debian's. Raises FaultlineError when it cannot be had."""
    config = MachineConfig(debian.linux(), memory=memory, icount=icount, bootargs=f"{LINUX_LINE} {line}".strip(), extra=("-no-reboot",))
    return Kernel("linux", config, lambda machine: machine.start())


def faultline(image: Path, memory: int = 512 * MIB, icount: bool = False, smp: int = 1) -> Kernel:
    """Ours, already built."""
    return Kernel("faultline", MachineConfig(image, memory=memory, icount=icount, smp=smp, bootargs="run=exec /init"),
                  lambda machine: machine.boot())


class _Transcript:
    """The lines of the batch among what a machine prints, as they come."""

    def __init__(self, word: str):
        self._word = word + " "
        self._rest = ""
        self._lock = threading.Lock()
        self.outcomes: dict[str, Outcome] = {}
        self.running = ""
        self.done = False
        self.ended = 0

    def feed(self, item) -> None:
        if not isinstance(item, str):
            return
        with self._lock:
            *lines, self._rest = (self._rest + item).replace("\r", "").split("\n")
            for line in lines:
                at = line.find(self._word)
                if at >= 0:
                    self._line(*line[at + len(self._word):].partition(" ")[::2])

    def _line(self, what: str, rest: str) -> None:
        if what == "done":
            self.done = True
        elif what == "start":
            self.running = rest
            self.outcomes[rest] = Outcome()
        elif what == "out":
            self.outcomes[self.running].output += _ESCAPE.sub(lambda match: chr(int(match[1], 16)), rest)
        elif what == "end":
            self.outcomes[self.running].end = rest.removeprefix(f"{self.running} ")
            self.running = ""
            self.ended += 1


def _archive(path: Path, word: str, commands: Sequence[Command], files: dict[str, bytes | str]) -> Path:
    lines = [word, *("\t".join((command.name, f"{command.seconds:g}", *command.argv)) for command in commands)]
    if any("\n" in line or len(line) > 1000 for line in lines):
        raise FaultlineError("a command of a batch is one line of at most 1000 bytes")
    return userland.initrd(path, {"init": (PROGRAMS / "batch").read_bytes(), "batch": ("\n".join(lines) + "\n").encode(), **files}, applets=False)


def run(kernel: Kernel, commands: Sequence[Command], files: dict[str, bytes | str], folder: Path,
        say: Callable[[str], None] = lambda line: None) -> dict[str, Outcome]:
    """Runs all commands; `files` are added to the first files. A command that takes the kernel down is said to have done so
    and the rest runs after another boot. Raises FaultlineError when the kernel does not even start the first."""
    outcomes: dict[str, Outcome] = {}
    left = list(commands)
    while left:
        part = _boot(kernel, left, files, folder, say)
        if not part:
            raise FaultlineError(f"{kernel.name}: no program ran; see {folder / f'{kernel.name}.log'}")
        outcomes |= part
        left = [command for command in left if command.name not in outcomes]
    return outcomes


def _boot(kernel: Kernel, commands: Sequence[Command], files: dict[str, bytes | str], folder: Path, say) -> dict[str, Outcome]:
    word = secrets.token_hex(6)
    seconds = {command.name: command.seconds for command in commands}
    archive = _archive(folder / f"{kernel.name}.cpio", word, commands, files)
    transcript = _Transcript(word)
    with Machine(kernel.config.with_(initrd=archive), log=folder / f"{kernel.name}.log") as machine:
        machine.console.listen(transcript.feed)
        mark = machine.console.mark()
        try:
            kernel.start(machine)
            machine.wait(lambda: transcript.outcomes or transcript.done, "the first program", LINUX_BOOT, mark)
            while not transcript.done:
                ended, name = transcript.ended, transcript.running
                budget = seconds.get(name, max(seconds.values())) + COMMAND_SLACK
                machine.wait(lambda: transcript.ended > ended or transcript.done, f"the end of '{name}'", budget, mark, idle=budget)
        except GuestError as error:
            if not transcript.outcomes:
                raise
            transcript.running = transcript.running or list(transcript.outcomes)[-1]  # between two: the last one's doing
            how = "panic" if isinstance(error, KernelPanic) else "hang" if isinstance(error, GuestHang) else error.kind
            transcript.outcomes[transcript.running].end = f"{how}: {error.summary.splitlines()[0]}"
            say(f"{kernel.name}: '{transcript.running}' took the kernel down: {error.summary}")
    return transcript.outcomes
