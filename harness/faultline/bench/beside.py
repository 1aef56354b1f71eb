"""Rows beside Linux: one static program on both kernels, where one tick of the guest's clock is one instruction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

from faultline import build, debian, userland
from faultline.bench.rows import Row
from faultline.compare import batch
from faultline.compare.batch import Command, Outcome
from faultline.errors import FaultlineError, GuestError
from faultline.paths import OUT, ROOT, kernel_image
from faultline.qemu import Machine, MachineConfig

SOURCE = ROOT / "user" / "bench" / "bench.c"
PROGRAM = ROOT / "build" / "qemu-virt" / "user" / "bench" / "bench"
GOAL = 0.5           # of Linux's instructions
PROMPT_GOAL = 20e6   # instructions from power-on to busybox's prompt
_LINUX_LINE = "mitigations=off kpti=0 nokaslr"  # as fast as it can be
_SECONDS = 5.0       # of the guest's time for one row; five thousand million instructions


def names() -> list[str]:
    """The rows of user/bench/bench.c, in order."""
    return re.findall(r'^    \{"([^"]+)", \d+,', SOURCE.read_text(), re.MULTILINE)


def rows(patterns: Sequence[str], skipped: list[str]) -> list[Row]:
    """All rows, or those that match a pattern; what cannot be measured is said in skipped."""
    wanted = [name for name in names() if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]
    folder = OUT / "bench" / "kernel"
    build.build("qemu-virt")
    found: list[Row] = []
    if wanted:
        try:
            kernels = (batch.linux(icount=True, line=_LINUX_LINE), batch.faultline(kernel_image("qemu-virt"), icount=True))
        except FaultlineError as error:
            skipped.append(f"beside Linux: {error}")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            commands = [Command(name, ("/bench", name), _SECONDS) for name in wanted]
            with ThreadPoolExecutor(2) as pool:
                theirs, ours = pool.map(lambda kernel: batch.run(kernel, commands, {"bench": PROGRAM.read_bytes()}, folder), kernels)
            found += [row for name in wanted if (row := _row(name, theirs[name], ours[name], skipped))]
    if not patterns or any(fnmatchcase("boot to busybox prompt", pattern) for pattern in patterns):
        found += _prompt(folder, skipped)
    return found


def _row(name: str, theirs: Outcome, ours: Outcome, skipped: list[str]) -> Row | None:
    values = []
    for kernel, outcome in (("Linux", theirs), ("Faultline", ours)):
        try:
            values.append(float(outcome.output))
        except ValueError:
            skipped.append(f"{name} on {kernel}: {outcome.output.strip() or outcome.end}")
    if len(values) < 2:
        return None
    version = debian.linux_version().rsplit(".", 1)[0]
    return Row(name, "kernel", "instructions", values[1], [{"name": f"Linux {version}", "value": values[0]}], values[1] / values[0], GOAL)


def _prompt(folder: Path, skipped: list[str]) -> list[Row]:
    """The shell's prompt shows the clock; starting the program that reads it is in the figure too."""
    archive = userland.initrd(folder / "prompt.cpio", {"bench": PROGRAM.read_bytes(), "now": b"#!/bench now\n"})
    command = "run=exec /bin/env PS1=<$(/now)># /bin/sh -i"
    try:
        with Machine(MachineConfig(kernel_image("qemu-virt"), icount=True, initrd=archive, bootargs=command)) as machine:
            mark = machine.console.mark()
            machine.start()
            value = int(machine.wait_text(r"<(\d+)>#", mark, 30.0)[1])
    except GuestError as error:
        skipped.append(f"boot to busybox prompt: {error.summary}")
        return []
    return [Row("boot to busybox prompt", "kernel", "instructions", value, goal=PROMPT_GOAL)]
