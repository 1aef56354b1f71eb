"""Tests of the tests: one wrong line per component, in a copy of the tree, has to make the tests fail.

Syntax errors need no such proof: scripts/test checks that every source is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faultline import scratch
from faultline.errors import FaultlineError

_DEADLINE = 900.0  # seconds for one form of the tests


@dataclass(frozen=True)
class Mutant:
    """`right` stands in the file exactly once and becomes `wrong`."""

    file: str
    right: str
    wrong: str

    def plant(self, copy: Path) -> None:
        """Changes the file in the copy. Raises FaultlineError when the line is not there any more."""
        path = copy / self.file
        text = path.read_text()
        if text.count(self.right) != 1:
            raise FaultlineError(f"{self.file} holds {text.count(self.right)} times '{self.right}', which is to be broken")
        path.write_text(text.replace(self.right, self.wrong))


MUTANTS = (
    Mutant("fault/fault.c", "if (count < first) {", "if (count <= first) {"),
    Mutant("fault/plan.c", "percent >= 1 && percent <= 100", "percent >= 1 && percent <= 101"),
    Mutant("hal/aarch64/gicv3.c", "#define GICD_ISENABLER 0x0100", "#define GICD_ISENABLER 0x0180"),
    Mutant("hal/aarch64/mmu.c", "write_sysreg(ttbr0_el1, table | (uint64_t)asid << 48);",
           "write_sysreg(ttbr0_el1, (table ^ 0x1000) | (uint64_t)asid << 48);"),
    Mutant("hal/aarch64/timer.c", "return 27;", "return 26;"),
    Mutant("hal/host/walker.c", "walk.write = field(d, 7, 7) == 0", "walk.write = field(d, 7, 7) != 0"),
    Mutant("kernel/base/format.c", "value = c - 'a' + 10;", "value = c - 'a' + 11;"),
    Mutant("kernel/boot/cmdline.c", "digit > '3'", "digit > '4'"),
    Mutant("kernel/debug/record.c", "console_write(line, size);", "console_write(line, size - 1);"),
    Mutant("kernel/drivers/pl011.c", "#define INT_RX (1u << 4)", "#define INT_RX (1u << 3)"),
    Mutant("kernel/fs/pipe.c", "} else if (room >= wanted) {", "} else if (room > wanted) {"),
    Mutant("kernel/irq/irq.c", "line->masked = true;", "line->masked = false;"),
    Mutant("kernel/mm/asid.c", "asids.stale = UINT32_MAX;", "asids.stale = 0;"),
    Mutant("kernel/mm/buddy.c", "frame ^ (1u << order)", "frame ^ (2u << order)"),
    Mutant("kernel/mm/bump.c", "end > bump->end.raw) {", "end >= bump->end.raw) {"),
    Mutant("kernel/mm/idalloc.c", "UINT64_MAX << (limit - first)", "UINT64_MAX << (limit - first - 1)"),
    Mutant("kernel/proc/elf.c", "if (executable && writable) {", "if (executable && !writable) {"),
    Mutant("kernel/sched/sched.c", "queue->slice_end_ns = now + policy_slice_ns(&to->policy);", "queue->slice_end_ns = UINT64_MAX;"),
    Mutant("kernel/sched/timer.c", "side = timer_of(at)->deadline_ns <= deadline_ns;",
           "side = timer_of(at)->deadline_ns >= deadline_ns;"),
    Mutant("kernel/sync/semaphore.c", "semaphore->count -= taken;", "(void)taken;"),
    Mutant("kernel/syscall/dispatch.c", "result = description->body(arguments);", "result = 0;"),
    Mutant("kernel/time/clock.c", "if (realtime_ns < now) {", "if (realtime_ns > now) {"),
    Mutant("kernel/tty/tty.c", "tty->literal = true;", "tty->literal = false;"),
    Mutant("user/crt0.S", "mov x0, sp", "mov x0, xzr"),
)


# Short first: most mutants end there.
_FORMS = (("scripts/test --quick", "faultline.cli.test", ("--quick",)),
          ("booted tests", "pytest", ("qemu-tests", "-q", "-x", "-n", "2", "-p", "no:cacheprovider")))


def noticed_by(copy: Path) -> str:
    """The first form of the tests that fails in the copy; '' when all pass. Raises FaultlineError when one cannot be run."""
    for name, module, words in _FORMS:
        done = scratch.run(copy, module, *words, deadline=_DEADLINE)
        # pytest has statuses of its own for an image that does not build, or does not boot far enough to be asked.
        if done.status == 1 or (module == "pytest" and done.status not in (0, None)):
            return name
        if done.status != 0:
            raise FaultlineError(f"{name} ended with {done.status}: {done.output[-300:]}{done.errors[-300:]}")
    return ""


def check_all(copy: Path, say: Callable[[str], None]) -> list[Mutant]:
    """The mutants that nothing notices. Raises FaultlineError when the tests fail without any."""
    scratch.sync(copy)
    wrong = noticed_by(copy)
    if wrong:
        raise FaultlineError(f"{wrong} fails before anything is broken")
    living = []
    for mutant in MUTANTS:
        scratch.sync(copy)
        mutant.plant(copy)
        seen = noticed_by(copy)
        say(f"{mutant.file}: {f'noticed by {seen}' if seen else 'NOT NOTICED'}")
        if not seen:
            living.append(mutant)
    return living
