"""The shortest input that fails in the same way: pieces are cut out, from halves down to single bytes; of a program, calls
and what they are given (shorten.py).

libFuzzer's own minimiser keeps any failure; here the kind and the place must stay.
"""

from __future__ import annotations

import json
import re
import time

from faultline import files, process, untrusted
from faultline.campaign import shorten
from faultline.campaign.targets import Target
from faultline.campaign.triage import SANITIZER_ENV

SECONDS = 60.0    # for the whole search
_BATCH = 32       # candidates given to one run of the replay program
_DEADLINE = 120.0  # seconds for one such run
_FRAMES = 6       # of the stack, as far as it belongs to the failure
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_PLAN_SIZE = 8


def minimize(target: Target, data: bytes) -> bytes:
    """`data` has to fail; so does what comes back."""
    wanted = _failures(target, [data])[0]
    until = time.monotonic() + SECONDS
    best = _first(target, wanted, [bytes(_PLAN_SIZE) + data[_PLAN_SIZE:]], until) or data  # without its fault, if it can be
    if target.boots:
        return shorten.shorten(best, lambda candidates: _first(target, wanted, candidates, until))
    size = max(1, len(best) // 2)
    while size and time.monotonic() < until:
        shorter = _first(target, wanted, [best[:at] + best[at + size:] for at in range(0, len(best), size)][::-1], until)
        if shorter is not None:
            best = shorter
            size = min(size, max(1, len(best) // 2))
        else:
            size //= 2
    return best


def _first(target: Target, wanted: tuple, candidates: list[bytes], until: float) -> bytes | None:
    """The first candidate that fails as wanted."""
    for start in range(0, len(candidates), _BATCH):
        if time.monotonic() > until:
            return None
        batch = candidates[start:start + _BATCH]
        for candidate, failure in zip(batch, _failures(target, batch)):
            if failure == wanted:
                return candidate
    return None


def _failures(target: Target, inputs: list[bytes]) -> list[tuple | None]:
    """For each input None, or what tells its failure from others: kind, frames, and the sentence without its numbers."""
    with untrusted.scratch() as scratch:
        paths = [scratch / str(number) for number in range(len(inputs))]
        for path, data in zip(paths, inputs):
            files.write(path, data, mode=0o644)
        done = process.run([target.binary("host-test"), "--json", *paths], deadline=_DEADLINE, env=SANITIZER_ENV, untrusted=True)
    answers = [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]
    found: list[tuple | None] = [None] * len(inputs)
    for number, answer in enumerate(answers):
        if answer["verdict"] != "pass":
            found[number] = (answer["kind"], tuple(answer["frames"][:_FRAMES]), _NUMBER.sub("N", answer["text"]))
    return found
