"""Rows of the benchmark: which there are, when one is met, what bench.json keeps."""

import json

import pytest

from faultline.bench import beside, programs
from faultline.bench.rows import Row, keep
from faultline.compare.batch import Outcome
from faultline.errors import FaultlineError


def test_the_rows_beside_linux():
    assert beside.names() == [
        "null call", "read /dev/zero", "write /dev/null", "stat", "open+close", "pipe 1 B", "pipe 4 KiB", "pipe ping-pong",
        "mmap+munmap", "touching 16 pages", "fork+exit+wait", "fork+exec+wait", "signal to self", "thread create+join",
        "futex ping-pong", "sched_yield", "4 KiB file read", "4 KiB file write", "create+unlink"]


@pytest.mark.parametrize("ours, met", [("50.0\n", True), ("50.1\n", False)])
def test_half_of_linux_is_wanted(monkeypatch, ours, met):
    monkeypatch.setattr(beside.debian, "linux_version", lambda: "6.1.0-1")
    row = beside._row("stat", Outcome("100.0\n", "exit 0"), Outcome(ours, "exit 0"), [])
    assert row.met == met


@pytest.mark.parametrize("ours", [Outcome("unsupported: futex: ENOSYS\n", "exit 0"), Outcome("", "deadline")])
def test_what_cannot_be_measured_is_said(ours):
    skipped = []
    assert beside._row("stat", Outcome("100.0\n", "exit 0"), ours, skipped) is None
    assert len(skipped) == 1 and "Faultline" in skipped[0]


def test_rows_that_were_not_measured_are_kept(tmp_path):
    path = tmp_path / "bench.json"
    keep([Row("a", "g", "", 1), Row("b", "g", "", 1), Row("c", "h", "", 1)], [], path)
    keep([Row("a", "g", "", 2)], [], path, partial=True)
    assert {row["name"]: row["value"] for row in json.loads(path.read_text())["rows"]} == {"a": 2, "b": 1, "c": 1}
    keep([Row("a", "g", "", 3)], [], path)
    assert {row["name"]: row["value"] for row in json.loads(path.read_text())["rows"]} == {"a": 3, "c": 1}


@pytest.mark.parametrize("place, kind", [
    ("kernel/sched/sched.c:12:3", "kernel"), ("fault/fault.c:1:1", "kernel"), ("hal/host/cpu.c:9:9", "harness"),
    ("user/prog/run.c:1:1", "harness"), ("??:0:0", "sanitizer"), ("/build/llvm/compiler-rt/lib/asan/x.cpp:1:1", "sanitizer")])
def test_whose_code_a_sample_is(place, kind):
    assert programs.kind_of(place) == kind


def test_shares_of_samples():
    shares = programs.shares_of("0x10 6\n0x20 3\n0x30 1\nlost 0\n", [
        ("sys_read", "kernel/syscall/io.c:1:1"), ("machine_reset", "hal/host/machine.c:1:1"), ("memcpy", "??:0:0")])
    assert (shares.kernel, shares.harness, shares.sanitizer, shares.resets) == (0.6, 0.3, 0.1, 0.3)


def test_no_samples_are_no_shares():
    with pytest.raises(FaultlineError, match="no sample"):
        programs.shares_of("lost 0\n", [])
