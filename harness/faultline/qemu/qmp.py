"""QEMU's own control channel, synchronous: one command, one answer, events kept aside."""

from __future__ import annotations

import json
from collections import deque

from faultline.errors import FaultlineError
from faultline.qemu.sockets import LineSocket

_DEADLINE = 30.0  # seconds; QEMU answers in a millisecond unless its host is starved


class QmpError(FaultlineError):
    """QEMU refused a command."""


class Qmp:
    """A negotiated QMP session."""

    def __init__(self, lines: LineSocket):
        self._lines = lines
        self.events: deque[dict] = deque(maxlen=1000)
        self._lines.receive(_DEADLINE)  # greeting
        self("qmp_capabilities")

    def __call__(self, command: str, **arguments):
        """Executes a command; returns what it returns. Raises QmpError, MachineExited, TimeoutError."""
        request: dict = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self._lines.send(json.dumps(request))
        while True:
            answer = json.loads(self._lines.receive(_DEADLINE))
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise QmpError(f"{command}: {answer['error']['desc']}")
            self.events.append(answer)

    def hmp(self, line: str) -> str:
        """A command of the human monitor, for what QMP lacks."""
        return self("human-monitor-command", **{"command-line": line})

    def wait_event(self, name: str, deadline: float = _DEADLINE) -> dict:
        """The next event of that name, also one already received. `deadline` is seconds; raises TimeoutError."""
        while True:
            while self.events:
                event = self.events.popleft()
                if event.get("event") == name:
                    return event
            self.events.append(json.loads(self._lines.receive(deadline)))

    def status(self) -> str:
        """'running', 'paused', 'prelaunch', 'shutdown' …"""
        return self("query-status")["status"]

    def close(self) -> None:
        self._lines.close()
