"""scripts/boot as a person uses it: with a command, with a script, at a terminal, recorded and replayed."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from faultline import process
from faultline.paths import ROOT, kernel_image
from faultline.qemu import Machine, MachineConfig
from faultline.qemu.person import BOOT, DEADLINE, Terminal


def boot(*words, typed=None):
    """The kernel's own monitor."""
    return shell("--monitor", *words, typed=typed)


def shell(*words, typed=None):
    done = subprocess.run([BOOT, *words], input=typed, capture_output=True, text=True, timeout=DEADLINE,
                          stdin=subprocess.DEVNULL if typed is None else None, check=False)
    assert "\x1e" not in done.stdout, "records are for programs"
    return done


def test_command_prints_and_gives_its_status():
    done = boot("--", "mem")
    assert done.returncode == 0, done.stderr
    assert "pages:" in done.stdout


def test_failed_command_gives_its_status():
    done = boot("--", "no-such-command")
    assert done.returncode == 2 and not done.stderr  # ENOENT
    assert "no-such-command" in done.stdout


def test_a_panic_is_told_and_status_2():
    done = boot("--", "crash", "null")
    assert done.returncode == 2
    assert "kernel panic" in done.stderr and "crash_null" in done.stderr


def test_options_reach_the_machine():
    done = boot("--smp", "3", "--cpu", "cortex-a53", "--mem", "128M", "--", "threads")
    assert done.returncode == 0, done.stderr
    assert "cpu 2" in done.stdout


def test_lines_of_a_script_are_typed_one_by_one():
    done = boot(typed="mem\nthreads\nno-such-command\nmem")
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^faultline> (.*)$", done.stdout, re.MULTILINE) == ["mem", "threads", "no-such-command", "mem", ""]


@pytest.mark.parametrize("typed, status", [("poweroff\nmem\n", 0), ("crash null\nmem\n", 1), ("", 0), (None, 0)])
def test_the_console_ends_with_its_input_or_its_guest(typed, status):
    assert boot(typed=typed).returncode == status


def test_a_boot_that_fails_has_a_status():
    done = boot("--fault", "boot_alloc,nth=1", typed="mem\n")
    assert done.returncode == 1 and "boot failed" in done.stdout


def test_standard_input_may_be_closed():
    done = subprocess.run(["/bin/sh", "-c", f"exec {BOOT} --monitor <&-"], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0 and "faultline> " in done.stdout


def test_a_recorded_run_is_replayed(tmp_path):
    record = tmp_path / "run"
    first = boot("--record", record, typed="threads\nsweep kmalloc\n")
    again = boot("--replay", record)
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert "us" in first.stdout and again.stdout.strip() == first.stdout.strip()


@pytest.mark.parametrize("command, printed, status", [
    ("seq 1 100000 | sort -rn | head -3", "100000\n99999\n99998\n", 0),
    ("exit 7", "", 7),
    ("printf 'no end'; kill -9 $$", "no end", 137),
    ("echo; echo $0; echo \"a  b\" '$HOME'", "\n/bin/sh\na  b $HOME\n", 0),
    ("no-such-program 2>&1", "/bin/sh: no-such-program: not found\n", 127),
    ("sleep 9; echo late", "late\n", 0),
])
def test_a_shell_command_prints_and_gives_its_status(command, printed, status):
    done = shell("--", command)
    assert (done.stdout, done.returncode, done.stderr) == (printed, status, "")


@pytest.mark.parametrize("typed, printed, status", [("echo out\nexit 7", "out\n", 7), ("", "", 0), (None, "", 0)])
def test_what_is_piped_in_is_a_script(typed, printed, status):
    done = shell(typed=typed)
    assert (done.stdout, done.returncode) == (printed, status)


def test_a_panic_under_the_shell_is_told():
    done = shell("--fault", "boot_alloc,nth=1", "--", "true")
    assert done.returncode == 2 and "boot failed" in done.stderr


def test_a_recorded_shell_is_replayed(tmp_path):
    record = tmp_path / "run"
    person = Terminal("--record", record)
    try:
        person.until_prompt()
        person.type(b"echo $((6*7))\r")  # QEMU loses what does not fit into the serial port while it records
        person.until("42")
        person.until_prompt()
        person.type(b"exit\r")
        assert person.child.wait(60) == 0
    finally:
        person.close()
    again = shell("--replay", record)
    assert again.returncode == 0 and "42" in again.stdout, again.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_qemu_is_nobody(tmp_path):
    """Also with an image and a place for its log and recording that only we can enter."""
    tmp_path.chmod(0o700)
    image = Path(shutil.copy(kernel_image("qemu-virt"), tmp_path / "kernel.bin"))
    log, record = tmp_path / "logs" / "serial.log", tmp_path / "recording"
    with Machine(MachineConfig(image, record=record), log=log) as machine:
        machine.boot()
        status = Path(f"/proc/{machine.process.pid}/status").read_text()
        folder = machine.gdb_socket.parent
    assert re.search(r"^Uid:\s65534\s65534\s65534\s65534$", status, re.MULTILINE) and re.search(r"^Groups:\s*$", status, re.MULTILINE)
    assert len(re.findall(r"^Cap\w+:\s0{16}$", status, re.MULTILINE)) == 5 and "NoNewPrivs:\t1" in status
    assert b"faultline>" in log.read_bytes() and record.stat().st_size > 0
    assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {0} and not folder.exists()
    with Machine(MachineConfig(image, replay=record)) as machine:
        machine.boot()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_a_link_in_qemus_folder_is_no_log(tmp_path):
    log = tmp_path / "serial.log"
    with Machine(MachineConfig(kernel_image("qemu-virt")), log=log) as machine:
        machine.boot()
        serial = machine.gdb_socket.parent / "serial.log"
        serial.unlink()
        serial.symlink_to("/etc/passwd")
    assert not log.exists()


def test_a_person_at_a_terminal(terminal):
    person = terminal("--monitor")
    person.until("faultline> $")
    person.type(b"mem\r")
    person.until(r"pages: \d+ total[^$]*faultline> $")
    person.type(b"half a line\x03")  # Ctrl-C is the guest's
    person.until("faultline> $")
    below = process.descendants(person.child.pid)
    assert below
    person.type(b"\x01x")
    assert person.child.wait(30) == 0
    assert all_end(below)


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGHUP, 130)])
def test_signals_end_everything(number, status):
    child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", BOOT, "--", "irqsweep", "exec", "1", "1000000"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until = time.monotonic() + DEADLINE
    while not any(b"qemu-system" in command_line(pid) for pid in process.descendants(child.pid)):
        assert time.monotonic() < until
        assert child.poll() is None, f"ended with {child.returncode}: {child.stdout.read().decode(errors='replace')}"
        time.sleep(0.05)
    below = process.descendants(child.pid)
    child.send_signal(number)
    assert child.wait(30) == status
    assert all_end(below)


def all_end(pids):
    """Soon: what a parent's death ends may outlive it for a moment."""
    until = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    return not [pid for pid in pids if command_line(pid)]  # what is left has no command line: dead, and not yet reaped


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def test_gdb_starts_the_guest(terminal):
    person = terminal("--monitor", "--gdb")
    person.until("target remote (\\S+)'")
    command = re.search(r"gdb-multiarch (\S+) -ex 'target remote (\S+)'", person.said)
    done = process.run(["gdb-multiarch", "-q", "-batch", ROOT / command[1], "-ex", f"target remote {command[2]}",
                        "-ex", "hbreak monitor_main", "-ex", "continue", "-ex", "backtrace", "-ex", "detach"],
                       deadline=DEADLINE, cwd=ROOT, merge=True)
    assert "#0  monitor_main" in done.output, done.output
    person.until("faultline> $")


@pytest.mark.parametrize("words, named", [
    (("--cpu", "z80"), "z80"), (("--smp", "99"), "99"), (("--smp", "0"), "0"), (("--smp", "many"), "many"),
    (("--mem", "lots"), "lots"), (("--mem", "0"), "0"), (("--mem", "1M"), "memory"), (("--mem", "9999999G"), "memory"),
    (("--fault", "nonsense"), "nonsense"), (("--no-such-option",), "--no-such-option"),
    (("--replay", "/no/such/file"), "/no/such/file"), (("--record", "/no/such/folder/file"), "/no/such/folder"),
    (("--preset", "other"), "other"),
])
def test_bad_options_are_named_in_one_line(words, named):
    done = boot(*words, "--", "mem")
    assert done.returncode == 2
    assert named in done.stderr and len(done.stderr.strip().splitlines()) == 1
