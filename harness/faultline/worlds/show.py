"""One program for a person: what it is, what it did in two worlds, side by side."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Shown:
    """`text` for a person, with a verdict at the end; whether something fails on the simulated machine, and whether the other
    world goes down or differs without a reason."""

    text: str
    here: bool = False
    there: bool = False


def beside(world: str, data: bytes) -> Shown:
    """The two traces side by side. Raises what cannot be run."""
    program = decode(decode(data).plain())
    with Comparison(world) as comparison:
        if not comparison.takes(program):
            raise FaultlineError("on Linux programs run as nobody's root (`unprivileged`): this one does not")
        try:
            ours = comparison.trace(program, comparison.simulated.run_one(program.data))
        except SimulatedFinding as error:
            ours, finding = None, error
        job = Job(program.data, len(ours.outcome.events) if ours and ours.outcome.killed else 0, dump=world == "linux")
        try:
            theirs = comparison.trace(program, next(iter(comparison.other.run([job]))))
        except GuestError as error:
            return Shown(f"{error}\nverdict: it takes the kernel down", ours is None, True)
        if ours is None:
            return Shown(f"{finding}\nverdict: a finding on the simulated machine, none in the other world", True)
        found = comparison.judge_one(program, ours, theirs)
        first = judge.first_difference(program, ours, theirs)
        text = table(program, ours, theirs, world, first)
        if first is None:
            return Shown(f"{text}\nverdict: the same on both")
        reason = next(iter(comparison.result.verdict.explained), "") or ("another of its schedules" if not found else "")
        return Shown(f"{text}\nverdict: {first}; {f'reason: {reason}' if reason else 'no reason is known'}", False, found is not None)
