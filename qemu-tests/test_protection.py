"""Bugs provoked on purpose: each ends in a decoded panic that names the place; memory is never writable and executable."""

import pytest

from faultline.errors import KernelPanic

KINDS = {
    "assert": "two|crash_assert|READ_ONCE",
    "null": "null|0x0000000000000000|address 0x0|translation",
    "text-write": "permission|read-only|text|write",
    "rodata-write": "permission|read-only|rodata|write",
    "data-exec": "permission|execut|instruction",
    "undefined": "unknown instruction",
    "trap": "BRK instruction",
    "stack-overflow": "stack overflow|guard",
    "double-free": "free",
    "deadlock": "lock",
}


@pytest.mark.parametrize("kind", KINDS)
def test_crash_is_reported(machine, kind):
    with pytest.raises(KernelPanic) as caught:
        machine.monitor.command(f"crash {kind}", check=False)
    panic = caught.value
    assert any(word.lower() in panic.what.lower() for word in KINDS[kind].split("|")), panic.what
    assert len(panic.frames) >= 2
    assert any(frame.location.startswith(("kernel/", "hal/")) for frame in panic.frames), panic
    assert "END PANIC" in machine.console.text()


@pytest.mark.parametrize("cpu", ["neoverse-n1", "max"])
def test_user_memory_is_closed_to_the_kernel(make_machine, cpu):
    machine = make_machine(cpu=cpu)
    machine.boot()
    with pytest.raises(KernelPanic, match="permission fault.* writing 0x400000"):
        machine.monitor.command("crash user-deref", check=False)


def test_a_cpu_without_pan_says_so(make_machine, alive):
    machine = make_machine(cpu="cortex-a57")
    machine.boot()
    reply = machine.monitor.command("crash user-deref", check=False)
    assert reply.status != 0 and "no Privileged Access Never" in reply.text
    alive(machine)


def test_a_reset_follows_a_panic(machine, alive):
    with pytest.raises(KernelPanic):
        machine.monitor.command("crash null", check=False)
    machine.reboot()
    alive(machine)


def test_unknown_crash_is_an_error(machine, alive):
    assert machine.monitor.command("crash nonsense", check=False).status != 0
    alive(machine)


def test_no_page_is_writable_and_executable(machine):
    reply = machine.monitor.command("pagetable")
    assert reply.values[-1]["writable_and_executable"] == 0


def test_text_reads_the_same_through_both_doors(make_machine):
    """What gdb sees at a virtual address is what lies at the physical one."""
    machine = make_machine(gdb=True, smp=1)
    machine.boot()
    symbol = machine.symbols.find("panic")
    through_ram = machine.peek("panic", 16)
    assert machine.gdb.read(symbol.address, 16) == through_ram
    machine.gdb.detach()
