"""The counters of the fault sites, read from a machine's memory: also of one that powered off, panicked or hangs."""

from __future__ import annotations

import struct

_COUNTERS = struct.Struct("<3I")  # reached, failed_transient, failed_persistent of struct fault_site
_OFFSET = 24                      # what stands before them: two pointers, the line, the kind
_POINTER = 8


class FaultSites:
    """What the kernel says of its sites once, at its prompt, and what it counts, at any time."""

    def __init__(self, machine):
        self._machine = machine
        self._described = machine.monitor.sites()  # in the order of the section
        array = machine.peek("__start_fault_sites", _POINTER * len(self._described))
        addresses = [machine.symbols.to_physical(address) for address, in struct.iter_unpack("<Q", array)]
        self._start = min(addresses, default=0)
        self._size = max(addresses, default=0) - self._start + _OFFSET + _COUNTERS.size
        self._offsets = [address - self._start + _OFFSET for address in addresses]

    def read(self) -> list[dict]:
        """As `sites` of the monitor answers, of the boot that runs or ran last."""
        if not self._offsets:
            return []
        memory = self._machine.qtest.read(self._start, self._size)
        found = []
        for site, offset in zip(self._described, self._offsets):
            reached, transient, persistent = _COUNTERS.unpack_from(memory, offset)
            found.append({**site, "reached": reached, "failed_transient": transient, "failed_persistent": persistent})
        return found


def fired(sites: list[dict]) -> int:
    """How many failures were injected."""
    return sum(site["failed_transient"] + site["failed_persistent"] for site in sites)
