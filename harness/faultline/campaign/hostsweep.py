"""The same exhaustive failure on the simulated machine: every seed and regression, swept by the replay program."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from faultline import process
from faultline.campaign.sites import Sites
from faultline.campaign.targets import Target
from faultline.campaign.triage import SANITIZER_ENV

_DEADLINE = 120.0  # seconds per file


@dataclass
class HostSweep:
    """`failing` are (input, what the sweep reported)."""

    injections: int = 0
    files: int = 0
    failing: list[tuple[Path, str]] = field(default_factory=list)
    error: str = ""


def sweep(target: Target, files: list[Path], sites: Sites, stop: Callable[[], bool]) -> HostSweep:
    """Fails the 1st, 2nd, … operation of every input, once and for good."""
    result = HostSweep()
    for file in files:
        if stop():
            break
        done = process.run([target.binary("host-test"), "--json", "--sweep", file], deadline=_DEADLINE, env=SANITIZER_ENV,
                           stop=stop)
        if stop():
            break
        try:
            answer = json.loads(done.output.strip().splitlines()[-1])
            sites.add(answer.get("sites", ()), "host")
            result.injections += int(answer["faults"]["fired"])
            result.files += 1
        except (IndexError, ValueError, KeyError) as error:
            result.error = f"{target.name} {file.name}: the sweep gave no result ({error}, status {done.status})"
            continue
        if done.status != 0:
            result.failing.append((file, done.output + done.errors))
    return result
