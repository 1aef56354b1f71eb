"""Booting and driving the kernel in QEMU."""

from faultline.qemu.command import CPUS, MachineConfig, memory_bytes
from faultline.qemu.machine import Machine
from faultline.qemu.monitor import CommandFailed, Reply

__all__ = ["CPUS", "CommandFailed", "Machine", "MachineConfig", "Reply", "memory_bytes"]
