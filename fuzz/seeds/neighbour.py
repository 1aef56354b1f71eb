#!/usr/bin/env python3
"""Seeds of fuzz_neighbour: what a user tries on what root has."""
from programs import write

if __name__ == "__main__":
    write(("neighbour-*",))
