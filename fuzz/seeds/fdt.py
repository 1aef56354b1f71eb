#!/usr/bin/env python3
"""Seeds of fuzz_fdt: device trees like QEMU's, and poorer ones."""
import struct

from common import NO_FAULT, write

class Tree:
    """Writes a flattened device tree, version 17."""

    def __init__(self):
        self.body, self.strings = b"", b""

    def begin(self, name):
        self.body += struct.pack(">I", 1) + (name.encode() + b"\0").ljust((len(name) + 4) & ~3, b"\0")

    def end(self):
        self.body += struct.pack(">I", 2)

    def prop(self, name, value):
        value = value.encode() + b"\0" if isinstance(value, str) else struct.pack(f">{len(value)}I", *value)
        at = len(self.strings)
        self.strings += name.encode() + b"\0"
        self.body += struct.pack(">III", 3, len(value), at) + value.ljust((len(value) + 3) & ~3, b"\0")

    def node(self, name, **props):
        self.begin(name)
        for key, value in props.items():
            self.prop(key.replace("__", "#").replace("_", "-"), value)

    def blob(self, reserved=()):
        body = self.body + struct.pack(">I", 9)
        reserve = b"".join(struct.pack(">QQ", *entry) for entry in (*reserved, (0, 0)))
        start = 40 + len(reserve)
        strings = start + len(body)
        total = (strings + len(self.strings) + 7) & ~7
        head = struct.pack(">10I", 0xD00DFEED, total, start, strings, 40, 17, 16, 0, len(self.strings), len(body))
        return (head + reserve + body + self.strings).ljust(total, b"\0")


def machine(memory=((0x40000000, 0x8000000),), cpus=2, gic=True, bootargs="quiet"):
    tree = Tree()
    tree.node("", __address_cells=[2], __size_cells=[2], interrupt_parent=[1])
    tree.node("psci", compatible="arm,psci-1.0", method="hvc")
    tree.end()
    for start, size in memory:
        words = [start >> 32, start & 0xFFFFFFFF, size >> 32, size & 0xFFFFFFFF]
        tree.begin(f"memory@{start:x}")
        tree.prop("device_type", "memory")
        tree.prop("reg", words)
        tree.end()
    tree.node("cpus", __address_cells=[1], __size_cells=[0])
    for cpu in range(cpus):
        tree.begin(f"cpu@{cpu}")
        tree.prop("device_type", "cpu")
        tree.prop("enable-method", "psci")
        tree.prop("reg", [cpu])
        tree.end()
    tree.end()
    tree.node("timer", compatible="arm,armv8-timer",
              interrupts=[1, 13, 0x104, 1, 14, 0x104, 1, 11, 0x104, 1, 10, 0x104])
    tree.end()
    if gic:
        tree.node("intc@8000000", compatible="arm,gic-v3", interrupt_controller=[], __interrupt_cells=[3], phandle=[1],
                  reg=[0, 0x8000000, 0, 0x10000, 0, 0x80A0000, 0, 0xF60000])
        tree.end()
    tree.node("pl011@9000000", compatible="arm,pl011", reg=[0, 0x9000000, 0, 0x1000], interrupts=[0, 1, 4])
    tree.end()
    tree.node("chosen", bootargs=bootargs, stdout_path="/pl011@9000000")
    tree.end()
    tree.end()
    return tree


SEEDS = {
    "virt": NO_FAULT + machine().blob(),
    "reserved": NO_FAULT + machine().blob([(0x48000000, 0x10000)]),
    "two-regions": NO_FAULT + machine(((0x80000000, 0x1000000), (0x40000000, 0x1000000))).blob(),
    "overlapping": NO_FAULT + machine(((0x40000000, 0x2000000), (0x41000000, 0x2000000))).blob(),
    "no-gic": NO_FAULT + machine(gic=False).blob(),
    "many-cpus": NO_FAULT + machine(cpus=10).blob(),
    "huge-memory": NO_FAULT + machine(((0xFFFFFFFFFFFF0000, 0x20000),)).blob(),
    "long-bootargs": NO_FAULT + machine(bootargs="x" * 400).blob(),
}

if __name__ == "__main__":
    write(SEEDS)
