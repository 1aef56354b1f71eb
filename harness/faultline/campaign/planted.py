"""Tests of the oracles: each patch in fuzz/planted is a realistic bug, and must be found within its budget."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faultline import build, files, scratch
from faultline.campaign import engines, triage
from faultline.campaign.targets import Target
from faultline.compare import facts, suite
from faultline.errors import FaultlineError
from faultline.paths import ROOT, kernel_image

_ATTEMPTS = 20  # findings that are not the planted bug, before it is given up
_HEADER = re.compile(r"^(name|class|target|budget|build):\s*(.+?)\s*$", re.MULTILINE)
_FUZZED = "host-fuzz"
_REPLAYED = ("host-msan", "host-tsan")  # sanitizers that no engine runs under: seeds and saved inputs must do
_COMPARED = "qemu-virt-debug"  # not fuzzed: programs of user/compare tell this kernel from Linux
_COMPARE = "compare "  # what such a patch has as its target, before the programs' names
_AT_ONCE = 8  # inputs


@dataclass(frozen=True)
class Planted:
    """One planted bug. `budget` is seconds of libFuzzer on one core, or of replays where `build` is one of them. With a
    target "compare NAME…" programs of user/compare must show it, which takes as long as they do."""

    path: Path
    name: str
    kind: str
    target: str
    budget: float
    build: str = _FUZZED

    @property
    def compared(self) -> tuple[str, ...]:
        """The programs of user/compare that must tell; () for what is fuzzed or replayed."""
        return tuple(self.target.removeprefix(_COMPARE).split()) if self.target.startswith(_COMPARE) else ()


@dataclass
class Outcome:
    """An entry of report.json's "planted"; `error` when the bug could not even be planted."""

    name: str
    kind: str
    found: bool
    by: str
    seconds: float
    budget: float
    error: str = ""


def load(path: Path) -> Planted:
    """Reads a patch's header. Raises FaultlineError naming what is missing."""
    head = path.read_text().partition("\n--- ")[0].partition("\ndiff ")[0]
    fields = dict(_HEADER.findall(head))
    missing = [key for key in ("name", "class", "target", "budget") if key not in fields]
    if missing:
        raise FaultlineError(f"{path.name}: no line '{missing[0]}: …' before the diff")
    try:
        budget = float(fields["budget"].split()[0].rstrip("s"))
    except ValueError:
        raise FaultlineError(f"{path.name}: budget '{fields['budget']}' is not a number of seconds") from None
    compares = fields["target"].startswith(_COMPARE)
    preset = fields.get("build", _COMPARED if compares else _FUZZED)
    if preset not in (_FUZZED, *_REPLAYED) and not compares:
        raise FaultlineError(f"{path.name}: build '{preset}' is none of {', '.join((_FUZZED, *_REPLAYED))}")
    return Planted(path, fields["name"], fields["class"], fields["target"], budget, preset)


def all_planted(root: Path = ROOT) -> list[Planted]:
    return [load(path) for path in sorted((root / "fuzz" / "planted").glob("*.patch"))]


def plant(bug: Planted, copy: Path, stop: Callable[[], bool] = lambda: False) -> None:
    """Builds the bug's target with the bug in it. Raises FaultlineError when the patch does not apply, BuildFailed."""
    scratch.sync(copy)
    scratch.patch(copy, bug.path)
    build.build(bug.build, [] if bug.compared else [bug.target], root=copy, stop=stop)


def hunt(bug: Planted, copy: Path, folder: Path, stop: Callable[[], bool]) -> Outcome:
    """Plants a bug and looks for it from the seeds alone, without the corpus of earlier nights. Does not raise."""
    outcome = Outcome(bug.name, bug.kind, False, "", 0.0, bug.budget)
    target = Target(bug.target)
    try:
        if bug.compared:
            plant(bug, copy, stop)
            _hunt_by_comparison(bug, copy, folder, outcome)
            return outcome
        if not target.source.is_file():
            raise FaultlineError(f"{bug.path.name}: there is no target {bug.target}")
        plant(bug, copy, stop)
        if bug.build != _FUZZED:
            _hunt_by_replay(bug, target, copy, folder, stop, outcome)
            return outcome
        seeds = (folder / "seeds",) if target.seeds(folder / "seeds") else ()
        shutil.rmtree(folder / "corpus", ignore_errors=True)
        began = time.monotonic()
        for attempt in range(_ATTEMPTS):
            left = bug.budget - (time.monotonic() - began)
            if left < 1 or stop():
                break
            run = engines.libfuzzer(target, left, folder / str(attempt), stop, root=copy, corpus=folder / "corpus", extra=seeds,
                                    first_only=True)
            outcome.seconds = time.monotonic() - began
            if run.error:
                outcome.error = run.error
            if run.error or (run.findings and _judge(outcome, target, *run.findings[0], folder)):
                break
    except FaultlineError as error:
        outcome.error = str(error)
    return outcome


def _hunt_by_comparison(bug: Planted, copy: Path, folder: Path, outcome: Outcome) -> None:
    """The programs print something on the broken kernel that they print on neither the sound one nor Linux."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    summary = suite.run(bug.compared, folder=folder, say=lambda line: None, image=kernel_image(bug.build, copy))
    outcome.seconds = time.monotonic() - began
    told = [str(fact) for fact in summary.facts if fact.verdict == facts.DIFFERENT and not fact.reason]
    outcome.found = bool(told)
    outcome.by = f"{bug.target}: {told[0]}"[:160] if told else ""


def _hunt_by_replay(bug: Planted, target: Target, copy: Path, folder: Path, stop: Callable[[], bool], outcome: Outcome) -> None:
    """Seeds and saved inputs, some at a time, until one fails that passes without the bug."""
    build.build(bug.build, [bug.target], stop=stop)
    inputs = target.seeds(folder / "seeds") + target.regressions()
    began = time.monotonic()
    for first in range(0, len(inputs), _AT_ONCE):
        if stop() or time.monotonic() - began > bug.budget:
            break
        some = inputs[first:first + _AT_ONCE]
        done = triage.replay(target, some, preset=bug.build, root=copy)
        outcome.seconds = time.monotonic() - began
        if done.status != 0 and triage.replay(target, some, preset=bug.build).status == 0:
            finding = triage.parse(done.errors)
            outcome.by = f"{target.name} ({bug.build}, replay): {finding.kind}: {finding.said}"[:160]
            outcome.found = True
            break


def _judge(outcome: Outcome, target: Target, data: bytes, report: str, folder: Path) -> bool:
    """A planted bug counts as found when the same input passes without it."""
    saved = folder / "finding"
    files.write(saved, data)
    finding = triage.parse(report)
    outcome.by = f"{target.name} (libFuzzer): {finding.kind}: {finding.said}"[:160]
    outcome.found = triage.replay(target, [saved]).status == 0
    outcome.error = "" if outcome.found else "what was found fails without the planted bug too"
    return outcome.found
