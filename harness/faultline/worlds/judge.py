"""Where two worlds disagree on a program, and whether that has a reason: a schedule, chance, or an entry of
user/prog/differences.toml."""

from __future__ import annotations

import fnmatch
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from faultline.errors import FaultlineError
from faultline.paths import ROOT
from faultline.worlds.program import Program
from faultline.worlds.trace import Fact, Key, Trace, call_names

DIFFERENCES = ROOT / "user" / "prog" / "differences.toml"
NOTHING = Fact("nothing", "nothing")
# Calls that end other tasks when they do not return.
_ENDING = {"execve", "execveat", "exit_group", "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"}
_STARVED = "the simulated machine has less memory: a process was killed for it"
_OTHER = "memory, places, numbers of processes, time: it is otherwise on another simulated machine, too"
_KEYS = {"world", "call", "ours", "theirs", "reason", "paths", "rare", "tasks", "beside", "given"}


@dataclass
class Reason:
    """Why a call may have another outcome: globs over its name (several, between spaces) and both results; with `paths` only in a program that names
    one of these files (globs as well). `rare`: need not show in every comparison; `tasks`: only in
    a program that can have several; `beside`: only in one that has one of these calls, too;
    `given`: only where an argument is what one of these calls gave."""

    world: str
    call: str
    ours: str
    theirs: str
    reason: str
    paths: str = ""
    rare: bool = False
    tasks: bool = False
    beside: str = ""
    given: str = ""
    used: int = 0

    def fits(self, world: str, difference: Difference) -> bool:
        if self.paths and not any(fnmatch.fnmatchcase(path, paths) for path in difference.program.paths for paths in self.paths.split()):
            return False
        if self.tasks and difference.program.alone:
            return False
        if self.beside and not set(self.beside.split()) & set(map(call_names().get, difference.program.numbers)):
            return False
        if self.given and not set(self.given.split()) & difference.sources:
            return False
        return (self.world in ("*", world) and any(fnmatch.fnmatchcase(difference.name, call) for call in self.call.split())
                and fnmatch.fnmatchcase(difference.ours.result, self.ours) and fnmatch.fnmatchcase(difference.theirs.result, self.theirs))


def reasons(path: Path = DIFFERENCES) -> list[Reason]:
    """Raises FaultlineError for an entry that is none."""
    found = []
    for number, entry in enumerate(tomllib.loads(path.read_text()).get("difference", []), 1):
        if set(entry) - _KEYS or not {"call", "reason"} <= set(entry):
            raise FaultlineError(f"{path.name}: entry {number} has the keys {' '.join(entry)} (wanted: call reason; known: {' '.join(sorted(_KEYS))})")
        found.append(Reason(entry.get("world", "*"), entry["call"], entry.get("ours", "*"), entry.get("theirs", "*"), entry["reason"],
                            entry.get("paths", ""), entry.get("rare", False), entry.get("tasks", False), entry.get("beside", ""), entry.get("given", "")))
    return found


@dataclass
class Difference:
    """The first fact of a program in which a world disagrees with the simulated machine."""

    program: Program
    key: Key
    ours: Fact
    theirs: Fact
    number: int = 0  # of the program in its batch

    @property
    def name(self) -> str:
        return (self.theirs if self.ours is NOTHING else self.ours).name

    @property
    def sources(self) -> set[str]:
        """The calls whose results this one was given."""
        calls = self.program.uses[self.key.call] if self.key.what == "call" else ()
        return {call_names().get(self.program.numbers[index], "") for index in calls}

    def __str__(self) -> str:
        where = f"task {self.key.task}, call {self.key.call}: {self.name}" if self.key.what == "call" else f"task {self.key.task}, {self.key.what}"
        return f"{where}: simulated {_short(self.ours)}, other {_short(self.theirs)}"


def _short(fact: Fact) -> str:
    text = str(fact)
    return text if len(text) <= 200 else f"{text[:200]}..."


def first_difference(program: Program, ours: Trace, theirs: Trace) -> Difference | None:
    """In the order in which the simulated machine began things."""
    for key in [*ours.facts, *(key for key in theirs.facts if key not in ours.facts)]:
        one, other = ours.facts.get(key, NOTHING), theirs.facts.get(key, NOTHING)
        if one != other:
            return Difference(program, key, one, other)
    return None


@dataclass
class Verdict:
    """All programs of one world."""

    world: str
    programs: int = 0
    same: int = 0
    schedule: int = 0   # another of the outcomes that the simulated machine itself has
    unsteady: int = 0   # the world has several outcomes itself, that one among them
    cut: int = 0        # not ended in time, or more than the window takes; equal until then
    explained: Counter = field(default_factory=Counter)
    unexplained: list[Difference] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        """What another judge of the same world found."""
        for count in ("programs", "same", "schedule", "unsteady", "cut"):
            setattr(self, count, getattr(self, count) + getattr(other, count))
        self.explained += other.explained
        self.unexplained += other.unexplained

    def as_json(self) -> dict:
        return {"programs": self.programs, "same": self.same, "schedule": self.schedule, "unsteady": self.unsteady, "cut": self.cut,
                "explained": dict(self.explained), "unexplained": [str(difference) for difference in self.unexplained]}

    def __str__(self) -> str:
        return (f"{self.world}: {self.programs} programs, {self.same} the same, {self.schedule} depend on the schedule, "
                f"{self.unsteady} on chance, {self.cut} cut short, {sum(self.explained.values())} differ with a reason, "
                f"{len(self.unexplained)} without")


class Judge:
    """`again` runs a program in the world once more; `variants` gives traces of the simulated machine under other schedules,
    `others` of another simulated machine, `late` those in which a task comes late, maybe to the call of a key."""

    def __init__(self, world: str, known: list[Reason], again: Callable[[Program], Trace], variants: Callable[[Program], Iterable[Trace]],
                 others: Callable[[Program], Iterable[Trace]], late: Callable[[Program, Key], Iterable[Trace]]):
        self.verdict = Verdict(world)
        self._known = known
        self._again = again
        self._variants = variants
        self._others = others
        self._late = late

    def judge(self, program: Program, ours: Trace, theirs: Trace) -> Difference | None:
        """Counts the program; what it gives back is not explained."""
        self.verdict.programs += 1
        difference = first_difference(program, ours, theirs)
        if difference is None:
            self.verdict.same += 1
            return None
        reason = self._reason(difference, rare=False)
        if reason:
            reason.used += 1
            self.verdict.explained[reason.reason] += 1
        elif ours.outcome.starved and not theirs.outcome.starved:
            self.verdict.explained[_STARVED] += 1
        elif _is_cut(theirs, difference.theirs) or _is_cut(ours, difference.ours):
            self.verdict.cut += 1
        elif _was_left(ours, theirs, difference):
            self.verdict.schedule += 1
        elif _is_among(self._variants(program), theirs, difference):
            self.verdict.schedule += 1
        elif _is_among(self._others(program), theirs, difference):
            self.verdict.explained[_OTHER] += 1
        elif self._depends_on_chance(program, difference):
            self.verdict.unsteady += 1
        elif not program.alone and _is_among(self._late(program, difference.key), theirs, difference):
            self.verdict.schedule += 1
        else:
            reason = self._reason(difference, rare=True) or self._reason_elsewhere(program, ours, theirs, difference)
            if not reason:
                self.verdict.unexplained.append(difference)
                return difference
            reason.used += 1
            self.verdict.explained[reason.reason] += 1
        return None

    def _reason(self, difference: Difference, rare: bool) -> Reason | None:
        """Rare ones are asked for last, when no schedule explains it."""
        return next((reason for reason in self._known if reason.rare == rare and reason.fits(self.verdict.world, difference)), None)

    def _reason_elsewhere(self, program: Program, ours: Trace, theirs: Trace, first: Difference) -> Reason | None:
        """Of another task's difference: which of two tasks came first is not known."""
        for key in ours.facts.keys() & theirs.facts.keys():
            if key.task != first.key.task and ours.facts[key] != theirs.facts[key]:
                other = Difference(program, key, ours.facts[key], theirs.facts[key])
                reason = self._reason(other, rare=False) or self._reason(other, rare=True)
                if reason:
                    return reason
        return None

    def _depends_on_chance(self, program: Program, difference: Difference) -> bool:
        for _ in range(3):
            again = self._again(program)
            if again.facts.get(difference.key, NOTHING) != difference.theirs:
                return True
        return False


def _is_among(traces: Iterable[Trace], theirs: Trace, difference: Difference) -> bool:
    """Whether the simulated machine itself has this outcome in another order of tasks, or more than one where they part."""
    seen = {difference.ours}
    for trace in traces:
        seen.add(trace.facts.get(difference.key, NOTHING))
        if len(seen) > 1 or first_difference(difference.program, trace, theirs) is None:
            return True
    return False


def _is_cut(trace: Trace, fact: Fact) -> bool:
    ended = trace.outcome.cut or (trace.outcome.killed and trace.outcome.late)
    return ended and fact.result in ("no end", "nothing")


def _was_left(ours: Trace, theirs: Trace, difference: Difference) -> bool:
    """How far a task came that nobody waited for, or that another one ended: a race anywhere. Clones of task 1 are 11, 12, ..."""
    unfinished = {"no end", "nothing"}
    if not {difference.ours.result, difference.theirs.result} & unfinished:
        return False
    name = str(difference.key.task)
    above = [int(name[:length]) for length in range(1, len(name))]
    left = any(Key(task, "end") not in ours.facts and Key(task, "end") not in theirs.facts for task in above)
    ended = any(fact.name in _ENDING and fact.result == "no end" and key.task != difference.key.task
                for trace in (ours, theirs) for key, fact in trace.facts.items())
    return left or ended or difference.program.deadly


def unused(known: list[Reason], world: str) -> list[str]:
    """Sentences on entries for this world that fitted nothing."""
    return [f"{DIFFERENCES.name}: nothing differs any more as in {reason.call} ({reason.ours} here, {reason.theirs} there): {reason.reason}"
            for reason in known if reason.world in ("*", world) and not reason.used and not reason.rare]
