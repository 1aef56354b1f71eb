"""Bad input to the verbs: one line that names it and lists what exists, exit 2."""

import json

import pytest

from faultline.campaign import bootcase, targets
from faultline.cli import bench, boot, common, coverage, layers, nightly, reproduce
from faultline.cli import test as test_verb
from faultline.cli.boot import check_plan
from faultline.errors import FaultlineError, UsageError


def run(verb, *words, capsys):
    with pytest.raises(SystemExit) as ended:
        verb.main(list(words))
    return ended.value.code, capsys.readouterr()


@pytest.mark.parametrize("verb, words, named", [
    (nightly.main, ["--target", "no_such"], "no_such"),
    (nightly.main, ["--bogus"], "--bogus"),
    (nightly.main, ["--engine", "abacus"], "abacus"),
    (nightly.main, ["--only", "sleep"], "sleep"),
    (nightly.main, ["--minutes", "many"], "many"),
    (reproduce.main, ["/no/such/input"], "/no/such/input"),
    (reproduce.main, [__file__, "--target", "no_such"], "no_such"),
    (reproduce.main, [__file__, "--on", "moon"], "moon"),
    (reproduce.main, [__file__, "--target", "fuzz_buddy", "--on", "qemu"], "fuzz_buddy"),
    (boot.main, ["--fault", "page_alloc,nth=x"], "nth=x"),
    (boot.main, ["--preset", "other"], "other"),
    (boot.main, ["--mem", "1K"], "0 MiB"),
    (boot.main, ["--record", "/no/such/folder/x"], "/no/such/folder"),
    (nightly.main, ["--jobs", "0"], "0"),
    (nightly.main, ["--minutes", "-1"], "-1"),
    (nightly.main, ["--out", "/dev/null/x"], "/dev/null"),
    (nightly.main, ["surplus"], "surplus"),
    (bench.main, ["--only", "no_such"], "no_such"),
    (bench.main, ["--seconds", "0"], "0"),
    (coverage.main, ["--target", "no_such"], "no_such"),
    (test_verb.main, ["--no-such"], "--no-such"),
    (test_verb.main, ["surplus"], "surplus"),
    (layers.main, ["--no-such"], "--no-such"),
    (reproduce.main, ["/dev/null/x"], "/dev/null/x"),
    (reproduce.main, ["/proc"], "/proc"),
])
def test_named_in_one_line(verb, words, named, capsys):
    status, said = run(verb, *words, capsys=capsys)
    assert status == 2
    assert named in said.err and len(said.err.strip().splitlines()) == 1


CASE = '{"format": "faultline booted case", '


@pytest.mark.parametrize("text, named", [('"smp": "two"}', "smp"), ('"nonsense": 1}', "nonsense"), ('"preset": "host-test"}', "host-test"),
                                         ('"cpu": "z80"}', "z80"), ('"test": "../x.py"}', "../x.py"), ('"smp": 99}', "99")])
def test_a_damaged_case_is_named(tmp_path, capsys, text, named):
    file = tmp_path / "input"
    file.write_text(CASE + text)
    status, said = run(reproduce.main, str(file), capsys=capsys)
    assert status == 2
    assert named in said.err and len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize("test", ["qemu-tests/../{evil}/test_evil.py::test_it", "qemu-tests/{evil}/test_evil.py::test_it", "{evil}/test_evil.py",
                                  "qemu-tests/test_link.py::test_it", "qemu-tests/conftest.py::x", "qemu-tests/test_boot.py", "-c{evil}/x.ini",
                                  "qemu-tests/test_boot.py::x\n-c{evil}/x.ini"])
def test_a_foreign_case_runs_no_file_of_its_own(tmp_path, monkeypatch, capsys, test):
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / "test_evil.py").write_text(f"open({str(evil / 'ran')!r}, 'w')\n\ndef test_it():\n    pass\n")
    root = tmp_path / "tree"  # holds a link that leads out
    (root / "qemu-tests").mkdir(parents=True)
    (root / "qemu-tests" / "test_link.py").symlink_to(evil / "test_evil.py")
    monkeypatch.setattr(bootcase, "ROOT", root)
    with pytest.raises(UsageError, match="is no test of this tree"):
        bootcase.run(bootcase.BootCase(test=test.format(evil=evil)))
    assert not (evil / "ran").exists()


INPUTS = {"empty": b"", "one": b"\xff", "foreign": b"\x7fELF" + bytes(range(256)) * 40, "text": b"not an input\n" * 100,
          "json": b'{"format": "something else"}', "huge": None}


@pytest.mark.parametrize("name", INPUTS)
def test_any_file_is_an_input(tmp_path, capsys, name):
    """Whatever the bytes are, they are a run; what lies behind the first MiB is not looked at."""
    file = tmp_path / "input"
    with open(file, "wb") as sink:
        sink.write(INPUTS[name] or b"")
        sink.truncate(100 << 20 if INPUTS[name] is None else None)
    status, said = run(reproduce.main, str(file), "--target", "buddy", "--json", capsys=capsys)
    assert (status, json.loads(said.out)["verdict"]) == (0, "passes"), said


def test_what_is_no_input_in_a_corpus_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(targets, "OUT", tmp_path)
    target = targets.Target("fuzz_buddy")
    target.corpus.mkdir(parents=True)
    (target.corpus / "good").write_bytes(b"x")
    (target.corpus / "empty").write_bytes(b"")
    (target.corpus / "folder").mkdir()
    (target.corpus / "dangling").symlink_to("/no/such/file")
    (target.corpus / "link").symlink_to("/etc/hostname")
    with open(target.corpus / "huge", "wb") as sink:
        sink.truncate(100 << 20)
    assert [path.name for path in target.saved()] == ["empty", "good"]


def test_a_crash_folder_does_not_say_what_of_ours_is_read(tmp_path, capsys):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "crash").mkdir()
    (tmp_path / "crash" / "input").symlink_to("../secret")
    status, said = run(reproduce.main, str(tmp_path / "crash"), "--target", "buddy", capsys=capsys)
    assert status == 2 and "is a link" in said.err


@pytest.mark.parametrize("meta", ["[]", "5", '{"target": ["fuzz_buddy"]}', '{"target": {}}', '{"target": null}', "\0", "[" * 100_000])
def test_a_damaged_meta_names_no_target(tmp_path, capsys, meta):
    (tmp_path / "input").write_bytes(b"x")
    (tmp_path / "meta.json").write_text(meta)
    status, said = run(reproduce.main, str(tmp_path / "input"), capsys=capsys)
    assert status == 2 and "cannot tell the target" in said.err and len(said.err.splitlines()) == 1


def test_an_error_of_the_system_is_one_line(capsys):
    @common.verb("sample")
    def sample():
        open("/no/such/file")

    status, said = run(sample, capsys=capsys)
    assert (status, said.err) == (2, "sample: No such file or directory: /no/such/file\n")


@pytest.mark.parametrize("text", ["page_alloc", "all,nth=3,persistent", "page_alloc+slab_alloc,nth=2,times=4,probability=50,seed=1"])
def test_good_plans(text):
    check_plan(text)


@pytest.mark.parametrize("text", ["", "nonsense", "page_alloc,nth", "page_alloc,,", "page_alloc,nth=-1", "page_alloc+"])
def test_bad_plans(text):
    with pytest.raises(UsageError):
        check_plan(text)


def test_an_error_is_one_line_and_status_2(capsys):
    @common.verb("sample")
    def sample():
        raise FaultlineError("no such thing")

    status, said = run(sample, capsys=capsys)
    assert (status, said.err) == (2, "sample: no such thing\n")
