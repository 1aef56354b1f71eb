"""The booted half of a night: failure sweeps in QEMU and the tests of qemu-tests/."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from faultline import files, process
from faultline.campaign import sweep
from faultline.campaign.bootcase import BootCase
from faultline.campaign.sites import Sites
from faultline.paths import ROOT
from faultline.qemu import Machine
from faultline.tally import Case, read_junit

_DEADLINE = 1500.0  # seconds for all booted tests


@dataclass
class BootedTests:
    """One pytest run over qemu-tests."""

    cases: list[Case] = field(default_factory=list)
    error: str = ""

    def count(self, verdict: str) -> int:
        return sum(case.verdict == verdict for case in self.cases)


def run_sweeps(folder: Path, sites: Sites, stop: Callable[[], bool], say: Callable[[str], None]) -> sweep.Result:
    """Sweeps the boot, the workloads on one CPU and on four, and interrupts, each in a machine of its own. Raises what
    cannot be run at all."""
    total = sweep.Result()
    for name, case, part in (
        ("boot", BootCase(), lambda *all: sweep.sweep_boot(*all, sites, stop, say)),
        ("shell", BootCase(files=True), lambda *all: sweep.sweep_boot(*all, sites, stop, say, [("all", False), ("all", True)])),
        ("workloads", BootCase(), lambda *all: sweep.sweep_workloads(*all, sites, stop, say)),
        ("workloads-smp", BootCase(smp=4), lambda *all: sweep.sweep_workloads(*all, sites, stop, say)),
        ("interrupts", BootCase(icount=True), lambda *all: sweep.sweep_interrupts(*all, stop, say)),
    ):
        if stop():
            break
        with Machine(case.config(), log=folder / f"sweep-{name}.log") as machine:
            machine.boot()
            total.add(part(machine, case))
    return total


def run_tests(folder: Path, jobs: int, stop: Callable[[], bool], select: str = "") -> BootedTests:
    """Runs pytest over qemu-tests; `select` is a -k expression."""
    folder.mkdir(parents=True, exist_ok=True)
    junit = folder / "booted.xml"
    junit.unlink(missing_ok=True)
    command = [ROOT / ".venv" / "bin" / "python", "-m", "pytest", "qemu-tests", "-q", "-n", str(jobs), f"--junitxml={junit}",
               "--log-dir", folder / "qemu-tests"]
    if select:
        command += ["-k", select]
    done = process.run(command, deadline=_DEADLINE, cwd=ROOT, merge=True, stop=stop, grace=10.0)
    files.write(folder / "pytest.log", done.output)
    result = BootedTests(read_junit(junit))
    if done.status not in (0, 1):
        last = done.output.strip().splitlines()[-1:] or ["no output"]
        result.error = "booted tests were stopped" if done.timed_out else f"pytest ended with {done.status}: {last[0]}"
    elif not result.cases:
        result.error = "no booted test ran"
    return result
