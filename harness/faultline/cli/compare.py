"""scripts/compare: the same programs on Faultline and on Linux, fact by fact."""

from __future__ import annotations

import click

from faultline.cli.common import verb
from faultline.compare import suite
from faultline.paths import IMAGE_PRESETS, relative


@verb("compare")
@click.option("--filter", "patterns", multiple=True, metavar="GLOB", help="Only these programs; may be repeated. '*' is everything, also what takes minutes.")
@click.option("--preset", type=click.Choice(IMAGE_PRESETS), default="qemu-virt-debug", show_default=True, help="Which image of ours.")
@click.option("--smp", type=click.IntRange(1, 8), default=1, show_default=True, help="CPUs of our machine.")
def main(patterns, preset: str, smp: int) -> int:
    """Runs the programs and scripts of user/compare, and busybox's own test suite, on this kernel and on Debian's Linux, in the same QEMU, and compares what they print
    line by line. Differences that stay are listed with their reason in user/compare/differences.toml.

    What each kernel printed is left in out/compare/{linux,faultline}.txt, the result in compare.json.

    Exit status: 0 every difference has its reason, and every reason its difference; 1 not so; 2 it cannot be run.
    """
    summary = suite.run(patterns, preset, smp)
    suite.show(summary)
    print(f"compare: {suite.verdict(summary)}; {len(summary.problems)} not explained, {relative(suite.FOLDER)}/compare.json")
    return 1 if summary.problems else 0


if __name__ == "__main__":
    main()
