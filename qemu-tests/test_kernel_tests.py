"""Every TEST() in the image, each in a machine of its own."""


def test_kernel(machine, ktest):
    reply = machine.monitor.command(f"ktest run {ktest}", budget=60.0, check=False)
    assert reply.status == 0, reply.text


def test_all_in_one_boot(machine, alive):
    """One after the other, so that what one leaves behind meets the next."""
    reply = machine.monitor.command("ktest run all", budget=180.0, check=False)
    assert reply.status == 0, reply.text
    alive(machine)


def test_unknown_test_is_an_error(machine):
    assert machine.monitor.command("ktest run no.such", check=False).status != 0
