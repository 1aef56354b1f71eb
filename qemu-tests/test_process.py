"""The first processes: what they print, how they end, and what a bad one does to the kernel (nothing)."""

import pytest

SEGV, ILL, BUS, TRAP = 11, 4, 7, 5
FAULTS = {"fault-null": SEGV, "fault-kernel": SEGV, "fault-rodata": SEGV, "fault-stack": SEGV, "fault-undefined": ILL,
          "fault-register": ILL, "fault-pc": BUS, "fault-aligned": BUS, "fault-brk": TRAP}


def test_hello(machine, alive):
    mark = machine.console.mark()
    machine.monitor.command("exec hello")
    event = machine.wait_event("process-exit", mark)
    assert event["status"] == 0
    assert "hello" in machine.console.text(mark)
    alive(machine)


def test_bad_pointers(machine, alive):
    """The program itself checks that each bad pointer gives EFAULT."""
    mark = machine.console.mark()
    machine.monitor.command("exec badptr")
    assert machine.wait_event("process-exit", mark)["status"] == 0
    alive(machine)


def test_registers_are_kept(machine, alive):
    """The program compares every register with what it put there; alone it meets the timer and its own yields."""
    mark = machine.console.mark()
    machine.monitor.command("exec registers")
    assert machine.wait_event("process-exit", mark)["status"] == 0
    alive(machine)


@pytest.mark.parametrize("program", FAULTS)
def test_a_faulting_program_ends_alone(machine, program, alive):
    mark = machine.console.mark()
    machine.monitor.command(f"exec {program}", check=False)
    assert machine.wait_event("process-exit", mark)["status"] == 128 + FAULTS[program]
    assert f"signal {FAULTS[program]}" in machine.monitor.command("log").text
    alive(machine)
    machine.monitor.command("exec hello")


def test_nothing_is_left_behind(machine):
    machine.monitor.command("exec hello")
    before = machine.monitor.mem()
    for _ in range(20):
        machine.monitor.command("exec hello")
    after = machine.monitor.mem()
    assert after["free"] + after["cached"] == before["free"] + before["cached"]
    assert after["heap_objects"] == before["heap_objects"]


def test_unknown_program_is_an_error(machine, alive):
    assert machine.monitor.command("exec no-such-program", check=False).status != 0
    alive(machine)


@pytest.mark.parametrize("smp", [1, 4])
def test_a_family(make_machine, smp, alive):
    """The program itself checks what fork shares and copies, what wait tells, pipes and signals."""
    machine = make_machine(smp=smp)
    machine.boot()
    mark = machine.console.mark()
    machine.monitor.command("exec family")
    assert machine.wait_event("process-exit", mark)["status"] == 0
    alive(machine)
