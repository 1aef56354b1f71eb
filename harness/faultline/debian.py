"""Packages of Debian for arm64: downloaded when first needed, unpacked under build/userland, never installed."""

from __future__ import annotations

import fcntl
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from faultline import process
from faultline.errors import FaultlineError
from faultline.paths import BUILD

CACHE = BUILD / "userland"
_ETC = Path("/etc/apt")
_DEADLINE = 600.0  # seconds for one download


@contextmanager
def _locked():
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _apt(*words: str, folder: Path) -> process.Finished:
    # _apt may not write to our folder, hence the user; arm64 may not be among this machine's architectures.
    return process.run(["apt-get", "-o", "APT::Sandbox::User=root", "-o", "APT::Architectures::=arm64", *words],
                       deadline=_DEADLINE, cwd=folder, merge=True)


def _say(done: process.Finished) -> str:
    lines = [line for line in done.output.strip().splitlines() if line.startswith(("E:", "W:", "Err"))]
    return "; ".join(lines[-2:]) or ("it took too long" if done.timed_out else f"it ended with {done.status}")


def unpacked(package: str, architecture: str = ":arm64") -> Path:
    """The folder with a package's files, e.g. unpacked("dash") / "bin/dash". Raises FaultlineError naming what failed.
    `architecture` is "" for packages of all."""
    place = CACHE / "debian" / package
    with _locked():
        if place.is_dir():
            return place
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            folder = Path(name)
            done = _apt("download", "-qq", f"{package}{architecture}", folder=folder)
            if done.status != 0:
                _apt("update", "-qq", folder=folder)
                done = _apt("download", "-qq", f"{package}{architecture}", folder=folder)
            files = list(folder.glob("*.deb"))
            if done.status != 0 or len(files) != 1:
                raise FaultlineError(f"Debian's package {package}{architecture} cannot be downloaded: {_say(done)}")
            done = process.run(["dpkg-deb", "-x", files[0], folder / "files"], deadline=_DEADLINE, merge=True)
            if done.status != 0:
                raise FaultlineError(f"Debian's package {package}{architecture} cannot be unpacked: {done.output.strip()}")
            (folder / "files" / ".version").write_text(files[0].stem + "\n")
            place.parent.mkdir(parents=True, exist_ok=True)
            (folder / "files").rename(place)
    return place


def depends(package: str) -> list[str]:
    """What the newest version of a package depends on: first alternatives, without versions."""
    done = process.run(["apt-cache", "show", "--no-all-versions", f"{package}:arm64"], deadline=60)
    for line in done.output.splitlines():
        if line.startswith("Depends:"):
            return [part.split("|")[0].split("(")[0].strip().split(":")[0] for part in line[8:].split(",")]
    if done.status != 0:
        raise FaultlineError(f"Debian's package {package}:arm64 is not known: apt-get update has not been run, or it is gone")
    return []


def linux() -> Path:
    """The Image of Debian's kernel for virtual machines. Raises FaultlineError."""
    image = CACHE / "linux" / "Image"
    if not image.is_file():
        names = [name for name in depends("linux-image-cloud-arm64") if name.startswith("linux-image-")]
        if not names:
            raise FaultlineError("Debian's linux-image-cloud-arm64 names no kernel")
        kernels = sorted((unpacked(names[0]) / "boot").glob("vmlinuz-*"))
        if not kernels or kernels[0].read_bytes()[56:60] != b"ARMd":
            raise FaultlineError(f"{names[0]} holds no plain arm64 Image")
        image.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kernels[0], image.with_suffix(".partial"))
        (image.parent / "version").write_text(kernels[0].name.removeprefix("vmlinuz-") + "\n")
        image.with_suffix(".partial").rename(image)
    return image


def linux_version() -> str:
    """Such as 6.1.0-56-cloud-arm64."""
    return (linux().parent / "version").read_text().strip()


def _source_lists(folder: Path) -> None:
    """This machine's own lists, for sources: which are not often among them."""
    folder.mkdir()
    for number, path in enumerate([_ETC / "sources.list", *sorted((_ETC / "sources.list.d").glob("*"))]):
        if not path.is_file() or path.suffix not in (".list", ".sources"):
            continue
        text = path.read_text()
        if path.suffix == ".sources":
            text = re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.MULTILINE)
        else:
            text = "".join(f"deb-src{line[3:]}\n" for line in text.splitlines() if line.startswith(("deb ", "deb\t")))
        (folder / f"{number}{path.suffix}").write_text(text)


def source(package: str) -> Path:
    """The unpacked source package, Debian's patches applied. Raises FaultlineError naming what failed."""
    place = CACHE / "source" / package
    with _locked():
        if place.is_dir():
            return place
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            folder = Path(name)
            state = CACHE / "apt"
            (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
            _source_lists(folder / "parts")
            options = ["-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={folder / 'parts'}",
                       "-o", f"Dir::State::Lists={state / 'lists'}"]
            for words in (["update", "-qq"], ["source", "-qq", "--only-source", package]):
                done = _apt(*options, *words, folder=folder)
                if done.status != 0:
                    raise FaultlineError(f"Debian's source package {package} cannot be downloaded: {_say(done)}")
            folders = [path for path in folder.iterdir() if path.is_dir() and path.name != "parts"]
            if len(folders) != 1:
                raise FaultlineError(f"Debian's source package {package} was not unpacked (is dpkg-dev installed?)")
            place.parent.mkdir(parents=True, exist_ok=True)
            folders[0].rename(place)
    return place

