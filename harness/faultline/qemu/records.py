"""The kernel's framed records, found in a serial line that may hold anything else.

A record is one line: 0x1e 'FL ' ID ' ' SEQ ' ' KIND ' ' LENGTH ' ' CRC32 ' ' PAYLOAD '\\n'. LENGTH counts bytes, CRC32 is
zlib.crc32 of 'ID SEQ KIND LENGTH PAYLOAD', and PAYLOAD holds no control character, so a damaged record never hides the
next one: it ends at the first control character, whatever its length claims.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, field

START = 0x1E
MAX_PAYLOAD = 1 << 16
_HEADER = re.compile(rb"\x1eFL (\d{1,10}) (\d{1,20}) ([ljse]) (\d{1,6}) ([0-9a-f]{8}) ")
_HEADER_MAX = 64  # bytes; no header is longer
_CONTROL = re.compile(rb"[\x00-\x1f]")


@dataclass(frozen=True)
class Record:
    """One intact record. `kind` is l (line), j (JSON value), s (status) or e (event); `id` is 0 for events."""

    id: int
    seq: int
    kind: str
    payload: str

    def json(self):
        """The payload as a value. Raises ValueError when it is not JSON."""
        return json.loads(self.payload)


@dataclass(frozen=True)
class Gap:
    """Records lost between two intact ones of the same boot."""

    expected: int
    got: int


@dataclass
class RecordParser:
    """Feeds on bytes as they come; gives back text (str) and Records in order. `damaged` counts broken records."""

    damaged: int = 0
    gaps: list[Gap] = field(default_factory=list)
    _pending: bytes = b""
    _next_seq: int | None = None

    def feed(self, data: bytes) -> list[str | Record]:
        """Everything that is complete now. Never raises, whatever the bytes are."""
        buffer = self._pending + data
        items: list[str | Record] = []
        position = 0
        while True:
            start = buffer.find(START, position)
            if start < 0:
                self._text(items, buffer[position:])
                self._pending = b""
                return items
            self._text(items, buffer[position:start])
            end = self._record(items, buffer, start)
            if end is None:
                self._pending = buffer[start:]
                return items
            if end == start:  # noise: the byte is text, what follows may be a record
                self.damaged += 1
                self._text(items, buffer[start:start + 1])
                end = start + 1
            position = end

    def flush(self) -> list[str | Record]:
        """The line ended: what was held back is text."""
        items: list[str | Record] = []
        self._text(items, self._pending)
        self._pending = b""
        return items

    def _record(self, items: list[str | Record], buffer: bytes, start: int) -> int | None:
        """End of the record at start, start itself when there is none, None when more bytes are needed."""
        head = _HEADER.match(buffer, start)
        if not head:
            rest = buffer[start + 1:start + _HEADER_MAX]
            return None if len(rest) < _HEADER_MAX - 1 and not _CONTROL.search(rest) else start
        length = int(head[4])
        if length > MAX_PAYLOAD:
            return start
        body, stop = head.end(), head.end() + length
        control = _CONTROL.search(buffer, body)
        if control and control.start() < stop:
            return start
        if len(buffer) <= stop or (buffer[stop:] == b"\r"):
            return None
        after = stop + 1 if buffer[stop:stop + 1] == b"\r" else stop
        payload = buffer[body:stop]
        summed = b" ".join((head[1], head[2], head[3], head[4], payload))
        if buffer[after:after + 1] != b"\n" or zlib.crc32(summed) != int(head[5], 16):
            return start
        record = Record(int(head[1]), int(head[2]), head[3].decode(), payload.decode(errors="replace"))
        self._sequence(record)
        items.append(record)
        return after + 1

    def _sequence(self, record: Record) -> None:
        if record.seq != 1 and self._next_seq is not None and record.seq != self._next_seq:
            self.gaps.append(Gap(self._next_seq, record.seq))
        self._next_seq = record.seq + 1

    @staticmethod
    def _text(items: list[str | Record], data: bytes) -> None:
        if data:
            items.append(data.decode(errors="replace"))


def encode(id: int, seq: int, kind: str, payload: str) -> bytes:
    """A record as the kernel writes it; for tests and for the fake kernel."""
    body = payload.encode()
    summed = b" ".join((str(id).encode(), str(seq).encode(), kind.encode(), str(len(body)).encode(), body))
    head = f"FL {id} {seq} {kind} {len(body)} {zlib.crc32(summed):08x} ".encode()
    return bytes((START,)) + head + body + b"\n"
