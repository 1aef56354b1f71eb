"""A small client of QEMU's gdb server: memory, registers, breakpoints, stepping one CPU."""

from __future__ import annotations

import re
import socket
import time

from faultline.errors import FaultlineError, MachineExited

REGISTERS = {**{f"x{i}": i for i in range(31)}, "sp": 31, "pc": 32, "cpsr": 33}
_PACKET = re.compile(rb"\$([^#]*)#[0-9a-f]{2}")
_DEADLINE = 30.0


class GdbError(FaultlineError):
    """The server answered with an error or not at all."""


class Gdb:
    """One debugger session. Connecting stops the machine; resume() lets it run again."""

    def __init__(self, link: socket.socket):
        self._link = link
        self._buffer = b""
        self.request("?")  # answers with the stop reply, and so drains the one sent unasked on connecting
        self.request("qXfer:features:read:target.xml:0,ffb")  # QEMU gives single registers only to who read this

    def request(self, packet: str, deadline: float = _DEADLINE) -> str:
        """Sends one packet and returns the answer. `deadline` is seconds."""
        self._send(packet)
        answer = self._receive(deadline)
        if packet == "?":
            return answer
        while re.match(r"[ST][0-9a-f]{2}", answer) and packet[0] not in "csv":
            answer = self._receive(deadline)  # a stop reply of before
        if re.fullmatch(r"E[0-9a-f]{2}", answer):
            raise GdbError(f"gdb: {packet}: {answer}")
        return answer

    def _send(self, packet: str) -> None:
        data = packet.encode()
        try:
            self._link.sendall(b"$" + data + b"#%02x" % (sum(data) & 255))
        except OSError as error:
            raise MachineExited(f"gdb: {error}") from error

    def _receive(self, deadline: float) -> str:
        until = time.monotonic() + deadline
        while not (match := _PACKET.search(self._buffer)):
            self._link.settimeout(max(0.001, until - time.monotonic()))
            try:
                data = self._link.recv(65536)
            except TimeoutError:
                raise GdbError(f"gdb did not answer within {deadline:g} s") from None
            if not data:
                raise MachineExited("gdb closed")
            self._buffer += data
        self._buffer = self._buffer[match.end():]
        self._link.sendall(b"+")
        return match[1].decode(errors="replace")

    def select(self, cpu: int) -> None:
        """Registers are those of this CPU (0-based) from now on."""
        self.request(f"Hg{cpu + 1:x}")

    def register(self, name: str) -> int:
        """Raises GdbError for a name that is none of REGISTERS."""
        raw = bytes.fromhex(self.request(f"p{_register(name):x}"))
        return int.from_bytes(raw, "little")

    def set_register(self, name: str, value: int) -> None:
        size = 4 if name == "cpsr" else 8
        self.request(f"P{_register(name):x}={value.to_bytes(size, 'little').hex()}")

    def read(self, address: int, size: int) -> bytes:
        """Virtual memory, as the selected CPU sees it."""
        return bytes.fromhex(self.request(f"m{address:x},{size:x}"))

    def write(self, address: int, data: bytes) -> None:
        self.request(f"M{address:x},{len(data):x}:{data.hex()}")

    def breakpoint(self, address: int, on: bool = True) -> None:
        """Sets or clears a hardware breakpoint."""
        self.request(f"{'Z' if on else 'z'}1,{address:x},4")

    def resume(self) -> None:
        """Lets all CPUs run; wait_stop() awaits the next stop."""
        self._send("vCont;c")

    def wait_stop(self, deadline: float = _DEADLINE) -> str:
        return self._receive(deadline)

    def run_to(self, address: int, deadline: float = _DEADLINE) -> None:
        """Runs until a CPU reaches address."""
        self.breakpoint(address)
        try:
            self.resume()
            self.wait_stop(deadline)
        finally:
            self.breakpoint(address, on=False)

    def step(self, cpu: int) -> None:
        """One instruction of one CPU while the others stand still."""
        self.request(f"vCont;s:{cpu + 1:x}")

    def detach(self) -> None:
        """Leaves the machine running."""
        try:
            self.request("D")
        finally:
            self._link.close()


def _register(name: str) -> int:
    if name not in REGISTERS:
        raise GdbError(f"unknown register '{name}' (there are: {' '.join(REGISTERS)})")
    return REGISTERS[name]
