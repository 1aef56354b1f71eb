"""What tests say: KTAP and JUnit in, one count and one JUnit file out."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

_SHOWN = 40      # lines printed of one failure
_MESSAGE = 300   # characters of a failure in one line
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")


@dataclass(frozen=True)
class Case:
    """One test. `verdict`: passed, failed or skipped; `message` says why when it is not passed."""

    suite: str
    name: str
    verdict: str = "passed"
    message: str = ""
    seconds: float = 0.0


@dataclass
class Tally:
    """All tests of a run. `suite` is what check() files under."""

    suite: str = ""
    cases: list[Case] = field(default_factory=list)

    def check(self, name: str, problems: list[str], seconds: float = 0.0) -> None:
        """One test: it passes without problems."""
        self.add([Case(self.suite, name, "failed" if problems else "passed", "\n".join(problems), seconds)])

    def add(self, cases: list[Case]) -> None:
        """Tests that ran elsewhere. Failures are printed."""
        self.cases += cases
        for case in cases:
            if case.verdict == "failed":
                print(f"    {case.name}:")
                for line in case.message.splitlines()[:_SHOWN]:
                    print(f"      {line}")

    def having(self, verdict: str) -> list[Case]:
        return [case for case in self.cases if case.verdict == verdict]

    def write_junit(self, path: Path) -> None:
        """One testsuite per suite, in the order they ran."""
        top = ElementTree.Element("testsuites")
        for suite in dict.fromkeys(case.suite for case in self.cases):
            own = [case for case in self.cases if case.suite == suite]
            node = ElementTree.SubElement(top, "testsuite", name=suite, tests=str(len(own)),
                                          failures=str(sum(case.verdict == "failed" for case in own)),
                                          skipped=str(sum(case.verdict == "skipped" for case in own)))
            for case in own:
                entry = ElementTree.SubElement(node, "testcase", classname=suite, name=case.name, time=f"{case.seconds:.3f}")
                if case.verdict != "passed":
                    kind = "failure" if case.verdict == "failed" else "skipped"
                    text = _CONTROL.sub("?", case.message)
                    ElementTree.SubElement(entry, kind, message=text[:_MESSAGE]).text = text
        path.parent.mkdir(parents=True, exist_ok=True)
        ElementTree.ElementTree(top).write(path, encoding="utf-8", xml_declaration=True)


def read_junit(path: Path) -> list[Case]:
    """pytest's cases, with the node id as name; [] when there is no such file."""
    if not path.is_file():
        return []
    cases = []
    for node in ElementTree.parse(path).iter("testcase"):
        bad = next((child for child in node if child.tag in ("failure", "error")), None)
        skipped = node.find("skipped")
        why = bad if bad is not None else skipped
        verdict = "failed" if bad is not None else "skipped" if skipped is not None else "passed"
        name = f"{node.get('classname', '').replace('.', '/')}.py::{node.get('name')}"
        message = re.sub(r"\s+", " ", why.get("message", ""))[:_MESSAGE] if why is not None else ""
        cases.append(Case("pytest", name, verdict, message, float(node.get("time", 0))))
    return cases


_KTAP = re.compile(r"^(?P<indent>\s*)(?P<bad>not )?ok \d+(?: - | )(?P<name>\S+)(?P<rest>.*)$", re.MULTILINE)


def read_ktap(suite: str, text: str) -> list[Case]:
    """The cases of KTAP output; suites that contain tests count through these. Lines before a failure are its message."""
    found = list(_KTAP.finditer(text))
    nested = any(match["indent"] for match in found)
    cases, since = [], 0
    for match in found:
        said, since = text[since:match.start()].strip(), match.end()
        if nested and not match["indent"]:
            continue
        verdict = "skipped" if "# SKIP" in match["rest"] else "failed" if match["bad"] else "passed"
        cases.append(Case(suite, match["name"], verdict, said if verdict == "failed" else match["rest"].strip()))
    return cases
