"""A user tries to exhaust, to block and to end the machine in every way at once; root's shell answers all the same."""

import re
import subprocess

import pytest

from faultline import userland
from faultline.paths import ROOT
from faultline.process import MIB

SECONDS = 120  # of the guest's time
BOUND = 60.0   # likewise, of a CPU that does 62 million instructions in a second: root's shell starts, says something and ends
               # among 250 tasks that all want to run
LEFT_KIB = 1024  # caches of slabs and names that stay


@pytest.fixture
def hostile(make_machine, tmp_path):
    """Runs the program on a machine; what it printed and the machine."""
    def run(seconds, **changes):
        program = tmp_path / "hostile"
        source = ROOT / "qemu-tests" / "programs" / "hostile.c"
        subprocess.run(["aarch64-linux-gnu-gcc", "-O1", "-static", "-pthread", "-D_GNU_SOURCE", "-w", "-o", program, source], check=True)
        archive = userland.initrd(tmp_path / "initrd.cpio", {"hostile": program.read_bytes()})
        machine = make_machine(initrd=archive, memory=64 * MIB, **changes)
        machine.boot()
        return machine, *machine.execute(f"/hostile {seconds}", budget=1200.0)
    return run


# On one CPU an instruction takes 16 ns, so that two minutes do not take ten; on several QEMU's clock is the host's, which
# judges nothing here: an answer that never comes is a hang, which the machine's own watch sees.
@pytest.mark.parametrize("smp, changes", [(1, {"icount": True, "icount_shift": 4}), (4, {})], ids=["1-cpu", "4-cpus"])
def test_root_is_answered(hostile, alive, smp, changes):
    machine, printed, status = hostile(SECONDS, smp=smp, preset="qemu-virt", **changes)
    assert status == 0, printed
    asked, answered, longest = re.search(r"asked (\d+) answered (\d+) longest ([\d.]+)", printed).groups()
    assert int(asked) == int(answered) and int(asked) > 2, printed
    assert float(longest) < BOUND or smp > 1, printed
    processes, kilobytes = map(int, re.search(r"left: (\d+) processes, (\d+) KiB", printed).groups())
    assert processes == 0 and kilobytes <= LEFT_KIB, printed
    alive(machine)
