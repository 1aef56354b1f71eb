"""What can go wrong, one class per thing a reader has to tell apart."""

from __future__ import annotations

from dataclasses import dataclass


class FaultlineError(Exception):
    """Base of all errors raised on purpose. The message is one sentence for a person."""


class UsageError(FaultlineError):
    """The person asked for something that does not exist; the message names it and lists what does. Exit status 2."""


class MissingTool(FaultlineError):
    """A program, image or library is not there; the message says which command brings it. Exit status 2."""


class BuildFailed(FaultlineError):
    """The build of a preset ended non-zero; the message ends with the compiler's last lines."""


class GuestError(FaultlineError):
    """Base of what a booted kernel can do wrong. `console` is the tail of its serial line; `kind` is one word for it."""

    kind = "exit"

    def __init__(self, message: str, console: str = ""):
        super().__init__(f"{message}\n--- console ---\n{console}" if console else message)
        self.summary = message
        self.console = console


class BootFailed(GuestError):
    """The kernel said that it cannot go on booting (event boot-failed), or left before it was ready."""

    def __init__(self, message: str, console: str = "", what: str = "", error: int = 0):
        super().__init__(message, console)
        self.what = what
        self.error = error


@dataclass(frozen=True)
class Frame:
    """One decoded return address. `location` is file:line, or "" where the symbols do not say."""

    function: str
    offset: int = 0
    address: int = 0
    location: str = ""

    def __str__(self) -> str:
        where = f" in {self.location}" if self.location else ""
        return f"{self.function}+{self.offset:#x}{where}"


class KernelPanic(GuestError):
    """The kernel panicked: `what` is its sentence, `frames` the decoded stack, innermost first."""

    kind = "panic"

    def __init__(self, what: str, frames: list[Frame], console: str = ""):
        stack = "".join(f"\n  #{i} {frame}" for i, frame in enumerate(frames))
        super().__init__(f"kernel panic: {what}{stack}", console)
        self.what = what
        self.frames = frames


class GuestHang(GuestError):
    """The guest makes no progress: every CPU idle or going round in one place. `where` names the places."""

    kind = "hang"

    def __init__(self, message: str, where: list[str], console: str = ""):
        super().__init__(f"{message}: {', '.join(where)}", console)
        self.where = where


class GuestTimeout(GuestError):
    """The guest still works but has not answered within its budget of processor seconds."""

    kind = "timeout"


class MachineExited(GuestError):
    """QEMU ended or the guest powered off while an answer was awaited."""
