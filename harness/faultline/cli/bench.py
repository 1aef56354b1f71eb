"""scripts/bench: the numbers Faultline is designed for, as a table and bench.json."""

from __future__ import annotations

from pathlib import Path

import click

from faultline import build
from faultline.bench import beside, boot, programs, rates, workloads
from faultline.bench.rows import Row, keep, show
from faultline.cli.common import verb
from faultline.errors import UsageError
from faultline.paths import OUT, relative

GROUPS = ("boot", "kernel", "faults", "fuzz", "programs", "stability", "workloads")


@verb("bench")
@click.option("--only", "groups", multiple=True, metavar="GROUP", help=f"Only these: {' '.join(GROUPS)}; may be repeated.")
@click.option("--filter", "patterns", multiple=True, metavar="GLOB",
              help="Of group kernel only these rows, e.g. 'fork*'; may be repeated.")
@click.option("--seconds", type=click.FloatRange(min=2), default=10.0, show_default=True, help="For each fuzz rate.")
@click.option("--minutes", type=click.FloatRange(min=0.1), default=10.0, show_default=True,
              help="Of fuzzing, before coverage by programs is measured.")
@click.option("--out", "path", type=click.Path(path_type=Path), default=OUT / "bench.json", show_default=True,
              help="Where the JSON goes; rows that are not measured again are kept in it.")
def main(groups, patterns, seconds: float, minutes: float, path: Path) -> int:
    """Measures and compares: guest costs in instructions, system calls beside Linux's, rates as a share of an empty target's in the same run, allocators
    and page tables beside those of others. Wall times want a machine that does nothing else.

    Exit status: 0 measured (met or not), 2 cannot be measured.
    """
    for group in groups:
        if group not in GROUPS:
            raise UsageError(f"unknown group '{group}' (there are: {' '.join(GROUPS)})")
    wanted = groups or (("kernel",) if patterns else GROUPS)
    rows: list[Row] = []
    skipped: list[str] = []
    for group in (group for group in GROUPS if group in wanted):
        print(f"measuring: {group}", flush=True)
        rows += _measure(group, seconds, minutes, patterns, skipped)
    keep(rows, skipped, path, partial=bool(patterns))
    show(rows)
    for reason in skipped:
        print(f"skipped: {reason}")
    aimed = [row for row in rows if row.goal is not None]
    missed = [row.name for row in aimed if not row.met]
    if missed:
        print(f"missed: {', '.join(missed)}")
    print(f"bench: {len(rows)} rows, {sum(row.met for row in aimed)} of {len(aimed)} goals met, {relative(path)}")
    return 0


def _measure(group: str, seconds: float, minutes: float, patterns, skipped: list[str]) -> list[Row]:
    if group in ("boot", "faults"):
        build.build("qemu-virt")
        return boot.boot() if group == "boot" else boot.injections()
    if group == "kernel":
        return beside.rows(patterns, skipped)
    if group == "programs":
        return programs.rows(seconds, minutes, skipped)
    if group == "fuzz":
        return rates.rates(seconds, skipped)
    return rates.stability(max(3.0, seconds / 2), skipped) if group == "stability" else workloads.workloads(skipped)


if __name__ == "__main__":
    main()
