"""Programs as text and back, by the tool that knows both forms (harness/prog_tool.c)."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from faultline import process
from faultline.errors import FaultlineError
from faultline.paths import BUILD

TOOL = BUILD / "host-test" / "harness" / "prog"
CALL = re.compile(r"^t(\d): ")  # the line of a call, and its list
_DEADLINE = 20.0  # seconds for the tool


def to_text(data: bytes) -> list[str]:
    """The lines of a program. Raises FaultlineError when the tool cannot be run."""
    with tempfile.TemporaryDirectory(prefix="faultline-") as scratch:
        path = Path(scratch) / "program"
        path.write_bytes(data)
        return [line for line in _run("text", path).splitlines() if line]


def from_text(lines: list[str]) -> bytes:
    """The file of such lines. Raises FaultlineError when they are no program."""
    with tempfile.TemporaryDirectory(prefix="faultline-") as scratch:
        text, path = Path(scratch) / "text", Path(scratch) / "program"
        text.write_text("\n".join(lines) + "\n")
        _run("encode", text, path)
        return path.read_bytes()


def _run(*arguments) -> str:
    done = process.run([TOOL, *arguments], deadline=_DEADLINE)
    if done.status != 0:
        raise FaultlineError(f"{TOOL.name} {arguments[0]}: {done.errors.strip()}")
    return done.output
