"""Sockets to a QEMU that is just starting."""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
import time
from pathlib import Path

from faultline.errors import MachineExited


def connect(path: Path, process: subprocess.Popen, deadline: float = 30.0) -> socket.socket:
    """Connects as soon as QEMU listens; `deadline` is seconds. Raises MachineExited when QEMU ends first."""
    until = time.monotonic() + deadline
    pidfd = os.pidfd_open(process.pid)
    try:
        while True:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                link.connect(str(path))
                if _listener(link) != process.pid:
                    link.close()
                    raise MachineExited(f"somebody else listens at {path}")
                return link
            except OSError:
                link.close()
            if process.poll() is not None or time.monotonic() > until:
                raise MachineExited(f"QEMU did not open {path.name} (status {process.poll()})")
            # QEMU gives no event when it listens; its end wakes us at once.
            select.select([pidfd], [], [], 0.003)
    finally:
        os.close(pidfd)


def _listener(link: socket.socket) -> int:
    """Who made the socket that we are connected to."""
    return struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))[0]


class LineSocket:
    """Lines over a socket, with deadlines in seconds."""

    def __init__(self, link: socket.socket, name: str):
        self._link = link
        self._name = name
        self._buffer = b""

    def send(self, line: str) -> None:
        """Sends one line. Raises MachineExited when the other side is gone."""
        try:
            self._link.sendall(line.encode() + b"\n")
        except OSError as error:
            raise MachineExited(f"{self._name}: {error}") from error

    def receive(self, deadline: float) -> str:
        """The next line. Raises MachineExited at the end of the stream, TimeoutError when none came in time."""
        until = time.monotonic() + deadline
        while b"\n" not in self._buffer:
            self._link.settimeout(max(0.001, until - time.monotonic()))
            try:
                data = self._link.recv(65536)
            except TimeoutError:
                raise TimeoutError(f"{self._name} did not answer within {deadline:g} s") from None
            except OSError as error:
                raise MachineExited(f"{self._name}: {error}") from error
            if not data:
                raise MachineExited(f"{self._name} closed")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def close(self) -> None:
        self._link.close()
