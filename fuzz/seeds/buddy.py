#!/usr/bin/env python3
"""Seeds of fuzz_buddy: splits, merges, exhaustion, growth."""
from common import NO_FAULT, write

SEEDS = {
    "pages": NO_FAULT + bytes([0] * 16 + [0xC0, 0xC1, 0xC2] * 5),
    "every-order": NO_FAULT + bytes(range(12)) + bytes([0xC0] * 12),
    "exhaust": NO_FAULT + bytes([10, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0xC0, 0xC3, 3]),
    # Exactly 64 operations: scripts/bench measures rates with it.
    "64ops": NO_FAULT + (bytes([0, 1, 2, 3, 0, 0xC1, 5, 0xC0]) * 8),
    "grow": NO_FAULT + bytes([0xB0, 8, 8, 0xB0, 8, 16, 3, 0xB4, 0xC0]),
}

if __name__ == "__main__":
    write(SEEDS)
