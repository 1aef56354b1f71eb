"""Bad input on the serial line: whatever is typed, the monitor still answers and nothing is lost."""

import random

import pytest

NOISE = {
    "all-bytes": bytes(range(256)) * 4,
    "random": random.Random(1).randbytes(8192).replace(b"\x01", b"\x02"),
    "zeros": bytes(4096),
    "high-bytes": b"\xff\xfe\x80\xc0" * 1024,
    "escape-sequences": b"\x1b[A\x1b[2J\x1b[999;999H\x1b]0;title\x07\x1b[31m\x1bOP" * 64,
    "backspaces": b"\x08\x7f" * 2048 + b"abc" + b"\x7f" * 10,
    "record-marks": b"\x1eFL 1 1 l 5 00000000 hello" * 32,
    "at-signs": b"@@@@ @ @1 @-1 @99999999999999 mem" * 16,
    "long-line": b"x" * 65536,
    "long-command": b"@7 " + b"mem " * 16384,
    "many-words": b"ktest " * 4000,
    "format": b"%s%n%d%p" * 512,
}


@pytest.mark.parametrize("name", NOISE)
def test_monitor_survives(machine, name, alive):
    machine.console.send(NOISE[name])
    machine.console.send(b"\x03\r\n\n")  # whatever was begun, ends
    alive(machine)


@pytest.mark.parametrize("line", ["@0 mem", "@ mem", "@-1 mem", "@4294967296 mem", "@99999999999999999999999 mem", "@5", "@5 ",
                                  "@6 no-such-command", "@6 faults arm", "@6 run no-such", "@6 ktest", "@6 irq unmask 99999"])
def test_odd_requests(machine, line, alive):
    machine.console.send(line.encode() + b"\n")
    alive(machine)


def test_unknown_command_has_a_status(machine):
    reply = machine.monitor.command("no-such-command", check=False)
    assert reply.status != 0 and reply.lines


def test_many_requests_at_once(machine):
    """Typed ahead: every one is answered, in order."""
    mark = machine.console.mark()
    machine.console.send(b"".join(b"@%d threads\n" % (1000 + i) for i in range(50)))

    def answered():
        return [r.id for r in machine.console.records(mark) if r.kind == "s" and r.id >= 1000]

    machine.wait(lambda: len(answered()) == 50, "50 answers", 60.0, mark)
    assert answered() == list(range(1000, 1050))
