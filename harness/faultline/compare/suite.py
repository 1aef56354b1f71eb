"""What is compared: the programs and scripts of user/compare. Both kernels run them one after the other, on the same files."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faultline import build, debian
from faultline import files as our_files
from faultline.compare import batch, busybox, clients, facts, musl
from faultline.compare.batch import Command, Outcome
from faultline.errors import UsageError
from faultline.paths import OUT, ROOT, kernel_image

SOURCES = ROOT / "user" / "compare"
DIFFERENCES = SOURCES / "differences.toml"
FOLDER = OUT / "compare"


def everything() -> list[str]:
    """The names of all programs, scripts and parts of busybox's suite."""
    return (sorted(path.stem for path in SOURCES.glob("*.c")) + [f"{name}-musl" for name in musl.PROGRAMS] + clients.scripts()
            + busybox.parts())


def programs(patterns: Sequence[str] = ()) -> list[str]:
    """Those that match, or without patterns all but what takes minutes. Raises UsageError when none does."""
    found = everything()
    if not patterns:
        return [name for name in found if name not in busybox.parts() or name in busybox.USUAL]
    chosen = [name for name in found if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    if not chosen:
        raise UsageError(f"no program of user/compare matches {' '.join(patterns)} (there are: {' '.join(found)})")
    return chosen


def run(patterns: Sequence[str] = (), preset: str = "qemu-virt-debug", smp: int = 1, folder: Path = FOLDER,
        say: Callable[[str], None] = print, image: Path | None = None) -> facts.Summary:
    """Builds, boots both kernels side by side, compares. `image`: a kernel that is built already, instead of the preset's.
    Raises what cannot be run at all."""
    names = programs(patterns)
    build.build("qemu-virt")
    if image is None:
        build.build(preset)
        image = kernel_image(preset)
    folder.mkdir(parents=True, exist_ok=True)
    parts, scripts = ([name for name in names if name in known] for known in (busybox.parts(), clients.scripts()))
    compiled = [name for name in names if name not in parts + scripts]
    commands = [Command(name, (f"/compare/{name}",)) for name in compiled] + [Command(name, (f"/scripts/{name}",)) for name in scripts]
    commands += [busybox.command(name) for name in parts]
    files = {f"compare/{name}": _program(name) for name in compiled} | clients.files(scripts) | (busybox.files() if parts else {})
    both = (batch.linux(icount=True), batch.faultline(image, icount=True, smp=smp))  # a busy host changes nothing
    outcomes = side_by_side(both, commands, files, folder, say)
    summary = facts.judge(*outcomes, facts.reasons(DIFFERENCES), everything(), scripts + parts)
    keep(summary, folder)
    return summary


def _program(name: str) -> bytes:
    """One of user/compare, with glibc as the preset built it or with musl."""
    return musl.build(name.removesuffix("-musl")) if name.endswith("-musl") else (batch.PROGRAMS / name).read_bytes()


def side_by_side(kernels: Sequence[batch.Kernel], commands: Sequence[Command], files: dict[str, bytes | str], folder: Path,
                 say: Callable[[str], None]) -> list[dict[str, Outcome]]:
    """The outcomes of each kernel; what each printed is kept in folder. Linux first."""
    with ThreadPoolExecutor(len(kernels)) as pool:
        jobs = [pool.submit(batch.run, kernel, commands, files, folder, say) for kernel in kernels]
        outcomes = [job.result() for job in jobs]
    for kernel, found in zip(kernels, outcomes):
        text = "".join(f"== {name}\n{outcome.output}-- {outcome.end}\n" for name, outcome in found.items())
        our_files.write(folder / f"{kernel.name}.txt", text)
    return outcomes


def keep(summary: facts.Summary, folder: Path) -> None:
    """Writes compare.json."""
    our_files.write(folder / "compare.json", json.dumps({"linux": debian.linux_version(), **summary.as_json()}, indent=2) + "\n")


def show(summary: facts.Summary) -> None:
    """The table: counts per program, then every difference with its reason, then what is wrong."""
    print(f"  {'program':24} {'same':>6} {'different':>10} {'unsupported':>12}")
    for program in summary.programs:
        own = [fact.verdict for fact in summary.facts if fact.program == program]
        print(f"  {program:24} {own.count(facts.SAME):6} {own.count(facts.DIFFERENT):10} {own.count(facts.UNSUPPORTED):12}")
    by_reason: dict[str, list[facts.Fact]] = {}
    for fact in summary.facts:
        if fact.reason:
            by_reason.setdefault(fact.reason, []).append(fact)
    for reason, found in by_reason.items():
        print(f"  {len(found)} {found[0].verdict}: {reason}")
        for fact in found[:3]:
            print(f"      {fact}")
        if len(found) > 3:
            print(f"      and {len(found) - 3} more like it")
    for problem in summary.problems:
        print(f"  NOT EXPLAINED: {problem}")


def verdict(summary: facts.Summary) -> str:
    """The counts in one line."""
    return (f"{summary.count(facts.SAME)} same, {summary.count(facts.DIFFERENT)} different, "
            f"{summary.count(facts.UNSUPPORTED)} unsupported in {len(summary.programs)} programs")
