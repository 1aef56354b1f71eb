"""The kernel boots on every machine it claims to, and says truly what it found."""

import pytest

from faultline.qemu import CPUS, memory_bytes


def check_boot(machine, smp, memory, el):
    event = machine.boot()
    assert event["cpus"] == smp
    assert event["memory"] == memory
    assert event["el"] == el
    total = machine.monitor.mem()["total"] * 4096
    assert 0.85 * memory - (4 << 20) <= total <= memory
    assert len({thread["cpu"] for thread in machine.monitor.threads()}) == smp


@pytest.mark.parametrize("el2", [False, True], ids=["el1", "el2"])
@pytest.mark.parametrize("cpu", CPUS)
def test_cpu_models(make_machine, cpu, el2):
    check_boot(make_machine(cpu=cpu, smp=2, el2=el2, memory=memory_bytes("64M")), 2, memory_bytes("64M"), 2 if el2 else 1)


@pytest.mark.parametrize("smp", range(1, 9))
def test_cpu_counts(make_machine, smp):
    check_boot(make_machine(smp=smp, memory=memory_bytes("64M")), smp, memory_bytes("64M"), 1)


@pytest.mark.parametrize("size", ["16M", "32M", "63M", "128M", "512M", "1G", "3G", "8G"])
def test_memory_sizes(make_machine, size):
    check_boot(make_machine(memory=memory_bytes(size), smp=1), 1, memory_bytes(size), 1)


def test_smallest_machine_with_all_cpus(make_machine):
    check_boot(make_machine(memory=memory_bytes("16M"), smp=8), 8, memory_bytes("16M"), 1)


def test_two_boots_take_the_same_instructions(make_machine):
    """With one instruction a nanosecond nothing on the host can change the count."""
    counts = {make_machine(smp=1, icount=True).boot()["instructions"] for _ in range(2)}
    assert len(counts) == 1
