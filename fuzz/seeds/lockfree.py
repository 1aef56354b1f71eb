#!/usr/bin/env python3
"""Seeds of fuzz_lockfree: shape, operations (CPU in the top two bits), then choices."""
import pathlib
import sys

NO_FAULT = bytes(8)


def plan(kinds, nth, times):
    """The first eight bytes: kinds, nth, interval, times, probability, seed (2), unused."""
    return bytes([kinds, nth, 0, times, 0, 0, 0, 0])


def program(shape, ops, choices):
    choices = bytes(choices).ljust(len(ops), b"\0")[: len(ops)]
    return bytes([shape]) + bytes(ops) + choices


SEEDS = {
    "two": NO_FAULT + program(0x30, [0, 0x40, 1, 0x41, 0, 0x40, 1, 0x41], [0, 1, 0, 2, 1, 0, 3, 0]),
    "three": NO_FAULT + program(0x31, [0, 0x40, 0x80, 1, 0x41, 0x81] * 3, [2, 0, 1, 3] * 4),
    "pop-pop-push": NO_FAULT + program(0x30, [0, 0x40, 0x40, 0x41, 1, 0x45, 0], [1, 1, 0, 1, 1, 0, 1]),
}

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS.items():
        (folder / name).write_bytes(data)
