"""Children are capped, and none is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faultline import process
from faultline.errors import MissingTool


def test_deadline_ends_the_whole_tree():
    done = process.run(["/bin/sh", "-c", "sleep 1000 & echo $!; wait"], deadline=0.5)
    assert done.timed_out
    assert not Path(f"/proc/{done.output.strip()}").exists() or _zombie(int(done.output))


def _zombie(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_memory_cap():
    done = process.run([sys.executable, "-c", "bytearray(1 << 30)"], deadline=30, memory=256 * process.MIB)
    assert done.status == 1 and "MemoryError" in done.errors


def test_dies_with_its_parent():
    code = ("import os, signal, sys; from faultline import process; c = process.start(['sleep', '1000']);"
            "print(c.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and not _zombie(pid):
        assert time.monotonic() < until, "the child outlived its parent"
        os.sched_yield()


def test_missing_tool_is_named():
    with pytest.raises(MissingTool, match="no-such-tool.*scripts/setup"):
        process.require_tool("no-such-tool")
