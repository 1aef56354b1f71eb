"""A session at the terminal of scripts/boot: an editor, job control, pipes, scripts, archives."""

import time

import pytest


@pytest.fixture
def shell(terminal):
    """A terminal at its first prompt."""
    person = terminal()
    person.until_prompt()
    return person


def test_an_editor(shell):
    shell.type(b"vi /tmp/letter\r")
    shell.until(r"/tmp/letter 1/1")
    shell.type(b"ihello\rwordl\x7f\x7fld")
    shell.until(r"world.*\x1b")
    shell.type(b"\x1b")
    time.sleep(0.5)  # what follows an escape at once belongs to it
    shell.type(b":wq\r")
    shell.until_prompt()
    assert shell.run("cat /tmp/letter") == ["hello", "world"]


def test_jobs(shell):
    shell.type(b"sleep 1000\r")
    time.sleep(0.5)
    shell.type(b"\x1a")
    shell.until("Stopped")
    shell.until_prompt()
    assert "Stopped" in shell.run("jobs")[0]
    shell.type(b"fg\r")
    shell.until("sleep 1000")
    time.sleep(0.3)
    shell.type(b"\x03")
    shell.until_prompt()
    assert shell.run("echo $?; jobs") == ["130"]
    shell.run("sleep 1000 &")
    shell.run("kill %1; wait; echo")
    assert "3" in shell.run("jobs; (exit 3) & wait $!; echo $?")


@pytest.mark.parametrize("line", ["cat", "sh -c 'while :; do :; done'", "yes > /dev/null", "cat | cat | cat", "sleep 100 | sleep 100"])
def test_interrupts(shell, line):
    shell.type(line.encode() + b"\r")
    time.sleep(0.5)
    shell.type(b"\x03")
    shell.until_prompt()
    assert shell.run("echo $?") == ["130"]


def test_keys_are_edited(shell):
    shell.type(b"cat > /tmp/k\r")
    time.sleep(0.5)
    shell.type(b"wrung\x7f\x7f\x7fong\rthis goes\x15that stays\rtwo word\x17lines\rno end\x04\x04")
    shell.until_prompt()
    assert shell.run("cat /tmp/k; echo") == ["wrong", "that stays", "two lines", "no end"]
    shell.type(b"\x04")  # the end of the shell
    assert shell.child.wait(30) == 0


def test_scripts_pipes_and_archives(shell):
    for line in ("mkdir -p /tmp/a/b; echo one > /tmp/a/1; echo two > /tmp/a/b/2; ln -s 1 /tmp/a/l",
                 "tar czf /tmp/a.tar.gz -C /tmp a; rm -r /tmp/a; tar xzf /tmp/a.tar.gz -C /tmp",
                 "printf '#!/bin/sh\\nfor i in $@; do echo \"<$i>\"; done\\nexit 4\\n' > /tmp/s; chmod +x /tmp/s"):
        shell.run(line)
    assert shell.run("cat /tmp/a/1 /tmp/a/b/2 /tmp/a/l; readlink /tmp/a/l") == ["one", "two", "one", "1"]
    assert shell.run("/tmp/s x y; echo $?") == ["<x>", "<y>", "4"]
    assert shell.run("seq 1 1000 | awk '{ s += $1 } END { print s }' | sed 's/$/!/' | tr 0 o") == ["5oo5oo!"]
    assert shell.run("find /tmp/a -type f | xargs wc -l | tail -1 | tr -s ' '") == [" 2 total"]
    assert shell.run("grep -rn t /tmp/a | sort") == ["/tmp/a/b/2:1:two"]


def test_who_runs(shell):
    """ps and top read /proc; top ends by its key."""
    shell.run("sleep 1000 &")
    listed = shell.run("ps")
    assert listed[0].split()[:2] == ["PID", "USER"] and any("sleep 1000" in line for line in listed), listed
    shell.type(b"top\r")
    shell.until(r"Mem: \d+K used")
    shell.until(r"PID +PPID")
    shell.type(b"q")
    shell.until_prompt()
    shell.run("kill %1; wait")
    shell.run("true")
    assert shell.run("cat /proc/self/comm; ls -l /proc/self/exe | sed 's/.*-> //'") == ["cat", "/bin/busybox"]
    assert shell.run("grep -c MemTotal /proc/meminfo; grep -q proc /proc/mounts && echo mounts") == ["1", "mounts"]
