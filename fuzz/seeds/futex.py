#!/usr/bin/env python3
"""Seeds of fuzz_futex: shape, then pairs of thread and operation, then choices."""
from common import NO_FAULT, plan, write


def program(shape, ops, choices=(4, 5, 12, 6)):
    pairs = b"".join(bytes([thread, op]) for thread, op in ops) + bytes(2)
    choices = bytes(choices[i % len(choices)] for i in range(len(pairs)))
    return bytes([shape]) + pairs + choices


def everywhere(*ops, threads=4):
    return [(thread, op) for op in ops for thread in range(threads)]


SEEDS = {
    "lock": NO_FAULT + program(2, everywhere(0x10, 0, 0x10)),
    "shared-lock": NO_FAULT + program(3, everywhere(0x11, 1, 0x11)),
    "owned": NO_FAULT + program(1, everywhere(0x12, 2, 0x12, 2)),
    "owned-deadline": NO_FAULT + program(3, everywhere(0x12, 0x0A, 0x12)),
    "owner-ends": NO_FAULT + program(2, [(0, 0x18), (1, 0x1A), (2, 2), (3, 2), (1, 2), (2, 0x12)]),
    "tickets": NO_FAULT + program(3, everywhere(3, 3)),
    "tickets-at-once": NO_FAULT + program(0x83, everywhere(3, 3, 3, 3)),
    "tickets-moved": NO_FAULT + program(0x33, everywhere(3, 3, 3)),
    "timed": NO_FAULT + program(2, everywhere(4, 5, 0x0C, 0x0D)),
    "signals": NO_FAULT + program(2, everywhere(0x0E, 0x10, 6, 3, 0x12)),
    "fault": plan(1, 4, 2) + program(2, everywhere(0x10, 2, 3)),
    "fault-all": plan(255, 9, 1) + program(1, everywhere(3, 0x12, 1)),
}

if __name__ == "__main__":
    write(SEEDS)
