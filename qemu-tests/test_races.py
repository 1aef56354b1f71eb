"""What several CPUs do to one file or directory at a time: writes stay whole, rights stay asked."""

import subprocess

from faultline import userland
from faultline.paths import ROOT


def run(make_machine, tmp_path, source):
    program = tmp_path / "program"
    subprocess.run(["aarch64-linux-gnu-gcc", "-O1", "-static", "-D_GNU_SOURCE", f"-I{ROOT}/user/compare", "-o", program, source], check=True)
    archive = userland.initrd(tmp_path / "initrd.cpio", {"program": program.read_bytes()})
    machine = make_machine(initrd=archive, smp=4, preset="qemu-virt", memory=256 << 20)
    machine.boot()
    printed, status = machine.execute("/program", 240.0)
    assert status == 0
    return machine, printed.splitlines()


def test_appended_records_are_whole(make_machine, tmp_path, alive):
    machine, lines = run(make_machine, tmp_path, ROOT / "user" / "compare" / "appends.c")
    assert lines == ["bytes: 7202400 of 7202400", "whole records: 1"] * 4
    alive(machine)


def test_no_right_is_that_of_a_moment_ago(make_machine, tmp_path, alive):
    machine, lines = run(make_machine, tmp_path, ROOT / "qemu-tests" / "programs" / "races.c")
    assert lines == ["made many: 1", "taken by a stranger: 0", "tried often: 1", "got out: 0"]
    alive(machine)
