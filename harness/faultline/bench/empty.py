"""Builds the empty kernel that boot time is compared with."""

from __future__ import annotations

from pathlib import Path

from faultline import process
from faultline.errors import BuildFailed
from faultline.qemu.console import PROMPT
from faultline.qemu.records import encode

_BOOT = '{"event":"boot","version":"empty","cpus":1,"memory":0,"el":1,"checks":0,"instructions":0}'


def build(folder: Path) -> Path:
    """Assembles bench/empty.S into folder; returns the Image. Raises BuildFailed."""
    folder.mkdir(parents=True, exist_ok=True)
    said = encode(0, 1, "e", _BOOT) + PROMPT.encode()
    quoted = "".join(f"\\{byte:03o}" for byte in said)
    elf, image = folder / "kernel.elf", folder / "kernel.bin"
    for command in (
        ["aarch64-linux-gnu-gcc", "-nostdlib", "-static", "-Wl,-Ttext=0x40080000", "-Wl,--build-id=none",
         f'-DMESSAGE="{quoted}"', "-o", elf, Path(__file__).with_name("empty.S")],
        ["aarch64-linux-gnu-objcopy", "-O", "binary", elf, image],
    ):
        done = process.run(command, deadline=60, merge=True)
        if done.status != 0:
            raise BuildFailed(f"the empty kernel cannot be built:\n{done.output}")
    return image
