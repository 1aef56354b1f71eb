"""The comparison with Linux: it sees differences, wants reasons for them, and notices reasons that are out of date."""

import pytest

from faultline import userland
from faultline.compare import clients, facts
from faultline.compare.batch import Outcome, _Transcript
from faultline.compare.facts import Reason
from faultline.errors import FaultlineError


def outcomes(output, end="exit 0", program="p"):
    return {program: Outcome(output, end)}


def judge(linux, ours, known=(), existing=()):
    return facts.judge(outcomes(linux), outcomes(ours) if isinstance(ours, str) else ours, list(known), existing)


def test_the_same_is_the_same():
    summary = judge("a: 1\nb: 2\n", "a: 1\nb: 2\n")
    assert (summary.problems, summary.count(facts.SAME)) == ([], 3)  # and how it ended


@pytest.mark.parametrize("ours", ["a: 2\n", "", "a: 1\nmore: 1\n", "a: 1", {"p": Outcome("a: 1\n", "exit 1")}, {}])
def test_a_difference_needs_a_reason(ours):
    summary = judge("a: 1\n", ours)
    assert (summary.problems == []) == (ours == "a: 1")  # how the last line ends is not a fact


def test_what_is_unsupported_is_counted_apart_and_needs_a_reason_too():
    summary = judge("a: 1\n", "a: ENOSYS\n")
    assert summary.count(facts.UNSUPPORTED) == 1 and summary.count(facts.DIFFERENT) == 0 and summary.problems


def test_a_reason_explains():
    summary = judge("open([x]): 1\nb: 1\n", "open([x]): 2\nb: 1\n", [Reason("p", "open([x])", "because it is so")])
    assert summary.problems == [] and summary.count(facts.DIFFERENT) == 1


@pytest.mark.parametrize("ours, problems", [("2", 0), ("3", 2)])
def test_a_reason_may_say_what_ours_is(ours, problems):
    summary = judge("a: 1\n", f"a: {ours}\n", [Reason("p", "a", "because it is so", ours="2")])
    assert len(summary.problems) == problems  # the difference, and the reason that fits nothing


@pytest.mark.parametrize("existing, program, fails", [((), "p", True), ((), "gone", True), (["p", "other"], "other", False),
                                                      (["p", "other"], "*", True)])
def test_a_reason_that_no_longer_applies(existing, program, fails):
    summary = judge("a: 1\n", "a: 1\n", [Reason(program, "a", "because it is so")], existing)
    assert bool(summary.problems) == fails


@pytest.mark.parametrize("end, output", [("signal 11", "a: 1\n"), ("deadline", "a: 1\n"), ("exit 0", ""), ("exit 126", "batch: cannot start\n")])
def test_a_program_must_work_on_linux(end, output):
    both = outcomes(output, end)
    assert facts.judge(both, both, []).problems


def test_repeated_facts_are_told_apart():
    assert facts.read("a: 1\na: 2\nno fact\n") == {"a": "1", "a #2": "2", "line 3": "no fact"}


def test_the_list_of_reasons(tmp_path):
    path = tmp_path / "differences.toml"
    for text in ('[[difference]]\nprogram = "p"\nfact = "a"\nreason = ""\n', '[[difference]]\nprogram = "p"\n', "[["):
        path.write_text(text)
        with pytest.raises(FaultlineError):
            facts.reasons(path)


def test_a_transcript_arrives_in_pieces():
    transcript = _Transcript("w0rd")
    for piece in ("noise\nw0rd sta", "rt p\r\n", "kernel: w0rd out a\\x3a 1\\x0a\n", "w0rd end p ex", "it 3\nw0rd done\n"):
        transcript.feed(piece)
    assert transcript.done and transcript.outcomes == {"p": Outcome("a: 1\n", "exit 3")}


def test_an_archive_has_the_folders_of_its_files():
    archive = userland.Archive()
    archive.file("a/b/c", b"x")
    archive.file("a/d", b"y")
    names = [part for part in archive.bytes().split(b"070701")[1:]]
    assert [part[104:].split(b"\0")[0] for part in names] == [b"a", b"a/b", b"a/b/c", b"a/d", b"TRAILER!!!"]


@pytest.mark.parametrize("ours, wrong", [("a\nb\nc\n", 0), ("a\nc\n", 1), ("a\nx\nc\n", 1), ("a\nb\nnew\nc\n", 1), ("", 3)])
def test_scripts_are_compared_line_by_line(ours, wrong):
    summary = facts.judge(outcomes("a\nb\nc\n"), outcomes(ours), [], scripts=["p"])
    assert len(summary.problems) == wrong


def test_a_reason_may_name_what_linux_says():
    summary = facts.judge(outcomes("a\nnoise 5\n"), outcomes("a\n"), [Reason("p", "noise *", "because it is so")], scripts=["p"])
    assert summary.problems == []


def test_every_script_says_what_it_needs():
    assert len(clients.scripts()) >= 7
    for name in clients.scripts():
        assert clients.needs(name) == [word for word in clients.needs(name) if word]
