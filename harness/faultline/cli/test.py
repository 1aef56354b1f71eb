"""scripts/test: everything that has to hold before a change lands."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from faultline import build, checks, process
from faultline.campaign import booted, targets, triage, worlds
from faultline.cli.common import verb
from faultline.compare import suite
from faultline.errors import FaultlineError
from faultline.paths import OUT, ROOT, relative
from faultline.tally import Tally, read_junit, read_ktap

QUICK_PRESETS = ("host-test", "qemu-virt")
ALL_PRESETS = ("host-test", "qemu-virt", "qemu-virt-debug", "host-fuzz", "host-afl", "host-msan", "host-tsan")
REPLAYED = ("host-test", "host-msan", "host-tsan")  # what saved inputs and unit tests run under
REPORT = OUT / "test"
_SOURCES = ("kernel", "hal", "fault", "harness", "fuzz", "user", "tests")
_PYTHON_DEADLINE = 2400.0  # seconds; whole nights are among them
_SEEDS_MOST = 500  # programs of each target that the booted kernel runs too
_GENERATED = 1000   # that Linux does
_JOBS = min(2, os.cpu_count() or 1)


@verb("test")
@click.option("--quick", is_flag=True, help="Without what takes long: booted tests, Linux, clang-tidy, MSan, TSan, the fuzzers' builds.")
def main(quick: bool) -> int:
    """Static checks, builds, host unit tests, replay of every regression and seed (ASan and UBSan, MSan, TSan), tests of the
    Python package, the comparison with Linux, and the booted tests. The last line is 'N passed, N failed'; out/test/junit.xml has every test.

    Exit status: 0 all passed, 1 something failed.
    """
    tally = Tally()
    began = time.monotonic()
    for name, step in _steps(quick):
        since = time.monotonic()
        print(f"== {name}", flush=True)
        tally.suite = name
        try:
            step(tally)
        except FaultlineError as error:
            tally.check(name, str(error).splitlines())
        print(f"   {time.monotonic() - since:.1f} s", flush=True)
    tally.write_junit(REPORT / "junit.xml")
    return _say_end(tally, time.monotonic() - began)


def _steps(quick: bool) -> list[tuple[str, Callable[[Tally], None]]]:
    presets = QUICK_PRESETS if quick else ALL_PRESETS
    replayed = [preset for preset in REPLAYED if preset in presets]
    steps: list[tuple[str, Callable[[Tally], None]]] = [("static checks", _static)]
    steps += [(f"build {preset}", lambda t, preset=preset: _build(t, preset)) for preset in presets]
    steps += [("every source is built", lambda t: t.check("every source is built", checks.unbuilt(ROOT, presets)))]
    steps += [(f"unit tests {preset}", lambda t, preset=preset: _unit_tests(t, preset)) for preset in replayed]
    steps += [(f"saved inputs {preset}", lambda t, preset=preset: _replays(t, preset)) for preset in replayed]
    steps += [("Python tests", lambda t: _python(t, quick))]
    return steps if quick else [*steps, ("clang-tidy", _tidy), ("comparison with Linux", _compare), ("programs in other worlds", _worlds),
                                       ("booted tests", _booted)]


def _say_end(tally: Tally, seconds: float) -> int:
    passed, failed, skipped = (tally.having(verdict) for verdict in ("passed", "failed", "skipped"))
    for case in skipped:
        print(f"skipped: {case.name}: {case.message}")
    for case in failed:
        print(f"FAILED: {case.suite}: {case.name}")
    verdict = "everything passed" if not failed else f"failed: {', '.join(case.name for case in failed[:5])}"
    print(f"test: {verdict} in {seconds:.0f} s")
    print(f"{len(passed)} passed, {len(failed)} failed" + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


def _static(tally: Tally) -> None:
    tally.check("the layer check sees planted violations", checks.self_test())
    tally.check("layers", [str(violation) for violation in checks.check_tree()])
    sources = [path for folder in _SOURCES for path in (ROOT / folder).rglob("*.[ch]")]
    done = process.run(["clang-format-19", "--dry-run", "-Werror", "--style=file", *sources], deadline=300, cwd=ROOT)
    wrong = sorted({line.split(":")[0] for line in done.errors.splitlines() if "error:" in line or "warning:" in line})
    tally.check("format", [f"{relative(Path(path))} is not as .clang-format has it (clang-format-19 -i)" for path in wrong]
                or ([] if done.status == 0 else [done.errors]))


def _build(tally: Tally, preset: str) -> None:
    since = time.monotonic()
    build.build(preset)
    tally.check(f"build {preset}", [], time.monotonic() - since)


def _unit_tests(tally: Tally, preset: str) -> None:
    program = ROOT / "build" / preset / "tests" / "host_tests"
    done = process.run([program], deadline=600, env=triage.SANITIZER_ENV)
    cases = read_ktap(tally.suite, done.output)
    tally.add(cases)
    said = (done.output + done.errors).strip().splitlines()
    if done.status != 0 and not any(case.verdict == "failed" for case in cases):
        tally.check("the program's end", [f"{relative(program)} ended with {done.status}", *said[-30:]])
    if not cases:
        tally.check("there are unit tests", [f"{relative(program)} ran none", *said[-20:]])


def _replays(tally: Tally, preset: str) -> None:
    found = targets.all_targets()
    tally.check("there are fuzz targets", [] if found else ["fuzz/ holds no target"])
    for target in found:
        since = time.monotonic()
        seeds, regressions = target.seeds(), target.regressions()
        problems = [] if seeds else [f"fuzz/seeds/{target.short}.py is missing"]
        if triage.replay(target, seeds + regressions, preset=preset).status != 0:
            problems += _failing(target, seeds + regressions, preset)
        tally.check(f"{target.name}: {len(seeds)} seeds, {len(regressions)} regressions", problems, time.monotonic() - since)


def _failing(target: targets.Target, files: list[Path], preset: str) -> list[str]:
    """Which of a target's files fail, one by one."""
    problems = []
    for file in files:
        done = triage.replay(target, [file], preset=preset)
        if done.status != 0:
            finding = triage.parse(done.errors, done.status)
            problems.append(f"{relative(file)}: {finding.signature}: {finding.said}")
    return problems or ["fails, though each of its files alone passes"]


def _python(tally: Tally, quick: bool) -> None:
    junit = REPORT / "python.xml"
    junit.parent.mkdir(parents=True, exist_ok=True)
    junit.unlink(missing_ok=True)
    command = [ROOT / ".venv" / "bin" / "python", "-m", "pytest", "tests/python", "-q", f"--junitxml={junit}"]
    done = process.run(command + (["-m", "not slow"] if quick else []), deadline=_PYTHON_DEADLINE, cwd=ROOT, merge=True, grace=10.0)
    cases = read_junit(junit)
    tally.add(cases)
    if done.status not in (0, 1) or not cases:
        tally.check("pytest", [f"pytest ended with {done.status}", *done.output.strip().splitlines()[-3:]])


def _tidy(tally: Tally) -> None:
    """Warnings are errors; what is asked for stands in .clang-tidy."""
    folder = ROOT / "build" / "host-test"
    files = sorted({entry["file"] for entry in json.loads((folder / "compile_commands.json").read_text())
                    if entry["file"].endswith(".c")})  # and no assembly: there is nothing to be said of it

    def lint(file: str) -> list[str]:
        done = process.run(["clang-tidy-19", "--quiet", "-p", folder, file], deadline=300, cwd=ROOT)
        said = [line.replace(f"{ROOT}/", "") for line in done.output.splitlines() if "error:" in line or "warning:" in line]
        return said or ([] if done.status == 0 else [f"clang-tidy ended with {done.status}", done.errors[-500:]])

    with ThreadPoolExecutor(_JOBS) as pool:
        for file, problems in zip(files, pool.map(lint, files)):
            tally.check(relative(Path(file)), problems)


def _compare(tally: Tally) -> None:
    since = time.monotonic()
    summary = suite.run(folder=REPORT / "compare", say=lambda line: print(f"    {line}"))
    suite.show(summary)
    print(f"   {suite.verdict(summary)}")
    wrong = [problem for problem in summary.problems if problem.split(": ")[0] not in summary.programs]
    for program in summary.programs:
        tally.check(f"compare {program}", [problem for problem in summary.problems if problem.startswith(f"{program}: ")])
    tally.check("every known difference is still one", wrong, time.monotonic() - since)


def _worlds(tally: Tally) -> None:
    """Seeds and regressions of programs on the booted kernel; generated ones on this machine's Linux, where we are root."""
    programs = [target for target in targets.all_targets() if target.runs_programs]
    runs = {"booted": lambda: worlds.booted(programs, _SEEDS_MOST, print, lambda: False)}
    if os.geteuid() == 0:
        runs["linux"] = lambda: worlds.linux(_GENERATED, 0, print, lambda: False)
    for world, run in runs.items():
        since = time.monotonic()
        result = run()
        print(f"   {result.verdict}")
        problems = [str(difference) for difference in result.verdict.unexplained] + result.failures + result.stale
        tally.check(f"{world}: {result.verdict.programs} programs", problems, time.monotonic() - since)


def _booted(tally: Tally) -> None:
    result = booted.run_tests(REPORT, _JOBS, lambda: False)
    tally.add(result.cases)
    if result.error:
        tally.check("pytest", [result.error])


if __name__ == "__main__":
    main()
