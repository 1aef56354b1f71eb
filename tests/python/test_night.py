"""Whole nights in a copy of the tree: a planted bug is found, its files fail again and pass when it is gone; Ctrl-C at any
moment leaves a report and no process."""

import json
import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from faultline import process, scratch
from faultline.mutants import Mutant
from faultline.paths import FUZZ, OUT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LEAK = FUZZ / "planted" / "pagetable-leak-on-enomem.patch"
THREAD_LEAK = Mutant("kernel/sched/thread.c", "        kfree(memory);\n        return error;", "        return error;")
# Only a failed first allocation changes anything, and no seed has that in its plan.
FIRST_FAILURE = Mutant("kernel/mm/bump.c", "if (fault_here(FAULT_BOOT_ALLOC)) {\n",
                       "if (fault_here(FAULT_BOOT_ALLOC)) {\n        bump->next.raw += bump->next.raw == bump->start.raw;\n")
MERGE = FUZZ / "planted" / "buddy-merges-other-order.patch"


@pytest.fixture
def copy():
    folder = OUT / "scratch" / "night"
    scratch.sync(folder)
    return folder


def verb(copy, name, *words):
    return scratch.run(copy, f"faultline.cli.{name}", *words, deadline=600)


def crashes(night):
    return json.loads((night / "report.json").read_text())["crashes"]


def test_a_planted_bug_from_finding_to_fix(copy, tmp_path):
    """Two leaks on -ENOMEM: one for the host, by fuzzer and sweep; one for the sweep in QEMU."""
    scratch.patch(copy, LEAK)
    THREAD_LEAK.plant(copy)
    night = tmp_path / "night"
    done = verb(copy, "nightly", "--target", "fuzz_pagetable", "--minutes", "0.2", "--only", "fuzz", "--only", "sweep",
                "--out", night)
    assert done.status == 1, done.output + done.errors
    found = crashes(night)
    assert {crash["machines"] for crash in found} == {"host", "qemu"}
    assert all(crash["replays"] == "3/3" for crash in found)
    folders = [Path(crash["folder"]) for crash in found]
    for folder in folders:
        assert {path.name for path in folder.iterdir()} == {"input", "report.txt", "meta.json", "repro.sh"}
        assert process.run([folder / "repro.sh"], deadline=120, env=env(copy)).status == 1, folder

    host = next(folder for folder, crash in zip(folders, found) if crash["machines"] == "host")
    told = verb(copy, "reproduce", host)
    assert told.status == 1
    assert "   1  " in told.output and "signature: " in told.output, "operations are decoded"
    assert " kernel/mm/pagetable.c:" in told.output or " fuzz/fuzz_pagetable.c:" in told.output, "the stack has names and places"
    smaller = json.loads(verb(copy, "reproduce", host, "--minimize", "--json").output)
    assert smaller["verdict"] == "fails"
    assert Path(smaller["minimized"]).stat().st_size <= (host / "input").stat().st_size
    assert verb(copy, "reproduce", smaller["minimized"], "--target", "fuzz_pagetable").status == 1

    scratch.sync(copy)
    for folder in folders:
        passes = process.run([folder / "repro.sh"], deadline=120, env=env(copy))
        assert passes.status == 0, passes.output + passes.errors


def test_a_failed_sweep_is_an_input(copy, tmp_path):
    """No seed fails by itself here: the plan that does comes from the sweep, and lies in the file."""
    FIRST_FAILURE.plant(copy)
    night = tmp_path / "night"
    done = verb(copy, "nightly", "--target", "fuzz_bump", "--only", "sweep", "--out", night)
    assert done.status == 1, done.output + done.errors
    crash = next(crash for crash in crashes(night) if crash["machines"] == "host")
    folder = Path(crash["folder"])
    assert json.loads((folder / "meta.json").read_text())["found_by"].startswith("sweep of ")
    assert crash["replays"] == "3/3" and any("armed" in fault for fault in crash["faults"])
    assert crash["without_faults"] == "passes without the faults"
    assert process.run([folder / "repro.sh"], deadline=120, env=env(copy)).status == 1


def test_minimize_shrinks(copy, tmp_path):
    """What fails at once needs little of a long input."""
    scratch.patch(copy, MERGE)
    night = tmp_path / "night"
    assert verb(copy, "nightly", "--target", "fuzz_buddy", "--minutes", "0.1", "--only", "fuzz", "--out", night).status == 1
    long = tmp_path / "long"
    long.write_bytes((Path(crashes(night)[0]["folder"]) / "input").read_bytes() + bytes(2000))
    told = json.loads(verb(copy, "reproduce", long, "--target", "fuzz_buddy", "--minimize", "--json").output)
    assert told["verdict"] == "fails"
    smaller = Path(told["minimized"])
    assert smaller.stat().st_size < 100
    again = json.loads(verb(copy, "reproduce", smaller, "--target", "fuzz_buddy", "--json").output)
    assert again["signature"] == told["signature"]


def env(copy, **more):
    return {"PYTHONPATH": str(copy / "harness"), "FAULTLINE_READY": str(copy), **more}


def marked(token):
    """Living processes whose environment holds the token."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and token.encode() in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ")[:120])
        except OSError:
            pass  # it ended while we looked, or is not ours
    return found


def interrupted(copy, night, words, moment, number=signal.SIGINT):
    """Starts a night, sends a signal when `moment(output so far)` is true, and returns its status and output."""
    token = f"night-{uuid.uuid4()}"
    log = night.with_suffix(".log")
    with open(log, "wb") as sink:
        child = subprocess.Popen([copy / "scripts" / "nightly", "--minutes", "2", "--out", night, *words], stdout=sink, stderr=sink,
                                 env={**os.environ, **env(copy, FAULTLINE_TEST=token)}, start_new_session=True)
        try:
            until = time.monotonic() + 240
            while not moment(log.read_text()):
                assert child.poll() is None and time.monotonic() < until, log.read_text()
                time.sleep(0.05)
            child.send_signal(number)
            child.wait(60)
        finally:
            process.end(child)
    until = time.monotonic() + 10
    while marked(token) and time.monotonic() < until:
        time.sleep(0.1)
    assert marked(token) == []
    return child.returncode, log.read_text()


MOMENTS = {
    "build": ("fuzz", lambda said, night: "building host-fuzz" in said),
    "fuzz": ("fuzz", lambda said, night: any(night.glob("work/*-libfuzzer/libfuzzer-0.log"))),
    "afl": ("fuzz", lambda said, night: any(night.glob("work/*-afl/out/default/fuzzer_stats"))),
    "sweep": ("sweep", lambda said, night: "QEMU boot: " in said),
    "planted": ("planted", lambda said, night: any(night.glob("work/planted-*"))),
    "booted": ("booted", lambda said, night: "booted tests" in said),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_an_interrupted_night_is_reported(copy, tmp_path, name):
    part, moment = MOMENTS[name]
    night = tmp_path / "night"
    if name == "build":
        # Something to build: a new line in a header that all include.
        with open(copy / "kernel" / "base" / "types.h", "a") as header:
            header.write(f"// {uuid.uuid4()}\n")
    status, said = interrupted(copy, night, ["--target", "fuzz_bump", "--only", part], lambda text: moment(text, night))
    report = json.loads((night / "report.json").read_text())
    assert (status, report["verdict"]) == (2, "broken"), said
    assert any("interrupted" in reason for reason in report["reasons"])
    assert (night / "report.html").is_file()
    if name in ("fuzz", "afl"):
        assert any((copy / "out" / "corpus" / "fuzz_bump").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_found_before_is_kept(copy, tmp_path, number):
    scratch.patch(copy, MERGE)
    night = tmp_path / "night"
    status, _ = interrupted(copy, night, ["--target", "fuzz_buddy", "--target", "fuzz_bump", "--only", "fuzz"],
                            lambda text: "FOUND" in text, number)
    assert status == 1
    assert all((Path(crash["folder"]) / "input").is_file() for crash in crashes(night)) and crashes(night)
