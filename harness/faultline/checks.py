"""Checks of the sources themselves: who includes what, what kernel/ may not hold, how long a file may be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultline.paths import ROOT

MAX_LINES = 800
_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)

# For each folder, the beginnings of what its files may include (besides what lies in the same folder).
ALLOWED = {
    "kernel": ("kernel/", "hal/", "machine/", "fault/"),
    "hal": ("kernel/base/", "hal/", "machine/"),
    "fault": ("kernel/base/", "fault/"),
    "tests/kernel": ("kernel/", "hal/", "machine/", "fault/", "user/"),
}
# Headers of the compiler, which every freestanding program has; and libfdt and zlib, which are linked.
_FREESTANDING = {"stdarg.h", "stddef.h", "stdint.h", "stdbool.h", "limits.h", "stdalign.h", "stdatomic.h", "libfdt.h", "fdt.h", "zlib.h"}

# What may not stand in kernel/: (rule, pattern).
FORBIDDEN = (
    ("hal-only-asm", re.compile(r"\b(?:__asm__|__asm|asm)\b\s*(?:volatile|goto|__volatile__)?\s*\(")),
    ("hal-only-asm", re.compile(r"\bvolatile\b")),
    ("address-types", re.compile(r"\(\s*(?:const\s+)?(?:\w+\s+)*\w+\s*\*+\s*\)\s*\(?\s*(?:\(u?int\w*_t\)|0x[0-9a-fA-F]+)")),
    ("no-test-ifdef", re.compile(r"#\s*(?:if|ifdef|ifndef|elif)\b.*\b(?:FAULTLINE_MACHINE|FAULTLINE_HOST|HOST|__x86_64__|__linux__|"
                                 r"__aarch64__|FUZZ\w*|TEST\w*|UNIT_TEST|__SANITIZE\w*|__has_feature|__AFL\w*|FAULTLINE_ENGINE)\b")),
)


@dataclass(frozen=True)
class Violation:
    """One line that breaks a rule. `line` counts from 1."""

    path: str
    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.what}"


def strip_comments(text: str) -> str:
    """Comments and string contents become spaces; lines stay where they are."""
    def blank(match: re.Match) -> str:
        found = match[0]
        if found.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", found)
        return found[0] + " " * (len(found) - 2) + found[-1]

    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.DOTALL)


def check_source(path: str, text: str) -> Iterator[Violation]:
    """All violations of one file; `path` is relative to the project."""
    lines = text.count("\n")
    if lines > MAX_LINES:
        yield Violation(path, MAX_LINES, "file-size", f"{lines} lines, at most {MAX_LINES}")
    yield from _includes(path, text)
    if path.startswith("kernel/"):
        bare = strip_comments(text)
        for rule, pattern in FORBIDDEN:
            for match in pattern.finditer(bare):
                yield Violation(path, bare.count("\n", 0, match.start()) + 1, rule, f"'{match[0].strip()}' in kernel/")


def _includes(path: str, text: str) -> Iterator[Violation]:
    folder = next((f for f in sorted(ALLOWED, key=len, reverse=True) if path.startswith(f + "/")), None)
    if folder is None or path.startswith("hal/host/"):
        return  # the simulated machine is a host program: it may have libc, and is checked below for the kernel only
    for match in _INCLUDE.finditer(text):
        name = match[2]
        beside = match[1] == '"' and "/" not in name
        if name in _FREESTANDING or beside or name.startswith(ALLOWED[folder]) or name.startswith(str(Path(path).parent) + "/"):
            continue
        line = text.count("\n", 0, match.start()) + 1
        yield Violation(path, line, "include-direction", f"{folder}/ may not include {name}")


def check_tree(root: Path = ROOT) -> list[Violation]:
    """All violations of the tree's C and assembly sources and Python files."""
    found: list[Violation] = []
    for folder in ("kernel", "hal", "fault", "harness", "fuzz", "user", "tests", "qemu-tests"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".S", ".py") and path.is_file():
                found += check_source(str(path.relative_to(root)), path.read_text(errors="replace"))
    return found


def unbuilt(root: Path, presets: Sequence[str]) -> list[str]:
    """C and assembly sources that no preset compiles: whatever is wrong in them would go unseen."""
    built = set()
    for preset in presets:
        for entry in json.loads((root / "build" / preset / "compile_commands.json").read_text()):
            built.add((Path(entry["directory"]) / entry["file"]).resolve())
    return [f"{path.relative_to(root)} is compiled by none of {' '.join(presets)}"
            for folder in ("kernel", "hal", "fault", "user", "tests")
            for path in sorted((root / folder).rglob("*.[cS]")) if path.resolve() not in built]


# One planted violation per rule: the check proves that it can fail before it is believed.
PLANTED = (
    ("kernel/mm/planted.c", '#include "harness/fuzz.h"\n', "include-direction"),
    ("fault/planted.c", '#include "kernel/mm/buddy.h"\n', "include-direction"),
    ("kernel/mm/planted.c", "#include <stdlib.h>\n", "include-direction"),
    ("kernel/mm/planted.c", 'void f(void) { __asm__ volatile("nop"); }\n', "hal-only-asm"),
    ("kernel/mm/planted.c", "volatile int x;\n", "hal-only-asm"),
    ("kernel/mm/planted.c", "int *p = (int *)0x9000000;\n", "address-types"),
    ("kernel/mm/planted.c", "int *f(unsigned long a) { return (int *)(uintptr_t)a; }\n", "address-types"),
    ("kernel/mm/planted.c", "#ifdef __x86_64__\n#endif\n", "no-test-ifdef"),
    ("kernel/mm/planted.c", "\n" * (MAX_LINES + 1), "file-size"),
)


def self_test() -> list[str]:
    """What the check fails to see; [] when it sees every planted violation and nothing in a clean file."""
    missed = [f"{rule} in {path}: {text.strip()[:50]!r}" for path, text, rule in PLANTED
              if not any(violation.rule == rule for violation in check_source(path, text))]
    clean = '#include "kernel/base/types.h"\n#include <hal/cpu.h>\n// volatile asm() in a comment\nconst char *s = "volatile";\n'
    missed += [f"false alarm: {violation}" for violation in check_source("kernel/mm/planted.c", clean)]
    return missed
