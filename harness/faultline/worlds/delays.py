"""The same program with one of its tasks late: an order of tasks that no schedule of the simulated machine may bring about,
where each has a CPU of its own, but a machine on which others run first does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from faultline.worlds.program import CALLS_MAX
from faultline.worlds.text import CALL, from_text, to_text
from faultline.worlds.trace import Fact, Key

_DELAYS = [round(10_000 * 1.5 ** step) for step in range(13)] + [1_999_999]  # ns; there are no longer ones


def delayed(data: bytes, key: Key) -> Iterator[tuple[bytes, int]]:
    """Programs in which a list begins late, or comes late to the call of `key`, by ever more; with the index of the call that
    is new. Raises FaultlineError when the tool cannot be run."""
    lines = to_text(data)
    calls = [index for index, line in enumerate(lines) if CALL.match(line)]
    first = {CALL.match(lines[index])[1]: number for number, index in reversed(list(enumerate(calls)))}
    if len(calls) >= CALLS_MAX:
        return
    places = sorted({*first.values(), *([key.call] if key.what == "call" else [])})
    for delay, number in product(reversed(_DELAYS), places):
        at = calls[number]
        yield from_text([*lines[:at], f"{lines[at][:2]}: nanosleep({{0, {delay}}}, 0)", *lines[at:]]), number


def leave_out(facts: dict[Key, Fact], number: int) -> dict[Key, Fact]:
    """Facts as if there were no call of that index."""
    return {key._replace(call=key.call - (key.what == "call" and key.call > number)): fact for key, fact in facts.items()
            if key.what != "call" or key.call != number}
