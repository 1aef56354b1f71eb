"""Programs as text and back, by the tool that knows both forms (harness/prog_tool.c)."""

from __future__ import annotations

import re

from faultline import process
from faultline.errors import FaultlineError
from faultline.paths import BUILD

TOOL = BUILD / "host-test" / "harness" / "prog"
CALL = re.compile(r"^t(\d): ")  # the line of a call, and its list
_DEADLINE = 20.0  # seconds for the tool


def to_text(data: bytes) -> list[str]:
    """The lines of a program. Raises FaultlineError when the tool cannot be run."""
    return [line for line in _run(data, "text", "-").output.splitlines() if line]


def from_text(lines: list[str]) -> bytes:
    """The file of such lines. Raises FaultlineError when they are no program."""
    return _run(("\n".join(lines) + "\n").encode(), "encode", "-", "-").data


def _run(given: bytes, *arguments: str) -> process.Finished:
    done = process.run([TOOL, *arguments], deadline=_DEADLINE, data=given, untrusted=True)
    if done.status != 0:
        raise FaultlineError(f"{TOOL.name} {arguments[0]}: {done.errors.strip()}")
    return done
