"""The time of day comes from the real-time clock, can be set, and sleeps last."""

import pytest

from faultline import userland

SCRIPT = """#!/bin/sh
date -u +%Y-%m-%d
date -s @1700000000 > /dev/null
date -u +%Y-%m-%dT%H:%M
before=$(date +%s)
sleep 1.1
after=$(date +%s)
[ $((after - before)) -ge 1 ] && [ $((after - before)) -le 60 ] && echo slept
"""


@pytest.mark.parametrize("preset", ["qemu-virt", "qemu-virt-debug"])
def test_the_time_of_day(make_machine, tmp_path, preset, alive):
    archive = userland.initrd(tmp_path / "initrd.cpio", {"script": SCRIPT.encode()})
    machine = make_machine(initrd=archive, preset=preset, extra=("-rtc", "base=2031-05-06T12:00:00"))
    machine.boot()
    assert machine.execute("/script", 120.0) == ("2031-05-06\n2023-11-14T22:13\nslept\n", 0)
    alive(machine)
