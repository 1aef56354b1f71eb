"""When memory runs out one process is killed, and says so; everybody else goes on. Fork bombs end with EAGAIN."""

import re
import subprocess

import pytest

from faultline import userland
from faultline.paths import ROOT

HOG = """#!/bin/sh
# Doubles what it holds until there is no more.
awk 'BEGIN { s = "0123456789abcdef"; while (1) { s = s s } }'
echo "the hog ended with $?"
i=0
while [ $i -lt 5 ]; do echo alive $i | cat; i=$((i + 1)); done
"""

BOMB = """#!/bin/sh
bomb() { bomb | bomb & }
bomb
sleep 1
"""
AFTER = b"#!/bin/sh\necho still here | cat\n"


@pytest.fixture
def run(make_machine, tmp_path):
    def started(script, **changes):
        archive = userland.initrd(tmp_path / "initrd.cpio", {"script": script.encode(), "after": AFTER})
        machine = make_machine(initrd=archive, **changes)
        machine.boot()
        return machine, *machine.execute("/script", 240.0)
    return started


@pytest.mark.parametrize("smp, preset", [(1, "qemu-virt-debug"), (4, "qemu-virt")])
def test_one_process_is_killed(run, smp, preset, alive):
    machine, printed, status = run(HOG, smp=smp, preset=preset)
    assert status == 0
    assert "the hog ended with 137" in printed
    assert [line for line in printed.splitlines() if line.startswith("alive")] == [f"alive {i}" for i in range(5)]
    killed = re.findall(r"out of memory: killed pid (\d+) \((\w+)\), (\d+) KiB", machine.monitor.command("log").text)
    assert len(killed) == 1 and killed[0][1] == "awk" and int(killed[0][2]) > 16 << 10
    alive(machine)


@pytest.mark.parametrize("smp, preset", [(1, "qemu-virt-debug"), (2, "qemu-virt")])
def test_a_fork_bomb(run, smp, preset, alive):
    machine, _, _ = run(BOMB, smp=smp, preset=preset)
    for _ in range(50):
        printed, _ = machine.execute("/after")
        if "still here" in printed:
            break
    assert "still here" in printed
    alive(machine)


@pytest.mark.parametrize("memory", [16, 64])
def test_files_leave_room_for_processes(run, memory, alive):
    script = "#!/bin/sh\ndd if=/dev/zero of=/f bs=64k count=3000 2> /dev/null; echo $?\necho alive | cat\nrm /f\ndd if=/dev/zero of=/f bs=64k count=50 2> /dev/null; echo $?\n"
    machine, printed, status = run(script, memory=memory << 20, preset="qemu-virt")
    assert [line for line in printed.splitlines() if line in ("0", "1", "alive")] == ["1", "alive", "0"]
    assert "out of memory" not in machine.monitor.command("log").text
    alive(machine)


def test_many_who_wait_do_not_use_up_a_victims_time(make_machine, tmp_path, alive):
    program = tmp_path / "hogs"
    source = ROOT / "qemu-tests" / "programs" / "hogs.c"
    subprocess.run(["aarch64-linux-gnu-gcc", "-O1", "-static", f"-I{ROOT}/user/compare", "-o", program, source], check=True)
    archive = userland.initrd(tmp_path / "initrd.cpio", {"hogs": program.read_bytes()})
    machine = make_machine(initrd=archive, smp=4, preset="qemu-virt", memory=512 << 20)
    machine.boot()
    printed, _ = machine.execute("/hogs", 240.0)
    assert printed.splitlines()[-2:] == ["the hog: is killed", "root's process: lives"]
    alive(machine)
