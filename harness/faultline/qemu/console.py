"""The serial line of one machine: a thread drains it for as long as the machine lives, waiters see what came.

QEMU stops altogether when nobody reads its serial socket, hence the thread; it does nothing but read and parse.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from faultline.errors import MachineExited
from faultline.qemu.records import Record, RecordParser

PROMPT = "faultline> "
_TEXT_KEPT = 1 << 20


@dataclass(frozen=True)
class Mark:
    """A point in time on the line: what comes after it is new."""

    records: int
    text: int


class Console:
    """Text and records of a serial line. All positions count from the machine's start."""

    def __init__(self, link: socket.socket):
        self._link = link
        self._parser = RecordParser()
        self._text = ""
        self._text_dropped = 0
        self._records: list[Record] = []
        self._places: list[int] = []  # in the text, of each record
        self._changed = threading.Condition(threading.RLock())
        self._closed = False
        self._listener: Callable[[str | Record], None] | None = None
        self.received = 0  # bytes so far; grows as long as the guest speaks
        self._thread = threading.Thread(target=self._read, name="serial", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                data = self._link.recv(65536)
            except OSError:
                data = b""
            with self._changed:
                items = self._parser.feed(data) if data else self._parser.flush()
                for item in items:
                    if isinstance(item, Record):
                        self._records.append(item)
                        self._places.append(self._text_dropped + len(self._text))
                    else:
                        self._text += item
                    if self._listener:
                        self._listener(item)
                if len(self._text) > 2 * _TEXT_KEPT:
                    cut = len(self._text) - _TEXT_KEPT
                    self._text, self._text_dropped = self._text[cut:], self._text_dropped + cut
                self.received += len(data)
                self._closed = not data
                self._changed.notify_all()
            if not data:
                return

    def listen(self, listener: Callable[[str | Record], None]) -> None:
        """`listener` gets text and records as they come, in the reading thread."""
        with self._changed:
            self._listener = listener

    def send(self, data: bytes) -> None:
        """Types bytes. Raises MachineExited when QEMU is gone."""
        try:
            self._link.sendall(data)
        except OSError as error:
            raise MachineExited(f"serial line: {error}", self.tail()) from error

    def mark(self) -> Mark:
        with self._changed:
            return Mark(len(self._records), self._text_dropped + len(self._text))

    def text(self, since: Mark | None = None) -> str:
        """What the guest printed (records taken out, CR dropped) since a mark, or all that is kept."""
        with self._changed:
            start = max(0, since.text - self._text_dropped) if since else 0
            return self._text[start:].replace("\r", "")

    def program_text(self, since: Mark) -> str:
        """What the guest printed between the start of a program and the status of its command, both after the mark: no
        prompt that was late, none that follows. Empty where no program was started."""
        with self._changed:
            new = range(since.records, len(self._records))
            first = next((i for i in new if self._records[i].kind == "e" and '"process-start"' in self._records[i].payload), None)
            last = next((i for i in new if self._records[i].kind == "s"), None)
            if first is None or last is None:
                return ""
            start, end = (max(0, self._places[i] - self._text_dropped) for i in (first, last))
            return self._text[start:end].replace("\r", "")

    def records(self, since: Mark) -> list[Record]:
        with self._changed:
            return self._records[since.records:]

    def tail(self, lines: int = 60) -> str:
        """The last lines, for error messages."""
        return "\n".join(self.text().splitlines()[-lines:])

    @property
    def damaged(self) -> int:
        """Records that arrived broken."""
        return self._parser.damaged

    @property
    def gaps(self) -> list:
        """Places where records are missing."""
        return list(self._parser.gaps)

    @property
    def closed(self) -> bool:
        return self._closed

    def wait(self, found: Callable[[], object], seconds: float) -> object:
        """Waits until found() is true and returns its value; None after `seconds`. found() is asked after each arrival."""
        until = time.monotonic() + seconds
        with self._changed:
            while True:
                value = found()
                left = until - time.monotonic()
                if value or left <= 0 or self._closed:
                    return value
                self._changed.wait(left)

    def forget(self) -> None:
        """Drops old records and text; marks taken before are void. For campaigns that run for hours."""
        with self._changed:
            self._records.clear()
            self._places.clear()
            self._text_dropped += len(self._text)
            self._text = ""

    def close(self) -> None:
        try:
            self._link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(5)
        self._link.close()
