"""How much of kernel/ the unit tests, seeds, regressions and corpora reach on the simulated machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faultline import build, files, process
from faultline.campaign.targets import Target
from faultline.errors import FaultlineError
from faultline.paths import ROOT

PRESET = "host-cov"
COUNTED = ("lines", "branches", "mcdc")
_IGNORE = r"(/|^)(hal|harness|fuzz|tests|build|user)/"
_BATCH = 200     # inputs per process
_DEADLINE = 900  # seconds per process


@dataclass(frozen=True)
class Coverage:
    """`totals` are llvm-cov's, by name: percent, covered, count; `failed` are programs that ended badly."""

    totals: dict[str, dict]
    failed: list[str]

    @property
    def percents(self) -> dict[str, float | None]:
        """The entry of report.json."""
        return {name: round(self.totals[name]["percent"], 2) if name in self.totals else None for name in COUNTED}


def measure(chosen: list[Target], folder: Path, say: Callable[[str], None],
            stop: Callable[[], bool] = lambda: False) -> Coverage:
    """Builds, runs everything, and writes folder/coverage.json and folder/html. Raises FaultlineError, BuildFailed."""
    build.build(PRESET, stop=stop)
    shutil.rmtree(folder, ignore_errors=True)
    raw = folder / "raw"
    raw.mkdir(parents=True)
    programs: dict[Path, list[Path]] = {ROOT / "build" / PRESET / "tests" / "host_tests": []}
    for target in chosen:
        programs[target.binary(PRESET)] = target.seeds() + target.regressions() + target.saved()
    failed = [program.name for program, inputs in programs.items() if not _run(program, inputs, raw, stop)]
    profiles = sorted(raw.glob("*.profraw"))
    if not profiles or stop():
        raise FaultlineError("was stopped" if stop() else "nothing ran, so nothing was measured")
    merged = raw / "merged"
    _tool(["llvm-profdata-19", "merge", "-sparse", "-o", merged, *profiles], raw)
    objects = [word for program in programs for word in ("-object", str(program))][1:]
    common = [f"-instr-profile={merged}", f"-ignore-filename-regex={_IGNORE}", *objects]
    exported = json.loads(_tool(["llvm-cov-19", "export", "-summary-only", *common], raw))
    files.write(folder / "coverage.json", json.dumps(exported, indent=1) + "\n")
    pages = folder / "html"
    pages.mkdir()
    _tool(["llvm-cov-19", "show", "-format=html", f"-output-dir={pages}", "-show-branches=count", "-show-mcdc", *common], raw, pages)
    shutil.rmtree(raw)
    for name in failed:
        say(f"{name} ended badly while it was measured")
    return Coverage(exported["data"][0]["totals"], failed)


def lines_of(target: Target, inputs: list[Path], folder: Path) -> float:
    """Percent of the lines of kernel/ that one target reaches with these inputs. Raises FaultlineError, BuildFailed."""
    build.build(PRESET, [target.name])
    raw = folder / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True)
    program = target.binary(PRESET)
    if not _run(program, inputs, raw, lambda: False):
        raise FaultlineError(f"{target.name} ended badly while it was measured")
    merged = raw / "merged"
    _tool(["llvm-profdata-19", "merge", "-sparse", "-o", merged, *sorted(raw.glob("*.profraw"))], raw)
    exported = json.loads(_tool(["llvm-cov-19", "export", "-summary-only", f"-instr-profile={merged}",
                                 f"-ignore-filename-regex={_IGNORE}", program], raw))
    return exported["data"][0]["totals"]["lines"]["percent"]


def _run(program: Path, inputs: list[Path], raw: Path, stop: Callable[[], bool]) -> bool:
    """Runs a program on all its inputs, or once without any. True when every run ended with 0."""
    good = True
    for start in range(0, max(1, len(inputs)), _BATCH):
        done = process.run([program, *inputs[start:start + _BATCH]], deadline=_DEADLINE, stop=stop, untrusted=True, writes=[raw],
                           env={"LLVM_PROFILE_FILE": str(raw / f"{program.name}-%8m.profraw")})
        good &= done.status == 0
    return good


def _tool(command, *writes: Path) -> str:
    """Profiles are what programs wrote that ran inputs: who reads them has no more rights than they."""
    done = process.run(command, deadline=_DEADLINE, untrusted=True, writes=writes)
    if done.status != 0:
        raise FaultlineError(f"{command[0]} ended with {done.status}: {done.errors.strip()[-300:]}")
    return done.output
