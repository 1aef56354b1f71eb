#!/usr/bin/env python3
"""Seeds of fuzz_idalloc: fill, free in the middle, reserve, small limits."""
from common import NO_FAULT, write

SEEDS = {
    "fill-a-word": NO_FAULT + bytes([199, 0, 31, 31, 31, 240, 3, 0, 160, 5, 0, 31]),
    "reserve": NO_FAULT + bytes([0, 16, 96, 63, 0, 96, 64, 0, 96, 0, 16, 0]),
    "whole-words": NO_FAULT + bytes([255, 15, 230, 231, 232, 31, 160, 70, 0, 160, 10, 0, 5]),
    "one": NO_FAULT + bytes([0, 0, 0, 0, 160, 0, 0, 0]),
}

if __name__ == "__main__":
    write(SEEDS)
