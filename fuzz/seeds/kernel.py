#!/usr/bin/env python3
"""Seeds of fuzz_kernel: programs (user/prog/prog.h)."""
from common import NO_FAULT, write


def program(*calls, starts=0, schedule=0):
    """calls: (number, list, arguments), arguments encoded."""
    body = b"".join(number.to_bytes(2, "little") + bytes([which | len(arguments) << 2]) + b"".join(arguments) for number, which, arguments in calls)
    return bytes([3 | schedule << 2, starts]) + len(body).to_bytes(2, "little") + body


def small(value):
    return bytes([value << 3])


SEEDS = {
    "pid": NO_FAULT + program((172, 0, [])),
    "dup": NO_FAULT + program((23, 0, [small(0)]), (57, 0, [b"\2\0"])),
    "threads": NO_FAULT + program((124, 0, []), (124, 1, []), (124, 2, []), starts=1 | 2 << 2) + bytes(range(64)),
}

if __name__ == "__main__":
    write(SEEDS)
