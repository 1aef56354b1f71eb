"""Sweeps from inside the image: every allocation and user copy of every workload fails once and for good, and an
interrupt comes after every instruction of the paths that must bear it."""

import pytest

from faultline.qemu import memory_bytes


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("preset", ["qemu-virt", "qemu-virt-debug"])
def test_every_failure_of_every_workload(make_machine, alive, preset, smp):
    machine = make_machine(preset=preset, smp=smp, memory=memory_bytes("16M"))
    machine.boot()
    results = machine.monitor.command("sweep all", budget=120.0).values
    assert [result["workload"] for result in results] == machine.monitor.workloads()
    for result in results:
        assert result["error"] == 0 and result["broken"] is None, result
        assert result["fired"] >= result["injections"] >= 30, result
        assert all(result["kinds"]["all"].values()), result
    assert sum(sum(result["kinds"]["user_copy"].values()) for result in results) > 0
    alive(machine)


# FUNCTION: how many instructions from its start on are interrupted one after the other, at how many different places
# interrupts are on there, and whether that is the whole of it in the image without checks.
PATHS = {"locks": (1500, 60, True), "heap": (1500, 80, True), "slab": (8000, 100, True), "threads": (9000, 200, True),
         "kmalloc": (3000, 60, False), "pagetable": (6000, 100, False), "exec": (2000, 100, False)}


@pytest.mark.parametrize("preset", ["qemu-virt", "qemu-virt-debug"])
@pytest.mark.parametrize("function", PATHS)
def test_interrupt_at_every_instruction(make_machine, alive, function, preset):
    """Where it comes another thread does the same work from beginning to end."""
    machine = make_machine(preset=preset, smp=1, memory=memory_bytes("16M"), icount=True)
    machine.boot()
    instructions, places, whole = PATHS[function]
    result = machine.monitor.command(f"irqsweep {function} 1 {instructions}", budget=120.0).value
    assert result["error"] == 0 and result["runs"] == instructions
    assert result["places"] >= places, result
    if whole and preset == "qemu-virt":
        assert result["interrupts"] < instructions, "the last interrupts should have come after its end"
    alive(machine)
