"""Panics at bad moments, and every exception vector: one whole report, by one CPU, and then silence."""

import time

import pytest

from faultline.errors import KernelPanic


def panic_of(machine, command):
    """What the kernel reports, and everything on the console a moment later."""
    with pytest.raises(KernelPanic) as caught:
        machine.monitor.command(command, check=False)
    return caught.value, settled(machine)


def settled(machine):
    """The console when nothing more comes: nothing may, after a report."""
    seen, text = None, machine.console.text()
    while text != seen:
        time.sleep(0.2)
        seen, text = text, machine.console.text()
    return text


def whole_report(text):
    """The lines of the only report in text, which nothing interrupts or follows."""
    assert text.count("PANIC: ") == 1 and text.count("END PANIC") == 1, text[-2000:]
    report, after = text[text.index("PANIC: "):].split("END PANIC\n")
    assert after.strip() == ""
    return report.splitlines()


@pytest.mark.parametrize("kind", ["chatter", "deaf"])
def test_others_are_silent_during_the_report(make_machine, kind):
    machine = make_machine(smp=4)
    machine.boot()
    _, text = panic_of(machine, f"crash {kind}")
    assert "chatter" in text.split("PANIC: ")[0]
    assert not [line for line in whole_report(text) if "chatter chatter" in line]


def test_all_cpus_at_once(make_machine):
    machine = make_machine(smp=4)
    machine.boot()
    panic, text = panic_of(machine, "crash together")
    assert panic.what == "several CPUs panic"
    assert all(line.startswith(("PANIC: ", "  CPU ", "  #")) for line in whole_report(text))


def test_other_cpus_stand_still(make_machine):
    """Each is asleep with its interrupts off, or the one that spins for what the reporter holds."""
    machine = make_machine(smp=4, gdb=True)
    machine.boot()
    panic_of(machine, "crash chatter")
    places = set()
    machine.gdb.request("?")
    for cpu in range(4):
        machine.gdb.select(cpu)
        places.add(machine.symbols.name(machine.gdb.register("pc")).split("+")[0])
    machine.gdb.detach()
    assert places <= {"power_halt_on_bug", "sleep_for_ever"}


def test_with_the_console_locked(machine):
    panic, text = panic_of(machine, "crash console")
    assert "driver is broken" in panic.what and any(frame.function == "console_write" for frame in panic.frames)
    whole_report(text)


def test_in_an_interrupt(machine):
    panic, text = panic_of(machine, "crash interrupt")
    assert any("in an interrupt" in line for line in whole_report(text))
    assert any(frame.function == "kernel_irq" for frame in panic.frames)


def test_in_the_report_itself(machine):
    panic, text = panic_of(machine, "crash nested")
    assert "subject != NULL" in panic.what
    assert "PANIC: the first panic" in text and text.count("PANIC in the report of a panic: ") == 1
    assert text.rstrip().endswith("END PANIC")


def test_the_overflow_stack_is_large_enough(machine):
    """The report of a stack that ran over has one of its own. Below that of CPU 0 lies the stack of CPU 7, which does not
    run here: its top is as empty as it was."""
    panic, _ = panic_of(machine, "crash stack-overflow")
    assert panic.what.startswith("kernel stack overflow")
    top = machine.symbols.physical("overflow_stacks")
    assert machine.qtest.read(top - 2048, 2048) == bytes(2048)
    assert machine.qtest.read(top, 8192) != bytes(8192)


# Vectors that nothing may ever take, by offset, and what their report calls it.
DEADLY = {0x000: "exception on SP_EL0", 0x080: "exception on SP_EL0", 0x100: "exception on SP_EL0",
          0x180: "exception on SP_EL0", 0x380: "SError", 0x580: "SError",
          0x600: "exception from AArch32", 0x680: "exception from AArch32", 0x700: "exception from AArch32",
          0x780: "exception from AArch32"}


def enter_vector(machine, offset):
    """The only CPU goes on at a vector, as if that exception had come in the idle loop."""
    machine.gdb.set_register("pc", machine.symbols.find("vectors").address + offset)
    machine.gdb.detach()
    machine.console.send(b"\n")  # or it would sleep on


@pytest.mark.parametrize("offset", DEADLY, ids=lambda offset: f"{offset:#05x}")
def test_unexpected_vector_is_reported(make_machine, offset):
    machine = make_machine(smp=1, gdb=True)
    machine.boot()
    mark = machine.console.mark()
    enter_vector(machine, offset)
    with pytest.raises(KernelPanic) as caught:
        machine.wait_text("no such text", mark)
    assert caught.value.what.startswith(DEADLY[offset])
    report = "\n".join(whole_report(settled(machine)))
    assert "  x0 " in report and "esr" in report


def test_exception_on_the_wrong_stack(machine):
    """PSTATE.SP cleared and an instruction that faults: a real exception through the SP_EL0 vectors."""
    machine.poke("crash_deadlock", bytes.fromhex("bf4000d5" "200020d4"))  # msr spsel, #0; brk #1
    panic, text = panic_of(machine, "crash deadlock")
    assert panic.what.startswith("exception on SP_EL0")
    whole_report(text)
