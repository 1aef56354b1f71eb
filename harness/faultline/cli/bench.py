"""scripts/bench: the numbers Faultline is designed for, as a table and bench.json."""

from __future__ import annotations

import re
import statistics
import time
from pathlib import Path

import click

from faultline import build, process
from faultline.bench import empty
from faultline.bench.rows import Row, show, write
from faultline.campaign import engines, sweep
from faultline.campaign.targets import Target
from faultline.cli.common import verb
from faultline.errors import FaultlineError, UsageError
from faultline.paths import OUT, ROOT, kernel_image, relative
from faultline.qemu import Machine, MachineConfig

GROUPS = ("boot", "faults", "fuzz", "workloads")
_BOOTS = 15
# Counts must not depend on which string functions this processor has.
_COUNTED_ENV = {"GLIBC_TUNABLES": "glibc.cpu.x86_rep_stosb_threshold=1000000000"}
_RATED = ("fuzz_buddy", "fuzz_slab", "fuzz_pagetable")


@verb("bench")
@click.option("--group", "groups", multiple=True, metavar="G", help=f"Only these: {' '.join(GROUPS)}; may be repeated.")
@click.option("--seconds", default=10.0, show_default=True, help="For each fuzz rate.")
@click.option("--out", "path", type=click.Path(path_type=Path), default=OUT / "bench.json", help="Where the JSON goes.")
def main(groups, seconds: float, path: Path) -> int:
    """Measures and compares: guest costs in instructions, rates as a share of an empty target's in the same run.

    Exit status: 0 measured (met or not), 2 cannot be measured.
    """
    for group in groups:
        if group not in GROUPS:
            raise UsageError(f"unknown group '{group}' (there are: {' '.join(GROUPS)})")
    rows: list[Row] = []
    skipped: list[str] = []
    wanted = groups or GROUPS
    if "boot" in wanted or "faults" in wanted:
        build.build("qemu-virt")
    if "boot" in wanted:
        rows += _boot()
    if "faults" in wanted:
        rows.append(_injections())
    if "fuzz" in wanted:
        _fuzz(rows, skipped, seconds)
    if "workloads" in wanted:
        _workloads(rows, skipped)
    write(rows, skipped, path)
    show(rows)
    for reason in skipped:
        print(f"skipped: {reason}")
    aimed = [row for row in rows if row.goal is not None]
    print(f"bench: {len(rows)} rows, {sum(row.met for row in aimed)} of {len(aimed)} goals met, {relative(path)}")
    return 0


def _wall(image: Path) -> float:
    """Median seconds from starting QEMU to the prompt."""
    times = []
    for _ in range(_BOOTS):
        began = time.perf_counter()
        with Machine(MachineConfig(image)) as machine:
            machine.boot()
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def _boot() -> list[Row]:
    image = kernel_image("qemu-virt")
    with Machine(MachineConfig(image, icount=True)) as machine:
        instructions = machine.boot()["instructions"]
    nothing = empty.build(ROOT / "build" / "empty-kernel")
    ours, theirs = _wall(image), _wall(nothing)
    return [
        Row("boot to prompt, 64 MiB", "boot", "instructions", instructions, goal=8e6),
        Row("QEMU start to prompt", "boot", "ms", 1000 * ours, [{"name": "empty kernel", "value": 1000 * theirs}], ours / theirs, 2.0),
        Row("image", "boot", "KiB", image.stat().st_size / 1024, goal=512),
    ]


def _injections() -> Row:
    began, count = time.perf_counter(), 0
    with Machine(MachineConfig(kernel_image("qemu-virt"))) as machine:
        while time.perf_counter() - began < 5:
            count += sweep.boot_series(machine, "all", False).injections
    return Row("boot-time fault injections", "faults", "1/s", count / (time.perf_counter() - began), goal=50, at_least=True)


def _rate(name: str, engine: str, seconds: float) -> engines.EngineRun:
    target = Target(name)
    folder = OUT / "bench" / f"{name}-{engine}"
    seeds = target.seeds(folder / "seeds")
    if engine == "afl":
        return engines.afl(target, seconds, folder, lambda: False, seeds=seeds)
    return engines.libfuzzer(target, seconds, folder, lambda: False, corpus=folder / "corpus", extra=(folder / "seeds",))


def _fuzz(rows: list[Row], skipped: list[str], seconds: float) -> None:
    for engine, preset, goal in (("libfuzzer", "host-fuzz", 0.05), ("afl", "host-afl", 0.5)):
        try:
            build.build(preset)
            base = _rate("fuzz_empty", engine, seconds)
            limit = base.executions / base.seconds
            rows.append(Row(f"fuzz_empty, {engine}", "fuzz", "1/s", limit))
            for name in _RATED:
                run = _rate(name, engine, seconds)
                if run.error or not run.executions:
                    skipped.append(f"{name} under {engine}: {run.error}")
                    continue
                rate = run.executions / run.seconds
                rows.append(Row(f"{name}, {engine}", "fuzz", "1/s", rate, [{"name": "fuzz_empty", "value": limit}], rate / limit,
                                goal, True))
                if run.stability is not None:
                    rows.append(Row(f"{name}, stability", "fuzz", "%", run.stability, goal=100, at_least=True))
        except (FaultlineError, ZeroDivisionError) as error:
            skipped.append(f"fuzz rates under {engine}: {str(error).splitlines()[0]}")


def _workloads(rows: list[Row], skipped: list[str]) -> None:
    """Instructions per operation of the allocator and page-table workloads, counted by callgrind in counted_* alone."""
    try:
        build.build("host-bench")
    except FaultlineError as error:
        skipped.append(f"allocator workloads: {str(error).splitlines()[0]}")
        return
    program = ROOT / "build" / "host-bench" / "bench" / "bench_kernel"
    if not program.is_file():
        skipped.append(f"allocator workloads: {relative(program)} is not there")
        return
    listed = process.run([program, "--list"], deadline=60).output.split("\n")
    for name in [line.split()[0] for line in listed if line.strip()]:
        done = process.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=counted_*",
                            program, name], deadline=600, env=_COUNTED_ENV)
        counted = re.search(r"Collected : (\d+)", done.errors)
        operations = done.output.strip()
        if done.status != 0 or not counted or not operations.isdigit() or operations == "0":
            skipped.append(f"workload {name}: ended with {done.status}: {done.errors.strip()[-200:]}")
            continue
        rows.append(Row(name, "workloads", "instructions/op", int(counted[1]) / int(operations)))


if __name__ == "__main__":
    main()
