"""docs/system-calls.md says what syscalls.def says."""

import re

from faultline import callpage


def test_the_page_is_up_to_date():
    assert callpage.PAGE.read_text() == callpage.page(), "python -m faultline.callpage writes it anew"


def test_every_call_has_its_line():
    lines = callpage.DEFINITION.read_text().count("\nSYSCALL(")
    assert len(re.findall(r"^\| \d+ \| `\w+` \|", callpage.page(), re.MULTILINE)) == lines > 100


def test_a_flag_more_is_seen(monkeypatch, tmp_path):
    before = callpage.page()
    changed = tmp_path / "syscalls.def"
    text = callpage.DEFINITION.read_text()
    assert "FLAGS(flags, 0x200)" in text
    changed.write_text(text.replace("FLAGS(flags, 0x200)", "FLAGS(flags, 0x201)"))
    monkeypatch.setattr(callpage, "DEFINITION", changed)
    assert callpage.page() != before


def test_every_flag_word_is_named():
    """Bits that only show as numbers want a name in callpage.FLAGS."""
    assert re.findall(r"`0x[0-9a-f]+` yes", callpage.page()) == []
