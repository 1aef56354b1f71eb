"""One program for a person: what it is, what it did in two worlds, side by side."""

from __future__ import annotations

import tempfile
from pathlib import Path

from faultline import process
from faultline.errors import FaultlineError, GuestError
from faultline.paths import BUILD
from faultline.worlds import judge
from faultline.worlds.compare import Comparison
from faultline.worlds.judge import NOTHING, Difference
from faultline.worlds.program import Program, decode
from faultline.worlds.simulated import SimulatedFinding
from faultline.worlds.trace import Trace
from faultline.worlds.window import Job

_TOOL = BUILD / "host-test" / "harness" / "prog"
_WIDTH = 28  # of a result
_TEXT = 90   # of a call


def lines(program: Program) -> list[str]:
    """The text of each call. Raises FaultlineError when the tool is not built."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(program.data)
        file.flush()
        done = process.run([_TOOL, "text", file.name], deadline=20)
    if done.status != 0:
        raise FaultlineError(f"{_TOOL.name} cannot print the program: {done.errors.strip()}")
    return [line for line in done.output.splitlines() if line[:1] == "t" and line[2:3] == ":"]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[:width - 1]}…"


def table(program: Program, ours: Trace, theirs: Trace, world: str, first: Difference | None) -> str:
    """All facts in the order of the simulated machine; the first difference is marked."""
    calls = lines(program)
    rows = [f"    {'task':>5}  {'what':{_TEXT}}  {'simulated':{_WIDTH}}  {world}"]
    for key in [*ours.facts, *(key for key in theirs.facts if key not in ours.facts)]:
        one, other = ours.facts.get(key, NOTHING), theirs.facts.get(key, NOTHING)
        what = calls[key.call] if key.what == "call" and key.call < len(calls) else key.what
        sign = "==>" if first and key == first.key else " * " if one != other else "   "
        rows.append(f"{sign} {key.task:>5}  {_cut(what, _TEXT):{_TEXT}}  {_cut(str(one), _WIDTH):{_WIDTH}}  {_cut(str(other), _WIDTH)}")
    return "\n".join(rows)


def linux(data: bytes) -> tuple[str, bool]:
    """The two traces side by side and a verdict; whether they agree, or differ with a reason. Raises what cannot be run."""
    return _compared("linux", data)


def booted(data: bytes) -> tuple[str, bool]:
    """The same with the booted kernel. One that the program takes down is told too."""
    return _compared("booted", data)


def _compared(world: str, data: bytes) -> tuple[str, bool]:
    program = decode(decode(data).without_faults())
    with Comparison(world) as comparison:
        if not comparison.takes(program):
            raise FaultlineError("on Linux programs run as nobody's root (`unprivileged`): this one does not")
        try:
            ours = comparison.trace(program, comparison.simulated.run_one(program.data))
        except SimulatedFinding as error:
            return f"{error}\nverdict: it fails on the simulated machine, so there is nothing to compare", False
        job = Job(program.data, len(ours.outcome.events) if ours.outcome.killed else 0, dump=world == "linux")
        try:
            theirs = comparison.trace(program, next(iter(comparison.other.run([job]))))
        except GuestError as error:
            return f"{error}\nverdict: {world} only: it takes the kernel down", False
        found = comparison.judge_one(program, ours, theirs)
        first = judge.first_difference(program, ours, theirs)
        text = table(program, ours, theirs, world, first)
        if first is None:
            return f"{text}\nverdict: the same on both", True
        reason = next(iter(comparison.result.verdict.explained), "") or ("another of its schedules" if not found else "")
        return f"{text}\nverdict: {first}; {f'reason: {reason}' if reason else 'no reason is known'}", found is None
