"""Bad input to the verbs: one line that names it and lists what exists, exit 2."""

import pytest

from faultline.cli import boot, common, nightly, reproduce
from faultline.cli.boot import check_plan
from faultline.errors import FaultlineError, UsageError


def run(verb, *words, capsys):
    with pytest.raises(SystemExit) as ended:
        verb.main(list(words))
    return ended.value.code, capsys.readouterr()


@pytest.mark.parametrize("verb, words, named", [
    (nightly.main, ["--target", "no_such"], "no_such"),
    (nightly.main, ["--bogus"], "--bogus"),
    (nightly.main, ["--engine", "abacus"], "abacus"),
    (nightly.main, ["--only", "sleep"], "sleep"),
    (nightly.main, ["--minutes", "many"], "many"),
    (reproduce.main, ["/no/such/input"], "/no/such/input"),
    (reproduce.main, [__file__, "--target", "no_such"], "no_such"),
    (reproduce.main, [__file__, "--on", "moon"], "moon"),
    (reproduce.main, [__file__, "--target", "fuzz_buddy", "--on", "qemu"], "fuzz_buddy"),
    (boot.main, ["--fault", "page_alloc,nth=x"], "nth=x"),
    (boot.main, ["--preset", "other"], "other"),
])
def test_named_in_one_line(verb, words, named, capsys):
    status, said = run(verb, *words, capsys=capsys)
    assert status == 2
    assert named in said.err and len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize("text", ["page_alloc", "all,nth=3,persistent", "page_alloc+slab_alloc,nth=2,times=4,probability=50,seed=1"])
def test_good_plans(text):
    check_plan(text)


@pytest.mark.parametrize("text", ["", "nonsense", "page_alloc,nth", "page_alloc,,", "page_alloc,nth=-1", "page_alloc+"])
def test_bad_plans(text):
    with pytest.raises(UsageError):
        check_plan(text)


def test_an_error_is_one_line_and_status_2(capsys):
    @common.verb("sample")
    def sample():
        raise FaultlineError("no such thing")

    status, said = run(sample, capsys=capsys)
    assert (status, said.err) == (2, "sample: no such thing\n")
