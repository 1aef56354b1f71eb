"""Talks to the kernel's monitor in records: `@ID COMMAND` out, lines and values and a status back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from faultline.errors import FaultlineError
from faultline.qemu.records import Record


class CommandFailed(FaultlineError):
    """A command ended with a status other than 0. `reply` holds what it said."""

    def __init__(self, command: str, reply: Reply):
        lines = "\n".join(reply.lines[-20:])
        super().__init__(f"'{command}' ended with status {reply.status}" + (f":\n{lines}" if lines else ""))
        self.reply = reply


@dataclass
class Reply:
    """What a command answered. `status` is 0 or an errno-like number; `values` are its JSON records, in order."""

    status: int = 0
    lines: list[str] = field(default_factory=list)
    values: list = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(line + "\n" for line in self.lines)

    @property
    def value(self):
        """The only value of a command that gives one. Raises FaultlineError."""
        if len(self.values) != 1:
            raise FaultlineError(f"expected one JSON record, got {len(self.values)}")
        return self.values[0]


def collect(records: list[Record], id: int) -> Reply | None:
    """The reply with this id, or None while its status is missing. Raises FaultlineError on a value that is not JSON."""
    reply = Reply()
    for record in records:
        if record.id != id:
            continue
        if record.kind == "l":
            reply.lines.append(record.payload)
        elif record.kind == "j":
            try:
                reply.values.append(record.json())
            except ValueError as error:
                raise FaultlineError(f"record {record.seq} is not JSON ({error}): {record.payload!r}") from error
        elif record.kind == "s":
            reply.status = int(record.payload)
            return reply
    return None


class Monitor:
    """The commands of the monitor as methods. `machine` is a faultline.qemu.Machine at its prompt."""

    def __init__(self, machine):
        self._machine = machine
        self._next_id = 1

    def command(self, text: str, *, budget: float = 20.0, check: bool = True) -> Reply:
        """Runs one command. `budget` is processor seconds of QEMU; raises CommandFailed for a status other than 0 when
        `check`, KernelPanic, GuestHang, GuestTimeout and MachineExited as Machine.wait does."""
        mark = self._machine.console.mark()
        reply = self._machine.wait(self.begin(text), f"the end of '{text}'", budget, mark)
        if check and reply.status != 0:
            raise CommandFailed(text, reply)
        return reply

    def begin(self, text: str) -> Callable[[], Reply | None]:
        """Starts one command; what is returned gives its reply once there is one."""
        if "\n" in text or "\r" in text:
            raise FaultlineError("a command is one line")
        id, self._next_id = self._next_id, self._next_id + 1
        console = self._machine.console
        mark = console.mark()
        console.send(f"@{id} {text}\n".encode())
        return lambda: collect(console.records(mark), id)

    def mem(self) -> dict:
        return self.command("mem").value

    def irq(self) -> dict:
        """Totals ("total", "spurious", "unexpected_total", "storms") and "lines": per INTID what the kernel counted."""
        totals, *lines = self.command("irq").values
        return {**totals, "lines": {line["intid"]: line for line in lines}}

    def threads(self) -> list[dict]:
        return self.command("threads").values

    def sites(self) -> list[dict]:
        return self.command("sites").values

    def faults(self) -> dict:
        return self.command("faults").value

    def arm(self, plan: str) -> None:
        """Arms a fault plan. Raises CommandFailed when the kernel does not understand it."""
        self.command(f"faults arm {plan}")

    def disarm(self) -> None:
        self.command("faults off")

    def ktests(self) -> list[str]:
        """SUITE.NAME of every test in the image."""
        return [f"{test['suite']}.{test['name']}" for test in self.command("ktest list").values]

    def workloads(self) -> list[str]:
        """What `run` takes."""
        reply = self.command("run list")
        return [value["workload"] for value in reply.values]
