#!/usr/bin/env python3
"""Seeds of fuzz_lockfree: shape, operations (CPU in the top two bits), then choices."""
from common import NO_FAULT, write

def program(shape, ops, choices):
    choices = bytes(choices).ljust(len(ops), b"\0")[: len(ops)]
    return bytes([shape]) + bytes(ops) + choices


SEEDS = {
    "two": NO_FAULT + program(0x30, [0, 0x40, 1, 0x41, 0, 0x40, 1, 0x41], [0, 1, 0, 2, 1, 0, 3, 0]),
    "three": NO_FAULT + program(0x31, [0, 0x40, 0x80, 1, 0x41, 0x81] * 3, [2, 0, 1, 3] * 4),
    "pop-pop-push": NO_FAULT + program(0x30, [0, 0x40, 0x40, 0x41, 1, 0x45, 0], [1, 1, 0, 1, 1, 0, 1]),
}

if __name__ == "__main__":
    write(SEEDS)
