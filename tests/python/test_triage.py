"""Signatures: one bug, one folder, on whichever machine and at whatever address."""

import subprocess

import pytest

from faultline.campaign import triage

PANIC = """op: alloc
FAULTLINE: model: block 0x4000 of order 2 overlaps one in use
    #0 0x55d2c0a1b2c3 in machine_finding build/host-test/hal/host/report.c:120:5
    #1 0x55d2c0a1b2c3 in buddy_alloc kernel/mm/buddy.c:120:5
    #2 0x55d2c0a1b2c4 in page_alloc.part.0 /x/build/../kernel/mm/page_alloc.c:83
    #3 0x55d2c0a1b2c5 in run fuzz/fuzz_buddy.c:12:3
    #4 0x55d2c0a1b2c6 in slab_alloc kernel/mm/slab.c:3:1
    #5 0x55d2c0a1b2c7 in kmalloc kernel/mm/kmalloc.c:3:1
"""
ASAN = """==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x1 bp 0x2 sp 0x3
READ of size 8 at 0x602000000010 thread T0
    #0 0x1 in lfstack_pop kernel/sync/lfstack.c:40:9
    #1 0x2 in main harness/replay.c:1:1
freed by thread T0 here:
    #0 0x3 in other kernel/mm/slab.c:1:1
"""


def test_kind_and_three_frames():
    finding = triage.parse(PANIC)
    assert finding.kind == "model"
    assert finding.names == ("buddy_alloc", "page_alloc", "slab_alloc")
    assert finding.signature == "model-buddy_alloc-page_alloc-slab_alloc"


def test_addresses_and_lines_do_not_matter():
    other = PANIC.replace("0x55d2c0a1b2c", "0x7f0000000a1").replace(":120:5", ":7:1").replace("0x4000", "0x9000")
    assert triage.parse(other).signature == triage.parse(PANIC).signature


def test_only_the_first_stack_counts():
    finding = triage.parse(ASAN)
    assert finding.kind == "heap-use-after-free" and finding.names == ("lfstack_pop",)


def test_undefined_behaviour():
    report = "kernel/mm/bump.c:9:2: runtime error: signed integer overflow: 1 + 2\n    #0 0x1 in bump_alloc kernel/mm/bump.c:9:2\n"
    assert triage.parse(report).signature == "undefined-bump_alloc"


def test_without_a_stack_the_masked_sentence_stands_in():
    one, two = (triage.parse(f"FAULTLINE: leak: {n} pages at 0x{n}000") for n in (3, 7))
    assert one.signature == two.signature == "leak-N_pages_at_N"


def test_no_report_at_all():
    assert triage.parse("", None).kind == "timeout"
    assert triage.parse("", -11).kind == "crash"


def test_a_signature_is_a_name_of_a_file():
    report = f"FAULTLINE: {'x' * 300}: said\n    #0 0x1 in {'f' * 5000} kernel/mm/bump.c:9:2\n"
    assert len(triage.parse(report).signature) <= 200


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"crashes": 5}', '{"crashes": [5]}', '{"crashes": ["x"]}', '{"crashes": [{}]}', "\0"])
def test_a_damaged_report_of_an_earlier_night_knows_nothing(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    assert triage.load_known(tmp_path) == set()


def test_sharing_follows_no_link(tmp_path):
    """Neither from where nor to where."""
    corpus, queue = tmp_path / "corpus", tmp_path / "queue"
    queue.mkdir()
    corpus.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (queue / "link").symlink_to("../secret")
    (queue / "good").write_bytes(b"good")
    name = triage.hashlib.sha1(b"good").hexdigest()
    (corpus / name).symlink_to("../elsewhere")
    triage.copy_into(corpus, sorted(queue.iterdir()))
    assert [path.name for path in corpus.iterdir()] == [name]
    assert not (corpus / name).is_symlink() and (corpus / name).read_bytes() == b"good" and not (tmp_path / "elsewhere").exists()


def test_the_way_to_the_tree_is_one_word_of_the_shell(tmp_path, monkeypatch):
    root = tmp_path / "a $(touch ran) 'tree'"
    (root / "scripts").mkdir(parents=True)
    (root / "scripts" / "reproduce").write_text("#!/bin/sh\necho \"$@\"\n")
    (root / "scripts" / "reproduce").chmod(0o755)
    monkeypatch.setattr(triage, "ROOT", root)
    for folder in (tmp_path / "crash", root / "out" / "crash"):
        folder.mkdir(parents=True)
        triage._write_repro(folder, "fuzz_buddy")
        done = subprocess.run([folder / "repro.sh"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
        assert done.stdout == f"--target fuzz_buddy {folder}/input\n", done
    assert not (tmp_path / "ran").exists()
