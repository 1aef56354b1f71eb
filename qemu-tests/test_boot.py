"""scripts/boot as a person uses it."""

import pytest

from faultline import process
from faultline.paths import ROOT


def boot(*words):
    return process.run([ROOT / "scripts" / "boot", *words], deadline=120)


def test_command_prints_and_gives_its_status():
    done = boot("--", "mem")
    assert done.status == 0, done.errors
    assert "pages:" in done.output


def test_failed_command_gives_its_status():
    done = boot("--", "no-such-command")
    assert done.status != 0
    assert "no-such-command" in done.output


def test_options_reach_the_machine():
    done = boot("--smp", "3", "--cpu", "cortex-a53", "--mem", "128M", "--", "threads")
    assert done.status == 0, done.errors
    assert "cpu 2" in done.output


@pytest.mark.parametrize("words, named", [
    (("--cpu", "z80"), "z80"), (("--smp", "99"), "99"), (("--mem", "lots"), "lots"), (("--fault", "nonsense"), "nonsense"),
    (("--no-such-option",), "--no-such-option"), (("--replay", "/no/such/file"), "/no/such/file"),
])
def test_bad_options_are_named_in_one_line(words, named):
    done = boot(*words, "--", "mem")
    assert done.status == 2
    assert named in done.errors and len(done.errors.strip().splitlines()) == 1
