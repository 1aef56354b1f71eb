"""Programs on the simulated machine: many in one process, each from the same snapshot (harness/events.c)."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from faultline import process
from faultline.campaign.triage import SANITIZER_ENV
from faultline.errors import FaultlineError
from faultline.paths import BUILD
from faultline.worlds.window import CUT, KILLED, LATE, STARVED, Job, Outcome, read_events

_HEAD = struct.Struct("<II")  # bytes of events, flags


def binary(preset: str) -> Path:
    return BUILD / preset / "fuzz" / "worlds"


class SimulatedFinding(FaultlineError):
    """The simulated machine found something in a program. `report` is what it said."""

    def __init__(self, program: bytes, report: str):
        super().__init__("a finding on the simulated machine: " + next((line for line in report.splitlines() if "FAULTLINE:" in line or
                                                                        "ERROR:" in line or "runtime error" in line), "it ended"))
        self.program = program
        self.report = report


class Simulated:
    """A context manager. After a finding the next program starts another process. `other`: another machine in what is each
    machine's own (world_is_other in harness/world.h)."""

    name = "simulated"

    def __init__(self, preset: str = "host-test", other: bool = False):
        self._binary = binary(preset)
        if not self._binary.is_file():
            raise FaultlineError(f"no {self._binary} (cmake --build --preset {preset})")
        self._arguments = [self._binary, *(["other"] if other else [])]
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> Simulated:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        if self._process:
            process.end(self._process)
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                pipe.close()
            self._process = None

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of each. Raises SimulatedFinding for the first that ends the process."""
        for job in jobs:
            yield self.run_one(job.program)

    def run_one(self, program: bytes) -> Outcome:
        """Raises SimulatedFinding."""
        if self._process is None:
            self._process = process.start(self._arguments, env=SANITIZER_ENV, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE, untrusted=True)
        try:
            self._process.stdin.write(struct.pack("<I", len(program)) + program)
            self._process.stdin.flush()
            head = self._process.stdout.read(_HEAD.size)
        except BrokenPipeError:
            head = b""
        if len(head) < _HEAD.size:
            report = self._process.stderr.read().decode(errors="replace")
            self.close()
            raise SimulatedFinding(program, report)
        size, flags = _HEAD.unpack(head)
        events = read_events(self._process.stdout.read(size))
        return Outcome(events, cut=bool(flags & CUT), killed=bool(flags & KILLED), late=bool(flags & LATE), starved=bool(flags & STARVED))
