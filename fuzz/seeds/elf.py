#!/usr/bin/env python3
"""Seeds of fuzz_elf: small executables of one and two segments."""
import struct

from common import NO_FAULT, write

def elf(segments, entry, phnum=None, pad=512):
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 2, 183, 1, entry, 64, 0, 0, 64, 56, phnum or len(segments), 0, 0, 0)
    table = b"".join(struct.pack("<IIQQQQQQ", kind, flags, offset, va, va, filesz, memsz, 4096)
                     for kind, flags, offset, va, filesz, memsz in segments)
    return (header + table).ljust(pad, b"\0")


CODE = (1, 5, 0, 0x400000, 512, 512)
DATA = (1, 6, 256, 0x410100, 100, 9000)
SEEDS = {
    "one": NO_FAULT + elf([CODE], 0x400100),
    "two": NO_FAULT + elf([CODE, DATA], 0x400100),
    "note": NO_FAULT + elf([(4, 4, 0, 0, 0, 0), CODE], 0x400100),
    "interpreter": NO_FAULT + elf([(3, 4, 0, 0, 0, 0), CODE], 0x400100),
    "empty-segment": NO_FAULT + elf([CODE, (1, 6, 0, 0x420000, 0, 0)], 0x400100),
    "more-in-file": NO_FAULT + elf([CODE, (1, 6, 0, 0x420000, 200, 100)], 0x400100),
}

if __name__ == "__main__":
    write(SEEDS)
