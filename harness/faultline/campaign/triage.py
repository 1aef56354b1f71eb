"""From a report on stderr to a signature, and from an input to a folder that a person can use.

A signature is the kind of finding and the first three named frames in the kernel's own sources: names only, no addresses,
no offsets, so that one bug is one folder whatever input found it and on whichever machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path

from faultline import files as our_files
from faultline import process, untrusted
from faultline.campaign import bootcase
from faultline.campaign.bootcase import BootCase, Failure
from faultline.campaign.targets import Target
from faultline.paths import ROOT

REPLAYS = 3
REPLAY_DEADLINE = 90.0  # seconds; the replay program itself gives up on an input after 60
FRAMES = 3
_NAME_MOST = 200  # bytes of a signature: with a target's name it is still a file's

_KINDS = (
    re.compile(r"FAULTLINE: (?P<kind>[\w-]+): (?P<said>.*)"),
    re.compile(r"(?:Address|Memory|Thread|Leak)Sanitizer: (?P<kind>[\w-]+)(?P<said>.*)"),
    re.compile(r"runtime error: (?P<said>.*)"),
    re.compile(r"^PANIC: (?P<said>.*)", re.MULTILINE),
)
_FRAME = re.compile(r"^\s*#(?P<number>\d+)\s+0x[0-9a-f]+\s+in\s+(?P<function>[\w.$~]+)(?:\s+(?P<place>\S+))?", re.MULTILINE)
_OWN = re.compile(r"(?:^|/)((?:kernel|hal|fault)/\S+?\.[chS](?::\d+)?)(?::\d+)?$")
# How a finding is reported is not where it is.
_REPORTING = re.compile(r"^(?:panic|panic_at|panic_\w+|assert_\w+|machine_finding\w*|machine_report\w*|bug|report|abort)$|^__")
_REPORTING_FILES = ("hal/host/report.c", "hal/host/machine.c", "hal/host/fiber.c", "kernel/debug/panic.c", "kernel/base/assert.")
_PLAN = re.compile(r"with fault \S+: ")
_MASK = re.compile(r"0x[0-9a-fA-F]+|\b\d+\b")


@dataclass(frozen=True)
class Finding:
    """What a report says. `frames` are 'function file:line', innermost first, of the kernel's own sources."""

    kind: str
    said: str
    frames: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(frame.split()[0] for frame in self.frames[:FRAMES])

    @property
    def signature(self) -> str:
        """Fit for a folder name. Without a frame the masked sentence stands in."""
        parts = self.names or (_MASK.sub("N", self.said)[:60] or "unknown",)
        return re.sub(r"[^A-Za-z0-9_.+-]+", "_", "-".join((self.kind, *parts))).strip("_")[:_NAME_MOST]


def parse(report: str, status: int | None = 1) -> Finding:
    """Reads a report. `status` is the exit status, None for a run that did not end."""
    kind, said, position = "timeout" if status is None else "crash", "", 0
    for pattern in _KINDS:
        match = pattern.search(report)
        if match:
            named = match.groupdict()
            default = "undefined" if "runtime error" in pattern.pattern else "panic"
            kind, said, position = named.get("kind") or default, named["said"].strip(), match.start()
            break
    return Finding(kind, said, tuple(_frames(report[position:])))


def of_booted(case: BootCase, failure: Failure) -> Finding:
    """The finding of a booted case: its sentence is without the machine and the plan that showed it."""
    return Finding(failure.kind, f"{case.subject}: {_PLAN.sub('', failure.what)}", failure.frames)


def _frames(report: str) -> list[str]:
    found: list[str] = []
    expected = 0
    for match in _FRAME.finditer(report):
        if int(match["number"]) != expected:
            break  # the next stack: where it was allocated or freed
        expected += 1
        own = _OWN.search(match["place"] or "")
        name = match["function"].split(".")[0]
        if own and not _REPORTING.match(name) and not own[1].startswith(_REPORTING_FILES):
            found.append(f"{name} {own[1]}")
    return found


@dataclass
class Crash:
    """One entry of report.json's "crashes"."""

    signature: str
    target: str
    kind: str
    frames: list[str]
    folder: str
    replays: str
    machines: str = "host"
    faults: list[str] = field(default_factory=list)
    new: bool = True
    said: str = ""
    without_faults: str = ""


SANITIZER_ENV = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_leaks=0:hard_rss_limit_mb=2048:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "MSAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-19",
    "LLVM_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-19",
    "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-19",
}


def replay(target: Target, files: list[Path], *, trace: bool = False, options: tuple[str, ...] = (),
           preset: str = "host-test", root: Path | None = None) -> process.Finished:
    """Runs saved inputs through the plain replay program, each in its own process."""
    program = target.binary(preset, root)
    with untrusted.readable(files, program) as inputs:
        return process.run([program, *(["--trace"] if trace else []), *options, *inputs], deadline=REPLAY_DEADLINE * max(1, len(files)),
                           env=SANITIZER_ENV, untrusted=True)


class Triage:
    """Sorts findings into crashes/<signature>/; the first input of a signature wins, shorter ones replace it."""

    def __init__(self, folder: Path, known: set[str] | None = None):
        self.folder = folder
        self.crashes: dict[tuple[str, str], Crash] = {}
        self._known = known or set()
        self._lock = threading.Lock()

    def add(self, target: Target, data: bytes, report: str, source: str, slow: bool = False) -> Crash | None:
        """Replays an input three times and files it. `report` is what the fuzzer said when it found it; used when the
        input does not fail again. One that only was `slow`, by a clock of the host, and then passes is no finding: None."""
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = self.folder / f".{target.name}-{hashlib.sha1(data).hexdigest()}"
        our_files.write(scratch, data)
        try:
            runs = [replay(target, [scratch], trace=True)]
            known = self._known_already(target, runs[0], len(data))
            if known:
                return known
            runs += [replay(target, [scratch], trace=True) for _ in range(REPLAYS - 1)]
            failing = [run for run in runs if run.status != 0]
            bare = replay(target, [scratch], options=("--fault", "all,nth=4294967295")) if failing else None
        finally:
            scratch.unlink(missing_ok=True)
        if slow and not failing:
            return None
        said = failing[0].errors if failing else report
        finding = parse(said, failing[0].status if failing else 1)
        faults = [line for line in (failing[0].output if failing else "").splitlines() if line.startswith("fault: ")]
        crash = Crash(finding.signature, target.name, finding.kind, list(finding.frames[:8]), "",
                      f"{len(failing)}/{REPLAYS}", faults=faults, said=finding.said)
        if bare and any("fired" in line and "fired 0" not in line for line in faults):
            crash.without_faults = "passes without the faults" if bare.status == 0 else "fails without the faults too"
        full = (failing[0].output + failing[0].errors) if failing else report
        return self._file(crash, data, full, source)

    def _known_already(self, target: Target, run: process.Finished, size: int) -> Crash | None:
        """The crash that a run shows when an input as short as this one is filed for it."""
        if run.status == 0:
            return None
        with self._lock:
            crash = self.crashes.get((target.name, parse(run.errors, run.status).signature))
            return crash if crash and (Path(crash.folder) / "input").stat().st_size <= size else None

    def _file(self, crash: Crash, data: bytes, report: str, source: str) -> Crash:
        with self._lock:
            key = (crash.target, crash.signature)
            before = self.crashes.get(key)
            name = crash.signature
            if any(k[1] == crash.signature and k[0] != crash.target for k in self.crashes):
                name += f"-{crash.target}"
            folder = Path(before.folder) if before else self.folder / name
            crash.folder = str(folder)
            crash.new = crash.signature not in self._known
            stored = folder / "input"
            if before and stored.stat().st_size <= len(data):
                return before
            folder.mkdir(parents=True, exist_ok=True)
            our_files.write(stored, data)
            our_files.write(folder / "report.txt", report)
            our_files.write(folder / "meta.json", json.dumps({**asdict(crash), "found_by": source}, indent=2) + "\n")
            _write_repro(folder, crash.target)
            self.crashes[key] = crash
            return crash

    def add_booted(self, case: BootCase, failure: Failure, source: str) -> Crash:
        """Runs a case of the booted kernel three times more (a test of qemu-tests once) and files it."""
        finding = of_booted(case, failure)
        with self._lock:
            known = self.crashes.get(("boot", finding.signature))
        if known:
            return known
        tries = 1 if case.test else REPLAYS
        failing = sum(bootcase.run(case) is not None for _ in range(tries))
        crash = Crash(finding.signature, "boot", finding.kind, list(finding.frames[:8]), str(self.folder / finding.signature),
                      f"{failing}/{tries}", machines="qemu", faults=[case.fault] if case.fault else [],
                      new=finding.signature not in self._known, said=f"{case}: {failure.what}")
        folder = Path(crash.folder)
        folder.mkdir(parents=True, exist_ok=True)
        case.save(folder / "input")
        our_files.write(folder / "report.txt", f"{crash.said}\n\n{failure.console}\n")
        our_files.write(folder / "meta.json", json.dumps({**asdict(crash), "found_by": source}, indent=2) + "\n")
        _write_repro(folder, "")
        with self._lock:
            return self.crashes.setdefault(("boot", crash.signature), crash)


def _write_repro(folder: Path, target: str) -> None:
    """`target` is empty for a booted case, which says itself what it is."""
    option = f"--target {target} " if target else ""
    our_files.write(folder / "repro.sh", '#!/usr/bin/env bash\n# Shows the finding again: exit 0 it passes now, 1 it fails.\nset -euo pipefail\n'
                    'here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)\n'
                    f'exec {_way_to_root(folder)}/scripts/reproduce {option}"$here/input" "$@"\n', mode=0o755)


def _way_to_root(folder: Path) -> str:
    """A word of the shell. Relative where the folder lies in the tree, so that both can move together."""
    inside = folder.resolve().is_relative_to(ROOT)
    return f'"$here/{os.path.relpath(ROOT, folder.resolve())}"' if inside else shlex.quote(str(ROOT))


def load_known(night: Path) -> set[str]:
    """Signatures of an earlier night."""
    try:
        report = json.loads((night / "report.json").read_text())
        return {str(crash["signature"]) for crash in report["crashes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def copy_into(folder: Path, files: list[Path]) -> None:
    """Copies inputs under names that are their contents' hash, so that sharing twice changes nothing. Fuzzers read the copies as
    nobody. Neither what is copied nor where it goes is a link."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        try:
            with our_files.take(file) as source:
                data = source.read()
        except OSError:
            continue  # taken away meanwhile, or a link
        place = folder / hashlib.sha1(data).hexdigest()
        if place.is_symlink() or not place.exists():
            our_files.write(place, data, mode=0o644)
