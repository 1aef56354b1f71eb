#!/usr/bin/env python3
"""Seeds of fuzz_usercopy: whole, partly mapped and impossible ranges; strings."""
from common import NO_FAULT, plan, write

SEEDS = {
    "in-and-out": NO_FAULT + bytes([0x41, 0, 0, 0, 100, 0, 0x40, 0, 16, 0, 100, 0, 0x41, 0, 0, 0, 200, 0]),
    "into-a-hole": NO_FAULT + bytes([0x41, 1, 0xF0, 15, 100, 0, 0x40, 1, 0xF0, 15, 100, 0]),
    "top": NO_FAULT + bytes([0x41, 0x87, 0, 0, 1, 0, 0x41, 7, 0xF0, 15, 16, 0, 0x41, 7, 0xF0, 15, 17, 0]),
    "wraps": NO_FAULT + bytes([0x7F, 0xF8] + [255] * 8 + [0, 0] + [255] * 8),
    "strings": NO_FAULT + bytes([0x40, 0, 16, 0, 100, 0, 0xC0, 0, 0, 0, 200, 0, 0xC0, 7, 0xF0, 15, 0, 1]),
    "string-that-changes": NO_FAULT + bytes([0x40, 0, 0, 0, 100, 0] + [0xC0, 0, 0, 0, 200, 0] * 3 + [3, 5, 7, 9]),
    "fault": plan(8, 2, 1) + bytes([0x41, 0, 0, 0, 100, 0] * 3),
}

if __name__ == "__main__":
    write(SEEDS)
