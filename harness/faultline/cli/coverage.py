"""scripts/coverage: how much of kernel/ the host tests and the corpora reach."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from faultline import build, process
from faultline.campaign import targets
from faultline.cli.common import verb
from faultline.errors import FaultlineError
from faultline.paths import OUT, ROOT, relative

_IGNORE = r"(/|^)(hal|harness|fuzz|tests|build)/"
_BATCH = 200  # inputs per process


@verb("coverage")
@click.option("--target", "patterns", multiple=True, metavar="GLOB", help="Only the corpora of these targets.")
@click.option("--out", "folder", type=click.Path(path_type=Path), default=OUT / "coverage", help="Where the pages go.")
def main(patterns, folder: Path) -> int:
    """Line, branch and MC/DC coverage of kernel/ on the simulated machine: host unit tests, seeds, regressions and corpora, as HTML
    and JSON. (The booted kernel is not measured yet.)

    Exit status: 0 measured, 1 something failed while it was measured, 2 it cannot be measured.
    """
    chosen = targets.select(patterns)
    build.build("host-cov")
    shutil.rmtree(folder, ignore_errors=True)
    raw = folder / "raw"
    raw.mkdir(parents=True)
    programs, failed = _run_all(chosen, raw)
    merged = folder / "merged.profdata"
    profiles = sorted(raw.glob("*.profraw"))
    if not profiles:
        raise FaultlineError("nothing ran, so nothing was measured")
    _tool(["llvm-profdata-19", "merge", "-sparse", "-o", merged, *profiles])
    shutil.rmtree(raw)
    objects = [str(programs[0])] + [word for program in programs[1:] for word in ("-object", str(program))]
    common = [f"-instr-profile={merged}", f"-ignore-filename-regex={_IGNORE}"]
    exported = json.loads(_tool(["llvm-cov-19", "export", "-summary-only", *common, *objects]))
    (folder / "coverage.json").write_text(json.dumps(exported, indent=1) + "\n")
    _tool(["llvm-cov-19", "show", "-format=html", f"-output-dir={folder / 'html'}", "-show-branches=count", "-show-mcdc",
           *common, *objects])
    totals = exported["data"][0]["totals"]
    for name in ("lines", "branches", "mcdc"):
        if name in totals:
            print(f"  {name:9} {totals[name]['percent']:6.2f} %  ({totals[name]['covered']} of {totals[name]['count']})")
    print(f"coverage: {totals['lines']['percent']:.1f} % of lines, {relative(folder / 'html' / 'index.html')}")
    return 1 if failed else 0


def _run_all(chosen, raw: Path) -> tuple[list[Path], bool]:
    programs, failed = [], False
    unit = ROOT / "build" / "host-cov" / "tests" / "host_tests"
    if unit.is_file():
        programs.append(unit)
        failed |= _run([unit], raw, "host_tests") != 0
    for target in chosen:
        program = target.binary("host-cov")
        programs.append(program)
        corpus = sorted(target.corpus.iterdir()) if target.corpus.is_dir() else []
        files = target.seeds() + target.regressions() + corpus
        for start in range(0, len(files), _BATCH):
            failed |= _run([program, *files[start:start + _BATCH]], raw, target.name) != 0
        if not files:
            print(f"  {target.name}: no input to run (scripts/nightly --target {target.name} makes a corpus)")
    return programs, failed


def _run(command, raw: Path, name: str) -> int | None:
    done = process.run(command, deadline=900, env={"LLVM_PROFILE_FILE": str(raw / f"{name}-%8m.profraw")})
    if done.status != 0:
        print(f"  {name} ended with {done.status}")
    return done.status


def _tool(command) -> str:
    done = process.run(command, deadline=900)
    if done.status != 0:
        raise FaultlineError(f"{command[0]} ended with {done.status}: {done.errors.strip()[-300:]}")
    return done.output


if __name__ == "__main__":
    main()
