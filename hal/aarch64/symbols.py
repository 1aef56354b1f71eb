#!/usr/bin/env python3
"""Symbol table of the image as assembly: symbols.py NM KERNEL.ELF > symbols.S. Text only, sorted, one name per address."""
import subprocess
import sys


def main():
    nm, elf = sys.argv[1:]
    names = {}
    base = None
    for line in subprocess.run([nm, elf], check=True, capture_output=True, text=True).stdout.splitlines():
        address, kind, name = line.split(maxsplit=2)[-3:] if line[0] != " " else ("0", "U", "")
        if name == "image_start":
            base = int(address, 16)
        if kind in "tT" and not name.startswith(("$", "text_", "image_", "rodata_")):
            names.setdefault(int(address, 16), name)
    table = sorted((address - base, name) for address, name in names.items() if address >= base)
    out = ['    .section symbol_table, "a"', "    .balign 8"]
    out += ["    .globl symbol_count, symbol_offsets, symbol_name_offsets, symbol_names"]
    out += [f"symbol_count: .long {len(table)}", "symbol_offsets:"]
    out += [f"    .long {offset}" for offset, _ in table]
    out += ["symbol_name_offsets:"]
    at = 0
    for _, name in table:
        out.append(f"    .long {at}")
        at += len(name) + 1
    out += ["symbol_names:"] + [f'    .asciz "{name}"' for _, name in table]
    print("\n".join(out))


main()
