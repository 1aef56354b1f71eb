"""Whose rights a program has that runs what anybody may have written: nobody's.

A verb that root starts gives such a child another user, no groups, no capabilities, and no way to get any. The user is
nobody (65534): it is there on every system and in every container without being made, and owns no files, so that what
it can read or write is what everybody can. Whatever else runs as nobody is not kept from it: fuzzers that run side by
side could disturb each other.

Such a child writes into folders that were given to it: below a folder of ours, and made for this one run. They are
taken back before anything in them is read, and then hold plain files and folders only: nothing that leads elsewhere, and
nothing that the child can still change.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from faultline import files
from faultline.paths import ROOT

USER = 65534
SETPRIV = "/usr/bin/setpriv"
_WORDS = (f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all",
          "--no-new-privs")
_TOLD = ("PATH", "LANG", "LANGUAGE", "TERM", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
_TOLD_OF = ("AFL_", "ASAN_", "FAULTLINE_", "GLIBC_", "LC_", "LLVM_", "LSAN_", "MSAN_", "TSAN_", "UBSAN_")
_lock = threading.Lock()
_said = False


def words(argv: Sequence[str | Path], writes: Sequence[Path] = ()) -> tuple[str, ...]:
    """What setpriv is told so that argv runs as nobody, where we are root: () when we are not, or where it cannot be,
    which is said once. The folders `writes` are nobody's from now on, until take_back()."""
    if os.geteuid() != 0:
        return ()
    reason = _impossible() or _closed([str(word) for word in argv], writes)
    if not reason:
        try:
            for folder in writes:
                _give(folder)
        except OSError as error:
            reason = f"a folder cannot be given away ({error}); put the checkout and --out where root can change owners"
    if reason:
        _say(reason)
        return ()
    return _WORDS


def environment() -> dict[str, str]:
    """Ours for such a child: where we are root without what may be a secret of root's, such as a token of the service that tests."""
    if os.geteuid() != 0:
        return dict(os.environ)
    return {name: value for name, value in os.environ.items() if name in _TOLD or name.startswith(_TOLD_OF)} | {"HOME": "/"}


@cache
def _impossible() -> str:
    """Why there can be no such child at all, "" when there can."""
    try:
        done = subprocess.run([SETPRIV, *_WORDS, "--", "/bin/true"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{SETPRIV} cannot be run ({error}); scripts/setup installs what is missing"
    if done.returncode == 0:
        return ""
    return f"this machine lets root become no other user ({done.stderr.strip()}); start the verb as an ordinary user"


def _closed(argv: Sequence[str], writes: Sequence[Path]) -> str:
    ours = [ROOT] if any(word.startswith(f"{ROOT}/") for word in argv[1:]) else []
    for path, wanted in ((Path(argv[0]), 5), *((folder, 1) for folder in (*ours, *(folder.parent for folder in writes)))):
        part = barrier(path, wanted)
        if part:
            return (f"user {USER} (nobody) cannot enter or read {part}; put the checkout and --out where everybody can go, or start the "
                    "verb as an ordinary user")
    return ""


def barrier(path: Path, wanted: int = 4) -> Path | None:
    """The first part of a path that keeps nobody from it, None when nothing does. `wanted`: bits of read (4), write, execute (1)."""
    try:
        path = path.resolve()
        for part in (*reversed(path.parents), path):
            status = part.stat()
            bits = status.st_mode >> (6 if status.st_uid == USER else 3 if status.st_gid == USER else 0)
            need = wanted if part == path else 1
            if bits & need != need:
                return part
    except OSError:
        return path
    return None


def _say(reason: str) -> None:
    global _said
    with _lock:
        if not _said:
            _said = True
            print(f"faultline: inputs run with root's rights: {reason}", file=sys.stderr, flush=True)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _give(folder: Path) -> None:
    """The folder, and the plain files that an earlier child left in it. Raises OSError."""
    place = _open(folder)
    try:
        if os.fstat(place).st_uid == USER:
            return
        for name in os.listdir(place):  # while nobody but us can exchange them
            status = os.stat(name, dir_fd=place, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                os.chown(name, USER, USER, dir_fd=place, follow_symlinks=False)
        os.fchown(place, USER, USER)
    finally:
        os.close(place)


def take_back(writes: Sequence[Path]) -> None:
    """What was given is ours again, with all in it; what is neither a folder nor a file with one name is gone. Nothing to do for
    folders that were not given. Raises OSError."""
    if os.geteuid() != 0:
        return
    for folder in writes:
        place = _open(folder)
        try:
            if os.fstat(place).st_uid == USER:
                _take(place)
        finally:
            os.close(place)


def _take(place: int) -> None:
    """From the top down: what lies in a folder of ours cannot be exchanged any more when we come to it."""
    _own(place, 0o755)
    for _, folders, names, below in os.fwalk(".", dir_fd=place):
        for name in (*folders, *names):
            status = os.stat(name, dir_fd=below, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode) and (not stat.S_ISREG(status.st_mode) or status.st_nlink != 1):
                os.unlink(name, dir_fd=below)
                continue
            entry = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=below)
            try:
                _own(entry, 0o755 if stat.S_ISDIR(status.st_mode) else 0o644)
            finally:
                os.close(entry)


def _own(entry: int, most: int) -> None:
    """The owner first: nobody could change the mode again. The mode also bounds what an access list grants."""
    os.fchown(entry, os.geteuid(), os.getegid())
    os.fchmod(entry, os.fstat(entry).st_mode & most | 0o600 | most & 0o100)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for a while, that nobody can read and not write. Its files are to be made with files.write(…, mode=0o644)."""
    with tempfile.TemporaryDirectory(prefix="faultline-") as name:
        if os.geteuid() == 0:
            try:
                os.chown(name, -1, USER)
                os.chmod(name, 0o750)
            except OSError:
                pass  # then words() says why not
        yield Path(name)


@contextmanager
def readable(paths: Sequence[Path], program: str | Path) -> Iterator[list[Path]]:
    """The files, or copies of those that `program` as nobody cannot read, for a while. Links are left as they are: who made one
    need not have had the right to read what it leads to."""
    closed = [path for path in paths if barrier(path) and path.is_file() and not path.is_symlink()] if words([program]) else []
    if not closed:
        yield list(paths)
        return
    with scratch() as folder:
        copies = {path: folder / f"{number}-{path.name}" for number, path in enumerate(closed)}
        for path, copy in copies.items():
            files.copy(path, copy, mode=0o644)
        yield [copies.get(path, path) for path in paths]
