"""A panic, a hang and a timeout are told apart, with the place where the guest is."""

import pytest

from faultline.errors import GuestHang, GuestTimeout, KernelPanic, MachineExited

IDLE = 3.0  # processor seconds; an idle guest uses none


def test_panic(machine):
    with pytest.raises(KernelPanic) as caught:
        machine.monitor.command("crash deadlock", check=False)
    assert "lock" in caught.value.what


def test_a_guest_that_does_nothing_hangs(machine):
    """Nobody asked it anything, so nothing will come."""
    with pytest.raises(GuestHang) as caught:
        machine.wait_text("never printed", machine.console.mark(), IDLE)
    assert len(caught.value.where) == machine.config.smp
    assert any("idle" in place for place in caught.value.where)
    assert "faultline> " in caught.value.console


def test_a_guest_that_goes_round_in_one_place_hangs(make_machine):
    machine = make_machine(gdb=True, smp=1)
    machine.boot()
    machine.gdb.select(0)
    machine.gdb.set_register("pc", machine.symbols.find("panic").address)
    machine.qtest.write(machine.symbols.physical("panic"), bytes.fromhex("00000014"))  # b .
    machine.gdb.detach()
    machine.console.send(b"\n")  # it sleeps until an interrupt
    with pytest.raises(GuestHang) as caught:
        machine.wait_text("never printed", machine.console.mark(), 2.0)
    assert "one place" in str(caught.value) and "panic" in caught.value.where[0]


def test_a_busy_guest_is_late(machine):
    """It works all the time, in many places, and needs longer than it is given."""
    mark = machine.console.mark()
    machine.console.send(b"@77 ktest run all\n" * 50)
    with pytest.raises(GuestTimeout, match="busy at"):
        machine.wait_text("never printed", mark, 1.0)


def test_power_off_is_an_exit(machine):
    with pytest.raises(MachineExited, match="powered off"):
        machine.monitor.command("poweroff")


def test_a_dead_qemu_is_an_exit(machine):
    machine.process.kill()
    with pytest.raises(MachineExited):
        machine.monitor.command("mem")
