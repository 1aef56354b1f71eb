"""The whole kernel as a simulation: a file is a run, in one process and in many, and a reset leaves nothing behind."""

import random

import pytest

from faultline import process
from faultline.campaign import shorten
from faultline.campaign.targets import all_targets
from faultline.campaign.triage import SANITIZER_ENV

RUNS = 25


def programs():
    return [target for target in all_targets() if target.boots]


@pytest.mark.parametrize("target", programs(), ids=lambda target: target.name)
def test_inputs_run_alike_again(target, tmp_path):
    """Any bytes are a program; each goes the same way each time, and a reset restores every byte."""
    rng = random.Random(1)
    files = list(target.regressions())
    for number in range(8):
        files.append(tmp_path / str(number))
        files[-1].write_bytes(bytes(8) + rng.randbytes(rng.randrange(1, 400)))
    done = process.run([target.binary("host-test"), "--repeat", str(RUNS), *files], deadline=120, env=SANITIZER_ENV)
    assert done.status == 0, done.errors[-2000:]
    assert done.output.count(": pass") == len(files)


PROGRAM = """\
cpus 3
schedule choices 0
start t1 thread
choices 0102030405
t0: r0 = openat(AT_FDCWD, "a", 0x42, 0600)
t1: getpid()
t0: r2 = dup(r0)   fail_nth 2
t0: write(r2, <"wanted, here">, 12)
t1: close(r2)
""".splitlines()


def test_programs_are_shortened():
    """What is not needed goes: calls, settings, choices, arguments; a result of what went is 0."""
    data = shorten.from_text(PROGRAM)

    def still(candidates):
        return next((candidate for candidate in candidates if "wanted" in (text := "\n".join(shorten.to_text(candidate)))
                     and "t0: write(" in text and text.count("05") > 0), None)

    short = shorten.to_text(shorten.shorten(data, still))
    assert [line for line in short if not line.startswith(("cpus", "schedule"))] == \
        ["choices 05", 't0: write(0, <"wanted, here">, 0)']
