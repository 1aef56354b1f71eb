"""Many programs in two worlds: the simulated machine, and the booted kernel or Linux."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from faultline import files
from faultline.errors import FaultlineError, GuestError
from faultline.worlds import judge
from faultline.worlds.booted import Booted
from faultline.worlds.delays import delayed, leave_out
from faultline.worlds.judge import Difference, Judge, Reason, Verdict
from faultline.worlds.linux import Linux
from faultline.worlds.program import Program, decode
from faultline.worlds.simulated import Simulated, SimulatedFinding
from faultline.worlds.trace import Key, Trace
from faultline.worlds.window import Job, Outcome

WORLDS = ("booted", "linux")
_BATCH = 200
MACHINES = 2  # of a world, side by side
_TOLD = 30.0  # seconds between two words on how far it is
_SCHEDULES = 60  # that a program is run under when it has another outcome elsewhere
MILLISECONDS = {"booted": 1000, "linux": 300}  # of the world's own time; the booted kernel's costs nothing while it sleeps


class World(Protocol):
    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]: ...
    def close(self) -> None: ...


def start(world: str, preset: str = "qemu-virt") -> World:
    """Raises what cannot be started."""
    return Linux() if world == "linux" else Booted(preset)


@dataclass
class Result:
    """`failures` are sentences on programs that took a world down; `stale` on entries of differences.toml that fit nothing."""

    verdict: Verdict
    failures: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.failures or self.stale or self.verdict.unexplained)

    def add(self, other: Result) -> None:
        """What another machine of the same world found."""
        self.verdict.add(other.verdict)
        self.failures += other.failures


class Comparison:
    """Runs programs in both worlds. A context manager, and all of it in one thread: what it starts ends with that. `folder`
    takes the programs of failures and of differences without a reason."""

    def __init__(self, world: str, preset: str = "qemu-virt", simulated: str = "host-test", known: list[Reason] | None = None,
                 folder: Path | None = None):
        self.world = world
        self._folder = folder
        self._files = world == "linux"  # the booted kernel has the simulated one's file systems, and no time for it
        self._preset = preset
        self.simulated = Simulated(simulated)
        self._other_simulated = Simulated(simulated, other=True)
        self.other = start(world, preset)
        self.known = judge.reasons() if known is None else known
        self._judge = Judge(world, self.known, self.again, self._variants, self._others, self._late)
        self.result = Result(self._judge.verdict)

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *_) -> None:
        self.simulated.close()
        self._other_simulated.close()
        self.other.close()

    def takes(self, program: Program) -> bool:
        """What this world can run as the simulated machine does: on Linux nothing is root's."""
        return self.world != "linux" or program.unprivileged

    def add(self, programs: Iterable[bytes], stop: Callable[[], bool] = lambda: False, say: Callable[[str], None] = lambda text: None) -> None:
        """Compares all that this world takes. Nothing is made to fail: where is each kernel's own."""
        todo = (program for program in (decode(data) for data in programs) if self.takes(program))
        while not stop():
            batch = [decode(program.plain()) for program in islice(todo, _BATCH)]
            if not batch:
                return
            self._batch(batch, say)

    def _batch(self, programs: list[Program], say: Callable[[str], None]) -> None:
        ours: list[tuple[Program, Trace]] = []
        for program in programs:
            try:
                ours.append((program, self._simulate(program)))
            except SimulatedFinding as error:
                self._fail(program, str(error), say)
        for (program, trace), outcome in zip(ours, list(self._outcomes(ours, say))):  # all of them: judging runs some again
            if outcome is None:
                continue
            try:
                found = self.judge_one(program, trace, self.trace(program, outcome))
            except SimulatedFinding as error:  # under another schedule
                self._fail(decode(error.program), str(error), say)
                continue
            if found:
                self._keep(program)
                say(f"{name_of(program)}: {found}")

    def _outcomes(self, ours: list[tuple[Program, Trace]], say) -> Iterator[Outcome | None]:
        """None for a program that took the world down; the rest runs in another one."""
        at = 0
        while at < len(ours):
            try:
                for outcome in self.other.run(self._job(program, trace) for program, trace in ours[at:]):
                    at += 1
                    if outcome.dirty:
                        self._restart()
                        yield outcome
                        break
                    yield outcome
            except (GuestError, FaultlineError) as error:
                self._fail(ours[at][0], f"took the world down: {error}", say)
                at += 1
                self._restart()
                yield None

    def _restart(self) -> None:
        self.other.close()
        self.other = start(self.world, self._preset)

    def _fail(self, program: Program, what: str, say) -> None:
        self.result.failures.append(f"{name_of(program)}: {what.splitlines()[0]}")
        self._keep(program)
        say(self.result.failures[-1])

    def _keep(self, program: Program) -> None:
        if self._folder:
            self._folder.mkdir(parents=True, exist_ok=True)
            files.write(self._folder / name_of(program), program.data)

    def _job(self, program: Program, trace: Trace) -> Job:
        """What was killed on the simulated machine waits for ever: there is no need to."""
        expected = len(trace.outcome.events) if trace.outcome.killed else 0
        return Job(program.data, expected, MILLISECONDS[self.world], self._files)

    def _simulate(self, program: Program) -> Trace:
        return self.trace(program, self.simulated.run_one(program.data))

    def trace(self, program: Program, outcome: Outcome) -> Trace:
        """As it is compared here."""
        return Trace(outcome, dict(enumerate(program.numbers)), self._files)

    def judge_one(self, program: Program, ours: Trace, theirs: Trace) -> Difference | None:
        """What is not explained."""
        return self._judge.judge(program, ours, theirs)

    def again(self, program: Program) -> Trace:
        """Another run in the other world."""
        return self.trace(program, next(iter(self.other.run([Job(program.data, 0, MILLISECONDS[self.world], self._files)]))))

    def _variants(self, program: Program) -> Iterator[Trace]:
        """Under other schedules, times and interrupts."""
        for seed in range(_SCHEDULES):
            yield self.trace(program, self.simulated.run_one(program.scheduled(seed)))

    def _others(self, program: Program) -> Iterator[Trace]:
        yield self.trace(program, self._other_simulated.run_one(program.data))

    def _late(self, program: Program, key: Key) -> Iterator[Trace]:
        for data, number in delayed(program.data, key):
            late = self._simulate(decode(data))
            late.facts = leave_out(late.facts, number)
            yield late


class _Shared:
    """An iterator that several threads take from, and that says how far it is."""

    def __init__(self, items: Iterable[bytes], say: Callable[[str], None]):
        self._items = iter(items)
        self._lock = threading.Lock()
        self._say = say
        self._taken = 0
        self._told = time.monotonic()

    def __iter__(self) -> _Shared:
        return self

    def __next__(self) -> bytes:
        with self._lock:
            if time.monotonic() - self._told >= _TOLD:
                self._told = time.monotonic()
                self._say(f"{self._taken} programs so far")
            self._taken += 1
            return next(self._items)


def compare(world: str, programs: Iterable[bytes], say: Callable[[str], None], stop: Callable[[], bool] = lambda: False,
            whole: bool = False, folder: Path | None = None) -> Result:
    """All programs, on several machines of that world. `whole`: they are so many that every reason must have shown; `folder`: as
    Comparison has it. Raises FaultlineError when nothing can be compared."""
    known = judge.reasons()
    source = _Shared(programs, say)
    over = threading.Event()

    def work() -> Result:
        with Comparison(world, known=known, folder=folder) as comparison:
            comparison.add(source, lambda: stop() or over.is_set(), say)
            return comparison.result

    result = Result(Verdict(world))
    with ThreadPoolExecutor(MACHINES) as pool:
        try:
            for future in [pool.submit(work) for _ in range(MACHINES)]:
                result.add(future.result())
        finally:
            over.set()
    if whole:
        result.stale = judge.unused(known, world)
    return result


def name_of(program: Program) -> str:
    """As a corpus names it."""
    return hashlib.sha1(program.data).hexdigest()
