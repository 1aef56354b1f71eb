"""busybox's own test suite, from Debian's source package: each applet's part is a command of the batch."""

from __future__ import annotations

from pathlib import Path

from faultline import debian, process
from faultline.compare.batch import Command
from faultline.errors import BuildFailed
from faultline.paths import BUILD, ROOT

RUNNERS = ROOT / "user" / "compare" / "busybox"
# Those whose tests need neither a network nor disks.
APPLETS = ("ar awk basename bunzip2 bzcat cal cat cmp comm cp cpio cryptpw cut date dc dd diff dirname du echo expand expr factor "
           "false find fold grep gunzip gzip head hexdump hostname id ln ls md5sum mkdir mv nl od parse paste patch pidof printf pwd "
           "readlink realpath rev rm rmdir rx sed seq sha1sum sha256sum sha512sum sort strings sum tail tar taskset tee test touch tr "
           "true uncompress unexpand uniq unlzma unzip uuencode wc which xargs xxd").split()
# What scripts/test runs of it; the rest takes minutes.
USUAL = tuple(f"bb-{name}" for name in (
    "awk cp cut dd expr find grep head ls mv printf sed seq sort tail tar test tr uniq wc xargs ash-arith ash-glob ash-heredoc ash-parsing "
    "ash-quoting ash-read ash-redir ash-vars").split())
_SECONDS = 120.0  # of the guest's time for one part
_HELPERS = ("recho", "zecho", "printenv")


def parts() -> list[str]:
    """The names of all parts: bb-APPLET and bb-ash-FOLDER, without a look at the sources."""
    folders = ("alias", "arith", "comm", "getopts", "glob", "heredoc", "invert", "misc", "parsing", "psubst", "quoting", "read", "redir",
               "signals", "standalone", "vars")
    return [f"bb-{name}" for name in APPLETS] + [f"bb-ash-{name}" for name in folders]


def command(part: str) -> Command:
    """How one part runs."""
    name = part.removeprefix("bb-")
    if name.startswith("ash-"):
        return Command(part, ("/bb/ash", name), _SECONDS)
    return Command(part, ("/bb/applet", name), _SECONDS)


def files() -> dict[str, bytes | str]:
    """The suite, its runners and helpers, by path in the guest. Raises FaultlineError when it cannot be had."""
    source = debian.source("busybox")
    found: dict[str, bytes | str] = {"bb/config": (source / "debian/config/pkg/static").read_bytes()}
    for folder, place in (("testsuite", "bb/testsuite"), ("shell/ash_test", "bb/ash_test")):
        for path in sorted((source / folder).rglob("*")):
            if path.is_file():
                found[f"{place}/{path.relative_to(source / folder)}"] = _own_shell(path.read_bytes())
    found["bb/testsuite/runtest"] = _links_once(found["bb/testsuite/runtest"])
    found["bb/sh"] = "/bin/busybox"
    for runner in ("applet", "ash"):
        found[f"bb/{runner}"] = (RUNNERS / runner).read_bytes()
    for name in _HELPERS:
        found[f"bb/ash_test/{name}"] = _helper(source / "shell" / "ash_test" / f"{name}.c")
    return found


def _own_shell(data: bytes) -> bytes:
    """/bin/sh may be another shell here."""
    return data.replace(b"#!/bin/sh", b"#!/bb/sh", 1) if data.startswith(b"#!/bin/sh") else data


def _links_once(runtest: bytes) -> bytes:
    """The suite's runner without its hundreds of links, which it makes for every applet anew."""
    for old, new in ((b'LINKSDIR="$bindir/runtest-tempdir-links"', b'LINKSDIR=/bb/links'), (b'rm -rf "$LINKSDIR"', b":"),
                     (b"for i in $implemented; do", b"for i in; do")):
        if old not in runtest:
            raise BuildFailed(f"busybox's runtest is not what it was: no {old.decode()!r}")
        runtest = runtest.replace(old, new)
    return runtest


def _helper(source: Path) -> bytes:
    place = BUILD / "busybox" / source.stem
    place.parent.mkdir(parents=True, exist_ok=True)
    done = process.run(["aarch64-linux-gnu-gcc", "-O1", "-w", "-static", "-s", "-o", place, source], deadline=120, merge=True)
    if done.status != 0:
        raise BuildFailed(f"{source.name} of busybox's tests cannot be built:\n{done.output[-1000:]}")
    return place.read_bytes()
