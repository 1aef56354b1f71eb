"""One program for a person: what it is, what it did in two worlds, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from faultline.errors import FaultlineError, GuestError
from faultline.worlds import judge
from faultline.worlds.compare import Comparison
from faultline.worlds.judge import NOTHING, Difference
from faultline.worlds.program import Program, decode
from faultline.worlds.simulated import SimulatedFinding
from faultline.worlds.text import CALL, to_text
from faultline.worlds.trace import Trace
from faultline.worlds.window import Job

_WIDTH = 28  # of a result
_TEXT = 90   # of a call


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[:width - 1]}…"


def table(program: Program, ours: Trace, theirs: Trace, world: str, first: Difference | None) -> str:
    """All facts in the order of the simulated machine; the first difference is marked."""
    calls = [line for line in to_text(program.data) if CALL.match(line)]
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
        verdict = comparison.result.verdict
        reason = next(iter(verdict.explained), "") or ("" if found else "cut short" if verdict.cut else "another of its schedules")
        return Shown(f"{text}\nverdict: {first}; {f'reason: {reason}' if reason else 'no reason is known'}", False, found is not None)
