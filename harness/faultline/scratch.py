"""Copies of the tree to break on purpose. Built with the same compiler cache, run with their own sources."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from faultline import process
from faultline.errors import FaultlineError
from faultline.paths import ROOT

_FOLDERS = ("cmake", "fault", "fuzz", "hal", "harness", "kernel", "qemu-tests", "scripts", "tests", "user")
_FILES = ("CMakeLists.txt", "CMakePresets.json", "pyproject.toml", ".clang-format", ".clang-tidy")
_LINKED = (".venv", "build/libfdt-arm64", "build/zlib-arm64", "build/picolibc", "build/userland")  # what scripts/setup makes


def sync(copy: Path, root: Path = ROOT) -> None:
    """Makes copy hold the tree's sources. Files that are equal are left alone, so that little is built again."""
    wanted: set[Path] = set()
    for name in (*_FOLDERS, *_FILES):
        source = root / name
        files = [source] if source.is_file() else [
            Path(folder) / file for folder, folders, names in os.walk(source)
            if folders.sort() is None and "__pycache__" not in folder for file in names]
        for file in files:
            place = copy / file.relative_to(root)
            wanted.add(place)
            if not place.exists() or not filecmp.cmp(file, place, shallow=False):
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)
    for name in _FOLDERS:
        for folder, _, names in os.walk(copy / name):
            for file in names:
                if Path(folder) / file not in wanted and "__pycache__" not in folder:
                    (Path(folder) / file).unlink()
    for name in _LINKED:
        link = copy / name
        if (root / name).exists() and not link.exists():
            link.unlink(missing_ok=True)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to((root / name).resolve())


def patch(copy: Path, file: Path, reverse: bool = False) -> None:
    """Applies a patch to a copy. Raises FaultlineError when it does not fit."""
    command = ["patch", "-p1", "--batch", "--no-backup-if-mismatch", "-r", "-", *(["-R"] if reverse else []), "-i", file]
    done = process.run(command, deadline=60, cwd=copy, merge=True)
    if done.status != 0:
        raise FaultlineError(f"{file.name} does not apply: {done.output.strip()}")


def run(copy: Path, module: str, *words: str | Path, deadline: float, stop: Callable[[], bool] | None = None) -> process.Finished:
    """Runs `python -m MODULE WORDS…` of the copy's own package. `deadline` is seconds."""
    env = {"PYTHONPATH": str(copy / "harness"), "FAULTLINE_READY": str(copy)}
    return process.run([copy / ".venv" / "bin" / "python", "-m", module, *words], deadline=deadline, cwd=copy, env=env,
                       stop=stop, grace=10.0)
