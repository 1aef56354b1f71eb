#!/usr/bin/env python3
"""Seeds of fuzz_sched: shape, operations (thread in the top three bits), then choices."""
from common import NO_FAULT, plan, write

def program(shape, ops, choices):
    choices = bytes(choices).ljust(len(ops), b"\0")[: len(ops)]
    return bytes([shape]) + bytes(ops) + choices


def everywhere(op, threads=4):
    return [thread << 5 | op for thread in range(threads)]


SEEDS = {
    "mutex": NO_FAULT + program(0x14, everywhere(8) * 3, [4, 5, 12, 4] * 3),
    "semaphore": NO_FAULT + program(0x24, everywhere(10) * 3, [5, 4, 6, 13] * 3),
    "timed": NO_FAULT + program(0x34, everywhere(0x1B) * 2 + everywhere(0x1C), [6, 14, 22, 4] * 3),
    "tickets": NO_FAULT + program(0x14, everywhere(4) * 2 + everywhere(5), [4] * 12),
    "sleep-and-memory": NO_FAULT + program(0x2C, everywhere(6) + everywhere(15) * 2, [6, 7, 4, 5] * 3),
    "fault": plan(6, 4, 1) + program(0x14, everywhere(7) * 2 + everywhere(0), [4] * 12),
}

if __name__ == "__main__":
    write(SEEDS)
