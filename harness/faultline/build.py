"""Builds presets of CMakePresets.json."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

from faultline import process
from faultline.errors import BuildFailed, UsageError
from faultline.paths import ROOT

_DEADLINE = 1800.0  # seconds for one preset from nothing


def presets(root: Path = ROOT) -> list[str]:
    """The names of the presets that can be built."""
    listed = json.loads((root / "CMakePresets.json").read_text())["configurePresets"]
    return [preset["name"] for preset in listed if not preset.get("hidden")]


@contextmanager
def _locked(folder: Path):
    """Two verbs building the same folder take turns."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".faultline-lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(preset: str, targets: Sequence[str] = (), *, root: Path = ROOT, jobs: int | None = None, stop=None) -> Path:
    """Configures if needed and builds; returns the build folder.

    Raises UsageError for an unknown preset and BuildFailed with the tail of the output.
    """
    known = presets(root)
    if preset not in known:
        raise UsageError(f"unknown preset '{preset}' (there are: {' '.join(known)})")
    folder = root / "build" / preset
    with _locked(folder):
        if not (folder / "build.ninja").exists():
            _cmake(["cmake", "--preset", preset], root, preset, stop)
        command = ["cmake", "--build", folder, "-j", str(jobs or os.cpu_count() or 1)]
        if targets:
            command += ["--target", *targets]
        _cmake(command, root, preset, stop)
    return folder


def _cmake(command: Sequence[str | Path], root: Path, preset: str, stop) -> None:
    # Out-of-tree copies share the compiler cache: paths below the tree count as relative.
    env = {"CCACHE_BASEDIR": str(root), "CCACHE_NOHASHDIR": "1", "AFL_QUIET": "1"}
    done = process.run(command, deadline=_DEADLINE, cwd=root, env=env, merge=True, stop=stop)
    if done.status != 0:
        lines = done.output.rstrip().splitlines()
        first = next((i for i, line in enumerate(lines) if "error:" in line or "FAILED:" in line), max(0, len(lines) - 30))
        tail = "\n".join(lines[first:first + 30])
        reason = "did not end in time or was stopped" if done.timed_out else f"ended with status {done.status}"
        raise BuildFailed(f"building preset {preset} {reason}:\n{tail}")
