"""Programs in several worlds: the window, the format, what counts as a difference."""

import hashlib
import os
import struct
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultline.errors import FaultlineError
from faultline.paths import ROOT
from faultline.worlds import judge, linux, simulated, window
from faultline.worlds.compare import Comparison, compare
from faultline.worlds.judge import Judge, Reason
from faultline.worlds.program import RESULT, decode
from faultline.worlds.trace import Key, Trace
from faultline.worlds.window import BEGAN, DONE, ENDED, Event, Job, Outcome, Window

GETPID, OPENAT, CLOSE = 172, 56, 57
beside_linux = pytest.mark.skipif(os.geteuid() != 0 or not (linux.BINARY.is_file() and simulated.binary("host-test").is_file()),
                                  reason="not root, or host-test is not built")


def program(*calls, flags=64, number=0):
    """`calls`: (number, encoded arguments)."""
    body = b"".join(call.to_bytes(2, "little") + bytes([len(arguments) << 2]) + b"".join(arguments) for call, *arguments in calls)
    return bytes(8) + bytes([0, flags]) + len(body).to_bytes(2, "little") + body


def small(value):
    return bytes([value << 3])


def record(event):
    size = len(event.data) + 7 & ~7
    return struct.pack("<IIBBHIq", 24 + size, event.task, event.kind, event.list, event.call, len(event.data), event.result) + event.data.ljust(size, b"\0")


def trace(*results, numbers=(GETPID, OPENAT, CLOSE), done=True):
    """One task whose calls gave these."""
    events = [event for call, result in enumerate(results) for event in (Event(1, BEGAN, 0, call, 0), Event(1, ENDED, 0, call, result))]
    return Trace(Outcome(events + [Event(1, DONE, 0, 64, 0)] * done), dict(enumerate(numbers)))


def serve(view, rounds, answer):
    """A supervisor that answers each program with one event."""
    for at in range(rounds):
        base = at % window.SLOTS * window.SLOT_SIZE
        until = time.monotonic() + 5
        while view[base + 24] != 1:
            assert time.monotonic() < until
            time.sleep(0.0002)
        size = struct.unpack_from("<I", view, base + 28)[0]
        events = record(answer(bytes(view[base + 64:base + 64 + size])))
        view[base + 64 + 4096:base + 64 + 4096 + len(events)] = events
        struct.pack_into("<IIiIQ", view, base + 40, len(events), 0, 0, 1, 1000)
        view[base + 24] = 3


def test_window_keeps_the_order():
    view = memoryview(bytearray(window.SIZE))
    count = 3 * window.SLOTS + 5
    server = threading.Thread(target=serve, args=(view, count, lambda data: Event(1, ENDED, 0, 0, int(data))), daemon=True)
    server.start()
    outcomes = list(Window(view, lambda job: lambda: None).run(Job(str(i).encode()) for i in range(count)))
    server.join(5)
    assert [outcome.events[0].result for outcome in outcomes] == list(range(count))


def test_window_says_when_the_other_side_is_gone():
    def gone():
        raise FaultlineError("gone")

    def watch(job):
        return gone

    with pytest.raises(FaultlineError, match="gone"):
        list(Window(memoryview(bytearray(window.SIZE)), watch).run([Job(b"")]))
    with pytest.raises(FaultlineError, match="4096"):
        list(Window(memoryview(bytearray(window.SIZE)), watch).run([Job(bytes(4097))]))


def test_records_end_where_a_writer_was_killed():
    whole = record(Event(1, ENDED, 0, 3, -9, b"abc"))
    assert window.read_events(whole + bytes(64)) == [Event(1, ENDED, 0, 3, -9, b"abc")]
    assert window.read_events(whole[:20]) == []


@given(st.binary(max_size=300))
def test_any_bytes_are_a_program(data):
    found = decode(data)
    assert len(found.numbers) == len(found.lists) <= 64
    assert decode(found.plain()).numbers == found.numbers
    assert decode(found.scheduled(7)).numbers == found.numbers


def test_program_header():
    found = decode(program((GETPID,), (CLOSE, small(3))))
    assert found.numbers == (GETPID, CLOSE) and found.unprivileged and found.alone and found.failing == ()
    assert not decode(program((GETPID,), flags=0)).unprivileged
    failing = decode(bytes(12)[:10] + b"\4\0" + GETPID.to_bytes(2, "little") + bytes([32, 7]))
    assert failing.failing == (15,) and failing.plain()[15] == 0
    assert not decode(program((220, small(0)))).alone


def test_what_kernels_choose_is_not_compared():
    assert trace(100, -2).facts == trace(200, -2).facts
    assert trace(100, 3).facts != trace(100, 4).facts
    assert trace(100, 3).facts[Key(1, "call", 1)].result == "3"
    assert trace(100, -2).facts[Key(1, "call", 1)].result == "ENOENT"


def judged(ours, theirs, known=(), again=None, variants=(), others=(), late=()):
    what = Judge("linux", list(known), lambda program: again or theirs, lambda program: variants, lambda program: others,
                 lambda program, key: late)
    return what.judge(decode(program((GETPID,), (OPENAT,), (CLOSE,))), ours, theirs), what.verdict


def test_a_difference_needs_a_reason():
    found, verdict = judged(trace(1, 3), trace(1, -13))
    assert found.name == "openat" and (found.ours.result, found.theirs.result) == ("3", "EACCES") and verdict.unexplained == [found]
    reason = Reason("linux", "openat", "3", "EACCES", "because")
    found, verdict = judged(trace(1, 3), trace(1, -13), [reason])
    assert found is None and verdict.explained == {"because": 1} and reason.used == 1
    assert judged(trace(1, 3), trace(1, -13), [Reason("booted", "*", "*", "*", "no")])[0]
    assert judged(trace(1, 3), trace(1, -13), [Reason("linux", "*", "*", "*", "no", paths="/proc*")])[0]
    assert judged(trace(1, 3), trace(1, -13), [Reason("linux", "*", "*", "*", "no", beside="mremap")])[0]
    assert not judged(trace(1, 3), trace(1, -13), [Reason("linux", "*", "*", "*", "no", beside="close")])[0]


def test_the_simulated_machine_may_have_it_both_ways():
    found, verdict = judged(trace(1, 3), trace(1, -4), variants=[trace(1, 3), trace(1, -4)])
    assert found is None and verdict.schedule == 1
    assert judged(trace(1, 3), trace(1, -4), variants=[trace(1, 3)])[0]
    assert judged(trace(1, 3), trace(1, -4), variants=[trace(1, 3)], late=[trace(1, -4)])[0], "one task is never late"


def test_the_other_world_may_have_it_both_ways():
    found, verdict = judged(trace(1, 3), trace(1, -4), again=trace(1, 3))
    assert found is None and verdict.unsteady == 1


def test_want_of_memory_is_the_simulated_machines_own():
    ours = trace(1, 3)
    ours.outcome.starved = True
    found, verdict = judged(ours, trace(1, 4))
    assert found is None and sum(verdict.explained.values()) == 1


def test_what_is_otherwise_on_another_simulated_machine_is_each_machines_own():
    found, verdict = judged(trace(1, 3), trace(1, -13), others=[trace(1, -9)])
    assert found is None and sum(verdict.explained.values()) == 1
    assert judged(trace(1, 3), trace(1, -13), others=[trace(1, 3)])[0]


def test_a_call_that_does_not_end_differs():
    assert judged(trace(1, 3), trace(1, done=False))[0].theirs.result == "nothing"


def test_a_full_window_is_no_difference():
    theirs = trace(1, done=False)
    theirs.outcome.cut = True
    found, verdict = judged(trace(1, 3), theirs)
    assert found is None and verdict.cut == 1
    theirs = trace(1, 3)
    theirs.outcome.cut = True
    assert judged(trace(1, -13), theirs)[0], "what was told still counts"


def test_who_is_left_is_killed():
    def run(*others):
        events = [Event(1, BEGAN, 0, 0, 0), *(Event(11, kind, 1, 1, 3) for kind in others)]
        return Trace(Outcome(events), {0: 93, 1: OPENAT})

    found, verdict = judged(run(BEGAN, ENDED), run(BEGAN))
    assert found is None and verdict.schedule == 1
    finished = [Event(1, DONE, 0, 64, 0), Event(11, BEGAN, 1, 1, 0)]
    assert judged(run(BEGAN, ENDED), Trace(Outcome(finished), {1: OPENAT}))[0]


def test_a_reason_that_fits_nothing_is_told():
    stale = Reason("linux", "read", "*", "*", "old")
    assert len(judge.unused([stale, Reason("linux", "x", "*", "*", "seldom", rare=True), Reason("booted", "y", "*", "*", "not here")], "linux")) == 1
    stale.used = 1
    assert judge.unused([stale], "linux") == []


def test_the_reasons_can_be_read(tmp_path):
    assert all(reason.reason for reason in judge.reasons())
    bad = tmp_path / "bad.toml"
    bad.write_text('[[difference]]\ncall = "x"\nwhy = "y"\n')
    with pytest.raises(FaultlineError, match="entry 1"):
        judge.reasons(bad)


@beside_linux
def test_linux_and_the_simulated_machine_agree():
    result = compare("linux", [program((GETPID,), (CLOSE, small(9)), (OPENAT, b"\x81\x64"[:1] + b"\x63", b"\6\0", small(0), small(0)))] * 3 + [b""], print)
    assert (result.verdict.programs, result.verdict.same) == (3, 3)  # one is root's


@beside_linux
def test_what_was_once_otherwise_than_on_linux():
    saved = sorted((ROOT / "fuzz" / "regress" / "fuzz_kernel").glob("linux-*"))
    result = compare("linux", (file.read_bytes() for file in saved), print)
    assert len(saved) >= 3 and result.verdict.same == len(saved), str(result.verdict.unexplained)


@pytest.mark.skipif(not simulated.binary("host-test").is_file(), reason="host-test is not built")
def test_another_simulated_machine_has_other_numbers():
    with simulated.Simulated() as one, simulated.Simulated(other=True) as other:
        first, second, again = (machine.run_one(program((GETPID,))).events[1].result for machine in (one, other, other))
    assert first < 100 and second == again > 10000


@beside_linux
def test_what_has_no_reason_is_kept_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(Comparison, "judge_one", lambda self, program, ours, theirs: "another answer")
    said = []
    compare("linux", [program((GETPID,))], said.append, folder=tmp_path / "new")
    [kept] = (tmp_path / "new").iterdir()
    assert said == [f"{kept.name}: another answer"] and hashlib.sha1(kept.read_bytes()).hexdigest() == kept.name


def test_a_reason_for_what_a_call_is_given():
    of_pid, of_nothing = program((GETPID,), (CLOSE, bytes([RESULT, 0]))), program((GETPID,), (CLOSE, small(3)))
    reason = Reason("*", "close", "*", "*", "x", given="getpid")
    for data, fits in ((of_pid, True), (of_nothing, False)):
        ours, theirs = trace(1, 0, numbers=(GETPID, CLOSE)), trace(1, -9, numbers=(GETPID, CLOSE))
        difference = judge.first_difference(decode(data), ours, theirs)
        assert difference.name == "close" and reason.fits("booted", difference) == fits
