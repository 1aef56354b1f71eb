"""scripts/worlds: programs in two worlds, compared."""

from __future__ import annotations

import time
from pathlib import Path

import click

from faultline import build
from faultline.campaign import targets, worlds
from faultline.cli.common import verb
from faultline.errors import UsageError
from faultline.paths import OUT, relative
from faultline.worlds.compare import Result, compare


@verb("worlds")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--linux", "count", type=click.IntRange(min=0), default=0, metavar="N", help="Compare N generated programs with Linux.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which programs are generated.")
@click.option("--booted", "patterns", multiple=True, metavar="GLOB", help="Compare the corpus of these targets with the booted kernel; may be repeated.")
@click.option("--most", type=click.IntRange(min=1), default=100_000, show_default=True, help="Programs of a target's corpus.")
def main(files, count: int, seed: int, patterns, most: int) -> int:
    """Runs programs (user/prog/prog.h) on the simulated machine and in another world, and compares what each call gave. FILES are compared with the
    booted kernel. A difference has its reason in user/prog/differences.toml, or is told.

    Programs of differences without a reason are left in out/worlds.

    Exit status: 0 every difference has its reason; 1 not so; 2 it cannot be run.
    """
    if not (files or count or patterns):
        raise UsageError("nothing to compare: --linux N, --booted GLOB, or files")
    build.build("host-test", ["worlds", "prog", "prog-linux"])
    good = True
    if count:
        good = _told("linux", lambda *out: worlds.linux(count, seed, *out)) and good
    if files or patterns:
        build.build("qemu-virt")
    if patterns:
        chosen = [target for target in targets.select(patterns) if target.runs_programs]
        if not chosen:
            raise UsageError(f"no target of programs matches {' '.join(patterns)}")
        good = _told("booted", lambda *out: worlds.booted(chosen, most, *out)) and good
    if files:
        good = _told("booted", lambda *out: _files(files, *out)) and good
    print(f"worlds: {'every difference has its reason' if good else 'differences without a reason, out/worlds'}")
    return 0 if good else 1


def _files(files: list[Path], say, stop, folder: Path) -> Result:
    for file in files:
        if not file.is_file():
            raise UsageError(f"no file '{file}'")
    return compare("booted", (file.read_bytes() for file in files), say, stop, folder=folder)


def _told(world: str, run) -> bool:
    began = time.monotonic()
    folder = OUT / "worlds" / world
    result = run(lambda text: print(f"  {text}", flush=True), lambda: False, folder)
    worlds.write(result, folder)
    for reason, times in result.verdict.explained.most_common():
        print(f"  {times:6}  {reason}")
    for sentence in result.stale:
        print(f"  {sentence}")
    seconds = time.monotonic() - began
    print(f"  {result.verdict}; {len(result.failures)} failures; {result.verdict.programs / seconds:.0f} programs a second ({relative(folder)})")
    return result.good


if __name__ == "__main__":
    main()
