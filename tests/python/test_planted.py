"""Patches of planted bugs: their headers, and the copy of the tree they are applied to."""

import pytest

from faultline import process, scratch
from faultline.campaign import planted
from faultline.compare import suite
from faultline.errors import FaultlineError
from faultline.paths import ROOT

HEADER = "name: off by one\nclass: arithmetic\ntarget: fuzz_buddy\nbudget: 20\n"
DIFF = "--- a/kernel/x.c\n+++ b/kernel/x.c\n@@ -1 +1 @@\n-one\n+two\n"


def test_header(tmp_path):
    path = tmp_path / "x.patch"
    path.write_text(HEADER + "\n" + DIFF)
    bug = planted.load(path)
    assert (bug.name, bug.kind, bug.target, bug.budget) == ("off by one", "arithmetic", "fuzz_buddy", 20.0)


@pytest.mark.parametrize("text, wrong", [(HEADER.replace("class", "klass"), "class"), (HEADER.replace("20", "soon"), "soon")])
def test_bad_header_is_named(tmp_path, text, wrong):
    path = tmp_path / "x.patch"
    path.write_text(text + "\n" + DIFF)
    with pytest.raises(FaultlineError, match=wrong):
        planted.load(path)


def test_build(tmp_path):
    path = tmp_path / "x.patch"
    path.write_text(HEADER + "build: host-msan\n\n" + DIFF)
    assert planted.load(path).build == "host-msan"
    path.write_text(HEADER + "build: host-afl\n\n" + DIFF)
    with pytest.raises(FaultlineError, match="host-afl"):
        planted.load(path)


def test_programs_of_the_comparison(tmp_path):
    path = tmp_path / "x.patch"
    path.write_text(HEADER.replace("fuzz_buddy", "compare identity links") + "\n" + DIFF)
    bug = planted.load(path)
    assert bug.compared == ("identity", "links") and bug.build == "qemu-virt-debug"


@pytest.mark.parametrize("bug", planted.all_planted(), ids=lambda bug: bug.path.stem)
def test_every_planted_bug_can_be_planted(bug):
    assert set(bug.compared) <= set(suite.everything()) if bug.compared else (ROOT / "fuzz" / f"{bug.target}.c").is_file()
    done = process.run(["patch", "-p1", "--batch", "--dry-run", "-i", bug.path], deadline=60, cwd=ROOT, merge=True)
    assert done.status == 0 and "fuzz" not in done.output, done.output  # where lines near it have changed it may mean another place


def test_sync_restores_and_removes(tmp_path):
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    (tree / "kernel").mkdir(parents=True)
    (tree / "kernel" / "x.c").write_text("one\n")
    for name in ("CMakeLists.txt", "CMakePresets.json"):
        (tree / name).write_text("{}\n")
    scratch.sync(copy, tree)
    before = (copy / "kernel" / "x.c").stat().st_mtime_ns
    scratch.sync(copy, tree)
    assert (copy / "kernel" / "x.c").stat().st_mtime_ns == before
    (copy / "kernel" / "x.c").write_text("two\n")
    (copy / "kernel" / "new.c").write_text("")
    scratch.sync(copy, tree)
    assert (copy / "kernel" / "x.c").read_text() == "one\n"
    assert not (copy / "kernel" / "new.c").exists()
