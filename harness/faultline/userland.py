"""The first files: Debian's own static busybox, links for its applets, and what a test adds, as a cpio archive."""

from __future__ import annotations

from pathlib import Path

from faultline import files as written
from faultline.errors import FaultlineError
from faultline.paths import BUILD

BUSYBOX = BUILD / "userland" / "busybox"
APPLETS = ("sh ash awk base64 basename cat chmod chown clear cmp cp cut date dd dirname du echo egrep env expr false find fold "
           "grep gunzip gzip head hexdump hostname id kill less ln ls md5sum mkdir mknod mktemp more mv nl od paste printf "
           "pwd readlink realpath rev rm rmdir sed seq sha256sum sleep sort split stat strings sync tac tail tar tee test time "
           "timeout touch tr true tty uname uniq unlink usleep vi wc which whoami xargs yes").split()
_FOLDERS = ("bin", "dev", "etc", "proc", "root", "sys", "tmp")
_FILE, _FOLDER, _LINK = 0o100000, 0o040000, 0o120000


class Archive:
    """A cpio archive in its "newc" form, entry by entry."""

    def __init__(self):
        self._parts: list[bytes] = []
        self._count = 0
        self._folders: set[str] = set()

    def _add(self, name: str, mode: int, data: bytes = b"") -> None:
        self._count += 1
        text = name.encode() + b"\0"
        fields = (self._count, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(text), 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + text
        self._parts += [head, bytes(-len(head) % 4), data, bytes(-len(data) % 4)]

    def folder(self, name: str) -> None:
        """A folder and those above it, where they are not there yet."""
        if name in ("", ".") or name in self._folders:
            return
        self.folder(str(Path(name).parent))
        self._folders.add(name)
        self._add(name, _FOLDER | 0o755)

    def file(self, name: str, data: bytes, mode: int = 0o755) -> None:
        self.folder(str(Path(name).parent))
        self._add(name, _FILE | mode, data)

    def link(self, name: str, target: str) -> None:
        self.folder(str(Path(name).parent))
        self._add(name, _LINK | 0o777, target.encode())

    def bytes(self) -> bytes:
        """The whole, with its end."""
        self._add("TRAILER!!!", 0)
        return b"".join(self._parts)


def initrd(path: Path, files: dict[str, bytes | str] | None = None, applets: bool = True) -> Path:
    """Writes the first files to `path`: busybox, links for its applets where wanted, and `files` by name (text is what a link
    leads to). Raises FaultlineError when busybox is not there."""
    if not BUSYBOX.is_file():
        raise FaultlineError(f"no {BUSYBOX} (scripts/setup unpacks it)")
    archive = Archive()
    for name in _FOLDERS:
        archive.folder(name)
    archive.file("bin/busybox", BUSYBOX.read_bytes())
    for name in APPLETS if applets else ():
        archive.link(f"bin/{name}", "busybox")
    archive.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", 0o644)
    archive.file("etc/group", b"root:x:0:\n", 0o644)
    for name, data in (files or {}).items():
        if isinstance(data, str):
            archive.link(name, data)
        else:
            archive.file(name, data)
    path.parent.mkdir(parents=True, exist_ok=True)
    written.write(path, archive.bytes(), mode=0o644)
    return path
