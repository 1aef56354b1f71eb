"""The command line of one virtual machine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from faultline.errors import UsageError
from faultline.process import GIB, MIB

CPUS = ("cortex-a53", "cortex-a57", "cortex-a72", "neoverse-n1", "max")
QEMU = "qemu-system-aarch64"
MAX_SMP = 8
LEAST_MEMORY, MOST_MEMORY = 8 * MIB, 64 * GIB  # bytes; the virt board has room for 255 GiB
_SIZES = {"": MIB, "K": 1 << 10, "M": MIB, "G": GIB}


def memory_bytes(text: str) -> int:
    """'64', '64M', '8G' as bytes (plain numbers are MiB, as QEMU has it). Raises UsageError."""
    match = re.fullmatch(r"(\d+)([KMG]?)", text.upper())
    if not match or int(match[1]) == 0:
        raise UsageError(f"unknown memory size '{text}' (a number with M or G, such as 64M)")
    return int(match[1]) * _SIZES[match[2]]


@dataclass(frozen=True)
class MachineConfig:
    """What machine to boot. `memory` in bytes; `el2` starts the kernel at EL2; `icount` makes one instruction one
    nanosecond; `bootargs` is /chosen bootargs; `initrd` holds the first files; `ram` is an open file that is its memory."""

    kernel: Path
    cpu: str = "cortex-a72"
    smp: int = 1
    memory: int = 64 * MIB
    el2: bool = False
    icount: bool = False
    icount_shift: int = 0
    bootargs: str = ""
    initrd: Path | None = None
    record: Path | None = None
    replay: Path | None = None
    ram: int | None = None
    extra: tuple[str, ...] = field(default=())

    def with_(self, **changes) -> MachineConfig:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def check(self) -> None:
        """Raises UsageError when the machine cannot exist."""
        if self.cpu not in CPUS:
            raise UsageError(f"unknown CPU '{self.cpu}' (there are: {' '.join(CPUS)})")
        if not 1 <= self.smp <= MAX_SMP:
            raise UsageError(f"cannot boot {self.smp} CPUs (1 to {MAX_SMP})")
        if not LEAST_MEMORY <= self.memory <= MOST_MEMORY:
            raise UsageError(f"cannot boot with {self.memory >> 20} MiB of memory ({LEAST_MEMORY >> 20}M to {MOST_MEMORY >> 30}G)")
        if not 0 <= self.icount_shift <= 10:
            raise UsageError(f"an instruction cannot take 2^{self.icount_shift} ns (2^0 to 2^10)")
        if not self.kernel.is_file():
            raise UsageError(f"no kernel image at {self.kernel} (cmake --build --preset {self.kernel.parent.name} makes it)")

    @property
    def memory_cap(self) -> int:
        """Bytes of address space QEMU may have: the guest's memory and room for itself."""
        return self.memory + 4 * GIB


def _icount(config: MachineConfig) -> list[str]:
    if config.record or config.replay:
        mode, path = ("record", config.record) if config.record else ("replay", config.replay)
        return ["-icount", f"shift=auto,rr={mode},rrfile={str(path).replace(',', ',,')}"]
    return ["-icount", f"shift={config.icount_shift},sleep=off"] if config.icount else []


def _machine(config: MachineConfig) -> list[str]:
    # The default GICv2 makes QEMU 7.2 itself crash on qtest accesses from two CPUs.
    machine = "virt,gic-version=3" + (",virtualization=on" if config.el2 else "") + (",memory-backend=ram" if config.ram is not None else "")
    cpu = config.cpu + (",cntfrq=1000000000" if config.icount or config.record or config.replay else "")
    accel = "tcg,tb-size=16" + (",thread=single" if config.smp == 1 else "")
    argv = [QEMU, "-accel", accel, "-M", machine, "-cpu", cpu, "-smp", str(config.smp),
            "-m", f"{config.memory >> 10}K", "-display", "none", "-monitor", "none",
            "-nic", "none"]  # without it QEMU wants a boot ROM that Debian does not install
    if config.ram is not None:
        argv += ["-object", f"memory-backend-file,id=ram,size={config.memory},mem-path=/proc/self/fd/{config.ram},share=on"]
    argv += ["-kernel", str(config.kernel)]
    if config.initrd:
        argv += ["-initrd", str(config.initrd)]
    if config.bootargs:
        argv += ["-append", config.bootargs]
    return argv + _icount(config) + list(config.extra)


def reads(config: MachineConfig) -> dict[str, Path]:
    """The files that QEMU opens to read, by the field that names them."""
    return {name: path for name in ("kernel", "initrd", "replay") if (path := getattr(config, name)) is not None}


def controlled(config: MachineConfig, folder: Path, gdb: bool = False) -> list[str]:
    """A machine under control: paused, with sockets for serial, QMP and qtest (and gdb) in folder, still there after
    the guest powers off."""
    argv = _machine(config)
    argv += ["-S", "-action", "shutdown=pause",
             "-chardev", f"socket,id=ser,path={folder}/serial,server=on,wait=off,logfile={folder}/serial.log",
             "-serial", "chardev:ser", "-qmp", f"unix:{folder}/qmp,server=on,wait=off",
             "-qtest", f"unix:{folder}/qtest,server=on,wait=off", "-qtest-log", "none"]
    if gdb:
        argv += ["-chardev", f"socket,id=gdb,path={folder}/gdb,server=on,wait=off", "-gdb", "chardev:gdb"]
    return argv
