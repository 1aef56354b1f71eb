"""The booted half of a night: failure sweeps in QEMU and the tests of qemu-tests/."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from faultline import process
from faultline.campaign import sweep
from faultline.campaign.bootcase import BootCase
from faultline.campaign.sites import Sites
from faultline.paths import ROOT
from faultline.qemu import Machine

_DEADLINE = 1500.0  # seconds for all booted tests


@dataclass
class BootedTests:
    """Counts of one pytest run over qemu-tests; `failures` are (test's node id, message)."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    error: str = ""


def run_sweeps(folder: Path, sites: Sites, stop: Callable[[], bool], say: Callable[[str], None]) -> sweep.Result:
    """Sweeps the boot, the workloads on one CPU and on four, and interrupts, each in a machine of its own. Raises what
    cannot be run at all."""
    total = sweep.Result()
    for name, case, part in (
        ("boot", BootCase(), lambda *all: sweep.sweep_boot(*all, sites, stop, say)),
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
    junit = folder / "junit.xml"
    command = [ROOT / ".venv" / "bin" / "python", "-m", "pytest", "qemu-tests", "-q", "-n", str(jobs), f"--junitxml={junit}",
               "--log-dir", folder / "qemu-tests"]
    if select:
        command += ["-k", select]
    done = process.run(command, deadline=_DEADLINE, cwd=ROOT, merge=True, stop=stop, grace=10.0)
    (folder / "pytest.log").write_text(done.output)
    result = read_junit(junit)
    if done.status not in (0, 1):
        last = done.output.strip().splitlines()[-1:] or ["no output"]
        result.error = "booted tests were stopped" if done.timed_out else f"pytest ended with {done.status}: {last[0]}"
    elif result.passed + result.failed == 0:
        result.error = "no booted test ran"
    return result


def read_junit(path: Path) -> BootedTests:
    """Counts in a JUnit file; all zero when there is none."""
    result = BootedTests()
    if not path.is_file():
        return result
    for case in ElementTree.parse(path).iter("testcase"):
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        if bad is not None:
            result.failed += 1
            message = re.sub(r"\s+", " ", bad.get("message", ""))[:300]
            result.failures.append((f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}", message))
        elif case.find("skipped") is not None:
            result.skipped += 1
        else:
            result.passed += 1
    return result
