"""/proc in the booted kernel: what Linux's /proc has not (or a cloud kernel was built without)."""

import pytest
from faultline import userland

FAIL_NTH = """#!/bin/sh
n=0 failed=0
while [ $n -lt 60 ]; do
    n=$((n + 1))
    sh -c 'echo '$n' > /proc/self/fail-nth; mkdir /tmp/made; echo 0 > /proc/self/fail-nth' 2> /dev/null || failed=$((failed + 1))
    rmdir /tmp/made 2> /dev/null
done
cat /proc/self/fail-nth
[ $failed -gt 0 ] && echo some failed
mkdir /tmp/made && echo made
"""


@pytest.fixture
def shell(make_machine, tmp_path):
    """Runs a script in a booted machine: what it printed, its status, the machine."""
    def run(script, **changes):
        machine = make_machine(initrd=userland.initrd(tmp_path / "initrd.cpio", {"script": script.encode()}), **changes)
        machine.boot()
        return *machine.execute("/bin/sh /script"), machine
    return run


def test_fail_nth_ends_in_an_error_and_no_more(shell, alive):
    printed, status, machine = shell(FAIL_NTH)
    assert printed.splitlines()[-3:] == ["0", "some failed", "made"]
    assert status == 0
    alive(machine)


def test_trace_is_for_one_process(shell):
    _, status, machine = shell("#!/bin/sh\ncat /dev/null\necho 1 > /proc/$$/trace\ncd /tmp\ncat /proc/$$/trace\necho 0 > /proc/$$/trace\n")
    log = machine.monitor.command("log").text
    assert status == 0
    assert 'chdir("/tmp")  # 0' in log
    assert '"/dev/null"' not in log  # before it was switched on


def test_applets_that_live_on_it(shell):
    printed, status, _ = shell("#!/bin/sh\nsleep 100 &\nuntil grep -q sleep /proc/$!/comm; do :; done\nbusybox pidof sleep > /dev/null && echo found\n"
                               "busybox ps | grep -q 'sleep 100' && echo listed\nbusybox killall sleep\nwait\n"
                               "busybox free > /dev/null && busybox uptime > /dev/null && busybox top -b -n 1 > /dev/null && echo told\n"
                               "busybox mount | grep '^proc'\nbusybox mount -t tmpfs none /tmp && busybox df /tmp | grep -c none\n"
                               "echo x > /tmp/x; busybox umount /tmp || echo again; ls /tmp; exec 3< /tmp\n")
    assert printed.split("\n")[:3] == ["found", "listed", "Terminated"] or "told" in printed, printed
    assert "proc on /proc type proc (rw,nosuid,nodev,noexec)" in printed
    assert status == 0


def test_the_log(shell):
    printed, status, machine = shell("#!/bin/sh\necho '<6>from a script' > /dev/kmsg\ndmesg | grep -c 'from a script'\n"
                                     "head -n 1 /dev/kmsg | grep -c '^6,[0-9]*,[0-9]*,-;from a script$'\n"
                                     "dd if=/dev/kmsg bs=10 count=1 2>&1 | grep -c Invalid\n")
    assert (printed, status) == ("1\n1\n1\n", 0)
    assert "I from a script" in machine.monitor.command("log").text
