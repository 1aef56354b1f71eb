#!/usr/bin/env python3
"""Seeds of fuzz_syscall_args: each call with plain words and with edges."""
from common import NO_FAULT, write

CALLS = 13
SEEDS = {f"plain-{i}": NO_FAULT + bytes([i]) + bytes([0xC0, 1, 0, 0xC0, 0, 16, 0xC0, 64, 0] * 2) + b"\xc0\x40\0" for i in range(CALLS)}
SEEDS |= {f"edges-{i}": NO_FAULT + bytes([i]) + bytes([4, 0xFF, 6, 0, 5, 0, 3, 0, 7, 1, 0, 0]) + b"\xc0\x40\0" for i in range(CALLS)}

if __name__ == "__main__":
    write(SEEDS)
