"""The layer check sees what it is for, and only that."""

import json
import shutil

import pytest

from faultline import checks, mutants, process
from faultline.errors import FaultlineError
from faultline.paths import ROOT


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


def test_a_source_nobody_compiles_is_named(tmp_path):
    for name in ("used.c", "forgotten.c"):
        (tmp_path / "kernel").mkdir(exist_ok=True)
        (tmp_path / "kernel" / name).write_text("")
    (tmp_path / "build" / "one").mkdir(parents=True)
    (tmp_path / "build" / "one" / "compile_commands.json").write_text(
        json.dumps([{"directory": str(tmp_path / "build" / "one"), "file": str(tmp_path / "kernel" / "used.c")}]))
    assert checks.unbuilt(tmp_path, ["one"]) == ["kernel/forgotten.c is compiled by none of one"]


def test_every_mutant_can_be_planted(tmp_path):
    for mutant in mutants.MUTANTS:
        place = tmp_path / mutant.file
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / mutant.file, place)
        if mutant.right in place.read_text():  # else this tree is the broken copy
            mutant.plant(tmp_path)
        with pytest.raises(FaultlineError, match=mutant.file):
            mutant.plant(tmp_path)


@pytest.mark.parametrize("text, status", [("int f(int x);\nint f(int x)\n{\n    return x + 1;\n}\n", 0),
                                          ("int f(const int *x);\nint f(const int *x)\n{\n    return x == 0 ? *x : 0;\n}\n", 1),
                                          ("int f(int x);\nint f(int x)\n{\n    if (x > 1) {\n        return 1;\n    } else {\n        return 1;\n    }\n}\n", 1)])
def test_clang_tidy_as_configured_sees_a_bug(tmp_path, text, status):
    file = tmp_path / "x.c"
    file.write_text(text)
    done = process.run(["clang-tidy-19", "--quiet", f"--config-file={ROOT / '.clang-tidy'}", file, "--"], deadline=120)
    assert (done.status != 0) == bool(status), done.output + done.errors
