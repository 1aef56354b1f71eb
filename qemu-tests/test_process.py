"""The first processes: what they print, how they end, and what a bad one does to the kernel (nothing)."""

import pytest

FAULTS = ["fault-null", "fault-kernel", "fault-rodata", "fault-stack", "fault-undefined", "fault-register"]


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


@pytest.mark.parametrize("program", FAULTS)
def test_a_faulting_program_ends_alone(machine, program, alive):
    mark = machine.console.mark()
    machine.monitor.command(f"exec {program}", check=False)
    assert machine.wait_event("process-exit", mark)["status"] != 0
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
