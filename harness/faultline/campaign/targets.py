"""Which fuzz targets exist, and what lies beside each."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faultline import process
from faultline.errors import FaultlineError, UsageError
from faultline.paths import OUT, ROOT

MAX_INPUT = 1 << 20  # bytes; as HARNESS_INPUT_MAX
NOT_TARGETS = ("fuzz_empty",)  # only a measure of the engines themselves


@dataclass(frozen=True)
class Target:
    """One target by its name fuzz_NAME, in the tree at `root`."""

    name: str
    root: Path = ROOT

    @property
    def short(self) -> str:
        return self.name.removeprefix("fuzz_")

    @property
    def source(self) -> Path:
        return self.root / "fuzz" / f"{self.name}.c"

    @property
    def boots(self) -> bool:
        """Its inputs are programs (user/prog/prog.h) that run on the whole kernel."""
        return ".boots = true" in self.source.read_text()

    @property
    def runs_programs(self) -> bool:
        """Its inputs are programs on the whole kernel, which other worlds can run too."""
        return '"harness/world.h"' in self.source.read_text()

    @property
    def dictionary(self) -> Path | None:
        path = self.root / "fuzz" / "dict" / f"{self.short}.dict"
        return path if path.is_file() else None

    @property
    def corpus(self) -> Path:
        """Lasts from night to night."""
        return OUT / "corpus" / self.name

    def saved(self) -> list[Path]:
        """The corpus's files. What else lies there (folders, links, files no run would read) is left out."""
        if not self.corpus.is_dir():
            return []
        with os.scandir(self.corpus) as entries:
            return sorted(Path(entry.path) for entry in entries if is_input(entry))

    def regressions(self) -> list[Path]:
        folder = self.root / "fuzz" / "regress" / self.name
        return sorted(path for path in folder.glob("*") if is_input(path) and path.name != ".gitkeep")

    def binary(self, preset: str, root: Path | None = None) -> Path:
        """The executable a preset builds. Raises FaultlineError when it is not there."""
        path = (root or self.root) / "build" / preset / "fuzz" / self.name
        if not path.is_file():
            raise FaultlineError(f"{self.name} is missing from preset {preset} (cmake --build --preset {preset})")
        return path

    def seeds(self, folder: Path | None = None) -> list[Path]:
        """Writes the target's seeds into folder (out/seeds/NAME) and lists them; [] without a seed script.

        Raises FaultlineError when the script fails or writes nothing.
        """
        script = self.root / "fuzz" / "seeds" / f"{self.short}.py"
        folder = folder or OUT / "seeds" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        if not script.is_file():
            return []
        python = ROOT / ".venv" / "bin" / "python"
        done = process.run([python, script, folder], deadline=60, merge=True, memory=2 * process.GIB)
        if done.status != 0:
            raise FaultlineError(f"{script.name} of the seeds failed: {done.output.strip()[-300:]}")
        found = sorted(path for path in folder.iterdir() if path.is_file())
        if not found:
            raise FaultlineError(f"{script.name} wrote no seed")
        return found


def is_input(entry: os.DirEntry | Path) -> bool:
    """A file of its own, of a size that a run reads. A link could lead to what only we can read."""
    try:
        status = entry.lstat() if isinstance(entry, Path) else entry.stat(follow_symlinks=False)
        return stat.S_ISREG(status.st_mode) and status.st_size <= MAX_INPUT
    except FileNotFoundError:
        return False  # a fuzzer took it away meanwhile


def all_targets(root: Path = ROOT) -> list[Target]:
    """Every target, by name."""
    names = sorted(path.stem for path in (root / "fuzz").glob("fuzz_*.c"))
    return [Target(name, root) for name in names if name not in NOT_TARGETS]


def select(patterns: Sequence[str], root: Path = ROOT) -> list[Target]:
    """The targets that match any glob (with or without fuzz_); all without patterns. Raises UsageError for a glob that
    matches none."""
    targets = all_targets(root)
    if not patterns:
        return targets
    chosen: dict[str, Target] = {}
    for pattern in patterns:
        hits = [t for t in targets if fnmatch.fnmatch(t.name, pattern) or fnmatch.fnmatch(t.short, pattern)]
        if not hits:
            raise UsageError(f"unknown target '{pattern}' (there are: {' '.join(t.name for t in targets) or 'none'})")
        chosen.update((target.name, target) for target in hits)
    return list(chosen.values())
