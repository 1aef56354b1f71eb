#!/usr/bin/env python3
"""Seeds of fuzz_syscall_args: each call with plain words and with edges."""
import pathlib
import sys

NO_FAULT = bytes(8)


def plan(kinds, nth, times):
    """The first eight bytes: kinds, nth, interval, times, probability, seed (2), unused."""
    return bytes([kinds, nth, 0, times, 0, 0, 0, 0])



CALLS = 13
SEEDS = {f"plain-{i}": NO_FAULT + bytes([i]) + bytes([0xC0, 1, 0, 0xC0, 0, 16, 0xC0, 64, 0] * 2) + b"\xc0\x40\0" for i in range(CALLS)}
SEEDS |= {f"edges-{i}": NO_FAULT + bytes([i]) + bytes([4, 0xFF, 6, 0, 5, 0, 3, 0, 7, 1, 0, 0]) + b"\xc0\x40\0" for i in range(CALLS)}

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)
