"""The whole kernel as a simulation: a file is a run, in one process and in many, and a reset leaves nothing behind."""

import random

import pytest

from faultline import process
from faultline.campaign import shorten
from faultline.campaign.targets import all_targets
from faultline.campaign.triage import SANITIZER_ENV
from faultline.worlds.delays import delayed, leave_out
from faultline.worlds.text import from_text, to_text
from faultline.worlds.trace import Fact, Key

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
    data = from_text(PROGRAM)

    def still(candidates):
        return next((candidate for candidate in candidates if "wanted" in (text := "\n".join(to_text(candidate)))
                     and "t0: write(" in text and text.count("05") > 0), None)

    short = to_text(shorten.shorten(data, still))
    assert [line for line in short if not line.startswith(("cpus", "schedule"))] == \
        ["choices 05", 't0: write(0, <"wanted, here">, 0)']


def test_lists_that_come_late():
    """Each list of a program begins late once, and the call that was asked for comes late; all else stays."""
    late = {number: to_text(data) for data, number in reversed(list(delayed(from_text(PROGRAM), Key(1, "call", 2))))}
    calls = [line for line in PROGRAM if line[2:4] == ": "]
    first = {line[:2]: number for number, line in reversed(list(enumerate(calls)))}
    assert set(late) == {*first.values(), 2}
    for number, lines in late.items():
        found = [line for line in lines if line[2:4] == ": "]
        assert found.pop(number) == f"{calls[number][:2]}: nanosleep({{0, 0x1e847f}}, 0)"
        assert [line.split("(")[0].split("= ")[-1] for line in found] == [line.split("(")[0].split("= ")[-1] for line in calls]
    facts = {Key(1, "call", 1): Fact("a", "0"), Key(1, "call", 2): Fact("nanosleep", "0"), Key(1, "call", 3): Fact("b", "1"), Key(1, "end"): Fact("end", "")}
    assert leave_out(facts, 2) == {Key(1, "call", 1): Fact("a", "0"), Key(1, "call", 2): Fact("b", "1"), Key(1, "end"): Fact("end", "")}


def test_a_sweep_ends_though_the_program_arms_plans_itself(tmp_path):
    """A persistent plan is ours alone, whatever the program writes to fail-nth."""
    target = next(target for target in all_targets() if target.name == "fuzz_kernel")
    (tmp_path / "input").write_bytes(from_text(["t0: r0 = openat(AT_FDCWD, \"/proc/self/fail-nth\", O_RDWR)", "t0: write(r0, <\"2\\n\">, 2)", "t0: openat(AT_FDCWD, \"c\", O_RDWR|O_CREAT, 0600)"]))
    done = process.run([target.binary("host-test"), "--json", "--sweep", tmp_path / "input"], deadline=60, env=SANITIZER_ENV)
    assert done.status == 0 and '"fired"' in done.output, done.errors
