#!/usr/bin/env python3
"""Seeds of fuzz_tty: lines, editing, signals, raw bytes, flow control, a line that is too long."""
import struct

from common import NO_FAULT, write

TYPE, MANY, READ, WRITE, MODES, FLUSH = 0, 3, 4, 5, 6, 7
# Bits as the target has them.
ISTRIP, INLCR, IGNCR, ICRNL, IXON, IXANY, IUTF8 = (1 << bit for bit in range(7))
OPOST, ONLCR, OCRNL, ONOCR, ONLRET, XTABS = (1 << bit for bit in range(8, 14))
ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, ECHOCTL, ECHOKE, IEXTEN = (1 << bit for bit in range(10))
COOKED = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN


def typed(text):
    return b"".join(bytes([TYPE, byte]) for byte in text)


def read(size=100):
    return bytes([READ, size])


def modes(first, second, which=5, value=0):
    return bytes([MODES]) + struct.pack("<HH", first, second) + bytes([which, value])


def written(text):
    return bytes([WRITE | len(text) << 3]) + text


SEEDS = {
    "line": NO_FAULT + typed(b"hello\r") + read() + written(b"a\nb\tc"),
    "edited": NO_FAULT + typed(b"abc\x7f\x7fx one two\x17\x15kept \xc3\xa4\x7f\x16\x03\x12\r") + read(3) + read(),
    "ends": NO_FAULT + typed(b"half\x04") + read() + typed(b"\x04") + read() + read(),
    "signals": NO_FAULT + typed(b"lost\x03more\x1c\x1a\r") + read() + modes(ICRNL, COOKED | NOFLSH) + typed(b"kept\x03\r") + read(),
    "raw": NO_FAULT + typed(b"typed") + modes(0, 0) + read() + typed(b"\x03\r\xff") + modes(0, 0, 6, 3) + read(2) + read(),
    "flow": NO_FAULT + typed(b"\x13") + written(b"waits") + typed(b"\x11") + written(b"goes") + modes(IXON | IXANY, COOKED) +
            typed(b"\x13x") + written(b"goes"),
    "long": NO_FAULT + bytes([MANY | 31 << 3, 120]) + typed(b"y\r") + read() + read(),
    "long-raw": NO_FAULT + modes(0, 0) + bytes([MANY | 31 << 3, 120]) + typed(b"y") + read() + typed(b"z") + read(),
    "output": NO_FAULT + modes(OPOST | OCRNL | ONOCR | XTABS, COOKED) + written(b"\r\ta\r\tb\n") + typed(b"\t\x7f\r"),
    "flushed": NO_FAULT + typed(b"one\rtwo") + bytes([FLUSH]) + typed(b"three\r") + read(),
}

if __name__ == "__main__":
    write(SEEDS)
