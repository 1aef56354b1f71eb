"""Counts of tests: from KTAP and JUnit, and into the JUnit file of a whole run."""

import xml.etree.ElementTree as ElementTree

from faultline.tally import Case, Tally, read_junit, read_ktap


def verdicts(cases):
    return {case.name: case.verdict for case in cases}


def test_ktap():
    text = "KTAP version 1\n1..3\nok 1 a.b\n# expected 1\nnot ok 2 a.c\nok 3 a.d # SKIP no reason\n"
    cases = read_ktap("unit", text)
    assert verdicts(cases) == {"a.b": "passed", "a.c": "failed", "a.d": "skipped"}
    assert cases[1].message == "# expected 1"


def test_nested_ktap_counts_the_inner_tests():
    text = "KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 b\n  not ok 2 c\nnot ok 1 a\n"
    assert verdicts(read_ktap("unit", text)) == {"b": "passed", "c": "failed"}


def test_junit_keeps_every_case(tmp_path):
    tally = Tally("one")
    tally.check("good", [])
    tally.check("bad", ["line <1>", "\x1b[31m\x00"])
    tally.add([Case("two", "left out", "skipped", "no such machine")])
    tally.write_junit(tmp_path / "junit.xml")
    suites = {suite.get("name"): suite for suite in ElementTree.parse(tmp_path / "junit.xml").iter("testsuite")}
    assert (suites["one"].get("tests"), suites["one"].get("failures"), suites["two"].get("skipped")) == ("2", "1", "1")
    assert "line <1>" in suites["one"].find("testcase[@name='bad']/failure").text


def test_no_junit_is_no_test(tmp_path):
    assert read_junit(tmp_path / "none.xml") == []
    assert Tally().having("passed") == []
