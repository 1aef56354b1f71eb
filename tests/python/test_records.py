"""The record parser: whole records come through whatever lies between them, and nothing else does."""

import socket

from hypothesis import given, settings
from hypothesis import strategies as st

from faultline.qemu.console import Console
from faultline.qemu.records import Record, RecordParser, encode

settings.register_profile("untimed", deadline=None)  # a busy host is no failure
settings.load_profile("untimed")

payloads = st.text(st.characters(min_codepoint=0x20, exclude_categories=("Cs", "Cc")), max_size=200)
records = st.builds(lambda id, seq, kind, payload: (id, seq, kind, payload), st.integers(0, 2**31), st.integers(1, 2**40),
                    st.sampled_from("ljse"), payloads)
noise = st.binary(max_size=100).map(lambda data: data.replace(b"\x1e", b""))


def parse(chunks):
    parser = RecordParser()
    items = [item for chunk in chunks for item in parser.feed(chunk)] + parser.flush()
    return parser, [i for i in items if isinstance(i, Record)], "".join(i for i in items if isinstance(i, str))


@given(st.lists(st.tuples(noise, records), max_size=8), st.integers(1, 50))
def test_records_survive_noise_and_cutting(parts, size):
    stream = b"".join(before + encode(*record) for before, record in parts)
    _, found, _ = parse(stream[i:i + size] for i in range(0, len(stream), size))
    assert [(r.id, r.seq, r.kind, r.payload) for r in found] == [record for _, record in parts]


@given(st.binary(max_size=2000), records)
def test_any_bytes_then_a_record(junk, record):
    """Nothing that comes before hides a record that starts a fresh line."""
    _, found, _ = parse([junk, b"\n", encode(*record)])
    assert found and (found[-1].id, found[-1].payload) == (record[0], record[3])


@given(records, st.data())
def test_one_wrong_byte_is_noticed(record, data):
    whole = bytearray(encode(*record))
    at = data.draw(st.integers(0, len(whole) - 2))
    whole[at] ^= data.draw(st.integers(1, 255))
    _, found, _ = parse([bytes(whole)])
    assert not found


@given(st.binary(max_size=3000))
def test_never_raises(data):
    parse([data])


def test_text_between_records_is_kept():
    _, found, text = parse([b"one\n" + encode(1, 1, "l", "x") + b"two\n"])
    assert text == "one\ntwo\n" and [r.payload for r in found] == ["x"]


def test_carriage_return_before_the_newline():
    _, found, _ = parse([encode(1, 1, "l", "x")[:-1] + b"\r\n"])
    assert len(found) == 1


def test_gaps_are_reported_and_a_reboot_is_none():
    parser, _, _ = parse([encode(1, 1, "l", "a"), encode(1, 2, "l", "b"), encode(1, 5, "l", "c"), encode(0, 1, "e", "{}")])
    assert [(gap.expected, gap.got) for gap in parser.gaps] == [(3, 5)]


def test_a_liar_about_its_length_hides_nothing():
    lie = b"\x1eFL 1 1 l 60000 00000000 short\n"
    parser, found, _ = parse([lie, encode(2, 2, "s", "0")])
    assert [r.id for r in found] == [2] and parser.damaged == 1


def test_a_program_text_is_without_prompts_late_or_early():
    here, there = socket.socketpair()
    console = Console(here)
    mark = console.mark()
    there.sendall(b"ultline> " + encode(0, 1, "e", '{"event":"process-start"}') + b"out\r\n" +
                  encode(0, 2, "e", '{"event":"process-exit"}') + encode(7, 3, "s", "0") + b"faultline> ")
    assert console.wait(lambda: console.text(mark).endswith("faultline> "), 10)
    assert console.program_text(mark) == "out\n"
    there.close()
    console.close()
