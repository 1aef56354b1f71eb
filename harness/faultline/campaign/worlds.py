"""The part of a night in which worlds are compared: the corpus of programs on the booted kernel, generated ones on Linux."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from faultline import files as our_files
from faultline import process
from faultline.campaign.targets import Target, all_targets
from faultline.errors import FaultlineError
from faultline.worlds.compare import Result, compare
from faultline.worlds.text import TOOL

_CHUNK = 2000
WHOLE = 20_000  # programs after which every reason of differences.toml must have shown


def generated(count: int, seed: int = 0, root: bool = False) -> Iterator[bytes]:
    """Programs, without root's rights unless told, the same for the same seed."""
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        with tempfile.TemporaryDirectory(prefix="faultline-") as folder:
            done = process.run([TOOL, "generate", str(seed + start), *([] if root else ["--unprivileged"]), "--count", str(size), folder], deadline=120, untrusted=True,
                               writes=[Path(folder)])
            if done.status != 0:
                raise FaultlineError(f"no programs: {done.errors.strip()}")
            files = sorted(Path(folder).iterdir())
            if len(files) != size:
                raise FaultlineError(f"{size} programs wanted, {len(files)} made")
            for file in files:
                yield file.read_bytes()


def linux(count: int, seed: int, say: Callable[[str], None], stop: Callable[[], bool], folder: Path | None = None) -> Result:
    """Saved programs that Linux can run, then generated ones; `folder` takes those of what is wrong. Raises FaultlineError when nothing can be compared."""
    saved = (file.read_bytes() for target in all_targets() if target.runs_programs for file in target.regressions())
    return compare("linux", chain(saved, generated(count, seed)), say, stop, whole=count >= WHOLE, folder=folder)


def booted(targets: list[Target], most: int, say: Callable[[str], None], stop: Callable[[], bool],
           folder: Path | None = None) -> Result:
    """What the targets have collected, at most so many of each; `folder` takes those of what is wrong. Raises FaultlineError when nothing can be compared."""
    files = (file for target in targets for file in (target.seeds() + target.regressions() + target.saved())[:most])
    return compare("booted", (file.read_bytes() for file in files), say, stop, folder=folder)


def write(result: Result, folder: Path) -> None:
    """The verdict, as worlds.json."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {**result.verdict.as_json(), "failures": result.failures, "stale": result.stale}
    our_files.write(folder / "worlds.json", json.dumps(document, indent=2) + "\n")
