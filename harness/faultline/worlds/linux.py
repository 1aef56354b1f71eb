"""Programs on this machine's own Linux, in a confined child (user/prog/linux_root.c)."""

from __future__ import annotations

import mmap
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from faultline import process
from faultline.errors import FaultlineError
from faultline.paths import BUILD
from faultline.worlds.window import SIZE, Job, Outcome, Window

BINARY = BUILD / "host-test" / "user" / "prog" / "prog-linux"
_MEMORY = 2 * process.GIB
_PATIENCE = 120.0  # seconds of ours for one program, however busy the host


class Linux:
    """A supervisor that runs programs until it is closed. A context manager; what it started dies with it. Needs root, for the
    ids that programs change to, and gives it up itself: programs run in namespaces without anything of this machine's."""

    name = "linux"

    def __init__(self, binary: Path = BINARY):
        if not binary.is_file():
            raise FaultlineError(f"no {binary} (cmake --build --preset host-test)")
        if os.geteuid() != 0:
            raise FaultlineError("programs on Linux need root, for the ids that they change to")
        file = os.memfd_create("window")
        try:
            os.ftruncate(file, SIZE)
            self._memory = mmap.mmap(file, SIZE)
            os.set_inheritable(file, True)
            self.process = process.start([binary, "serve", str(file)], memory=_MEMORY, pass_fds=(file,),
                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        finally:
            os.close(file)
        self._view = memoryview(self._memory)
        self._window = Window(self._view, self._watch)

    def __enter__(self) -> Linux:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        process.end(self.process)
        self.process.stderr.close()

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Raises FaultlineError when the supervisor has ended."""
        return self._window.run(jobs)

    def _watch(self, job: Job) -> Callable[[], None]:
        until = time.monotonic() + _PATIENCE + job.milliseconds / 1000
        return lambda: self._check(until)

    def _check(self, until: float) -> None:
        if time.monotonic() > until:
            raise FaultlineError("the supervisor of programs on Linux does not answer")
        if self.process.poll() is not None:
            said = self.process.stderr.read().decode(errors="replace").strip()
            raise FaultlineError(f"the supervisor of programs on Linux has ended: {said or self.process.returncode}")
