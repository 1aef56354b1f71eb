"""A failure of the booted kernel as a file: which machine, what fails from the first instruction on, which command then.

What it is judged by is the same for a sweep and for the file: a boot ends at the prompt or says why not, a command ends
with status 0, and no panic, hang or broken walk of the kernel's structures comes between.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from faultline import files as our_files
from faultline import process, userland
from faultline.errors import BootFailed, FaultlineError, GuestError, KernelPanic, UsageError
from faultline.paths import IMAGE_PRESETS, OUT, ROOT, kernel_image
from faultline.process import MIB
from faultline.qemu import CommandFailed, Machine, MachineConfig
from faultline.qemu.faultsites import FaultSites, fired

BUDGET = 300.0         # processor seconds of QEMU for the command
_TEST_DEADLINE = 600.0  # seconds for one test of qemu-tests
_FORMAT = "faultline booted case"
_MAX_SIZE = 1 << 16
_TEST = re.compile(r"qemu-tests/(test_\w+\.py)::\w+(?:\[[^\n\[\]]*\])?")


@dataclass(frozen=True)
class Failure:
    """What went wrong. `kind`: panic, hang, exit, check (a walk of the kernel's structures), silent, status, test."""

    kind: str
    what: str
    frames: tuple[str, ...] = ()
    console: str = ""


@dataclass(frozen=True)
class BootCase:
    """`memory` in bytes; `fault` is a plan for the boot; `command` is the monitor's; `files`: with busybox, whose shell
    starts after each boot; `test` of qemu-tests stands alone."""

    preset: str = "qemu-virt-debug"
    cpu: str = "cortex-a72"
    smp: int = 1
    memory: int = 64 * MIB
    el2: bool = False
    icount: bool = False
    fault: str = ""
    command: str = ""
    test: str = ""
    files: bool = False

    def __str__(self) -> str:
        if self.test:
            return f"test {self.test}"
        where = f"'{self.command}'" if self.command else "boot"
        return where + (f" with fault {self.fault}" if self.fault else "") + (f" on {self.smp} CPUs" if self.smp > 1 else "")

    @property
    def subject(self) -> str:
        """What was done, whatever the machine and the fault: part of a signature."""
        return self.test or self.command or "boot"

    def save(self, path: Path) -> None:
        """Writes the file that scripts/reproduce takes."""
        our_files.write(path, json.dumps({"format": _FORMAT, **asdict(self)}, indent=2) + "\n")

    def config(self) -> MachineConfig:
        return MachineConfig(kernel_image(self.preset), cpu=self.cpu, smp=self.smp, memory=self.memory, el2=self.el2,
                             icount=self.icount, initrd=userland.initrd(OUT / "boot" / "sweep.cpio", applets=False) if self.files else None)


def load(path: Path) -> BootCase | None:
    """The case a file holds; None when it is no such file. Raises UsageError for a case that is damaged."""
    if path.stat().st_size > _MAX_SIZE:
        return None
    try:
        fields = json.loads(path.read_bytes())
    except ValueError:
        return None
    if not isinstance(fields, dict) or fields.pop("format", None) != _FORMAT:
        return None
    defaults = asdict(BootCase())
    for name, value in fields.items():
        if name not in defaults or type(value) is not type(defaults[name]):
            raise UsageError(f"{path}: '{name}' is no field of a booted case or has the wrong type (there are: {' '.join(defaults)})")
    if fields.get("preset", IMAGE_PRESETS[0]) not in IMAGE_PRESETS:
        raise UsageError(f"{path}: unknown preset '{fields['preset']}' (there are: {' '.join(IMAGE_PRESETS)})")
    return BootCase(**fields)


def run(case: BootCase, log: Path | None = None) -> Failure | None:
    """Runs a case on a machine of its own. Raises what keeps it from being run at all."""
    if case.test:
        return _run_test(case)
    with Machine(case.config(), log=log) as machine:
        machine.boot()
        failure = boot_once(machine, case.fault)[1] if case.fault else None
        up = machine.qmp.status() == "running"  # a boot may fail, when it says why
        return command_once(machine, case.command) if case.command and up and not failure else failure


def boot_once(machine: Machine, fault: str, sites: FaultSites | None = None) -> tuple[list[dict], Failure | None]:
    """Resets the machine and boots with a failure. Returns what each site counted, and what went wrong."""
    sites = sites or FaultSites(machine)
    failure = None
    try:
        machine.reboot(fault)
        if fired(sites.read()):
            machine.monitor.mem()  # booted in spite of it: then the machine works and is whole
        if machine.config.initrd:
            machine.monitor.command("exec /bin/busybox true", check=False)  # may fail, and says so
    except BootFailed as failed:
        if not failed.what:
            failure = Failure("silent", "boot failed without saying what", (), failed.console)
    except (GuestError, CommandFailed) as error:
        failure = of_error(error, machine)
    return sites.read(), failure


def command_once(machine: Machine, command: str) -> Failure | None:
    """Runs a command of the monitor that has to end with 0."""
    try:
        machine.monitor.command(command, budget=BUDGET)
    except (GuestError, CommandFailed) as error:
        return of_error(error, machine)
    return None


def of_error(error: GuestError | CommandFailed, machine: Machine) -> Failure:
    """What an error of a machine means."""
    if isinstance(error, CommandFailed):
        reply = error.reply
        broken = next((value["broken"] for value in reply.values if isinstance(value, dict) and value.get("broken")), "")
        broken = broken or next((line for line in reply.lines if line.startswith("BROKEN")), "")
        return Failure("check" if broken else "status", broken or str(error).splitlines()[0], (), machine.console.tail())
    if isinstance(error, KernelPanic):
        frames = tuple(f"{frame.function} {frame.location}".strip() for frame in error.frames)
        return Failure("panic", error.what, frames, error.console)
    return Failure(error.kind, error.summary, (), error.console)


def _check_test(test: str) -> None:
    """A case comes from anywhere, and a test is Python: only a file of this tree's qemu-tests is run, by its plain name.

    Raises UsageError.
    """
    name = _TEST.fullmatch(test)
    file = ROOT / "qemu-tests" / name[1] if name else None
    if file is None or not file.is_file() or file.is_symlink():
        raise UsageError(f"'{test}' is no test of this tree's qemu-tests (such as qemu-tests/test_boot.py::test_boots)")


def _run_test(case: BootCase) -> Failure | None:
    _check_test(case.test)
    python = ROOT / ".venv" / "bin" / "python"
    done = process.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--", case.test], deadline=_TEST_DEADLINE, cwd=ROOT,
                       merge=True, grace=10.0)
    if done.status == 0:
        return None
    if done.status == 1 or done.timed_out:
        return Failure("test", "a booted test fails", (), done.output)
    raise FaultlineError(f"{case.test} cannot be run: {(done.output.strip().splitlines() or ['no output'])[-1]}")
