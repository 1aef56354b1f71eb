"""The layer check sees what it is for, and only that."""

import pytest

from faultline import checks


@pytest.mark.parametrize("path, text, rule", checks.PLANTED, ids=lambda value: str(value)[:24].strip())
def test_planted_violation_is_seen(path, text, rule):
    assert rule in {violation.rule for violation in checks.check_source(path, text)}


def test_self_test_is_clean():
    assert checks.self_test() == []


def test_a_violation_in_a_tree_is_found(tmp_path):
    (tmp_path / "kernel" / "mm").mkdir(parents=True)
    (tmp_path / "kernel" / "mm" / "bad.c").write_text('#include "fuzz/x.h"\nvolatile int x;\n')
    assert {(v.line, v.rule) for v in checks.check_tree(tmp_path)} == {(1, "include-direction"), (2, "hal-only-asm")}


@pytest.mark.parametrize("text", ["x = (struct page *)pointer;\n", "// asm(\"x\")\n", '"volatile"\n', "#ifdef DEBUG\n#endif\n",
                                  "(void *)(address + 8)\n"])
def test_no_false_alarm(text):
    assert list(checks.check_source("kernel/mm/x.c", text)) == []


def test_the_project_itself():
    assert [str(violation) for violation in checks.check_tree()] == []
