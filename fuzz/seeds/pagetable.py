#!/usr/bin/env python3
"""Seeds of fuzz_pagetable: small and large leaves, splits, merges, both halves, failures."""
from common import NO_FAULT, plan, write

def op(what, where, page, much, bits):
    return bytes([what, where | 8, page, much, bits])


MAP, UNMAP, PROTECT = 0, 0x80, 0xC0
SEEDS = {
    "pages": NO_FAULT + b"\0" + op(MAP, 0, 3, 7, 1) + op(PROTECT, 0, 4, 1, 0) + op(UNMAP, 0, 3, 2, 0),
    "blocks": NO_FAULT + b"\0" + op(MAP, 0, 0, 0x81, 1) + op(UNMAP, 0, 5, 0, 0) + op(PROTECT, 0, 9, 3, 2),
    # Exactly 64 operations: scripts/bench measures rates with it.
    "64ops": NO_FAULT + b"\0" + b"".join(
        op(MAP, where, page, 7, 1) + op(PROTECT, where, page + 2, 3, 0) + op(UNMAP, where, page + 1, 4, 0) +
        op(MAP, where, page + 2, 1, 2) for where in (0, 1, 2, 3) for page in (0, 40, 96, 160)),
    "runs": NO_FAULT + b"\0" + op(MAP, 0, 8, 0x81, 1) + op(PROTECT, 0, 8, 0x81, 0) + op(UNMAP, 0, 8, 0x81, 0),
    "giga": NO_FAULT + b"\0" + bytes([MAP, 0xE1, 0xF1, 1]) + op(PROTECT, 0, 9, 3, 0),
    "kernel-half": NO_FAULT + b"\3" + op(MAP, 1, 0, 0x83, 1) + op(UNMAP, 1, 7, 4, 0),
    "fault": plan(2, 3, 1) + b"\0" + op(MAP, 0, 0, 0x81, 1) + op(MAP, 1, 250, 60, 1) + op(UNMAP, 0, 5, 0, 0),
}

if __name__ == "__main__":
    write(SEEDS)
