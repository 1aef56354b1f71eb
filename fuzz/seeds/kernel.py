#!/usr/bin/env python3
"""Seeds of fuzz_kernel: programs that touch every system call, as text in programs/."""
from programs import write

if __name__ == "__main__":
    write()
