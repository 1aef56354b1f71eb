"""Rows about programs on the whole kernel: how many a second, what a reset costs, where the time goes, what is reached."""

from __future__ import annotations

import os
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from faultline import build, process
from faultline.bench.rows import Row
from faultline.campaign import coverage, engines, triage
from faultline.campaign.targets import Target
from faultline.campaign.worlds import generated
from faultline.errors import FaultlineError
from faultline.paths import OUT, ROOT
from faultline.worlds.booted import Booted
from faultline.worlds.compare import MACHINES, MILLISECONDS
from faultline.worlds.program import decode
from faultline.worlds.text import CALL, to_text
from faultline.worlds.window import Job

TARGET = "fuzz_kernel"
CALLS = range(6, 11)  # of a program "of about eight calls"
RATE_GOAL, RESET_GOAL, BOOTED_GOAL, LINES_GOAL = 20_000, 30, 1000, 80
_PRESET = "host-fuzz"
_WARM = 200    # runs of each program that say how many fit into the time
_FRESH = 200   # programs
_BOOTED = 4000
_EXECUTED = re.compile(r"^Executed (.+) in (\d+) ms$", re.MULTILINE)
_RESET = re.compile(r"^(machine_reset|machine_variables_reset|reset_\w+|machine_world_\w+|machine_flows_\w+|restore_\w+|machine_copy_raw)")


@dataclass(frozen=True)
class Shares:
    """Parts of the samples, 0 to 1: kernel/ and fault/; the machine, the harness and the interpreter; sanitizers, the engine
    and the C library; and of all that resets."""

    kernel: float
    harness: float
    sanitizer: float
    resets: float


def seeds(folder: Path) -> list[Path]:
    """Those that have about eight calls. Raises FaultlineError when there is none."""
    chosen = [path for path in Target(TARGET).seeds(folder)
              if sum(1 for line in to_text(path.read_bytes()) if CALL.match(line)) in CALLS]
    if not chosen:
        raise FaultlineError(f"no seed of {TARGET} has about eight calls")
    return chosen


def fresh(folder: Path) -> list[Path]:
    """Programs as the mutator makes them: of eight calls, more or less."""
    folder.mkdir(parents=True)
    found = []
    for number, data in enumerate(generated(_FRESH, root=True)):
        found.append(folder / f"{number:04}")
        found[-1].write_bytes(data)
    return found


def _execute(files: list[Path], runs: int, profile: Path | None = None) -> float:
    """Seconds for so many runs of each file, nothing changed in between."""
    env = {**triage.SANITIZER_ENV, **({"FAULTLINE_PROFILE": str(profile)} if profile else {})}
    done = process.run([Target(TARGET).binary(_PRESET), f"-runs={runs}", "-detect_leaks=0", *files], deadline=600, env=env, merge=True,
                       untrusted=True, writes=[profile.parent] if profile else [])
    times = _EXECUTED.findall(done.output)
    if done.status != 0 or len(times) != len(files):
        raise FaultlineError(f"{TARGET} ended with {done.status}: {done.output.strip()[-300:]}")
    return sum(int(time) for _, time in times) / 1000


def kind_of(place: str) -> str:
    """Whose code a source file is."""
    path = re.sub(r"^(?:\./)+", "", place)
    if re.match(r"(?:kernel|fault)/", path):
        return "kernel"
    return "harness" if re.match(r"(?:hal|harness|user|fuzz)/", path) else "sanitizer"


def shares_of(samples: str, symbols: list[tuple[str, str]]) -> Shares:
    """`samples` as harness/profile.c writes them, `symbols` a function and its file for each, in order."""
    counts = [int(count) for address, count in (line.split() for line in samples.splitlines()) if address != "lost"]
    total = sum(counts)
    if total == 0:
        raise FaultlineError("no sample was taken")
    parts = dict.fromkeys(("kernel", "harness", "sanitizer"), 0)
    resets = 0
    for count, (function, place) in zip(counts, symbols, strict=True):
        parts[kind_of(place)] += count
        resets += count if _RESET.match(function) else 0
    return Shares(*(part / total for part in parts.values()), resets / total)


def _symbols(binary: Path, samples: str) -> list[tuple[str, str]]:
    addresses = [line.split()[0] for line in samples.splitlines() if not line.startswith("lost")]
    done = process.run(["llvm-symbolizer-19", "--no-inlines", f"--obj={binary}", *addresses], deadline=300)
    blocks = [block.splitlines() for block in done.output.strip().split("\n\n")]
    return [(block[0], os.path.normpath(block[1]).removeprefix(f"{ROOT}/")) for block in blocks]


def _rate(chosen: list[Path], seconds: float) -> tuple[float, int]:
    """Programs a second, and how often each was run for that."""
    runs = max(_WARM, int(_WARM * seconds / max(0.001, _execute(chosen, _WARM))))
    return runs * len(chosen) / _execute(chosen, runs), runs


def _rate_rows(seconds: float) -> list[Row]:
    build.build(_PRESET, [TARGET])
    build.build("host-test", ["prog"])
    folder = OUT / "bench" / "programs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    chosen = fresh(folder / "fresh")
    rate, runs = _rate(chosen, seconds)
    of_seeds, _ = _rate(seeds(folder / "seeds"), seconds)
    profile = folder / "profile" / "samples"
    profile.parent.mkdir()
    sampled = _execute(chosen, runs, profile)
    text = profile.read_text()
    shares = shares_of(text, _symbols(Target(TARGET).binary(_PRESET), text))
    reset = shares.resets * sampled / (runs * len(chosen)) * 1e6
    return [Row(f"{TARGET}, fresh programs of about 8 calls, ASan", "programs", "1/s", round(rate), goal=RATE_GOAL, at_least=True),
            Row(f"{TARGET}, seeds of about 8 calls, ASan", "programs", "1/s", round(of_seeds)),
            Row(f"{TARGET}, reset", "programs", "us", round(reset, 2), goal=RESET_GOAL),
            *(Row(f"{TARGET}, time in {name}", "programs", "%", round(100 * part, 1))
              for name, part in (("the kernel", shares.kernel), ("machine, harness and interpreter", shares.harness),
                                 ("sanitizers, engine and C library", shares.sanitizer)))]


def _booted_row() -> Row:
    """Fresh programs on as many machines as a comparison uses, without what is done on the host for them."""
    build.build("qemu-virt")
    jobs = [Job(decode(decode(data).plain()).data, 0, MILLISECONDS["booted"], dump=False) for data in generated(_BOOTED, root=True)]

    def run(_) -> float:
        with Booted() as machine:
            began = time.monotonic()
            return sum(1 for _ in machine.run(jobs)) / (time.monotonic() - began)

    with ThreadPoolExecutor(MACHINES) as pool:
        rate = sum(pool.map(run, range(MACHINES)))
    return Row(f"booted kernel, programs on {MACHINES} machines", "programs", "1/s", round(rate), goal=BOOTED_GOAL, at_least=True)


def _coverage_row(minutes: float) -> Row:
    """Lines of kernel/ that the seeds and what a run finds from them reach, without unit tests and other targets."""
    target = Target(TARGET)
    folder = OUT / "bench" / "programs-coverage"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    found = folder / "corpus"
    run = engines.libfuzzer(target, minutes * 60, folder, lambda: False, corpus=found,
                            extra=(target.seeds(folder / "seeds")[0].parent,))
    if run.error:
        raise FaultlineError(run.error)
    lines = coverage.lines_of(target, sorted(found.iterdir()) + target.seeds(folder / "seeds"), folder / "measured")
    return Row(f"{TARGET}, lines of kernel/ after {minutes:g} minutes", "programs", "%", round(lines, 2), goal=LINES_GOAL, at_least=True)


def rows(seconds: float, minutes: float, skipped: list[str]) -> list[Row]:
    """All of them; what cannot be measured is told in `skipped`."""
    found: list[Row] = []
    for what, measure in (("rate of programs", lambda: _rate_rows(seconds)), ("programs on the booted kernel", lambda: [_booted_row()]),
                          ("coverage of programs", lambda: [_coverage_row(minutes)])):
        try:
            found += measure()
        except FaultlineError as error:
            skipped.append(f"{what}: {str(error).splitlines()[0]}")
    return found
