"""Programs against musl: its static library and headers from Debian's package, with our compiler."""

from __future__ import annotations

from pathlib import Path

from faultline import debian, process
from faultline.errors import BuildFailed
from faultline.paths import BUILD, ROOT

SOURCES = ROOT / "user" / "compare"
PROGRAMS = ("libc", "files", "pipes", "processes", "signals")  # those of user/compare that are built a second time


def build(name: str) -> bytes:
    """user/compare/NAME.c, static, with musl. Raises BuildFailed, and FaultlineError when the package cannot be had."""
    package = debian.unpacked("musl-dev")
    library, headers = package / "usr/lib/aarch64-linux-musl", package / "usr/include/aarch64-linux-musl"
    place = BUILD / "musl" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    gcc = process.run(["aarch64-linux-gnu-gcc", "-print-libgcc-file-name"], deadline=60)
    own = Path(gcc.output.strip())
    done = process.run(["aarch64-linux-gnu-gcc", "-std=gnu2x", "-O1", "-w", "-D_GNU_SOURCE", "-nostdinc", "-nostdlib", "-static", "-s",
                        "-fno-stack-protector", "-mno-outline-atomics", "-I", ROOT, "-isystem", headers, "-isystem", own.parent / "include",
                        "-o", place, library / "crt1.o", library / "crti.o", SOURCES / f"{name}.c", library / "libc.a", own, own.with_name("libgcc_eh.a"),
                        library / "crtn.o"], deadline=120, merge=True)
    if done.status != 0:
        raise BuildFailed(f"user/compare/{name}.c cannot be built with musl:\n{done.output[-2000:]}")
    return place.read_bytes()
