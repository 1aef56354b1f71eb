"""What is known of every fault site, summed over all runs of one machine."""

from __future__ import annotations

import threading
from collections.abc import Iterable

_COUNTS = ("reached", "failed_transient", "failed_persistent")


class Sites:
    """A table of fault sites. Runs add to it from any thread."""

    def __init__(self):
        self._table: dict[tuple, dict] = {}
        self._lock = threading.Lock()

    def add(self, sites: Iterable[dict], machine: str) -> None:
        """`sites` as the kernel and the replay program report them; `machine` is host or qemu."""
        with self._lock:
            for site in sites:
                file = site["file"]
                if file.startswith("tests/"):
                    continue
                key = (machine, site["kind"], site["function"], file, site["line"])
                row = self._table.setdefault(key, {
                    "kind": site["kind"], "function": site["function"], "file": file, "line": site["line"],
                    "reached": 0, "failed_transient": 0, "failed_persistent": 0, "machine": machine})
                for count in _COUNTS:
                    row[count] += int(site[count])

    def rows(self) -> list[dict]:
        """Entries of report.json's "sites"."""
        with self._lock:
            return [self._table[key] for key in sorted(self._table)]
