"""Where things are. Everything the framework writes is under build/ (from sources) or out/ (from runs)."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
OUT = ROOT / "out"
FUZZ = ROOT / "fuzz"
IMAGE_PRESETS = ("qemu-virt", "qemu-virt-debug")


def kernel_image(preset: str = "qemu-virt-debug", root: Path = ROOT) -> Path:
    """The flat Image that QEMU boots."""
    return root / "build" / preset / "kernel.bin"


def kernel_elf(preset: str = "qemu-virt-debug", root: Path = ROOT) -> Path:
    """The same kernel with its symbols."""
    return root / "build" / preset / "kernel.elf"


def target_binary(target: str, preset: str, root: Path = ROOT) -> Path:
    """The executable of one fuzz target as a preset builds it."""
    return root / "build" / preset / "fuzz" / target


def relative(path: Path) -> str:
    """The path as a person in the project's folder would write it."""
    try:
        return str(path.resolve().relative_to(ROOT))
    except ValueError:
        return str(path)
