#!/usr/bin/env python3
"""Seeds of fuzz_irq: expected and unexpected lines, spurious claims, storms. An operation and a line."""
from common import NO_FAULT, write

RAISE, INTERRUPT, MANY, STORM, UNMASK, WAIT = 0, 0x60, 0xB0, 0xB8, 0xE0, 0xF0
NOBODYS, CLAIMS, DENIES = 0xC0, 0xC1, 0xC2
STUCK_CLAIMS, STUCK_DENIES = 0xD3, 0xD1


def program(*operations):
    return NO_FAULT + b"".join(bytes(pair) for pair in operations)


SEEDS = {
    "expected": program((CLAIMS, 40), (RAISE, 40), (RAISE, 40), (INTERRUPT, 0), (NOBODYS, 40)),
    "unexpected": program((RAISE, 5), (RAISE, 50), (INTERRUPT, 0), (UNMASK, 50), (RAISE, 50), (INTERRUPT, 0)),
    "spurious": program((INTERRUPT, 0), (INTERRUPT + 1, 0), (INTERRUPT + 2, 0), (INTERRUPT + 3, 0)),
    "denied-storm": program((STUCK_DENIES, 33), (RAISE, 33), (MANY, 0), (UNMASK, 33), (MANY, 0)),
    "storm": program((STUCK_CLAIMS, 45), (RAISE, 45), (STORM, 0), (WAIT, 0), (UNMASK, 45), (STORM, 0)),
    "private": program((STUCK_CLAIMS, 20), (RAISE, 20), (STORM, 0), (WAIT, 0), (UNMASK, 20), (STORM, 0)),
    "windows": program((STUCK_CLAIMS, 45), (RAISE, 45), (MANY, 0), (WAIT, 0), (MANY, 0), (STORM, 0)),
}

if __name__ == "__main__":
    write(SEEDS)
