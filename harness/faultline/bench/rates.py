"""Rows about fuzzing: how much of an engine's own rate a target leaves, and whether its runs are stable."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faultline import build
from faultline.bench.rows import Row
from faultline.campaign import engines
from faultline.campaign.targets import Target, all_targets
from faultline.errors import FaultlineError
from faultline.paths import OUT

RATED = ("fuzz_buddy", "fuzz_slab", "fuzz_pagetable")
_OPERATIONS = "64ops"  # the seed with exactly 64 operations
_ENGINES = (("libfuzzer", "host-fuzz", 0.05), ("afl", "host-afl", 0.5))


def _seed(name: str, folder: Path) -> Path:
    """The seed of 64 operations, alone in a folder. Raises FaultlineError when the target has none."""
    target = Target(name)
    seeds = {path.stem: path for path in target.seeds(folder / "all")}
    if _OPERATIONS not in seeds:
        raise FaultlineError(f"{name} has no seed '{_OPERATIONS}' (fuzz/seeds/{target.short}.py writes none)")
    shutil.rmtree(folder / "seeds", ignore_errors=True)
    (folder / "seeds").mkdir()
    return Path(shutil.copy(seeds[_OPERATIONS], folder / "seeds" / _OPERATIONS))


def _run(name: str, engine: str, seconds: float, seed: Path) -> engines.EngineRun:
    folder = OUT / "bench" / f"{name}-{engine}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    target = Target(name)
    if engine == "afl":
        run = engines.afl(target, seconds, folder, lambda: False, seeds=[seed], shared=False,
                          options=("-G", str(seed.stat().st_size)))
    else:
        run = engines.libfuzzer(target, seconds, folder, lambda: False, corpus=folder / "corpus", extra=(seed.parent,),
                                options=("-len_control=0", f"-max_len={seed.stat().st_size}"))
    if run.error or not run.rate:
        raise FaultlineError(f"{name} under {engine}: {run.error or 'executed nothing'}")
    return run


def rates(seconds: float, skipped: list[str]) -> list[Row]:
    """Executions per second of the rated targets beside those of the empty target, run right before and after on the
    same inputs."""
    rows: list[Row] = []
    for engine, preset, goal in _ENGINES:
        try:
            build.build(preset, ["fuzz_empty", *RATED])
            for name in RATED:
                seed = _seed(name, OUT / "bench" / "seeds" / name)
                before = _run("fuzz_empty", engine, seconds / 2, seed).rate
                own = _run(name, engine, seconds, seed).rate
                limit = (before + _run("fuzz_empty", engine, seconds / 2, seed).rate) / 2
                rows.append(Row(f"{name}, {engine}", "fuzz", "1/s", own, [{"name": "empty", "value": limit}], own / limit,
                                goal, True))
        except FaultlineError as error:
            skipped.append(f"fuzz rates under {engine}: {str(error).splitlines()[0]}")
    return rows


def stability(seconds: float, skipped: list[str], jobs: int = 2) -> list[Row]:
    """What AFL++ says of every target: how much of what it sees is the same each time an input runs."""
    try:
        build.build("host-afl")
    except FaultlineError as error:
        skipped.append(f"stability: {str(error).splitlines()[0]}")
        return []
    rows: list[Row] = []

    def measure(target: Target) -> engines.EngineRun:
        folder = OUT / "bench" / f"{target.name}-stability"
        return engines.afl(target, seconds, folder, lambda: False, seeds=target.seeds(folder / "seeds") + target.regressions(),
                           shared=False)

    targets = all_targets()
    with ThreadPoolExecutor(jobs) as pool:
        for target, run in zip(targets, pool.map(measure, targets)):
            if run.error or run.stability is None:
                skipped.append(f"stability of {target.name}: {run.error or 'not measured'}")
                continue
            rows.append(Row(f"{target.name}, stability", "stability", "%", run.stability, goal=100, at_least=True))
    return rows
