"""Exhaustive failure of the booted kernel: fail the 1st, 2nd, … until a run in which nothing fires, with no cap.

Once and for good (transient and persistent), per kind and for all kinds together. After each failure: no panic, an answer,
nothing leaked, and the same work then succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from faultline.campaign.sites import Sites
from faultline.errors import BootFailed, FaultlineError, GuestError, KernelPanic
from faultline.qemu import CommandFailed, Machine

BOOT_KINDS = ("boot_alloc", "page_alloc", "slab_alloc", "all")
WORKLOAD_KINDS = ("page_alloc", "slab_alloc", "user_copy", "all")
_RUN_AWAY = 100_000  # failures of one kind; beyond it the kernel retries for ever


@dataclass(frozen=True)
class Failure:
    """One injection after which a promise did not hold."""

    plan: str
    where: str          # 'boot' or 'run WORKLOAD'
    kind: str           # panic, hang, check (a walk of the kernel), leak, stuck (later work fails), silent
    what: str
    frames: tuple[str, ...] = ()
    console: str = ""

    def __str__(self) -> str:
        return f"{self.where} with fault {self.plan}: {self.kind}: {self.what}"


@dataclass
class Result:
    """What a sweep did. `injections` counts runs in which a failure fired."""

    injections: int = 0
    runs: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Result) -> None:
        self.injections += other.injections
        self.runs += other.runs
        self.failures += other.failures


def plan(kind: str, nth: int, persistent: bool) -> str:
    """The plan that fails the nth arrival, once or for good."""
    return f"{kind},nth={nth}" + (",persistent" if persistent else "")


def plans_of(kinds: tuple[str, ...]):
    """(kind, persistent) of every series of a sweep."""
    return [(kind, persistent) for kind in kinds for persistent in (False, True)]


def boot_series(machine: Machine, kind: str, persistent: bool, sites: Sites | None = None,
                stop: Callable[[], bool] = lambda: False) -> Result:
    """Boots with the 1st, 2nd, … failure of one kind until a boot in which nothing fires."""
    result = Result()
    for nth in range(1, _RUN_AWAY):
        if stop():
            return result
        machine.console.forget()
        fired = _boot_once(machine, plan(kind, nth, persistent), result, sites)
        result.runs += 1
        if not fired:
            return result
        result.injections += 1
    raise FaultlineError(f"failing {kind} during boot does not come to an end")


def _boot_once(machine: Machine, text: str, result: Result, sites: Sites | None) -> bool:
    try:
        machine.reboot(text)
        status = machine.monitor.faults()
        if status["fired"]:
            machine.monitor.disarm()
            if sites is not None:
                sites.add(machine.monitor.sites(), "qemu")
            # Booted in spite of the failure: then the machine is whole.
            machine.monitor.mem()
        return bool(status["fired"])
    except BootFailed as failed:
        if not failed.what:
            result.failures.append(Failure(text, "boot", "silent", "boot failed without saying what", (), failed.console))
        return True
    except CommandFailed as failed:
        result.failures.append(Failure(text, "boot", "check", str(failed), (), machine.console.tail()))
        return True
    except GuestError as error:
        result.failures.append(_failure(text, "boot", error))
        return True


def _failure(text: str, where: str, error: GuestError) -> Failure:
    frames = tuple(f"{f.function} {f.location}".strip() for f in error.frames) if isinstance(error, KernelPanic) else ()
    kind = "panic" if isinstance(error, KernelPanic) else "hang"
    return Failure(text, where, kind, error.what if isinstance(error, KernelPanic) else error.summary, frames, error.console)


def leaked(before: dict, after: dict) -> str:
    """'' or what is missing between two answers of `mem`, in pages and heap objects."""
    pages = _pages(before) - _pages(after)
    objects = after.get("heap_objects", 0) - before.get("heap_objects", 0)
    if pages > 0 or objects > 0:
        return f"{pages} pages and {objects} heap objects are gone"
    return ""


def _pages(memory: dict) -> int:
    return int(memory["free"]) + int(memory.get("cached", 0))


def workload_series(machine: Machine, workload: str, kind: str, persistent: bool, sites: Sites | None = None,
                    stop: Callable[[], bool] = lambda: False) -> Result:
    """Runs a workload of the monitor with the 1st, 2nd, … failure until nothing fires. The machine is at its prompt
    and is rebooted after a panic."""
    result = Result()
    command = f"run {workload}"
    warm = machine.monitor.command(command, check=False)  # caches fill once
    if warm.status != 0:
        what = f"without any failure it ends with {warm.status}: {' / '.join(warm.lines[-2:])}"
        result.failures.append(Failure("none", command, "stuck", what))
        return result
    before = machine.monitor.mem()
    for nth in range(1, _RUN_AWAY):
        if stop():
            return result
        machine.console.forget()
        text = plan(kind, nth, persistent)
        result.runs += 1
        try:
            machine.monitor.arm(text)
            reply = machine.monitor.command(command, check=False)  # it may fail, and must then say so: it has a status
            broken = next((line for line in reply.lines if line.startswith("BROKEN")), "")
            status = machine.monitor.faults()
            machine.monitor.disarm()
            if not status["fired"]:
                return result
            result.injections += 1
            missing = leaked(before, machine.monitor.mem())
            if broken:
                result.failures.append(Failure(text, command, "check", broken))
            again = machine.monitor.command(command, check=False)
            if again.status != 0:
                result.failures.append(Failure(text, command, "stuck", f"the same work then ends with {again.status}"))
            if missing:
                missing = leaked(before, machine.monitor.mem())  # a cache may have taken what the next run gave back
            if missing:
                result.failures.append(Failure(text, command, "leak", missing, (), machine.console.tail()))
                before = machine.monitor.mem()
        except (GuestError, CommandFailed) as error:
            result.injections += 1
            result.failures.append(_failure(text, command, error) if isinstance(error, GuestError) else
                                   Failure(text, command, "check", str(error), (), machine.console.tail()))
            machine.reboot("")
            machine.monitor.command(command, check=False)
            before = machine.monitor.mem()
    raise FaultlineError(f"failing {kind} in '{command}' does not come to an end")


def sweep_boot(machine: Machine, sites: Sites, stop: Callable[[], bool], say: Callable[[str], None]) -> Result:
    """All series over the boot."""
    total = Result()
    for kind, persistent in plans_of(BOOT_KINDS):
        result = boot_series(machine, kind, persistent, sites, stop)
        say(f"boot: {kind}{' for good' if persistent else ' once'}: {result.injections} failures injected")
        total.add(result)
    return total


def sweep_workloads(machine: Machine, sites: Sites, stop: Callable[[], bool], say: Callable[[str], None]) -> Result:
    """All series over all workloads of the monitor, on a machine freshly booted."""
    total = Result()
    machine.reboot("")
    for workload in machine.monitor.workloads():
        part = Result()
        for kind, persistent in plans_of(WORKLOAD_KINDS):
            part.add(workload_series(machine, workload, kind, persistent, sites, stop))
        say(f"run {workload}: {part.injections} failures injected")
        total.add(part)
    sites.add(machine.monitor.sites(), "qemu")
    return total
