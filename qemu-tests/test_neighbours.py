"""Bad neighbours, slow leaks, failures under a shell: whatever a program takes, the shell still answers."""

import re

import pytest

from faultline import userland
from faultline.compare.batch import PROGRAMS


@pytest.fixture
def boot(make_machine, tmp_path):
    def booted(files=None, **changes):
        files = {"neighbours": (PROGRAMS / "neighbours").read_bytes()} | (files or {})
        machine = make_machine(initrd=userland.initrd(tmp_path / "initrd.cpio", files), **changes)
        machine.boot()
        return machine
    return booted


@pytest.mark.parametrize("what, ends", [
    ("processes", r"processes: E(AGAIN|NOMEM) after many"), ("bomb", r"bomb: E(AGAIN|NOMEM)"), ("descriptors", "descriptors: EMFILE after 1021"),
    ("threads", r"threads: (EAGAIN|none refused) after many"), ("memory", r"memory: ENOMEM")])
@pytest.mark.parametrize("preset", ["qemu-virt", "qemu-virt-debug"])
def test_what_takes_everything(boot, alive, preset, what, ends):
    """It is refused in the end, or it alone is killed; then everything is there again."""

    machine = boot(preset=preset, smp=1)
    assert machine.execute("/bin/sh -c true")[1] == 0
    before = machine.monitor.command("mem trim").value
    printed, status = machine.execute(f"/neighbours {what}")
    assert re.search(ends, printed) or status in (137, 143), (printed, status)
    answer, status = machine.execute("/bin/echo still here")
    assert "still here" in answer and status == 0
    for _ in range(60):  # thousands of processes end one after the other
        after = machine.monitor.command("mem trim").value
        if after["free"] + after["cached"] >= before["free"] + before["cached"] - 64:
            break
        machine.execute("/bin/sleep 1")
    else:
        pytest.fail(f"memory does not come back: {before} {after}")
    alive(machine)


def test_ten_thousand_programs_leave_nothing(boot, alive):
    """fork, exec, exit, wait: after the first hundred, ten thousand more take no page and no object."""
    machine = boot(preset="qemu-virt", smp=1)
    assert machine.execute("/programs/work-spawn 100")[1] == 0
    before = machine.monitor.command("mem trim").value
    assert machine.execute("/programs/work-spawn 10000", budget=400)[1] == 0
    after = machine.monitor.command("mem trim").value
    assert after["heap_objects"] == before["heap_objects"]
    assert after["free"] + after["cached"] == before["free"] + before["cached"]
    alive(machine)


SHELL = b"#!/bin/sh\nx=$(echo a | cat) || exit 1\n[ \"$x\" = a ] || exit 2\n"


def test_every_failure_under_a_shell(boot, alive):
    """The shell, a substitution and a pipe, with each allocation and each copy failing once and for good."""
    machine = boot({"script": SHELL}, preset="qemu-virt", smp=1)
    result = machine.monitor.command("sweep program /bin/sh /script", budget=600).value
    assert result["error"] == 0 and result["broken"] is None, result
    assert result["injections"] >= 400, result
    alive(machine)
