"""One command or script in the guest's shell: its output as it comes, the keys of a person's terminal to it, its status."""

from __future__ import annotations

import os
import select
import sys
import threading
from contextlib import nullcontext

from faultline.qemu.console import PROMPT
from faultline.qemu.machine import Machine
from faultline.qemu.records import Record
from faultline.qemu.terminal import LEAVE, every_key

_IDLE = 24 * 3600.0  # seconds; a command may sleep
_POLL = 0.1


class _Output:
    """Prints what comes between a word nobody else can print and the monitor's prompt after the program. Line ends are the
    host's, unless a terminal shows them."""

    def __init__(self, word: str, raw: bool):
        self._word = f"{word}\r\n"
        self._raw = raw
        self._held = ""
        self._state = "before"

    @property
    def over(self) -> bool:
        return self._state == "after"

    def feed(self, item: str | Record) -> None:
        if isinstance(item, Record):
            if item.kind == "e" and '"process-exit"' in item.payload and self._state != "after":
                self._state = "ending"  # the record overtakes what stands on the terminal
            return
        text, self._held = self._held + item, ""
        if self._state == "before" or (self._state == "ending" and self._word in text):
            before, found, text = text.partition(self._word)
            if not found:
                self._held = before[-len(self._word):]
                return
            self._state = "printing" if self._state == "before" else "ending"
        if self._state == "ending":
            text, found, _ = text.partition(PROMPT)
            if found:
                self._state = "after"
                self._print(text)
            else:
                self._held = text
        elif self._state == "printing":
            if text.endswith("\r") and not self._raw:
                text, self._held = text[:-1], "\r"
            self._print(text)

    def _print(self, text: str) -> None:
        text = text if self._raw else text.replace("\r\n", "\n")
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.buffer.flush()


class Session:
    """Runs /start of the first files, which says the word first. `keys`: a person's terminal types to it."""

    START_COMMAND = "#!/bin/sh\necho {word}\nexec /bin/sh -c \"$(cat /command)\"\n"
    START_SCRIPT = "#!/bin/sh\necho {word}\nexec /bin/sh /command\n"

    def __init__(self, machine: Machine, word: str, keys: bool):
        self._machine = machine
        self._keys = sys.stdin.fileno() if keys and sys.stdin is not None and sys.stdin.isatty() else None
        self._over = threading.Event()
        self._output = _Output(word, raw=self._keys is not None and sys.stdout.isatty())
        machine.console.listen(self._output.feed)

    def run(self, budget: float) -> int:
        """Boots and runs; the program's status. `budget` is processor seconds. Raises as Machine.boot() and wait() do."""
        self._machine.boot()
        mark = self._machine.console.mark()
        reply = self._machine.monitor.begin("exec /start")
        with every_key(self._keys) if self._keys is not None else nullcontext():
            typist = threading.Thread(target=self._type, daemon=True)
            if self._keys is not None:
                typist.start()
            try:
                found = self._machine.wait(lambda: reply() or self._over.is_set(), "the end of the command", budget, mark, idle=_IDLE)
            finally:
                self._over.set()
                if self._keys is not None:
                    typist.join()
        if found is True:  # the person left
            return 0
        if found.status >= 0:  # it started
            self._machine.wait(lambda: self._output.over, "the end of the output", budget, mark)
        return min(abs(found.status), 255)

    def _type(self) -> None:
        held = b""
        while not self._over.is_set():
            if not select.select([self._keys], [], [], _POLL)[0]:
                continue
            typed = held + os.read(self._keys, 1024)
            if not typed or LEAVE in typed:
                self._over.set()
                return
            held = LEAVE[:1] if typed.endswith(LEAVE[:1]) else b""
            self._machine.console.send(typed.removesuffix(held) if held else typed)
