"""scripts/test: everything that has to hold before a change lands."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click

from faultline import build, checks, process
from faultline.campaign import booted, targets, triage
from faultline.cli.common import verb
from faultline.errors import FaultlineError
from faultline.paths import OUT, ROOT, relative

QUICK_PRESETS = ("host-test", "qemu-virt")
ALL_PRESETS = ("host-test", "qemu-virt", "qemu-virt-debug", "host-fuzz", "host-afl")


@dataclass
class Tally:
    """Counts over all steps; `notes` say why something was skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def check(self, name: str, problems: list[str]) -> None:
        """One test: it passes without problems."""
        if problems:
            self.failed += 1
            self.broken.append(name)
            for line in problems[:40]:
                print(f"    {line}")
        else:
            self.passed += 1

    def skip(self, name: str, reason: str) -> None:
        self.skipped += 1
        self.notes.append(f"{name}: {reason}")


@verb("test")
@click.option("--quick", is_flag=True, help="Without what takes long: booted tests and the fuzzers' builds.")
def main(quick: bool) -> int:
    """Static checks, builds, host unit tests, replay of every regression and seed, tests of the Python package, and the booted
    tests (not with --quick). The last line is 'N passed, N failed'.

    Exit status: 0 all passed, 1 something failed.
    """
    tally = Tally()
    began = time.monotonic()
    steps: list[tuple[str, Callable[[Tally], None]]] = [("static checks", _static)]
    presets = QUICK_PRESETS if quick else ALL_PRESETS
    steps += [(f"build {preset}", lambda t, preset=preset: _build(t, preset)) for preset in presets]
    steps += [("host unit tests", _host_tests), ("regressions and seeds", _replays), ("Python tests", _python)]
    if not quick:
        steps.append(("booted tests", _booted))
    for name, step in steps:
        since = time.monotonic()
        print(f"== {name}", flush=True)
        try:
            step(tally)
        except FaultlineError as error:
            tally.check(name, str(error).splitlines())
        print(f"   {time.monotonic() - since:.1f} s", flush=True)
    for note in tally.notes:
        print(f"skipped: {note}")
    for name in tally.broken:
        print(f"FAILED: {name}")
    verdict = "everything passed" if not tally.failed else f"failed: {', '.join(tally.broken[:5])}"
    print(f"test: {verdict} in {time.monotonic() - began:.0f} s")
    print(f"{tally.passed} passed, {tally.failed} failed" + (f", {tally.skipped} skipped" if tally.skipped else ""))
    return 1 if tally.failed or not tally.passed else 0


def _static(tally: Tally) -> None:
    tally.check("the layer check sees planted violations", checks.self_test())
    tally.check("layers", [str(violation) for violation in checks.check_tree()])
    sources = [path for folder in ("kernel", "hal", "fault", "harness", "fuzz", "user", "tests")
               for path in (ROOT / folder).rglob("*.[ch]")]
    done = process.run(["clang-format-19", "--dry-run", "-Werror", "--style=file", *sources], deadline=300, cwd=ROOT)
    wrong = sorted({line.split(":")[0] for line in done.errors.splitlines() if "error:" in line or "warning:" in line})
    tally.check("format", [f"{relative(Path(path))} is not as .clang-format has it (clang-format-19 -i)" for path in wrong])


def _build(tally: Tally, preset: str) -> None:
    build.build(preset)
    tally.check(f"build {preset}", [])


def _host_tests(tally: Tally) -> None:
    program = ROOT / "build" / "host-test" / "tests" / "host_tests"
    if not program.is_file():
        tally.check("host unit tests", [f"{relative(program)} is missing (cmake --build --preset host-test)"])
        return
    done = process.run([program], deadline=600, env=triage.SANITIZER_ENV)
    passed, failed, skipped, names = read_ktap(done.output)
    tally.passed += passed
    tally.failed += failed
    tally.skipped += skipped
    tally.broken += names
    if done.status != 0 and not failed or passed + failed == 0:
        tail = (done.output + done.errors).strip().splitlines()[-20:]
        tally.check("host unit tests", [f"host_tests ended with {done.status}, {passed} passed", *tail])
    elif failed:
        print("\n".join(line for line in done.output.splitlines() if line.lstrip().startswith(("not ok", "#"))))


_KTAP = re.compile(r"^\s*(not )?ok \d+(?: - | )(\S+)(.*)$", re.MULTILINE)


def read_ktap(text: str) -> tuple[int, int, int, list[str]]:
    """(passed, failed, skipped, names of the failed) of KTAP output; suites that contain tests count through these."""
    passed = failed = skipped = 0
    names: list[str] = []
    lines = _KTAP.findall(text)
    nested = re.search(r"^\s+(?:not )?ok ", text, re.MULTILINE) is not None
    if nested:
        lines = re.findall(r"^\s+(not )?ok \d+(?: - | )(\S+)(.*)$", text, re.MULTILINE)
    for bad, name, rest in lines:
        if "# SKIP" in rest:
            skipped += 1
        elif bad:
            failed += 1
            names.append(name)
        else:
            passed += 1
    return passed, failed, skipped, names


def _replays(tally: Tally) -> None:
    found = targets.all_targets()
    tally.check("there are fuzz targets", [] if found else ["fuzz/ holds no target"])
    for target in found:
        problems: list[str] = []
        try:
            seeds, regressions = target.seeds(), target.regressions()
        except FaultlineError as error:
            tally.check(f"seeds of {target.name}", [str(error)])
            continue
        if not seeds:
            tally.check(f"{target.name} has seeds", [f"fuzz/seeds/{target.short}.py is missing"])
        for file in seeds + regressions:
            done = triage.replay(target, [file])
            if done.status != 0:
                finding = triage.parse(done.errors, done.status)
                problems.append(f"{relative(file)}: {finding.signature}: {finding.said}")
        tally.check(f"{target.name}: {len(seeds)} seeds, {len(regressions)} regressions", problems)


def _pytest_counts(tally: Tally, name: str, result: booted.BootedTests) -> None:
    tally.passed += result.passed
    tally.failed += result.failed
    tally.skipped += result.skipped
    tally.broken += [test for test, _ in result.failures]
    for test, message in result.failures:
        print(f"    {test}: {message}")
    if result.error:
        tally.check(name, [result.error])
    if result.skipped:
        tally.notes.append(f"{name}: {result.skipped} skipped, see the log")


def _python(tally: Tally) -> None:
    junit = OUT / "test" / "python.xml"
    junit.parent.mkdir(parents=True, exist_ok=True)
    junit.unlink(missing_ok=True)
    python = ROOT / ".venv" / "bin" / "python"
    done = process.run([python, "-m", "pytest", "tests/python", "-q", f"--junitxml={junit}"], deadline=600, cwd=ROOT, merge=True)
    result = booted.read_junit(junit)
    if done.status not in (0, 1) or not result.passed:
        result.error = f"pytest ended with {done.status}: " + " / ".join(done.output.strip().splitlines()[-3:])
    _pytest_counts(tally, "Python tests", result)


def _booted(tally: Tally) -> None:
    jobs = min(2, os.cpu_count() or 1)
    _pytest_counts(tally, "booted tests", booted.run_tests(OUT / "test", jobs, lambda: False))


if __name__ == "__main__":
    main()
