"""docs/system-calls.md from kernel/syscall/syscalls.def: each call, each argument, each flag. `python -m faultline.callpage` writes it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from faultline.errors import FaultlineError
from faultline.paths import ROOT

DEFINITION = ROOT / "kernel" / "syscall" / "syscalls.def"
PAGE = ROOT / "docs" / "system-calls.md"
NUMBERS = Path("/usr/aarch64-linux-gnu/include/asm-generic/unistd.h")  # what Linux has

_KINDS = {
    "FD": "descriptor", "FD_OR_CWD": "descriptor or `AT_FDCWD`", "INT": "32 bits", "UINT": "64 bits", "SIZE": "size, not negative",
    "PID": "process", "SIGNAL": "signal, 1 to 64", "PATH": "path", "ADDRESS": "address",
}
_CLOEXEC, _NONBLOCK = (0o2000000, "O_CLOEXEC"), (0o4000, "O_NONBLOCK")
_AT = [(0x100, "AT_SYMLINK_NOFOLLOW"), (0x1000, "AT_EMPTY_PATH")]
_SPLICE = [(1, "SPLICE_F_MOVE"), (2, "SPLICE_F_NONBLOCK"), (4, "SPLICE_F_MORE"), (8, "SPLICE_F_GIFT")]
_XATTR = [(1, "XATTR_CREATE"), (2, "XATTR_REPLACE")]
# Linux's flags by call and argument.
FLAGS: dict[tuple[str, str], list[tuple[int, str]]] = {
    ("setxattr", "flags"): _XATTR, ("lsetxattr", "flags"): _XATTR, ("fsetxattr", "flags"): _XATTR,
    ("eventfd2", "flags"): [(1, "EFD_SEMAPHORE"), _NONBLOCK, _CLOEXEC],
    ("epoll_create1", "flags"): [_CLOEXEC], ("dup3", "flags"): [_CLOEXEC],
    ("unlinkat", "flags"): [(0x200, "AT_REMOVEDIR")],
    ("linkat", "flags"): [(0x400, "AT_SYMLINK_FOLLOW"), (0x1000, "AT_EMPTY_PATH")],
    ("umount2", "flags"): [(1, "MNT_FORCE"), (2, "MNT_DETACH"), (4, "MNT_EXPIRE"), (8, "UMOUNT_NOFOLLOW")],
    ("faccessat", "mode"): [(1, "X_OK"), (2, "W_OK"), (4, "R_OK")],
    ("faccessat2", "mode"): [(1, "X_OK"), (2, "W_OK"), (4, "R_OK")],
    ("faccessat2", "flags"): [(0x200, "AT_EACCESS"), *_AT],
    ("execveat", "flags"): _AT, ("fchownat", "flags"): _AT, ("utimensat", "flags"): _AT,
    ("newfstatat", "flags"): [*_AT, (0x800, "AT_NO_AUTOMOUNT"), (0x2000, "AT_STATX_FORCE_SYNC"), (0x4000, "AT_STATX_DONT_SYNC")],
    ("statx", "flags"): [*_AT, (0x800, "AT_NO_AUTOMOUNT"), (0x2000, "AT_STATX_FORCE_SYNC"), (0x4000, "AT_STATX_DONT_SYNC")],
    ("pipe2", "flags"): [_NONBLOCK, (0o200000, "O_DIRECT"), _CLOEXEC],
    ("signalfd4", "flags"): [_NONBLOCK, _CLOEXEC], ("timerfd_create", "flags"): [_NONBLOCK, _CLOEXEC],
    ("timerfd_settime", "flags"): [(1, "TFD_TIMER_ABSTIME"), (2, "TFD_TIMER_CANCEL_ON_SET")],
    ("vmsplice", "flags"): _SPLICE, ("splice", "flags"): _SPLICE, ("tee", "flags"): _SPLICE,
    ("sync_file_range", "flags"): [(1, "WAIT_BEFORE"), (2, "WRITE"), (4, "WAIT_AFTER")],
    ("clock_nanosleep", "flags"): [(1, "TIMER_ABSTIME")], ("timer_settime", "flags"): [(1, "TIMER_ABSTIME")],
    ("mremap", "flags"): [(1, "MREMAP_MAYMOVE"), (2, "MREMAP_FIXED"), (4, "MREMAP_DONTUNMAP")],
    ("mmap", "prot"): [(1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC"), (0x10, "PROT_BTI"), (0x20, "PROT_MTE")],
    ("mprotect", "prot"): [(1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC"), (0x10, "PROT_BTI"), (0x20, "PROT_MTE")],
    ("msync", "flags"): [(1, "MS_ASYNC"), (2, "MS_INVALIDATE"), (4, "MS_SYNC")],
    ("mlockall", "flags"): [(1, "MCL_CURRENT"), (2, "MCL_FUTURE"), (4, "MCL_ONFAULT")],
    ("mlock2", "flags"): [(1, "MLOCK_ONFAULT")],
    ("renameat2", "flags"): [(1, "RENAME_NOREPLACE"), (2, "RENAME_EXCHANGE"), (4, "RENAME_WHITEOUT")],
    ("getrandom", "flags"): [(1, "GRND_NONBLOCK"), (2, "GRND_RANDOM"), (4, "GRND_INSECURE")],
    ("memfd_create", "flags"): [(1, "MFD_CLOEXEC"), (2, "MFD_ALLOW_SEALING"), (4, "MFD_HUGETLB")],
    ("close_range", "flags"): [(2, "CLOSE_RANGE_UNSHARE"), (4, "CLOSE_RANGE_CLOEXEC")],
    ("sendto", "flags"): [], ("copy_file_range", "flags"): [],
}
_LINE = re.compile(r"^SYSCALL\((\d+), (\w+)(?:, (.*))?\)$", re.MULTILINE)
_ARGUMENT = re.compile(r"(\w+)\((\w+)(?:,\s*([^)]+))?\)")
_HEAD = """# System calls

Made from `kernel/syscall/syscalls.def` by `python -m faultline.callpage`; a test holds the two together. Numbers, structures and
errors are Linux's for AArch64. An argument is checked as its kind says before the call begins: an address that cannot be the
program's gives `EFAULT`, an unknown flag or a negative size `EINVAL`, a negative descriptor `EBADF`. Words of kind "32 bits" and
"64 bits" are judged by the call itself; what differs from Linux stands in `CAVEATS.md` and `user/compare/differences.toml`.
"""


def _number(text: str) -> int:
    text = text.strip()
    return int(text, 16) if text.startswith("0x") else int(text, 8) if text.startswith("0") and text != "0" else int(text)


def _flags(call: str, argument: str, mask: int) -> str:
    known = FLAGS.get((call, argument), [])
    parts = [f"`{name}` {'yes' if mask & bit else 'no'}" for bit, name in sorted(known)]
    left = mask & ~sum(bit for bit, _ in known)
    parts += [f"`{1 << place:#x}` yes" for place in range(32) if left >> place & 1]
    return ", ".join(parts) or "no flag"


def _described(call: str, kind: str, name: str, extra: str | None, names: list[str]) -> str:
    if kind in _KINDS:
        return f"{name}: {_KINDS[kind]}"
    value = _number(extra or "0")
    if kind == "FLAGS":
        return f"{name}: {_flags(call, name, value)}"
    if kind == "ENUM":
        return f"{name}: 0 to {value}"
    if kind.startswith("BUF"):
        return f"{name}: memory {'read' if kind == 'BUF_IN' else 'written'}, {names[value]} bytes"
    if kind == "VEC_IN":
        return f"{name}: vectors, {names[value]} of them"
    if kind.startswith("STRUCT"):
        way = "read" if "_IN" in kind else "written"
        return f"{name}: {value} bytes {way}" + (", or NULL" if kind.endswith("_OPT") else "")
    raise FaultlineError(f"{DEFINITION}: unknown kind {kind} in {call}")


def missing() -> list[str]:
    """Calls that Linux has and we have not, by number. Raises FaultlineError when Linux's list is not there."""
    if not NUMBERS.is_file():
        raise FaultlineError(f"no {NUMBERS} (scripts/setup installs it)")
    ours = {int(number) for number, _, _ in _LINE.findall(DEFINITION.read_text())}
    theirs = {int(number): name for name, number in re.findall(r"^#define __NR(?:3264)?_(\w+) (\d+)$", NUMBERS.read_text(), re.MULTILINE)}
    return [f"`{name}` {number}" for number, name in sorted(theirs.items()) if number not in ours
            and not re.fullmatch(r"syscalls|arch_specific_syscall|.*_time64|clock_\w+64|timerfd?_\w+64", name)]  # the rest is for 32 bits


def page() -> str:
    """The whole page."""
    rows = []
    for number, call, rest in _LINE.findall(DEFINITION.read_text()):
        arguments = _ARGUMENT.findall(rest)
        names = [name for _, name, _ in arguments]
        words = [_described(call, kind, name, extra or None, names) for kind, name, extra in arguments]
        rows.append(f"| {number} | `{call}` | {'<br>'.join(words)} |")
    absent = missing()
    return (_HEAD + f"\n{len(rows)} calls are supported:\n\n| | call | arguments |\n|---|---|---|\n" + "\n".join(rows)
            + f"\n\nNot supported (`ENOSYS`), {len(absent)}:\n{', '.join(absent)}.\n")


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE}: written\n")
