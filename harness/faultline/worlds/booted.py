"""Programs on the booted kernel: /bin/prog serves them from a file in its memory, whose pages we find in QEMU's."""

from __future__ import annotations

import ctypes
import mmap
import os
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from faultline import files, userland
from faultline.errors import FaultlineError
from faultline.paths import BUILD, OUT, kernel_image
from faultline.process import MIB
from faultline.qemu import Machine, MachineConfig
from faultline.worlds.window import MARK, SIZE, Job, Outcome, Window

BINARY = BUILD / "qemu-virt" / "user" / "prog" / "prog"
_MEMORY = 128 * MIB
_START_BUDGET = 20.0  # processor seconds of QEMU until the window is there
_RUN_BUDGET = 60.0    # and for one program
_PAGE = mmap.PAGESIZE
_PAGES = SIZE // _PAGE
_HEADER = struct.Struct("<QQQ")
_PROT, _SHARED, _FIXED, _PRIVATE_ANONYMOUS = mmap.PROT_READ | mmap.PROT_WRITE, 1, 0x10, 0x22


class _View:
    """The window's pages, which lie anywhere in the guest's memory, one after the other."""

    def __init__(self, file: int, offsets: list[int]):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.mmap.restype = ctypes.c_void_p
        self._libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
        self._libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self._base = self._map(None, SIZE, _PRIVATE_ANONYMOUS, -1, 0)
        for page, offset in enumerate(offsets):
            self._map(self._base + page * _PAGE, _PAGE, _SHARED | _FIXED, file, offset)
        self.bytes = memoryview((ctypes.c_ubyte * SIZE).from_address(self._base)).cast("B")

    def _map(self, where, size: int, flags: int, file: int, offset: int) -> int:
        address = self._libc.mmap(where, size, _PROT, flags, file, offset)
        if address in (None, ctypes.c_void_p(-1).value):
            raise FaultlineError(f"cannot map the guest's memory: {os.strerror(ctypes.get_errno())}")
        return address

    def close(self) -> None:
        self.bytes.release()
        self._libc.munmap(self._base, SIZE)


def _files(place: Path) -> Path:
    """The first files: no more than the simulated machine has."""
    archive = userland.Archive()
    archive.file("bin/prog", BINARY.read_bytes())
    archive.folder("w")
    archive.folder("proc")
    place.parent.mkdir(parents=True, exist_ok=True)
    files.write(place, archive.bytes(), mode=0o644)
    return place


class Booted:
    """A machine that runs programs until it is closed. A context manager. With `icount` its time is its instructions: sleeping
    costs nothing and a busy host changes nothing. Not with several CPUs: QEMU 7.2 then hangs in its own timers when all sleep."""

    name = "booted"

    def __init__(self, preset: str = "qemu-virt", smp: int = 1, icount: bool = True, log: Path | None = None):
        if not BINARY.is_file():
            raise FaultlineError(f"no {BINARY} (cmake --build --preset qemu-virt)")
        self._ram = os.memfd_create("ram")
        self._view: _View | None = None
        self._machine: Machine | None = None
        place = OUT / "worlds" / f"initrd-{os.getpid()}-{secrets.token_hex(4)}.cpio"
        try:
            os.ftruncate(self._ram, _MEMORY)
            word = secrets.randbits(64)
            config = MachineConfig(kernel_image(preset), smp=smp, icount=icount, memory=_MEMORY, ram=self._ram, initrd=_files(place),
                                   bootargs=f"run=exec /bin/prog serve {word:x}")
            self._machine = Machine(config, log=log)
            self._mark = self._machine.console.mark()
            self._machine.boot()
            found = self._machine.wait(lambda: self._find(word), "the window", _START_BUDGET, self._mark)
            self._view = _View(self._ram, found)
        except BaseException:
            self.close()
            raise
        finally:
            place.unlink(missing_ok=True)
        self._window = Window(self._view.bytes, self._watch)

    def __enter__(self) -> Booted:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        if self._machine:
            self._machine.close()
        if self._view:
            self._view.close()
            self._view = None
        if self._ram >= 0:
            os.close(self._ram)
            self._ram = -1

    @property
    def machine(self) -> Machine:
        return self._machine

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Raises KernelPanic and MachineExited when the kernel or QEMU is gone."""
        return self._window.run(jobs)

    def _watch(self, job: Job) -> Callable[[], None]:
        return self._machine.watch("the end of a program", _RUN_BUDGET, self._mark)

    def _find(self, word: int) -> list[int] | None:
        """Where in the guest's memory each page of the window lies; None while they are not all there."""
        offsets: dict[int, int] = {}
        wanted = struct.pack("<QQ", MARK, word)
        with mmap.mmap(self._ram, _MEMORY, prot=mmap.PROT_READ) as memory:
            at = memory.find(wanted)
            while at >= 0:
                if at % _PAGE == 0:
                    offsets[_HEADER.unpack_from(memory, at)[2]] = at
                at = memory.find(wanted, at + 8)
        return [offsets[page] for page in range(_PAGES)] if len(offsets) == _PAGES else None
