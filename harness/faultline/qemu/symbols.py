"""Names and addresses of the kernel, from kernel.elf."""

from __future__ import annotations

import bisect
import functools
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from elftools.elf.elffile import ELFFile

from faultline.errors import FaultlineError, Frame
from faultline.process import require_tool

_FRAME = re.compile(r"#\d+\s+0x([0-9a-f]+)(?:\s+([\w.$?]+)\+(0x[0-9a-f]+|\d+))?")


@dataclass(frozen=True)
class Symbol:
    """A named range. `address` is the virtual address it was linked at; `size` is bytes."""

    name: str
    address: int
    size: int


class Symbols:
    """The symbol table of one image. Addresses are virtual unless they say otherwise."""

    def __init__(self, elf: Path):
        self.path = elf
        with open(elf, "rb") as file:
            image = ELFFile(file)
            table = image.get_section_by_name(".symtab")
            if table is None:
                raise FaultlineError(f"{elf} has no symbol table")
            self._by_name = {
                symbol.name: Symbol(symbol.name, symbol["st_value"], symbol["st_size"])
                for symbol in table.iter_symbols() if symbol.name and not symbol.name.startswith("$")
            }
            self._functions = sorted(
                (symbol["st_value"], symbol.name, symbol["st_size"])
                for symbol in table.iter_symbols()
                if symbol["st_info"]["type"] in ("STT_FUNC", "STT_NOTYPE") and symbol["st_shndx"] != "SHN_ABS"
                and symbol.name and not symbol.name.startswith(("$", ".L"))
            )
            self._segments = [(s["p_vaddr"], s["p_memsz"], s["p_paddr"])
                              for s in image.iter_segments() if s["p_type"] == "PT_LOAD"]

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def find(self, name: str) -> Symbol:
        """Raises FaultlineError naming the symbol that is not there."""
        try:
            return self._by_name[name]
        except KeyError:
            raise FaultlineError(f"{self.path.name} has no symbol '{name}'") from None

    def physical(self, name: str) -> int:
        """Where a symbol lies in physical memory, which is what qtest speaks."""
        return self.to_physical(self.find(name).address)

    def to_physical(self, address: int) -> int:
        """Raises FaultlineError for an address outside the image."""
        for start, size, load in self._segments:
            if start <= address < start + size:
                return address - start + load
        raise FaultlineError(f"{address:#x} is not in the kernel image")

    def name(self, address: int) -> str:
        """'function+0x12', or the address itself when it is in no function."""
        index = bisect.bisect_right(self._functions, (address, "\uffff", 0)) - 1
        if index < 0:
            return f"{address:#x}"
        start, name, size = self._functions[index]
        if address - start > max(size, 0x1000):
            return f"{address:#x}"
        return f"{name}+{address - start:#x}"

    def location(self, addresses: list[int]) -> list[str]:
        """file:line of each address ('' where unknown), through the debug information."""
        if not addresses:
            return []
        command = [require_tool("aarch64-linux-gnu-addr2line"), "-e", str(self.path)]
        answer = subprocess.run(command + [f"{a:#x}" for a in addresses], capture_output=True, text=True, timeout=60)
        lines = answer.stdout.splitlines() + [""] * len(addresses)
        return ["" if line.startswith("??") else _shorten(line.split(" ")[0]) for line in lines[:len(addresses)]]

    def frames(self, panic: str) -> list[Frame]:
        """The frames of a printed panic, with places. A return address is looked up one instruction earlier."""
        found = printed_frames(panic)
        places = self.location([f.address if i == 0 else f.address - 4 for i, f in enumerate(found)])
        return [replace(frame, location=place) for frame, place in zip(found, places)]


def printed_frames(panic: str) -> list[Frame]:
    """The frames as the kernel printed them, without places."""
    return [Frame(m[2] or "?", int(m[3], 0) if m[3] else 0, int(m[1], 16)) for m in _FRAME.finditer(panic)]


def _shorten(place: str) -> str:
    match = re.search(r"((?:kernel|hal|fault|user|tests)/\S+)", place)
    return match[1] if match else place


@functools.lru_cache(maxsize=8)
def _load(elf: Path, stamp: tuple[int, int]) -> Symbols:
    return Symbols(elf)


def load(elf: Path) -> Symbols:
    """The symbols of an image, read once per build of it."""
    status = elf.stat()
    return _load(elf, (status.st_mtime_ns, status.st_size))
