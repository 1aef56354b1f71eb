#!/usr/bin/env python3
"""Seeds of fuzz_empty: one."""
from common import NO_FAULT, write

SEEDS = {"nothing": NO_FAULT}

if __name__ == "__main__":
    write(SEEDS)
