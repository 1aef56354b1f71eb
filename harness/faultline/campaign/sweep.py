"""Exhaustive failure of the booted kernel, with no cap: the 1st, 2nd, … arrival fails until a run in which nothing does.

The boot is swept from outside, by resetting the machine; workloads, and interrupts at every instruction, from inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from faultline.campaign import bootcase
from faultline.campaign.bootcase import BootCase, Failure
from faultline.campaign.sites import Sites
from faultline.errors import FaultlineError, GuestError
from faultline.qemu import CommandFailed, Machine
from faultline.qemu.faultsites import FaultSites, fired

BOOT_KINDS = ("boot_alloc", "page_alloc", "slab_alloc", "all")
BOOT_SERIES = [(kind, persistent) for kind in BOOT_KINDS for persistent in (False, True)]
# Short enough to be interrupted everywhere; the others take up to a million instructions.
IRQ_FUNCTIONS = ("locks", "heap", "threads")
_IRQ_STEP = 2500       # positions per command
_RUN_AWAY = 100_000  # failures of one kind, or positions of one function; beyond it something goes on for ever


@dataclass
class Result:
    """What a sweep did. `injections` counts runs in which a failure fired, `interrupts` those interrupted at some place,
    `places` the distinct ones."""

    injections: int = 0
    interrupts: int = 0
    places: int = 0
    failures: list[tuple[BootCase, Failure]] = field(default_factory=list)

    def add(self, other: Result) -> None:
        self.injections += other.injections
        self.interrupts += other.interrupts
        self.places += other.places
        self.failures += other.failures

    def described(self) -> str:
        return "\n".join(f"{case}: {failure.kind}: {failure.what}" for case, failure in self.failures)


def plan(kind: str, nth: int, persistent: bool) -> str:
    """The plan that fails the nth arrival, once or for good."""
    return f"{kind},nth={nth}" + (",persistent" if persistent else "")


def boot_series(machine: Machine, case: BootCase, kind: str, persistent: bool, counters: FaultSites,
                sites: Sites | None = None, stop: Callable[[], bool] = lambda: False) -> Result:
    """Boots with the 1st, 2nd, … failure of one kind until a boot in which nothing fires."""
    result = Result()
    for nth in range(1, _RUN_AWAY):
        if stop():
            return result
        machine.console.forget()
        text = plan(kind, nth, persistent)
        seen, failure = bootcase.boot_once(machine, text, counters)
        if failure:
            result.failures.append((replace(case, fault=text), failure))
        if sites is not None:
            sites.add(seen, "qemu")
        if not fired(seen):
            return result
        result.injections += 1
    raise FaultlineError(f"failing {kind} during boot does not come to an end")


def sweep_boot(machine: Machine, case: BootCase, sites: Sites, stop: Callable[[], bool], say: Callable[[str], None],
               series: list[tuple[str, bool]] = BOOT_SERIES) -> Result:
    """All series over the boot of a machine that is at its prompt."""
    total = Result()
    counters = FaultSites(machine)
    for kind, persistent in series:
        result = boot_series(machine, case, kind, persistent, counters, sites, stop)
        say(f"boot{' to a shell' if case.files else ''}: {kind}{' for good' if persistent else ' once'}: {result.injections} failures injected")
        total.add(result)
    return total


def sweep_workloads(machine: Machine, case: BootCase, sites: Sites, stop: Callable[[], bool],
                    say: Callable[[str], None]) -> Result:
    """The kernel's own sweep of each of its workloads."""
    total = Result()
    counters = FaultSites(machine)
    for workload in machine.monitor.workloads():
        if stop():
            break
        command = f"sweep {workload}"
        try:
            value = machine.monitor.command(command, budget=bootcase.BUDGET).value
            total.injections += value["injections"]
            say(f"{command}: {value['injections']} runs with {value['fired']} failures injected")
            sites.add(counters.read(), "qemu")
            machine.monitor.command("faults reset")
        except (GuestError, CommandFailed) as error:
            total.failures.append((replace(case, command=command), bootcase.of_error(error, machine)))
            machine.reboot("")
    return total


def sweep_interrupts(machine: Machine, case: BootCase, stop: Callable[[], bool], say: Callable[[str], None],
                     functions: tuple[str, ...] = IRQ_FUNCTIONS) -> Result:
    """Interrupts each function after 1, 2, … instructions until it ends before. The machine counts instructions (icount)."""
    total = Result()
    for function in functions:
        part = Result()
        for first in range(1, _RUN_AWAY, _IRQ_STEP):
            if stop():
                break
            command = f"irqsweep {function} {first} {first + _IRQ_STEP - 1}"
            try:
                value = machine.monitor.command(command, budget=bootcase.BUDGET).value
            except (GuestError, CommandFailed) as error:
                part.failures.append((replace(case, command=command), bootcase.of_error(error, machine)))
                machine.reboot("")
                break
            if not value["interrupts"]:
                break
            part.interrupts += value["interrupts"]
            part.places += value["places"]
        say(f"{function}: interrupted {part.interrupts} times")
        total.add(part)
    return total
