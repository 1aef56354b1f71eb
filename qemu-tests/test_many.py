"""More processes than address space identifiers, and what stays behind of them (nothing)."""

import pytest

from faultline import userland

SCRIPT = """#!/bin/sh
i=0
while [ $i -lt 300 ]; do
    sleep 1000 &
    pids="$pids $!"
    i=$((i + 1))
done
echo $(echo one two | tr a-z A-Z)
kill $pids
wait
echo done
"""


@pytest.mark.parametrize("cpu, smp", [("cortex-a53", 1), ("cortex-a72", 4)])
def test_three_hundred_processes(make_machine, tmp_path, cpu, smp, alive):
    archive = userland.initrd(tmp_path / "initrd.cpio", {"script": SCRIPT.encode()})
    machine = make_machine(initrd=archive, cpu=cpu, smp=smp, memory=128 << 20)
    machine.boot()
    assert machine.execute("/script", 240.0) == ("ONE TWO\ndone\n", 0)
    alive(machine)
