#!/usr/bin/env python3
"""Seeds of fuzz_sigframe: registers, a stack, an alternate one, a signal; and what is done to the frame."""
from common import NO_FAULT, plan, write


def state(sp):
    """All registers, then how the stack pointer is found, then the flags."""
    return bytes(range(34)) + bytes([sp]) + bytes([5])


def push(sp, stack, flags, code=0, damage=b"\0"):
    return bytes([1]) + state(sp) + bytes([stack, flags, 10, code & 0xFF]) + b"\1\2\3\4" + damage


SEEDS = {
    "plain": NO_FAULT + push(0, 1, 0) + push(7, 1, 2),
    "alternate": NO_FAULT + push(0, 2, 3) + push(1, 2, 3),
    "alternate-full": NO_FAULT + push(3, 2, 1) + push(0, 2 | 12, 1),
    "alternate-nearly-full": NO_FAULT + push(7, 0x28, 1) + push(0x41, 0x26, 1),
    "disarmed": NO_FAULT + push(0, 0x12, 1) + push(0, 1, 0),
    "nowhere": NO_FAULT + push(5, 1, 0) + push(4, 1, 0) + push(6, 1, 0),
    "misaligned": NO_FAULT + push(0x60, 1, 0)[:36] + b"\1\7" + push(0, 1, 0),
    "damaged": NO_FAULT + push(0, 1, 0, damage=b"\x80\x50\2" + b"\xff" * 8) + push(0, 1, 0, damage=b"\x80\x38\1" + b"\xff" * 8),
    "anything": NO_FAULT + bytes([0]) + state(0x47) + b"\x20\0" + bytes(8),
    "fault": plan(1, 3, 1) + push(0, 1, 0) * 3,
}

if __name__ == "__main__":
    write(SEEDS)
