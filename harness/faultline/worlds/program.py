"""What the runner of programs must know of their format (user/prog/prog.h, decode.c)."""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass

from faultline.paths import ROOT
from faultline.worlds.trace import call_names

HEADER = 12
CALLS_MAX, VALUES_MAX, WORDS_MAX, ARGUMENTS, FILE_MAX = 64, 1024, 24, 6, 4096
SMALL, NUMBER, RESULT, ARENA, BYTES, WORDS, PATH, SPECIAL = range(8)
_DEPTH = 2
_CLONE, _SIGCHLD = 220, 17
_TURNS, _CHOICES, _PRIORITIES = range(3)
_UNPRIVILEGED = 64


_PATHS = ROOT / "user" / "prog" / "values.def"
_PATH = re.compile(r'^PATH\(((?:"[^"]*"\s*)+)\)', re.MULTILINE)


@functools.cache
def path_texts() -> tuple[str, ...]:
    """What programs name by a number."""
    return tuple("".join(re.findall(r'"([^"]*)"', found)) for found in _PATH.findall(_PATHS.read_text()))


@dataclass(frozen=True)
class Program:
    """One file. `numbers`: of its calls, by index; `uses`: by index, of which calls' results its arguments are; `paths`: what they
    name; `choices`: where they begin."""

    data: bytes
    numbers: tuple[int, ...]
    lists: tuple[int, ...]
    uses: tuple[frozenset[int], ...]
    paths: frozenset[str]
    choices: int
    failing: tuple[int, ...]  # where it says which of a call's places fails
    deadly: bool  # it makes a task whose end may end its parent, by a signal that is not SIGCHLD

    @property
    def unprivileged(self) -> bool:
        return len(self.data) > 9 and bool(self.data[9] & _UNPRIVILEGED)

    @property
    def alone(self) -> bool:
        """One task only: nothing depends on a schedule."""
        names = call_names()
        cloning = {"clone", "clone3"}
        started = any(self.data[9] >> 2 * (i - 1) & 3 in (1, 2) and i in self.lists for i in (1, 2, 3)) if len(self.data) > 9 else False
        return not started and not any(names.get(number) in cloning for number in self.numbers)

    def scheduled(self, seed: int) -> bytes:
        """The same program with other choices of the machine: one of its ways to schedule after the other, on 4, 1, 2 and 3 CPUs."""
        noise = hashlib.shake_128(seed.to_bytes(2, "little") + self.data).digest(FILE_MAX)
        data = bytearray(self.data[:self.choices].ljust(HEADER, b"\0"))
        data[8] = (3, 0, 1, 2)[seed % 4] | (_PRIORITIES, _CHOICES, _TURNS)[seed % 3] << 2 | (seed // 3 & 15) << 4
        size = max(0, self.choices - HEADER)
        data[10:12] = size.to_bytes(2, "little")
        return bytes(data) + noise[:max(0, FILE_MAX - len(data))]

    def plain(self) -> bytes:
        """The same calls where nothing is made to fail and the machine takes its CPUs in turns: what other worlds can follow."""
        data = bytearray((bytes(8) + self.data[8:self.choices]).ljust(HEADER, b"\0"))
        data[8] = 3 | _TURNS << 2
        data[10:12] = max(0, self.choices - HEADER).to_bytes(2, "little")
        for at in self.failing:
            data[at] = 0
        return bytes(data)


class _Reader:
    def __init__(self, data: bytes):
        self.data, self.at, self.end = data[:FILE_MAX], 8, min(len(data), FILE_MAX)
        self.values = 0
        self.paths: set[int] = set()
        self.uses: set[int] = set()

    def byte(self) -> int:
        if self.at < self.end:
            self.at += 1
            return self.data[self.at - 1]
        return 0

    def skip(self, count: int) -> None:
        self.at = min(self.end, self.at + count)

    def arguments(self, count: int, depth: int) -> bool:
        """False: no room for them."""
        if count > VALUES_MAX - self.values:
            return False
        self.values += count
        return all(self._value(depth) for _ in range(count))

    def _value(self, depth: int) -> bool:
        head = self.byte()
        kind, extra = head & 7, head >> 3
        if kind == NUMBER:
            self.skip((extra & 7) + 1)
        elif kind == RESULT:
            self.uses.add(self.byte())
        elif kind == SPECIAL:
            self.byte()
        elif kind == PATH:
            self.paths.add(self.byte())
        elif kind == ARENA:
            self.skip(2)
        elif kind == BYTES:
            self.skip(self.byte())
        elif kind == WORDS:
            count = self.byte()
            if depth <= _DEPTH:
                return self.arguments(min(count, WORDS_MAX), depth + 1)
        return True


def _low_byte(reader: _Reader) -> int | None:
    """Of the argument that comes; None: it is no plain number."""
    head = reader.data[reader.at] if reader.at < reader.end else SMALL
    kind, extra = head & 7, head >> 3
    if kind == SMALL:
        return extra
    return reader.data[reader.at + 1] if kind == NUMBER and reader.at + 1 < reader.end else None


def decode(data: bytes) -> Program:
    """Any bytes are a program."""
    reader = _Reader(data)
    reader.skip(2)
    size = reader.byte() | reader.byte() << 8
    if reader.end > HEADER and size < reader.end - HEADER:
        reader.end = HEADER + size
    choices = reader.end
    numbers, lists, uses, failing, deadly = [], [], [], [], False
    while reader.at < reader.end and len(numbers) < CALLS_MAX:
        number = reader.byte() | reader.byte() << 8
        head = reader.byte()
        if head & 32:
            failing += [reader.at] if reader.at < reader.end else []
            reader.byte()
        deadly |= number == _CLONE and _low_byte(reader) not in (0, _SIGCHLD)
        reader.uses = set()
        if not reader.arguments(min(head >> 2 & 7, ARGUMENTS), 0):
            break
        uses.append(reader.uses)
        numbers.append(number)
        lists.append(head & 3)
    sources = tuple(frozenset(use % len(numbers) for use in used) for used in uses)
    return Program(data, tuple(numbers), tuple(lists), sources, frozenset(path_texts()[path] for path in reader.paths if path < len(path_texts())), choices, tuple(failing), deadly)
