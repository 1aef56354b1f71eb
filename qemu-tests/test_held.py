"""How long interrupts stay off, in instructions: one CPU under -icount, so that each run is the same."""

import re

import pytest

from faultline import build, userland
from faultline.paths import ROOT

LIMIT = 200_000  # of the image with checks, for crowds of 300: some tenth of that without

SCRIPT = """#!/bin/sh
i=0
while [ $i -lt 100 ]; do
    sleep 1000 &
    pids="$pids $!"
    i=$((i + 1))
done
ps >/dev/null
cat /proc/meminfo /proc/buddyinfo /proc/slabinfo /proc/vmstat /proc/stat /proc/loadavg /proc/zoneinfo >/dev/null 2>&1
cat /proc/[0-9]*/status /proc/[0-9]*/stat /proc/[0-9]*/maps >/dev/null 2>&1
free >/dev/null
dmesg >/dev/null
seq 1 20000 | sort -rn | tail -1
dd if=/dev/zero of=/tmp/file bs=1M count=8 2>/dev/null
rm /tmp/file
kill $pids
wait
echo done
"""
PROGRAMS = ("storms", "ends", "sigpending", "sigqueue", "threads", "scheduling", "crowds")


def places(machine):
    return [line for line in machine.monitor.command("held").text.splitlines() if " ns until " in line]


@pytest.fixture
def machine_of_programs(make_machine, tmp_path):
    build.build("qemu-virt")  # the programs that Linux runs, too
    files = {name: (ROOT / "build/qemu-virt/user/compare" / name).read_bytes() for name in PROGRAMS}
    archive = userland.initrd(tmp_path / "initrd.cpio", files | {"script": SCRIPT.encode()})
    machine = make_machine(initrd=archive, smp=1, memory=256 << 20, icount=True, preset="qemu-virt-debug")
    machine.boot()
    return machine


@pytest.mark.parametrize("program", ("script", *PROGRAMS))
def test_nothing_keeps_interrupts_off_for_long(machine_of_programs, program):
    machine = machine_of_programs
    machine.monitor.command(f"held {LIMIT}")
    machine.execute(f"/{program}", 240.0)
    print("\n".join(places(machine)))
    assert places(machine) == []


def test_what_does_is_told(machine_of_programs):
    machine = machine_of_programs
    machine.monitor.command("held 1000")
    machine.execute("/script", 240.0)
    told = places(machine)
    assert told and all(re.match(r" *\d+ ns until [^,]+, by [^ ]+$", line) for line in told), told
