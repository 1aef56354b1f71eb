"""One virtual machine under full control: serial, QMP, qtest and gdb, none of which outlives it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from elftools.common.exceptions import ELFError

from faultline import files, process, untrusted
from faultline.errors import BootFailed, FaultlineError, GuestHang, GuestTimeout, KernelPanic, MachineExited
from faultline.qemu import command, progress, sockets, symbols
from faultline.qemu.command import MachineConfig
from faultline.qemu.console import Console, Mark
from faultline.qemu.gdb import Gdb
from faultline.qemu.monitor import Monitor
from faultline.qemu.qmp import Qmp
from faultline.qemu.qtest import Qtest

BOOT_BUDGET = 30.0   # processor seconds of QEMU until the prompt
_QUIT_SECONDS = 10.0  # for QEMU to write the end of a recording
_PANIC = re.compile(r"^PANIC: (.*)$", re.MULTILINE)
_POKE = "fault_boot_plan"
_POKE_SIZE = 128
_SAID_MOST = 1 << 16  # bytes of what QEMU says when it does not start


class Machine:
    """A QEMU that stands still until boot() or start(). A context manager: leaving it ends QEMU, whatever happened.

    `log` receives the raw serial line, panics and all. Use it from one thread, which must outlive it. Where we are root, QEMU is
    nobody: it writes into a folder of this machine alone, and what is kept of that is copied when it has ended.
    """

    def __init__(self, config: MachineConfig, log: Path | None = None, gdb: bool = False):
        config.check()
        self.config = config
        self._log = log
        self._folder = Path(tempfile.mkdtemp(prefix="faultline-"))
        self._lent = ExitStack()
        self._gdb: Gdb | None = None
        self._closed = False
        self.boot_event: dict = {}
        self.panic: KernelPanic | None = None
        self._errors = tempfile.TemporaryFile()
        try:
            self._start(gdb)
        except BaseException:
            self.close()
            raise
        try:
            self.console = Console(self._connect("serial"))
            self.qmp = Qmp(sockets.LineSocket(self._connect("qmp"), "QMP"))
            self.qtest = Qtest(sockets.LineSocket(self._connect("qtest"), "qtest"), config.smp, *self._qom_paths())
        except BaseException as error:
            said = os.pread(self._errors.fileno(), _SAID_MOST, 0).decode(errors="replace").strip()
            self.close()
            if isinstance(error, MachineExited) and said:
                raise MachineExited(f"QEMU would not start: {said}") from error
            raise
        self.monitor = Monitor(self)

    def _start(self, gdb: bool) -> None:
        """Files that only we can read are copied for QEMU. Raises MissingTool, OSError."""
        lent = command.reads(self.config)
        paths = self._lent.enter_context(untrusted.readable(list(lent.values()), process.require_tool(command.QEMU)))
        config = self.config.with_(**dict(zip(lent, paths)), record=self._recording if self.config.record else None)
        self.process = process.start(command.controlled(config, self._folder, gdb), memory=config.memory_cap, untrusted=True,
                                     writes=[self._folder], stdout=self._errors, stderr=self._errors,
                                     pass_fds=() if config.ram is None else (config.ram,))

    @property
    def _recording(self) -> Path:
        return self._folder / "recording"

    def _connect(self, name: str):
        return sockets.connect(self._folder / name, self.process)

    def _qom_paths(self) -> tuple[list[str], str]:
        cpus, gic = [], ""
        for child in self.qmp("qom-list", path="/machine/unattached"):
            if child["type"].endswith("-arm-cpu>"):
                cpus.append(child["name"])
            elif child["type"] == "child<arm-gicv3>":
                gic = f"/machine/unattached/{child['name']}"
        cpus.sort(key=lambda name: int(re.sub(r"\D", "", name)))
        return [f"/machine/unattached/{name}" for name in cpus], gic

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @property
    def symbols(self) -> symbols.Symbols:
        return symbols.load(self.config.kernel.with_suffix(".elf"))

    @property
    def gdb(self) -> Gdb:
        """The debugger, connected on first use, which stops the machine. Needs Machine(…, gdb=True)."""
        if self._gdb is None:
            self._gdb = Gdb(self._connect("gdb"))
        return self._gdb

    @property
    def gdb_socket(self) -> Path:
        """What a person's gdb connects to, in a machine made with gdb=True."""
        return self._folder / "gdb"

    # Memory by symbol

    def peek(self, name: str, size: int | None = None) -> bytes:
        """The bytes of a kernel variable."""
        symbol = self.symbols.find(name)
        return self.qtest.read(self.symbols.physical(name), size or symbol.size)

    def poke(self, name: str, data: bytes) -> None:
        """Writes the beginning of a kernel variable. Raises FaultlineError when data is longer than it."""
        symbol = self.symbols.find(name)
        if symbol.size and len(data) > symbol.size:
            raise FaultlineError(f"{len(data)} bytes do not fit into {name} ({symbol.size})")
        self.qtest.write(self.symbols.physical(name), data)

    # Running

    def start(self) -> None:
        """Lets the guest run."""
        self.qmp("cont")

    def boot(self, budget: float = BOOT_BUDGET) -> dict:
        """Runs to the prompt; returns the boot event. `budget` is processor seconds of QEMU.

        Raises BootFailed when the kernel says so, KernelPanic, GuestHang, GuestTimeout, MachineExited.
        """
        mark = self.console.mark()
        self.start()
        return self.wait_boot(mark, budget)

    def reboot(self, fault_plan: str | None = None, budget: float = BOOT_BUDGET) -> dict:
        """Resets the machine and boots again, in a few milliseconds; `fault_plan` is in force from the first
        instruction. Raises as boot() does."""
        mark = self.console.mark()
        self.reset_paused()
        if fault_plan is not None:
            data = fault_plan.encode()
            if len(data) >= _POKE_SIZE:
                raise FaultlineError(f"a boot fault plan has at most {_POKE_SIZE - 1} bytes")
            self.poke(_POKE, data + b"\0")
        self.start()
        return self.wait_boot(mark, budget)

    def reset_paused(self) -> None:
        """Resets and stands before the first instruction, memory as loaded."""
        self.panic = None
        self.qmp("stop")
        self.qmp.events.clear()
        self.qmp("system_reset")
        self.qmp.wait_event("RESET")

    def wait_boot(self, mark: Mark, budget: float = BOOT_BUDGET) -> dict:
        """Waits for the boot event after mark."""
        def outcome():
            for event in self.events(mark):
                if event.get("event") in ("boot", "boot-failed"):
                    return event
            return None

        event = self.wait(outcome, "the boot event", budget, mark)
        if event["event"] == "boot-failed":
            what, error = str(event.get("what", "")), int(event.get("error", 0))
            raise BootFailed(f"boot failed: {what} ({error})", self.console.tail(), what, error)
        self.boot_event = event
        return event

    def events(self, mark: Mark) -> list[dict]:
        """Events since mark; one that is not JSON shows as {"event": "damaged"}."""
        found = []
        for record in self.console.records(mark):
            if record.kind == "e":
                try:
                    found.append(record.json())
                except ValueError:
                    found.append({"event": "damaged", "payload": record.payload})
        return found

    def wait_event(self, name: str, mark: Mark, budget: float = 20.0) -> dict:
        """The first event of that name after mark. Raises as wait() does."""
        return self.wait(lambda: next((e for e in self.events(mark) if e.get("event") == name), None),
                         f"the event '{name}'", budget, mark)

    def wait_text(self, pattern: str, mark: Mark, budget: float = 20.0) -> re.Match:
        """The first match of a regular expression in the text after mark. Raises as wait() does."""
        return self.wait(lambda: re.search(pattern, self.console.text(mark)), f"/{pattern}/", budget, mark)

    def execute(self, command: str, budget: float = 120.0) -> tuple[str, int]:
        """Runs a program by the monitor's `exec`: what it printed, and its status, or the negative error that it did not
        start with. Raises as wait() does."""
        mark = self.console.mark()
        status = self.monitor.command(f"exec {command}", check=False, budget=budget).status
        return self.console.program_text(mark), status

    def wait(self, found: Callable[[], object], what: str, budget: float, mark: Mark, idle: float = progress.IDLE_SECONDS):
        """Waits until found() is true; returns its value. `idle` is wall seconds that the guest may sleep.

        Raises KernelPanic when the kernel reports one after mark, MachineExited when the guest or QEMU is gone,
        GuestHang when the guest does nothing or goes round in one place, GuestTimeout when it used `budget` processor
        seconds without an answer.
        """
        check = self.watch(what, budget, mark, idle, found)
        while True:
            value = self.console.wait(lambda: found() or self._panicked(mark), 0.5)
            if value and not self._panicked(mark):
                return value
            check()

    def watch(self, what: str, budget: float, mark: Mark, idle: float = progress.IDLE_SECONDS,
              found: Callable[[], object] = lambda: False) -> Callable[[], None]:
        """For who waits on something else than the console: what it gives is to be called now and then, and raises as wait()
        does."""
        watch = progress.Watch(self.process.pid, budget, idle)

        def check() -> None:
            if self._panicked(mark):
                raise self._panic(mark)
            if self.console.closed or self.process.poll() is not None:
                raise MachineExited(f"QEMU ended while {what} was awaited", self.console.tail())
            verdict = watch.verdict(self.console.received)
            if self.qmp.status() == "shutdown" and not found() and not self._panicked(mark):
                raise MachineExited(f"the guest powered off while {what} was awaited", self.console.tail())
            if verdict:
                self._give_up(verdict, what, budget)

        return check

    def _give_up(self, verdict: str, what: str, budget: float) -> None:
        places = progress.stuck_places(self.qmp.hmp)
        names = [self._place(pc) for pc in places or progress.program_counters(self.qmp.hmp)]
        if verdict == "idle":
            raise GuestHang(f"the guest does nothing and {what} has not come; CPUs at", names, self.console.tail())
        if places is not None:
            raise GuestHang(f"the guest goes round in one place and {what} has not come; CPUs at", names,
                            self.console.tail())
        raise GuestTimeout(f"{what} has not come within {budget:g} processor seconds; the guest is busy at "
                           + ", ".join(names), self.console.tail())

    def _place(self, pc: int) -> str:
        try:
            return self.symbols.name(pc)
        except (OSError, FaultlineError):
            return f"{pc:#x}"

    def _panicked(self, mark: Mark) -> bool:
        return any(record.kind == "e" and '"event":"panic"' in record.payload for record in self.console.records(mark))

    def _panic(self, mark: Mark) -> KernelPanic:
        text = self.console.text(mark)
        event = next((e for e in self.events(mark) if e.get("event") == "panic"), {})
        printed = _PANIC.search(text)
        what = str(event.get("what") or (printed[1] if printed else "unknown"))
        stack = text[printed.start():] if printed else ""
        try:
            frames = self.symbols.frames(stack)
        except (OSError, FaultlineError, ELFError):  # the image is being built again, or is gone
            frames = symbols.printed_frames(stack)
        self.panic = KernelPanic(what, frames, self.console.tail())
        return self.panic

    def _end(self) -> None:
        """A recording is whole only when QEMU itself ends it; anything else is killed."""
        if self.config.record and hasattr(self, "qmp") and self.process.poll() is None:
            try:
                self.qmp("quit")
                self.process.wait(_QUIT_SECONDS)
            except (FaultlineError, TimeoutError, subprocess.TimeoutExpired):
                pass  # killed below
        if hasattr(self, "process"):
            process.end(self.process)

    def close(self) -> None:
        """Ends QEMU and everything about it. Any number of times. Raises OSError when log or recording cannot be kept."""
        if self._closed:
            return
        self._closed = True
        self._end()
        for part in ("console", "qmp", "qtest"):
            if hasattr(self, part):
                getattr(self, part).close()
        self._errors.close()
        self._lent.close()
        try:
            untrusted.take_back([self._folder])
            self._keep(self._folder / "serial.log", self._log)
            self._keep(self._recording, self.config.record)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    @staticmethod
    def _keep(source: Path, place: Path | None) -> None:
        if place and source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            files.copy(source, place)
