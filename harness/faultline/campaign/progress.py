"""What a person sees while the night runs: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text


class Progress:
    """Tells of tasks that run side by side. Use as a context manager; any thread may report."""

    def __init__(self, planned: int = 0):
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._began = time.monotonic()
        self._running: dict[str, float] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None
        self.planned = planned
        self.done = 0

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True, get_renderable=self._table)
            self._live.start()
        return self

    def __exit__(self, *_) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        with self._lock:
            running = list(self._running.items())
        table.add_row(Text(f"{now - self._began:5.0f} s", style="bold"), f"{self.done} of {self.planned} steps done")
        for name, since in running:
            table.add_row(f"{now - since:5.0f} s", name)
        return table

    def say(self, line: str) -> None:
        """One line that stays."""
        self._console.print(f"[{time.monotonic() - self._began:6.1f}] {line}", markup=False)
        sys.stdout.flush()

    @contextmanager
    def task(self, name: str, long: bool = False):
        """Shows `name` as running; a `long` task says so also where there is no live table."""
        if long and not self._live:
            self.say(name)
        with self._lock:
            self._running[name] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(name, None)
                self.done += 1
