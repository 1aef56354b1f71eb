"""Faultline's outside half: boots the kernel in QEMU, fuzzes it on the host, injects faults, sorts what it finds."""
