"""What two kernels said, fact by fact; the differences that are known, with their reasons."""

from __future__ import annotations

import difflib
import fnmatch
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from faultline.compare.batch import Outcome
from faultline.errors import FaultlineError

SAME, DIFFERENT, UNSUPPORTED = "same", "different", "unsupported"
_MISSING = "(nothing)"


@dataclass
class Fact:
    """One line: what a program found out on both kernels."""

    program: str
    what: str
    linux: str
    faultline: str
    reason: str = ""

    @property
    def verdict(self) -> str:
        if self.linux == self.faultline:
            return SAME
        return UNSUPPORTED if "ENOSYS" in self.faultline and "ENOSYS" not in self.linux else DIFFERENT

    def __str__(self) -> str:
        return f"{self.program}: {self.what}: Linux {self.linux!r}, Faultline {self.faultline!r}"


@dataclass
class Reason:
    """Why some facts differ: globs over the program and the fact, and with `ours` what Faultline must have said. `used`
    tells whether one still does."""

    program: str
    fact: str
    reason: str
    ours: str = ""
    used: bool = False

    def fits(self, fact: Fact) -> bool:
        return (fnmatch.fnmatchcase(fact.program, self.program) and self.ours in ("", fact.faultline)
                and any(fnmatch.fnmatchcase(text, _literal(self.fact)) for text in (fact.what, fact.linux)))


def _literal(pattern: str) -> str:
    """Brackets stand for themselves: facts are C expressions."""
    return pattern.replace("[", "[[]")


def read(text: str) -> dict[str, str]:
    """Facts of one program's output: "what: value" by line, later ones of the same name numbered, other lines by number."""
    facts: dict[str, str] = {}
    seen: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line:
            continue
        what, found, value = line.rpartition(": ")
        if not found:
            what, value = f"line {number}", line
        seen[what] = seen.get(what, 0) + 1
        facts[what if seen[what] == 1 else f"{what} #{seen[what]}"] = value
    return facts


def compare(linux: dict[str, Outcome], faultline: dict[str, Outcome], scripts: Collection[str] = ()) -> list[Fact]:
    """Every fact of every program; how it ended is one of them. What `scripts` print is compared line by line."""
    found = []
    for program, theirs in linux.items():
        ours = faultline.get(program, Outcome())
        found.append(Fact(program, "end", theirs.end, ours.end))
        if program in scripts:
            found += _lines(program, theirs.output, ours.output)
            continue
        right, here = read(theirs.output), read(ours.output)
        found += [Fact(program, what, right.get(what, _MISSING), here.get(what, _MISSING)) for what in dict.fromkeys([*right, *here])]
    return found


def _lines(program: str, theirs: str, ours: str) -> list[Fact]:
    """One fact a line of Linux's, by number; what is there only here comes after the line it follows."""
    right, here = theirs.splitlines(), ours.splitlines()
    found = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, right, here, autojunk=False).get_opcodes():
        for i in range(max(b - a, d - c)):
            what = f"line {a + i + 1}" if a + i < b else f"after line {b}, {i + 1}"
            found.append(Fact(program, what, right[a + i] if a + i < b else _MISSING, here[c + i] if c + i < d else _MISSING))
    return found


def reasons(path: Path) -> list[Reason]:
    """The list of known differences. Raises FaultlineError when it is not as it should be."""
    try:
        entries = tomllib.loads(path.read_text()).get("difference", [])
        found = [Reason(**entry) for entry in entries]
    except (tomllib.TOMLDecodeError, TypeError, OSError) as error:
        raise FaultlineError(f"{path}: {error}") from error
    for entry in found:
        if len(entry.reason) < 10:
            raise FaultlineError(f"{path}: '{entry.program}', '{entry.fact}' has no reason")
    return found


def explain(facts: Iterable[Fact], known: Iterable[Reason]) -> None:
    """Gives each difference the first reason that fits it."""
    known = list(known)
    for fact in facts:
        if fact.verdict == SAME:
            continue
        for entry in known:
            if entry.fits(fact):
                fact.reason, entry.used = entry.reason, True
                break


@dataclass
class Summary:
    """Everything a run found."""

    facts: list[Fact]
    programs: list[str]
    problems: list[str] = field(default_factory=list)  # what makes the run fail, one line each

    def count(self, verdict: str) -> int:
        return sum(fact.verdict == verdict for fact in self.facts)

    def as_json(self) -> dict:
        return {"programs": self.programs, **{verdict: self.count(verdict) for verdict in (SAME, DIFFERENT, UNSUPPORTED)},
                "differences": [vars(fact) | {"verdict": fact.verdict} for fact in self.facts if fact.verdict != SAME],
                "problems": self.problems}


def judge(linux: dict[str, Outcome], faultline: dict[str, Outcome], known: list[Reason], existing: Collection[str] = (),
          scripts: Collection[str] = ()) -> Summary:
    """Compares and finds what is wrong. `existing` are all programs there are, run or not: reasons of those that did not run
    may be unused."""
    summary = Summary(compare(linux, faultline, scripts), list(linux))
    explain(summary.facts, known)
    for program, outcome in linux.items():
        if not outcome.end.startswith("exit") and not any(fact.reason for fact in summary.facts if fact.program == program and fact.what == "end"):
            summary.problems.append(f"{program}: ends on Linux with {outcome.end}: {outcome.output[-200:]!r}")
        elif "batch: cannot " in outcome.output:
            summary.problems.append(f"{program}: {outcome.output.strip()}")
        elif not outcome.output:
            summary.problems.append(f"{program}: says nothing on Linux")
    summary.problems += [str(fact) for fact in summary.facts if fact.verdict != SAME and not fact.reason]
    for entry in known:
        names = [program for program in (*linux, *existing) if fnmatch.fnmatchcase(program, entry.program)]
        if not entry.used and (not names or any(name in linux for name in names)):
            summary.problems.append(f"the reason for '{entry.program}', '{entry.fact}' no longer applies: {entry.reason}")
    return summary
