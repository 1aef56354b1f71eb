"""Rows about booting: guest instructions, wall time beside an empty kernel's, size, failures injected per second."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

from faultline.bench import empty
from faultline.bench.rows import Row
from faultline.campaign import sweep
from faultline.campaign.bootcase import BootCase
from faultline.errors import FaultlineError
from faultline.paths import ROOT, kernel_image
from faultline.qemu import Machine, MachineConfig
from faultline.qemu.faultsites import FaultSites
from faultline.qemu.progress import processor_seconds

_BOOTS = 15
_INJECTING_SECONDS = 5.0


def _wall(image: Path) -> float:
    """Seconds from starting QEMU to the prompt."""
    began = time.perf_counter()
    with Machine(MachineConfig(image)) as machine:
        machine.boot()
        return time.perf_counter() - began


def boot() -> list[Row]:
    """Instructions to the prompt, wall time, size of the image."""
    image = kernel_image("qemu-virt")
    with Machine(MachineConfig(image, icount=True)) as machine:
        instructions = machine.boot()["instructions"]
    nothing = empty.build(ROOT / "build" / "empty-kernel")
    ours, theirs = [], []
    for _ in range(_BOOTS):  # by turns, so that a busy moment of the host hits both
        ours.append(_wall(image))
        theirs.append(_wall(nothing))
    mine, other = statistics.median(ours), statistics.median(theirs)
    return [
        Row("boot to prompt, 64 MiB", "boot", "instructions", instructions, goal=8e6),
        Row("QEMU start to prompt", "boot", "ms", 1000 * mine, [{"name": "empty kernel", "value": 1000 * other}], mine / other, 2.0),
        Row("image", "boot", "KiB", image.stat().st_size / 1024, goal=512),
    ]


def injections() -> list[Row]:
    """Boots in which one allocation fails, per second of wall time, on one machine that is reset and never started anew."""
    count = 0
    case = BootCase(preset="qemu-virt")
    with Machine(case.config()) as machine:
        machine.boot()
        counters = FaultSites(machine)
        sweep.boot_series(machine, case, "all", False, counters)  # warms QEMU up
        used = _processor(machine)
        began = time.perf_counter()
        while time.perf_counter() - began < _INJECTING_SECONDS:
            for persistent in (False, True):
                result = sweep.boot_series(machine, case, "all", persistent, counters)
                if result.failures:
                    raise FaultlineError(f"a failure at boot was not taken well: {result.described()}")
                count += result.injections
        seconds, used = time.perf_counter() - began, _processor(machine) - used
    # QEMU and the runner take turns, so one core is all they can fill.
    return [Row("boot-time fault injections", "faults", "1/s", count / seconds, goal=50, at_least=True),
            Row("the same per second of processor time", "faults", "1/s", count / used)]


def _processor(machine: Machine) -> float:
    own = os.times()
    return processor_seconds(machine.process.pid) + own.user + own.system
