#!/usr/bin/env python3
"""Seeds of fuzz_empty: one."""
import pathlib
import sys

NO_FAULT = bytes(8)


def plan(kinds, nth, times):
    """The first eight bytes: kinds, nth, interval, times, probability, seed (2), unused."""
    return bytes([kinds, nth, 0, times, 0, 0, 0, 0])


SEEDS = {"nothing": NO_FAULT}

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)
