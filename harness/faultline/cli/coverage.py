"""scripts/coverage: how much of kernel/ the host tests and the corpora reach."""

from __future__ import annotations

from pathlib import Path

import click

from faultline.campaign import coverage, targets
from faultline.cli.common import verb
from faultline.paths import OUT, relative


@verb("coverage")
@click.option("--target", "patterns", multiple=True, metavar="GLOB", help="Only the corpora of these targets.")
@click.option("--out", "folder", type=click.Path(path_type=Path), default=OUT / "coverage", help="Where the pages go.")
def main(patterns, folder: Path) -> int:
    """Line, branch and MC/DC coverage of kernel/ on the simulated machine: host unit tests, seeds, regressions and corpora, as HTML
    and JSON. (The booted kernel, which another compiler builds, is not measured.)

    Exit status: 0 measured, 1 something failed while it was measured, 2 it cannot be measured.
    """
    measured = coverage.measure(targets.select(patterns), folder.resolve(), lambda line: print(f"  {line}"))
    for name in coverage.COUNTED:
        if name in measured.totals:
            total = measured.totals[name]
            print(f"  {name:9} {total['percent']:6.2f} %  ({total['covered']} of {total['count']})")
    print(f"coverage: {measured.percents['lines']} % of lines, {relative(folder / 'html' / 'index.html')}")
    return 1 if measured.failed else 0


if __name__ == "__main__":
    main()
