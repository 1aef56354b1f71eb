"""scripts/nightly: fuzz every target, sweep faults on both machines, kill the planted bugs, write the report."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import click

from faultline.campaign import planted, targets
from faultline.campaign.night import PARTS, Campaign, Options
from faultline.campaign.progress import Progress
from faultline.cli.common import verb
from faultline.errors import UsageError
from faultline.paths import OUT, relative
from faultline.report.write import EXIT_STATUS


@verb("nightly")
@click.option("--minutes", type=click.FloatRange(min=0.05), default=5.0, show_default=True,
              help="Minutes of fuzzing, shared by the targets; the rest comes on top.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count(), show_default=True, help="Things done side by side.")
@click.option("--target", "patterns", multiple=True, metavar="GLOB", help="Only these targets; may be repeated.")
@click.option("--engine", default="local", metavar="local", help="Where it runs; so far on this machine only.")
@click.option("--only", "parts", multiple=True, metavar="PART", help=f"Only these parts: {' '.join(PARTS)}; may be repeated.")
@click.option("--out", "folder", type=click.Path(path_type=Path), help="The report's folder. [out/nightly/<UTC time>]")
@click.option("--list", "only_list", is_flag=True, help="List targets and planted bugs, and do nothing.")
def main(minutes, jobs, patterns, engine, parts, folder, only_list) -> int:
    """Fuzzes every target under libFuzzer and AFL++, fails every allocation on the simulated machine and in QEMU, runs the
    booted tests, looks for the planted bugs, and writes report.html and report.json.

    Exit status: 0 clean, 1 something was found, 2 the night itself is broken or was interrupted. Ctrl-C ends what runs; the
    report is written and corpus and findings are kept.
    """
    if engine != "local":
        raise UsageError(f"unknown engine '{engine}' (there is: local)")
    for part in parts:
        if part not in PARTS:
            raise UsageError(f"unknown part '{part}' (there are: {' '.join(PARTS)})")
    chosen = targets.select(patterns)
    if only_list:
        return _list(chosen)
    folder = (folder or OUT / "nightly" / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with Progress() as progress:
        campaign = Campaign(Options(minutes, jobs, chosen, folder, frozenset(parts or PARTS)), progress)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: campaign.stop())
        night = campaign.run()
    return _say_end(night, folder)


def _list(chosen) -> int:
    for target in chosen:
        print(target.name)
    for bug in planted.all_planted():
        print(f"planted: {bug.name} ({bug.kind}; {bug.target}, {bug.budget:g} s)")
    return 0


def _say_end(night, folder: Path) -> int:
    for reason in night.findings + night.broken:
        print(f"  {reason}")
    for crash in night.crashes:
        print(f"  {crash.signature} in {crash.target}: {relative(Path(crash.folder))}/repro.sh")
    print(f"nightly: {night.verdict}: {len({run.name for run in night.targets})} targets, "
          f"{sum(run.executions for run in night.targets):,} executions, {len(night.crashes)} findings, "
          f"{sum(bug.found for bug in night.planted)} of {len(night.planted)} planted bugs found, "
          f"{relative(folder / 'report.html')}")
    return EXIT_STATUS[night.verdict]


if __name__ == "__main__":
    main()
