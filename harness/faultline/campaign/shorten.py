"""Shorter forms of a program (user/prog/prog.h): calls left out, then settings, choices and arguments, in its text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from faultline.worlds.text import CALL, from_text, to_text

_LABEL = re.compile(r"^t\d: (r\d+) = ")


def shorten(data: bytes, still: Callable[[list[bytes]], bytes | None]) -> bytes:
    """The shortest form found. `still` gives the first of some files that is as good as data, or None when there is none or
    time is up."""
    best, lines = data, to_text(data)
    for step in (_without_calls, _without_settings, _shorter_choices, _plainer_arguments, _without_calls):
        again = True
        while again:
            again = False
            candidates = [(candidate, from_text(candidate)) for candidate in step(lines)]
            found = still([encoded for _, encoded in candidates])
            if found is not None and found != best:
                best, again = found, True
                lines = next(candidate for candidate, encoded in candidates if encoded == found)
    return best


def _without(lines: list[str], leave_out: set[int]) -> list[str]:
    """Results of calls that are left out become 0."""
    gone = {match[1] for index in leave_out if (match := _LABEL.match(lines[index]))}
    kept = [line for index, line in enumerate(lines) if index not in leave_out]
    return [re.sub(r"\b(r\d+)(\.\d)?\b", lambda match: "0" if match[1] in gone else match[0], line) for line in kept]


def _without_calls(lines: list[str]) -> Iterator[list[str]]:
    calls = [index for index, line in enumerate(lines) if CALL.match(line)]
    size = max(1, len(calls) // 2)
    while size:
        for start in range(0, len(calls), size):
            yield _without(lines, set(calls[start:start + size]))
        size //= 2


def _without_settings(lines: list[str]) -> Iterator[list[str]]:
    for index, line in enumerate(lines):
        if not CALL.match(line) and not line.startswith("choices"):
            yield lines[:index] + lines[index + 1:]
        if "fail_nth" in line:
            yield lines[:index] + [re.sub(r"\s*fail_nth \d+", "", line)] + lines[index + 1:]


def _shorter_choices(lines: list[str]) -> Iterator[list[str]]:
    for index, line in enumerate(lines):
        if line.startswith("choices "):
            data = bytes.fromhex(line.removeprefix("choices "))
            yield lines[:index] + lines[index + 1:]
            size = len(data) // 2
            while size:
                for start in range(0, len(data), size):  # they are used from the end on
                    rest = data[:start] + data[start + size:]
                    yield lines[:index] + [f"choices {rest.hex()}"] + lines[index + 1:]
                size //= 2


def _plainer_arguments(lines: list[str]) -> Iterator[list[str]]:
    for index, line in enumerate(lines):
        opening = line.find("(")
        if not CALL.match(line) or opening < 0:
            continue
        end = line.rfind(")")
        arguments = _split(line[opening + 1:end])
        for at, argument in enumerate(arguments):
            if argument != "0":
                plain = arguments[:at] + ["0"] + arguments[at + 1:]
                yield lines[:index] + [f"{line[:opening + 1]}{', '.join(plain)}{line[end:]}"] + lines[index + 1:]


def _split(text: str) -> list[str]:
    """Arguments at the top: commas inside brackets and texts do not count."""
    parts, depth, quoted, start, at = [], 0, False, 0, 0
    while at < len(text):
        c = text[at]
        if quoted:
            at += c == "\\"
            quoted = c != '"'
        elif c == '"':
            quoted = True
        elif c in "[{(<":
            depth += 1
        elif c in "]})>":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
        at += 1
    rest = text[start:].strip()
    return parts + [rest] if rest else parts
