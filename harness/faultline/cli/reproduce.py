"""scripts/reproduce: run a saved input again and say what happens, so that git bisect run works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click

from faultline import build, files, process, untrusted
from faultline.campaign import bootcase, minimize, targets, triage
from faultline.campaign.bootcase import BootCase
from faultline.campaign.targets import Target
from faultline.cli.common import verb
from faultline.errors import UsageError
from faultline.paths import OUT, relative
from faultline.worlds import show


@verb("reproduce")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", "name", metavar="T", help="The target; otherwise from meta.json beside FILE or from its path.")
@click.option("--on", "machine", metavar="host|qemu|both|linux", help="Where to run it; otherwise where it was found.")
@click.option("--minimize", "shorten", is_flag=True, help="Also look for a shorter input with the same signature, and save it.")
@click.option("--gdb", "debug", is_flag=True, help="Run it under gdb, stopped where it fails.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as one JSON object.")
def main(file: Path, name: str | None, machine: str | None, shorten: bool, debug: bool, as_json: bool) -> int:
    """Runs the saved input FILE again: decoded operations, verdict, faults armed and fired, symbolised stack.

    Exit status: 0 it passes now, 1 it fails, 2 it cannot be run.
    """
    if machine not in (None, "host", "qemu", "both", "linux"):
        raise UsageError(f"unknown machine '{machine}' (there are: host qemu both linux)")
    file = _existing(file)
    case = bootcase.load(file)
    if case and machine == "linux":
        raise UsageError(f"'{file}' is a case of the booted kernel: it takes --on qemu and --json only")
    if case:
        return _booted(case, file, machine, name, shorten or debug, as_json)
    target = _find_target(file, name)
    if machine not in (None, "host"):
        if not target.runs_programs:
            raise UsageError(f"{target.name} runs on the simulated machine only, as do all targets but those of programs (use --on host)")
        if shorten or debug:
            raise UsageError("--minimize and --gdb take --on host only")
        return _elsewhere(target, file, machine, as_json)
    build.build("host-test", [target.name])
    if debug:
        return _gdb(target, file)
    done = triage.replay(target, [file], trace=True)
    if done.status not in (0, 1, None):
        print(done.errors, file=sys.stderr, end="")
        raise UsageError(f"{relative(target.binary('host-test'))} cannot run {file} (status {done.status})")
    failed = done.status != 0
    finding = triage.parse(done.errors, done.status) if failed else None
    smaller = _minimize(target, file, finding) if shorten and finding else None
    _report(target, file, done, finding, smaller, as_json)
    return 1 if failed else 0


def _existing(file: Path) -> Path:
    """The file itself, or the input of a crash folder."""
    if file.is_dir() and (file / "input").is_file():
        if (file / "input").is_symlink():  # who sent the folder must not say what of ours is read
            raise UsageError(f"'{file / 'input'}' is a link: name the file that it leads to")
        return file / "input"
    if not file.is_file():
        folder = file if file.is_dir() else file.parent
        beside = sorted(entry.name for entry in folder.iterdir())[:8] if folder.is_dir() else []
        raise UsageError(f"no file '{file}' (there are: {' '.join(beside) or 'none'})")
    if not os.access(file, os.R_OK):
        raise UsageError(f"'{file}' cannot be read")
    return file


def _booted(case: BootCase, file: Path, machine: str | None, name: str | None, more: bool, as_json: bool) -> int:
    """A case of the booted kernel: there is nothing to decode or to shorten."""
    if machine == "host" or name or more:
        raise UsageError(f"'{file}' is a case of the booted kernel: it takes --on qemu and --json only")
    build.build(case.preset)
    failure = bootcase.run(case)
    finding = triage.of_booted(case, failure) if failure else None
    verdict = "fails" if failure else "passes"
    if as_json:
        print(json.dumps({
            "target": "boot", "file": str(file), "machine": "qemu", "verdict": verdict,
            "signature": finding.signature if finding else None, "kind": finding.kind if finding else None,
            "said": finding.said if finding else None, "frames": list(finding.frames) if finding else [],
            "operations": [str(case)], "faults": [case.fault] if case.fault else [], "minimized": None}))
        return 1 if failure else 0
    print(f"     1  {case}")
    if failure:
        print(failure.console.rstrip())
        print("".join(f"    #{i} {frame}\n" for i, frame in enumerate(failure.frames)), end="")
        print(f"{failure.kind}: {failure.what}\nsignature: {finding.signature}")
    print(f"reproduce: {case} {verdict} in QEMU")
    return 1 if failure else 0


def _elsewhere(target: Target, file: Path, machine: str, as_json: bool) -> int:
    """A program in another world, beside the simulated machine."""
    build.build("host-test", ["worlds", "prog", "prog-linux", target.name])
    build.build("qemu-virt")
    data = file.read_bytes()
    shown = show.beside("linux" if machine == "linux" else "booted", data)
    done = triage.replay(target, [file]) if machine == "both" else None
    finding = triage.parse(done.errors, done.status) if done and done.status != 0 else None
    failing = [name for name, fails in (("host", shown.here or finding is not None), ("target", shown.there)) if fails]
    verdict = {0: "passes on both", 1: f"{failing[0]} only" if failing else "", 2: "both"}[len(failing)]
    if as_json:
        print(json.dumps({
            "target": target.name, "file": str(file), "machine": machine, "verdict": "fails" if failing else "passes", "where": verdict,
            "signature": finding.signature if finding else None, "kind": finding.kind if finding else None,
            "said": finding.said if finding else None, "frames": list(finding.frames) if finding else [],
            "operations": shown.text.splitlines(), "faults": [], "minimized": None}))
        return 1 if failing else 0
    print(shown.text)
    if finding:
        print(f"{done.errors.rstrip()}\nsignature: {finding.signature}")
    print(f"reproduce: {target.name} {'beside ' + machine if machine != 'both' else 'in both worlds'}: {verdict if machine == 'both' else 'differs' if failing else 'no difference without a reason'}")
    return 1 if failing else 0


def _find_target(file: Path, name: str | None) -> Target:
    known = {target.name: target for target in targets.all_targets()}
    if name is None:
        name = _guess(file, known)
    full = name if name in known else f"fuzz_{name}"
    if full not in known:
        raise UsageError(f"unknown target '{name}' (there are: {' '.join(known)})")
    return known[full]


def _guess(file: Path, known: dict[str, Target]) -> str:
    meta = file.parent / "meta.json"
    if meta.is_file():
        try:
            name = json.loads(meta.read_bytes())["target"]
            if isinstance(name, str):
                return name
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
    for part in reversed(file.resolve().parts):
        for name in sorted(known, key=len, reverse=True):
            if part == name or part.startswith((f"{name}-", f"{name}.")) or part == name.removeprefix("fuzz_"):
                return name
    raise UsageError(f"cannot tell the target of '{file}'; say --target (there are: {' '.join(known)})")


def _report(target: Target, file: Path, done: process.Finished, finding, smaller: Path | None, as_json: bool) -> None:
    operations = [line[4:] for line in done.output.splitlines() if line.startswith("op: ")]
    faults = [line[7:] for line in done.output.splitlines() if line.startswith("fault: ")]
    verdict = "fails" if finding else "passes"
    if as_json:
        print(json.dumps({
            "target": target.name, "file": str(file), "machine": "host", "verdict": verdict,
            "signature": finding.signature if finding else None, "kind": finding.kind if finding else None,
            "said": finding.said if finding else None, "frames": list(finding.frames) if finding else [],
            "operations": operations, "faults": faults, "minimized": str(smaller) if smaller else None}))
        return
    for number, operation in enumerate(operations, 1):
        print(f"  {number:4}  {operation}")
    for fault in faults:
        print(f"faults: {fault}")
    if finding:
        print(done.errors.rstrip())
        print(f"signature: {finding.signature}")
    if smaller:
        print(f"minimized: {relative(smaller)}: {smaller.stat().st_size} bytes instead of {file.stat().st_size}")
    print(f"reproduce: {target.name} {verdict} on the simulated machine")


def _minimize(target: Target, file: Path, finding: triage.Finding) -> Path:
    """Saves the shortest input found that fails in the same way."""
    folder = OUT / "minimized"
    folder.mkdir(parents=True, exist_ok=True)
    best = folder / f"{target.name}-{finding.signature}"
    files.write(best, minimize.minimize(target, file.read_bytes()[:targets.MAX_INPUT]))
    return best


def _gdb(target: Target, file: Path) -> int:
    """An interactive gdb on the replay program, following into the child that runs the input."""
    program = target.binary("host-test")
    with untrusted.readable([file.absolute()], program) as inputs:
        command = process.guarded(["gdb-multiarch", "-q", "-ex", "set follow-fork-mode child", "-ex", "handle SIGABRT stop", "-ex",
                                   "break machine_finding", "-ex", "run", "--args", program, "--trace", *inputs], untrusted=True)
        return 0 if subprocess.run(command, check=False).returncode == 0 else 2


if __name__ == "__main__":
    main()
