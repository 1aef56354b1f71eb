#!/usr/bin/env python3
"""Seeds of fuzz_vma: map, touch, split, protect, fork and write on both sides, a file, failures."""
from common import NO_FAULT, plan, write

MAP, UNMAP, PROTECT, FORGET, FORK, READ, WRITE = 0, 4, 6, 8, 10, 12, 28
R, W, X, FILE, SHARED, REPLACE, CHECK = 1, 2, 4, 16, 32, 64, 0xC0
CHILD = 1


def op(what, page, pages=1, how=0):
    """pages - 1 is what the target adds to 1."""
    return bytes([what, page, pages - 1, how])


SHARE = op(MAP, 4, 8, R | W) + op(WRITE, 5, how=7) + op(FORK, 0) + op(WRITE, 5, how=9) + op(READ | CHILD, 5) + op(
    WRITE | CHILD, 5, how=3) + op(READ, 5, how=CHECK)
SEEDS = {
    "pieces": NO_FAULT + op(MAP, 2, 20, R | W) + op(UNMAP, 6, 3) + op(PROTECT, 10, 4, R) + op(WRITE, 12, how=1) +
              op(PROTECT, 2, 20, R | W) + op(FORGET, 3, 2) + op(READ, 3, how=CHECK),
    "fork": NO_FAULT + SHARE,
    "file": NO_FAULT + op(MAP, 0, 8, R | W | FILE) + op(READ, 1) + op(WRITE, 1, how=5) + op(READ, 7) +
            op(MAP, 20, 4, R | W | FILE | SHARED) + op(WRITE, 20, how=6) + op(READ, 3, how=CHECK),
    "nobody": NO_FAULT + op(MAP, 8, 4, R | W) + op(WRITE, 9, how=4) + op(PROTECT, 8, 4, 0) + op(READ, 9) +
              op(PROTECT, 8, 4, R) + op(READ, 9),
    "over": NO_FAULT + op(MAP, 8, 4, R | W) + op(MAP, 6, 8, R | REPLACE) + op(MAP, 9, 2, R | W),
    "fault": plan(6, 4, 1) + SHARE,
    "fault-for-good": plan(2, 9, 0) + SHARE + SHARE,
}

if __name__ == "__main__":
    write(SEEDS)
