"""Debian's own busybox, unmodified: scripts, pipelines, files, signals, a session at the terminal."""

import subprocess

import pytest
from faultline import userland
from faultline.paths import ROOT

SCRIPT = """#!/bin/sh
echo $((6 * 7))
uname -s -m
cd /tmp && pwd
echo hello > a && cat a && mv a b && ls && rm b
mkdir -p d/e && echo x > d/e/f && find d | sort && rm -r d && ls
ln -s target link && readlink link && rm link
printf 'b\\na\\nc\\n' | sort | tr '\\n' ' '; echo
seq 1 20000 | sort -rn | head -3
awk -F: '{ print $1, $3 + 1 }' /etc/passwd
sed s/root/toor/ /etc/passwd | cut -d: -f1
x=$(for i in 1 2 3; do echo -n $i; done); echo $x
false; echo $?
sh -c 'exit 9'; echo $?
trap 'echo caught' USR1; kill -USR1 $$; echo on
sh -c 'kill -TERM $$'; echo $?
(sleep 0.01; echo late) & wait; echo waited
yes | head -n 2
echo abc | grep -c b
dd if=/bin/busybox bs=65536 count=3 2> /dev/null | wc -c
tar c -C / etc | tar t
stat -c '%s %F' /etc/passwd
exit 7
"""
PRINTS = """42
Faultline aarch64
/tmp
hello
b
d
d/e
d/e/f
target
a b c 
20000
19999
19998
root 1
toor
123
1
9
caught
on
Terminated
143
late
waited
y
y
1
196608
etc/
etc/passwd
etc/group
30 regular file
"""


@pytest.fixture
def boot(make_machine, tmp_path):
    """Boots with busybox and files by name."""
    def booted(files=None, **changes):
        machine = make_machine(initrd=userland.initrd(tmp_path / "initrd.cpio", files), **changes)
        machine.boot()
        return machine
    return booted


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("preset", ["qemu-virt", "qemu-virt-debug"])
def test_a_script(boot, smp, preset, alive):
    machine = boot({"script": SCRIPT.encode()}, smp=smp, preset=preset)
    printed, status = machine.execute("/script")
    assert printed == PRINTS
    assert status == 7
    alive(machine)


def test_nothing_is_left_behind(boot):
    machine = boot({"script": b"#!/bin/sh\ni=0; while [ $i -lt 30 ]; do true | sh -c :; i=$((i+1)); done\n"})
    machine.execute("/script")
    before = machine.monitor.mem()
    machine.execute("/script")
    after = machine.monitor.mem()
    assert after["heap_objects"] == before["heap_objects"]
    assert after["free"] + after["cached"] >= before["free"] + before["cached"]


def test_in_sixteen_megabytes(boot):
    machine = boot({"script": SCRIPT.encode()}, memory=16 << 20, preset="qemu-virt")
    assert machine.execute("/script") == (PRINTS, 7)


@pytest.mark.parametrize("path, error", [("/none", -2), ("/etc", -13), ("/etc/passwd", -13), ("/broken", -8), ("/loop", -40)])
def test_what_is_no_program(boot, path, error):
    machine = boot({"broken": b"\x7fELF" + bytes(100), "loop": b"#!/loop\n"})
    printed, status = machine.execute(path)
    assert status == error


def test_a_broken_archive_is_said(make_machine, tmp_path):
    (tmp_path / "bad.cpio").write_bytes(b"070701" + b"z" * 4096)
    machine = make_machine(initrd=tmp_path / "bad.cpio")
    machine.boot()
    assert "initrd: broken" in machine.monitor.command("log").text


@pytest.mark.parametrize("words, piped", [(["--", "echo out; exit 7"], None), ([], b"echo out\nexit 7\n")])
def test_the_verb(words, piped):
    done = subprocess.run([ROOT / "scripts" / "boot", *words], input=piped or b"", capture_output=True, timeout=120)
    assert (done.stdout, done.returncode) == (b"out\n", 7), done.stderr


@pytest.mark.parametrize("preset", ["qemu-virt", "qemu-virt-debug"])
def test_our_own_runtime_with_picolibc(make_machine, preset):
    """crt0, constructors and destructors, thread-local storage, the stubs of syscalls.def, picolibc over them."""
    machine = make_machine(preset=preset)
    machine.boot()
    printed, status = machine.execute("pico")
    assert printed.strip().splitlines() == ["hello from picolibc, 0 failures", "atexit", "destructor"]
    assert status == 0
