"""Interrupts nobody asked for, sent from outside into an unmodified image: counted, named, masked, survived."""

import time

import pytest

from faultline.qemu import qtest

TIMER_PPI = 27
UART_SPI = 33


def settle(machine, condition, rounds=200):
    """Asks the kernel until it has seen what was sent; each question lets the guest run."""
    for _ in range(rounds):
        seen = machine.monitor.irq()
        if condition(seen):
            return seen
    raise AssertionError(f"the kernel has not seen it: {machine.monitor.irq()}")


def test_every_intid(machine, alive):
    """Each wired INTID once, on every CPU where it is private; 256 and above lie outside what the GIC advertises."""
    for intid in range(qtest.INTIDS):
        for cpu in range(machine.config.smp if intid < qtest.FIRST_SPI else 1):
            machine.qtest.pend(intid, cpu)
    alive(machine)


@pytest.mark.parametrize("intid", [16, 20, 26, 31], ids=lambda intid: f"ppi{intid}")
def test_unexpected_ppi(machine, intid, alive):
    for cpu in range(machine.config.smp):
        machine.qtest.pend(intid, cpu)
    alive(machine)


@pytest.mark.parametrize("intid", range(16), ids=lambda intid: f"sgi{intid}")
def test_unexpected_sgi(machine, intid, alive):
    for cpu in range(machine.config.smp):
        machine.qtest.pend(intid, cpu)
    alive(machine)


def test_true_spurious(machine, alive):
    """The CPU's pin is up and the GIC has nothing: the kernel reads 1023."""
    before = machine.monitor.irq()["spurious"]

    def send(_):
        # Stays up until the GIC speaks again, which it does for the command's own bytes.
        machine.qtest.cpu_pin(True)
        seen = machine.monitor.irq()
        machine.qtest.cpu_pin(False)
        return seen["spurious"] > before

    settle(machine, send)
    alive(machine)


def test_fiq_pin(machine, alive):
    """A fast interrupt nobody sends: it is taken like any other, and there is nothing to claim."""
    before = machine.monitor.irq()["spurious"]

    def send(_):
        machine.qtest.cpu_pin(True, pin="fiq")
        machine.qtest.cpu_pin(False, pin="fiq")
        return machine.monitor.irq()["spurious"] > before

    settle(machine, send)
    alive(machine)


@pytest.mark.parametrize("intid", [UART_SPI, 34, 48, 79], ids=lambda intid: f"spi{intid}")
def test_stuck_line(machine, intid, alive):
    """A device's line stays up: whether the kernel has the line enabled or not, it answers all the same."""
    machine.qtest.line(intid, True)
    machine.monitor.mem()
    machine.qtest.line(intid, False)
    alive(machine)


def test_storming_device_rests_and_comes_back(machine, alive):
    """The serial port's line is up and the port knows nothing of it: masked, tried again, masked again, and in use when
    it has fallen."""
    for storms in (1, 2):
        while machine.monitor.irq()["storms"] < storms:  # the port lowers its line by itself when it is used
            machine.qtest.line(UART_SPI, True)
            time.sleep(0.05)
        machine.qtest.line(UART_SPI, False)
    assert f"interrupt {UART_SPI} storms" in machine.monitor.command("log").text
    seen = settle(machine, lambda irq: not irq["lines"][UART_SPI]["masked"])
    assert seen["lines"][UART_SPI]["handled"]
    alive(machine)


def test_nobodys_line_is_masked(machine, alive):
    """An enabled line that never falls and has no driver is masked, named, and the rest goes on."""
    enable = qtest.GICD_BASE + 0x100 + 4 * (40 // 32)
    machine.qtest.write32(enable, 1 << (40 % 32))
    machine.qtest.line(40, True)
    seen = settle(machine, lambda irq: 40 in irq["lines"] and irq["lines"][40]["masked"])
    assert seen["lines"][40]["unhandled"] > 0
    count = seen["lines"][40]["count"]
    alive(machine)
    assert machine.monitor.irq()["lines"][40]["count"] == count
    machine.qtest.line(40, False)
    alive(machine)


@pytest.mark.parametrize("intid", [9, 20], ids=["sgi9", "ppi20"])
def test_private_line_comes_back_on_its_cpu(machine, intid, alive):
    """Each CPU has lines of its own under these numbers: masked on one CPU, it is on that CPU that one is used again."""
    machine.qtest.pend(intid, 1)
    settle(machine, lambda irq: irq["lines"].get(intid, {}).get("count") == 1)
    machine.qtest.pend(intid, 0)
    settle(machine, lambda irq: irq["lines"][intid]["count"] == 2)
    for count in (3, 4):
        machine.monitor.command(f"irq unmask {intid}")
        machine.qtest.pend(intid, 1)
        seen = settle(machine, lambda irq: irq["lines"][intid]["count"] == count)
        assert seen["lines"][intid]["masked"]
    alive(machine)


def test_timer_pended_from_outside(machine, alive):
    for _ in range(100):
        machine.qtest.pend(TIMER_PPI, 0)
    alive(machine)


@pytest.mark.parametrize("call", [lambda q: q.pend(288), lambda q: q.pend(3, cpu=9), lambda q: q.line(5, True),
                                  lambda q: q.cpu_pin(True, cpu=9), lambda q: q.write32(3, 0), lambda q: q.read(0, 0)])
def test_client_refuses_what_would_kill_qemu(machine, call, alive):
    with pytest.raises(qtest.QtestError):
        call(machine.qtest)
    alive(machine)
