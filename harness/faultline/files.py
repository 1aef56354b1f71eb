"""Files in folders that others may have written to: no link is followed that somebody left there."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import BinaryIO


def write(path: Path, data: bytes | str, mode: int | None = None) -> None:
    """Makes the file, or puts a new one into its place: whole or not at all. `mode` is its mode, whatever the umask. Raises
    OSError, and then leaves what was there."""
    with _replacing(path, mode) as sink:
        sink.write(data.encode() if isinstance(data, str) else data)


def copy(source: Path, path: Path, mode: int | None = None) -> None:
    """write() with the contents of a plain file. Raises OSError."""
    with take(source) as origin, _replacing(path, mode) as sink:
        shutil.copyfileobj(origin, sink)


def create(path: Path) -> BinaryIO:
    """A new file at once in its place, to be written while others read it. Raises OSError."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666), "wb")


def take(path: Path) -> BinaryIO:
    """Opens a plain file to read, which is no link. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "is no plain file", str(path))
    return os.fdopen(file, "rb")


class _replacing:
    """A new file that gets its name when all is written."""

    def __init__(self, path: Path, mode: int | None):
        self._path = path
        self._partial = path.with_name(f".{secrets.token_hex(8)}")
        self._mode = mode

    def __enter__(self) -> BinaryIO:
        if self._path.exists() and not self._path.is_file():
            raise OSError(errno.EEXIST, "is no file", str(self._path))  # a device keeps its name
        self._sink = create(self._partial)
        if self._mode is not None:
            os.fchmod(self._sink.fileno(), self._mode)
        return self._sink

    def __exit__(self, kind, *_) -> None:
        try:
            self._sink.close()
            if kind is None:
                self._partial.rename(self._path)
        finally:
            self._partial.unlink(missing_ok=True)
