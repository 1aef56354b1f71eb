"""The whole kernel as a simulation: a file is a run, in one process and in many, and a reset leaves nothing behind."""

import random

import pytest

from faultline import process
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
