#!/usr/bin/env python3
"""Seeds of fuzz_slab: fill and empty slabs of each cache, with and without failures."""
from common import NO_FAULT, plan, write

SEEDS = {
    "each-cache": NO_FAULT + bytes([0, 1, 2, 3] * 6 + [0x80, 1, 0x80, 3, 0x80, 5, 0xF4]),
    "fill-and-empty": NO_FAULT + bytes([0x73, 0x72, 0xF5, 0xF5, 0xE2, 0xE3, 0xF2, 0xF3]),
    # Exactly 64 operations: scripts/bench measures rates with it.
    "64ops": NO_FAULT + bytes([0, 1, 2, 0, 1, 0x80, 1, 3, 0x80, 0]) * 8,
    "page-fault": plan(2, 1, 1) + bytes([0, 1, 2, 3, 0, 1, 2, 3]),
    "slab-fault": plan(4, 2, 0) + bytes([0, 0, 0, 1, 0x80, 0]),
}

if __name__ == "__main__":
    write(SEEDS)
