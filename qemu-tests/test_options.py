"""The options of these tests themselves."""

import os
import re
import stat
import subprocess
import sys

import pytest

from faultline.paths import ROOT

FAILS = "def test_fails(machine):\n    assert machine.monitor.mem() is None\n"


def start(*words, **options):
    """pytest with this folder's fixtures."""
    return subprocess.Popen([sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", *words], cwd=ROOT,
                            env={**os.environ, "PYTHONPATH": f"{ROOT / 'qemu-tests'}:{ROOT / 'harness'}"}, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


@pytest.mark.parametrize("words, named", [(("--cpu", "z80"), "z80"), (("--smp", "99"), "99"), (("--mem", "lots"), "lots"),
                                          (("--gdb-on-failure", "-n", "2"), "--gdb-on-failure"), (("--smp", "x"), "x")])
def test_bad_ones_are_named(tmp_path, words, named):
    (tmp_path / "test_fails.py").write_text(FAILS)
    child = start(tmp_path, *words)
    said = child.communicate(timeout=240)[0]
    assert child.returncode == pytest.ExitCode.USAGE_ERROR, said
    assert any("error: " in line.lower() and named in line for line in said.splitlines()), said


def test_a_failed_machine_waits_for_gdb(tmp_path):
    (tmp_path / "test_fails.py").write_text(FAILS)
    child = start(tmp_path, "--gdb-on-failure", "--log-dir", tmp_path / "logs")
    said = ""
    while "Enter ends it" not in said:
        line = child.stdout.readline()
        assert line, said
        said += line
    socket = re.search(r"target remote (\S+)'", said)[1]
    assert stat.S_ISSOCK(os.stat(socket).st_mode)
    child.communicate("\n", timeout=120)
    assert child.returncode == 1 and not os.path.exists(socket)
