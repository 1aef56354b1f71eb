"""The window that a supervisor of programs and we share: memory, in slots that both go round in the same order.
user/prog/window.h says what lies where."""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from faultline.errors import FaultlineError

MARK = 0x776F646E69774C46
SLOTS, SLOT_SIZE = 32, 0x10000
SIZE = SLOTS * SLOT_SIZE
PROGRAM_MAX = 4096
_STATE, _USED, _PROGRAM, _EVENTS = 24, 40, 64, 64 + PROGRAM_MAX
_FREE, _READY, _RUNNING, _DONE = range(4)
CUT, KILLED, LATE, DIRTY, DUMP, STARVED = 1, 2, 4, 8, 16, 32
_IN = struct.Struct("<IIIIII")     # state, size, milliseconds, expected, used, flags
_OUT = struct.Struct("<IIiIQ")     # used, flags, status, count, nanoseconds
_EVENT = struct.Struct("<IIBBHIq")  # length, task, kind, list, call, size, result
_POLL = 0.0001  # seconds between two looks
_LOOKS = 200    # between two questions to the watch

BEGAN, ENDED, SIGNAL, FILE, DONE = range(5)


class Event(NamedTuple):
    """What one task did (user/prog/prog.h); `data` is what the call gave out."""

    task: int
    kind: int
    list: int
    call: int
    result: int
    data: bytes = b""


@dataclass(frozen=True)
class Job:
    """One program. `expected`: events after which nothing more is to come, 0: it ends by itself; `milliseconds` of the
    world's own time after which it is killed; `dump`: what is in its files is told at the end."""

    program: bytes
    expected: int = 0
    milliseconds: int = 2000
    dump: bool = True


@dataclass
class Outcome:
    """What a world did with a program. `status` as wait4(2) has it; negative: the error with which the supervisor itself
    failed."""

    events: list[Event] = field(default_factory=list)
    status: int = 0
    seconds: float = 0.0
    cut: bool = False     # events are missing
    killed: bool = False  # its first process did not end by itself
    late: bool = False    # and not all that was expected had come
    starved: bool = False  # a process was killed for want of memory (simulated machine)
    dirty: bool = False   # what it changed could not be put back


class Window:
    """`view` is the shared memory. `watch` begins a wait for a program: what it gives is asked now and then, and raises when the
    other side is gone or does not get on."""

    def __init__(self, view: memoryview, watch: Callable[[Job], Callable[[], None]]):
        self._view = view
        self._watch = watch
        self._next = 0

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of each, in order; several wait in the window at a time. Raises what the watch raises."""
        waiting: deque[tuple[int, Job]] = deque()
        for job in jobs:
            if len(waiting) == SLOTS:
                yield self._take(*waiting.popleft())
            waiting.append((self._put(job), job))
        while waiting:
            yield self._take(*waiting.popleft())

    def _put(self, job: Job) -> int:
        if len(job.program) > PROGRAM_MAX:
            raise FaultlineError(f"a program has at most {PROGRAM_MAX} bytes, not {len(job.program)}")
        base, self._next = self._next * SLOT_SIZE, (self._next + 1) % SLOTS
        self._view[base + _PROGRAM:base + _PROGRAM + len(job.program)] = job.program
        _IN.pack_into(self._view, base + _STATE, _FREE, len(job.program), job.milliseconds, job.expected, 0, DUMP if job.dump else 0)
        self._view[base + _STATE] = _READY
        return base

    def _take(self, base: int, job: Job) -> Outcome:
        state = base + _STATE
        if self._view[state] != _DONE:
            check = self._watch(job)
            looks = 0
            while self._view[state] != _DONE:
                looks += 1
                time.sleep(_POLL)
                if looks % _LOOKS == 0:
                    check()
        used, flags, status, _, nanoseconds = _OUT.unpack_from(self._view, base + _USED)
        events = read_events(bytes(self._view[base + _EVENTS:base + _EVENTS + min(used, SLOT_SIZE - _EVENTS)]))
        return Outcome(events, status, nanoseconds / 1e9, bool(flags & CUT), bool(flags & KILLED), bool(flags & LATE),
                       bool(flags & DIRTY))


def read_events(data: bytes) -> list[Event]:
    found, at = [], 0
    while at + _EVENT.size <= len(data):
        length, task, kind, list_, call, size, result = _EVENT.unpack_from(data, at)
        if length == 0:
            break  # its writer was killed half-way
        start = at + _EVENT.size
        found.append(Event(task, kind, list_, call, result, data[start:start + size]))
        at += length
    return found
