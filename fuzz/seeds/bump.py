#!/usr/bin/env python3
"""Seeds of fuzz_bump: plain blocks, alignments, sizes near the end and near 2^64."""
from common import NO_FAULT, plan, write

SEEDS = {
    "blocks": NO_FAULT + bytes([64, 5, 16, 0, 9, 0]) * 8,
    "aligned": NO_FAULT + bytes([64, 5, 100, 0, 97, 0]) * 4,
    "to-the-end": NO_FAULT + bytes([64, 2 + 16 * 8, 9, 0]) + bytes([64, 2 + 17 * 8, 9, 0]),
    "wraps": NO_FAULT + bytes([64, 3, 9, 0, 64, 3 + 8, 97, 20]),
    "init": NO_FAULT + bytes([0, 5, 0, 16, 5, 0, 32]) + bytes([64, 5, 16, 0, 9, 0]),
    "fault": plan(1, 2, 1) + bytes([64, 5, 16, 0, 9, 0]) * 4,
}

if __name__ == "__main__":
    write(SEEDS)
