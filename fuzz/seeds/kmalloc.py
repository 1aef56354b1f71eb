#!/usr/bin/env python3
"""Seeds of fuzz_kmalloc: sizes at class borders, large blocks, several CPUs."""
from common import NO_FAULT, plan, write

SEEDS = {
    "classes": NO_FAULT + b"".join(bytes([0, size]) for size in (1, 16, 17, 32, 33, 48, 96, 97, 255)) + bytes([0x84] * 4),
    "borders": NO_FAULT + b"".join(bytes([1, size & 255, size >> 8]) for size in (1024, 1025, 1536, 2048, 4096, 8192, 8193)),
    "large": NO_FAULT + bytes([3, 3, 3, 5, 3, 6, 3, 7, 0x80, 0x80]),
    "cpus": NO_FAULT + bytes([0, 64] * 8 + [0xE1] + [0x80] * 4 + [0xE2, 0, 64, 0xF8]),
    "fault": plan(6, 3, 1) + bytes([0, 64, 1, 0, 40, 0, 20, 0x80]),
}

if __name__ == "__main__":
    write(SEEDS)
