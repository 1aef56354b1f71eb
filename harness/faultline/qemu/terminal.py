"""A person's terminal, or a script's lines, on a machine's serial line. What the kernel says to programs is left out."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from contextlib import contextmanager

from faultline.errors import KernelPanic, MachineExited
from faultline.qemu.console import PROMPT
from faultline.qemu.machine import Machine
from faultline.qemu.records import Record

LEAVE = b"\x01x"     # Ctrl-A x
_POLL = 0.2          # seconds between two looks at whether the machine still runs
_BUDGET = 3600.0     # processor seconds for one line of a script


@contextmanager
def every_key(descriptor: int):
    """Keys go to the guest as they are typed; the terminal is as before afterwards, whatever happens."""
    saved = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    raw = termios.tcgetattr(descriptor)
    raw[1] |= termios.OPOST | termios.ONLCR
    termios.tcsetattr(descriptor, termios.TCSANOW, raw)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, saved)


def _print(item: str | Record) -> None:
    if isinstance(item, str):
        sys.stdout.buffer.write(item.encode())
        sys.stdout.buffer.flush()


def _print_answers(item: str | Record) -> None:
    """Also what the guest answered to the program that drove the recorded run."""
    if isinstance(item, Record) and item.kind == "l":
        item = item.payload + "\n"
    _print(item)


class Terminal:
    """Shows what a machine prints from now on; run() gives it what is typed."""

    def __init__(self, machine: Machine):
        self._machine = machine
        self._start = machine.console.mark()
        machine.console.listen(_print)

    def run(self, start: bool = True) -> int:
        """Until the guest powers off, the person leaves, or a script's lines are all answered. 0, or 1 after a panic or a
        boot that failed. Without `start` a debugger starts the guest."""
        if start:
            self._machine.start()
        try:
            if sys.stdin is not None and sys.stdin.isatty():
                return self._keys(sys.stdin.fileno())
            return self._lines()
        except KernelPanic:
            return 1
        except MachineExited:
            return 0 if self._end() == "poweroff" else 1
        finally:
            _print("\n")

    def watch(self) -> int:
        """Until the machine ends by itself; nothing is typed."""
        self._machine.console.listen(_print_answers)
        self._machine.start()
        while self._running():
            time.sleep(_POLL)
        return 0

    def _keys(self, descriptor: int) -> int:
        held = b""
        with every_key(descriptor):
            while self._running():
                if not select.select([descriptor], [], [], _POLL)[0]:
                    continue
                typed = held + os.read(descriptor, 1024)
                if not typed or LEAVE in typed:
                    return 0
                held = LEAVE[:1] if typed.endswith(LEAVE[:1]) else b""
                self._machine.console.send(typed.removesuffix(held) if held else typed)
        return 0 if self._end() == "poweroff" else 1

    def _lines(self) -> int:
        """Each line when the prompt has come: what is sent while the guest cannot take it would be lost."""
        self._machine.wait_text(f"{PROMPT}$", self._start, _BUDGET)
        for line in sys.stdin.buffer if sys.stdin is not None else ():
            mark = self._machine.console.mark()
            self._machine.console.send(line.rstrip(b"\r\n") + b"\n")
            self._machine.wait_text(f"{PROMPT}$", mark, _BUDGET)
        return 0

    def _running(self) -> bool:
        machine = self._machine
        return machine.process.poll() is None and not machine.console.closed and machine.qmp.status() != "shutdown"

    def _end(self) -> str:
        """The last event: how the guest itself says it ended."""
        events = self._machine.events(self._start)
        return str(events[-1].get("event")) if events else ""
