"""Debian's own programs as clients: scripts in user/compare/scripts name the packages they need in their second line."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from faultline import debian
from faultline.errors import FaultlineError
from faultline.paths import ROOT

SCRIPTS = ROOT / "user" / "compare" / "scripts"
_NEEDS = "# needs:"
# What no script opens, and is large.
_LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/bash", "usr/lib/aarch64-linux-gnu/gconv",
             "usr/share/gawk", "usr/share/lintian", "usr/share/bug", "usr/share/menu", "usr/share/perl5", "etc")


def scripts() -> list[str]:
    """The names of all scripts."""
    return sorted(path.stem for path in SCRIPTS.glob("*.sh"))


def needs(name: str) -> list[str]:
    """The packages a script needs. Raises FaultlineError when it does not say."""
    line = (SCRIPTS / f"{name}.sh").read_text().splitlines()[1]
    if not line.startswith(_NEEDS):
        raise FaultlineError(f"user/compare/scripts/{name}.sh: its second line is '{_NEEDS} PACKAGE…'")
    return line.removeprefix(_NEEDS).split()


def files(names: Iterable[str]) -> dict[str, bytes | str]:
    """The scripts and everything of their packages, by path in the guest; text is a link's target. Raises FaultlineError when
    a package cannot be had."""
    names = list(names)
    found: dict[str, bytes | str] = {}
    for package in dict.fromkeys(package for name in names for package in needs(name)):
        found |= _package(debian.unpacked(package))
    if "bin/dash" in found:
        found.setdefault("bin/sh", "dash")
    return found | {f"scripts/{name}": (SCRIPTS / f"{name}.sh").read_bytes() for name in names}


def _package(folder: Path) -> dict[str, bytes | str]:
    found: dict[str, bytes | str] = {}
    for where, folders, names in os.walk(folder):
        inside = str(Path(where).relative_to(folder))
        folders[:] = [name for name in folders if os.path.normpath(f"{inside}/{name}") not in _LEFT_OUT]
        for name in names + [name for name in folders if (Path(where) / name).is_symlink()]:
            path, place = Path(where) / name, os.path.normpath(f"{inside}/{name}")
            if path.is_symlink():
                found[place] = os.readlink(path)
            elif stat.S_ISREG(path.stat().st_mode):
                found[place] = path.read_bytes()
    return found
