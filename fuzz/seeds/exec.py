#!/usr/bin/env python3
"""Seeds of fuzz_exec: a program and the interpreter that it names, with and without data, moving and not."""
import struct

from common import NO_FAULT, plan, write


def elf(kind, segments, entry, size=4096):
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", kind, 183, 1, entry, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    table = b"".join(struct.pack("<IIQQQQQQ", type_, flags, offset, va, va, filesz, memsz, 4096)
                     for type_, flags, offset, va, filesz, memsz in segments)
    body = bytearray((header + table).ljust(size, b"\x5a"))
    body[1024:1027] = b"/i\0"
    return bytes(body)


def pair(program, interpreter=b"", fault=NO_FAULT):
    return fault + struct.pack("<HH", len(program), len(interpreter)) + program + interpreter


CODE = (1, 5, 0, 0, 2048, 2048)
DATA = (1, 6, 2048, 0x10800, 300, 9000)
NAMED = (3, 4, 1024, 1024, 3, 3)
FIXED = [(1, 5, 0, 0x400000, 2048, 2048), (1, 6, 2048, 0x410800, 1000, 5000)]
LINKER = elf(3, [CODE, DATA], 0x200)
SEEDS = {
    "fixed": pair(elf(2, FIXED, 0x400100)),
    "moving": pair(elf(3, [CODE, DATA], 0x100)),
    "interpreted": pair(elf(3, [NAMED, CODE, DATA], 0x100), LINKER),
    "interpreted-fixed": pair(elf(2, [(3, 4, 1024, 0x400400, 3, 3), *FIXED], 0x400100), LINKER),
    "interpreter-is-no-image": pair(elf(3, [NAMED, CODE], 0x100), b"#!/p\n"),
    "interpreter-does-not-move": pair(elf(3, [NAMED, CODE], 0x100), elf(2, FIXED, 0x400100)),
    "script": pair(b"#! /i one\n", LINKER),
    "zeroes-only": pair(elf(3, [CODE, (1, 6, 0, 0x20000, 0, 70000)], 0x100)),
    "little-behind-the-file": pair(elf(3, [CODE, (1, 6, 2048, 0x10800, 300, 310)], 0x100)),
    "short-of-memory": pair(elf(3, [NAMED, CODE, DATA], 0x100), LINKER, plan(2, 9, 1)),
}

if __name__ == "__main__":
    write(SEEDS)
