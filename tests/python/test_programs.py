"""Programs as text (scripts/prog): the seeds, and what the tool says of bad input."""

import re
import subprocess

import pytest

from faultline.paths import ROOT

TOOL = ROOT / "build" / "host-test" / "harness" / "prog"
SEEDS = sorted((ROOT / "fuzz" / "seeds" / "programs").glob("*.prog"))


def prog(*words, stdin=b""):
    done = subprocess.run([TOOL, *map(str, words)], input=stdin, capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr.decode()


def test_seeds_touch_every_system_call():
    definition = (ROOT / "kernel" / "syscall" / "syscalls.def").read_text()
    calls = set(re.findall(r"^SYSCALL\(\d+, (\w+)", definition, re.MULTILINE))
    touched = set(re.findall(r"^t\d: (?:r\d+ = )?(\w+)\(", "\n".join(path.read_text() for path in SEEDS), re.MULTILINE))
    assert len(calls) > 150
    assert not calls - touched


def test_text_of_a_program_is_that_program(tmp_path):
    assert prog("encode", *SEEDS, tmp_path)[0] == 0
    for seed in SEEDS:
        file = tmp_path / seed.stem
        status, text, _ = prog("text", file)
        assert status == 0
        assert prog("encode", "-", "-", stdin=text)[1] == file.read_bytes(), seed.name


def test_generated_programs_are_the_same_again(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        assert prog("generate", 5, "--count", 20, "--group", "vm", tmp_path / folder)[0] == 0
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(str(number) for number in range(5, 25))
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)


@pytest.mark.parametrize("text, said", [
    (b"t0: raed(1)\n", "no system call is called raed"), (b"cpus 9\n", "cpus 1 to 4"), (b"\0", "is no text"),
    (b"t0: read(r1)\n", "no call is named r1"), (b"t0: read(1\n", "is missing"), (b"faults 00112233445566778899\n", "eight bytes")])
def test_bad_text_is_named(text, said):
    status, _, errors = prog("encode", "-", "-", stdin=text)
    assert status == 1
    assert said in errors


@pytest.mark.parametrize("words", [(), ("text",), ("nothing", "a"), ("text", "/nowhere"), ("encode", "/nowhere", "-"),
                                   ("generate", "1"), ("generate", "1", "--bogus", "-")])
def test_what_cannot_be_done(words):
    assert prog(*words)[0] == 2


def test_help():
    status, said, _ = prog("--help")
    assert status == 0
    assert b"usage: prog" in said
