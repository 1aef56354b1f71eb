"""The same exhaustive failure on the simulated machine: every seed and regression, swept by the replay program."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from faultline import files as our_files
from faultline import process, untrusted
from faultline.campaign.sites import Sites
from faultline.campaign.targets import Target
from faultline.campaign.triage import SANITIZER_ENV

_DEADLINE = 900.0  # seconds per file; a run that does not end is seen by the program itself


@dataclass
class HostSweep:
    """`failing` are (the input with the failing plan in it, what it reports, the swept file)."""

    injections: int = 0
    files: int = 0
    failing: list[tuple[bytes, str, Path]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def sweep(target: Target, files: list[Path], sites: Sites, stop: Callable[[], bool]) -> HostSweep:
    """Fails the 1st, 2nd, … operation of every input, once and for good."""
    result = HostSweep()
    for file in files:
        if stop():
            break
        program = target.binary("host-test")
        with untrusted.readable([file], program) as inputs:
            done = process.run([program, "--json", "--sweep", *inputs], deadline=_DEADLINE, env=SANITIZER_ENV, stop=stop, untrusted=True)
        if stop():
            break
        try:
            answer = json.loads(done.output.strip().splitlines()[-1])
            sites.add(answer.get("sites", ()), "host")
            result.injections += int(answer["faults"]["fired"])
            result.files += 1
        except (IndexError, ValueError, KeyError) as error:
            result.errors.append(f"{target.name} {file.name}: the sweep gave no result ({error}, status {done.status})")
            continue
        if done.status != 0:
            _keep(result, target, file, answer["faults"], done.errors)
    return result


def _keep(result: HostSweep, target: Target, file: Path, faults: dict, report: str) -> None:
    """Makes a failed sweep an input that fails by itself: the plan it failed with goes into the file."""
    plan = bytes.fromhex(faults["bytes"] or "")
    data = plan + file.read_bytes()[len(plan):]
    with untrusted.scratch() as scratch:
        our_files.write(scratch / "input", data, mode=0o644)
        again = process.run([target.binary("host-test"), scratch / "input"], deadline=_DEADLINE, env=SANITIZER_ENV, untrusted=True)
    if plan and again.status != 0:
        result.failing.append((data, again.errors, file))
    else:
        result.errors.append(f"{target.name}: the sweep of {file.name} fails with plan {faults['plan']}, and not by itself: "
                             f"{report.strip()[-300:]}")
