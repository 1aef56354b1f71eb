"""Is the guest still getting anywhere? Decided in the guest's own time, so that a busy host changes no verdict.

The clock is the processor time QEMU has used: it stands still while the host runs something else. Three answers to a wait
that lasts too long: idle (nobody works, nothing will come), going round in one place, or honestly busy.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PC = re.compile(r"\bPC=([0-9a-f]{16})")
WALL_FACTOR = 20.0    # wall seconds allowed per processor second of budget, and at least
WALL_LEAST = 120.0    # this many, however small the budget
IDLE_SECONDS = 8.0    # of wall time in which no thread of QEMU ran or wanted to
SAMPLES = 12          # program counters looked at before a busy guest is called stuck
NEIGHBOURHOOD = 256   # bytes of code that count as one place


def processor_seconds(pid: int) -> float:
    """What a process has used so far; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def wants_to_run(pid: int) -> bool:
    """Whether some thread of the process is runnable, at two moments a little apart: QEMU waking up is no work."""
    if not _runnable(pid):
        return False
    time.sleep(0.005)
    return _runnable(pid)


def _runnable(pid: int) -> bool:
    try:
        for task in os.scandir(f"/proc/{pid}/task"):
            if Path(task.path, "stat").read_text().rpartition(")")[2].split()[0] == "R":
                return True
    except OSError:
        pass
    return False


class Watch:
    """Watches one wait. `budget` is processor seconds of QEMU, `idle` wall seconds in which nothing may happen."""

    def __init__(self, pid: int, budget: float, idle: float = IDLE_SECONDS):
        self._pid = pid
        self._idle = idle
        self._budget = budget
        self._began = processor_seconds(pid)
        self._last = (self._began, 0)
        self._quiet_since = self._started = time.monotonic()

    def verdict(self, received: int) -> str:
        """'' while all is well, 'idle' or 'over' (budget used up). `received` is the console's byte count."""
        used = processor_seconds(self._pid)
        now = time.monotonic()
        # An idle guest still takes its timer tick: a few per cent of a processor are not work.
        quiet = used - self._last[0] < 0.05 * max(now - self._quiet_since, 0.2) and received == self._last[1]
        if not quiet or wants_to_run(self._pid):
            self._last = (used, received)
            self._quiet_since = now
        if used - self._began > self._budget or now - self._started > max(WALL_LEAST, WALL_FACTOR * self._budget):
            return "over"
        return "idle" if now - self._quiet_since > self._idle else ""


def program_counters(hmp) -> list[int]:
    """The PC of every CPU. `hmp` runs a command of QEMU's human monitor."""
    return [int(pc, 16) for pc in _PC.findall(hmp("info registers -a"))]


def stuck_places(hmp) -> list[int] | None:
    """PCs, one per CPU, when no CPU leaves its neighbourhood over SAMPLES looks; None when one does."""
    first = program_counters(hmp)
    for _ in range(SAMPLES):
        for before, now in zip(first, program_counters(hmp)):
            if abs(now - before) > NEIGHBOURHOOD:
                return None
        time.sleep(0.01)  # lets the guest run between two looks
    return first
