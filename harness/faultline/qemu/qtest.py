"""qtest beside a running guest: physical memory, and interrupts from outside.

QEMU aborts on a malformed qtest command, so every argument is checked here first.
"""

from __future__ import annotations

from faultline.errors import FaultlineError
from faultline.qemu.sockets import LineSocket

GICD_BASE = 0x08000000
GICD_ISPENDR = 0x200
GICD_ICPENDR = 0x280
GICR_BASE = 0x080A0000
GICR_STRIDE = 0x20000
GICR_SGI_FRAME = 0x10000
FIRST_SPI = 32
INTIDS = 288         # wired on virt; QEMU 7.2 advertises 256 of them
CPU_PINS = {"irq": 0, "fiq": 1, "virq": 2, "vfiq": 3}
_DEADLINE = 30.0
_MAX_TRANSFER = 1 << 20


class QtestError(FaultlineError):
    """QEMU answered FAIL, or an argument would have made it abort."""


class Qtest:
    """The qtest channel of one machine. `cpus` and `gic` are QOM paths; they are needed for pins and lines only."""

    def __init__(self, lines: LineSocket, smp: int, cpus: list[str] | None = None, gic: str = ""):
        self._lines = lines
        self._smp = smp
        self._cpus = cpus or []
        self._gic = gic

    def command(self, line: str) -> list[str]:
        """Sends one raw command; returns the words after OK. Raises QtestError."""
        self._lines.send(line)
        while True:
            answer = self._lines.receive(_DEADLINE)
            if answer.startswith("IRQ "):
                continue
            words = answer.split()
            if not words or words[0] != "OK":
                raise QtestError(f"qtest: {line}: {answer}")
            return words[1:]

    def read(self, address: int, size: int) -> bytes:
        """size bytes of physical memory. RAM only: device registers want read32()."""
        _check(0 <= address < 1 << 48 and 0 < size <= _MAX_TRANSFER, f"cannot read {size} bytes at {address:#x}")
        return bytes.fromhex(self.command(f"read {address:#x} {size:#x}")[0][2:])

    def write(self, address: int, data: bytes) -> None:
        """Writes physical memory."""
        _check(0 <= address < 1 << 48 and 0 < len(data) <= _MAX_TRANSFER, f"cannot write {len(data)} bytes at {address:#x}")
        self.command(f"write {address:#x} {len(data):#x} 0x{data.hex()}")

    def read32(self, address: int) -> int:
        _check(address % 4 == 0 and 0 <= address < 1 << 48, f"cannot read a word at {address:#x}")
        return int(self.command(f"readl {address:#x}")[0], 16)

    def write32(self, address: int, value: int) -> None:
        _check(address % 4 == 0 and 0 <= address < 1 << 48, f"cannot write a word at {address:#x}")
        _check(0 <= value < 1 << 32, f"{value:#x} is not a 32-bit value")
        self.command(f"writel {address:#x} {value:#x}")

    def pend(self, intid: int, cpu: int = 0) -> None:
        """Makes an interrupt pending once: SGI 0-15 and PPI 16-31 on `cpu`, SPI 32-287 where the GIC routes it."""
        self._pending(intid, cpu, GICD_ISPENDR)

    def unpend(self, intid: int, cpu: int = 0) -> None:
        """Takes back a pending interrupt."""
        self._pending(intid, cpu, GICD_ICPENDR)

    def _pending(self, intid: int, cpu: int, register: int) -> None:
        _check(0 <= intid < INTIDS, f"INTID {intid} is not wired (0 to {INTIDS - 1})")
        _check(0 <= cpu < self._smp, f"there is no CPU {cpu} (0 to {self._smp - 1})")
        base = GICR_BASE + cpu * GICR_STRIDE + GICR_SGI_FRAME if intid < FIRST_SPI else GICD_BASE
        self.write32(base + register + 4 * (intid // 32), 1 << (intid % 32))

    def cpu_pin(self, level: bool, cpu: int = 0, pin: str = "irq") -> None:
        """Drives a CPU's interrupt input with nothing pending in the GIC: the kernel reads INTID 1023."""
        _check(pin in CPU_PINS, f"there is no pin '{pin}' ({' '.join(CPU_PINS)})")
        _check(0 <= cpu < len(self._cpus), f"there is no CPU {cpu} (0 to {len(self._cpus) - 1})")
        self._set_irq(self._cpus[cpu], CPU_PINS[pin], level)

    def line(self, intid: int, level: bool, cpu: int = 0) -> None:
        """Holds a device's line at the GIC high or low: a PPI of `cpu`, or an SPI. A stuck line is a storm."""
        _check(16 <= intid < INTIDS, f"INTID {intid} has no line (16 to {INTIDS - 1})")
        _check(0 <= cpu < self._smp, f"there is no CPU {cpu} (0 to {self._smp - 1})")
        index = intid - FIRST_SPI if intid >= FIRST_SPI else (INTIDS - FIRST_SPI) + 32 * cpu + intid
        _check(self._gic != "", "the GIC was not found in this machine")
        self._set_irq(self._gic, index, level)

    def _set_irq(self, path: str, index: int, level: bool) -> None:
        self.command(f"set_irq_in {path} unnamed-gpio-in {index} {int(level)}")

    def close(self) -> None:
        self._lines.close()


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise QtestError(message)
