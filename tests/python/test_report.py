"""report.json keeps its keys; the page is one file and shows what is in it."""

import json

from faultline.campaign.engines import EngineRun
from faultline.campaign.planted import Outcome
from faultline.campaign.triage import Crash
from faultline.report import write
from faultline.report.write import Night

TOP = {"verdict", "reasons", "commit", "started", "seconds", "targets", "crashes", "sites", "planted", "booted", "coverage"}


def full_night():
    night = Night(commit="abc", started="2026-01-01T00:00:00+00:00", seconds=12.34)
    night.targets.append(EngineRun("fuzz_x", "libfuzzer", "address,undefined", 1000, 1.5, 10, 100, 5, 1, None))
    night.targets.append(EngineRun("fuzz_x", "afl++", "none", 1000, 1.5, 10, 100, 5, 1, 99.5, error="odd"))
    night.crashes.append(Crash("model-f-g-h", "fuzz_x", "model", ["f kernel/f.c:1"], "crashes/model-f-g-h", "3/3", faults=["fault: none armed"]))
    night.sites.append({"kind": "page_alloc", "function": "f", "file": "kernel/f.c", "line": 1, "reached": 0,
                        "failed_transient": 0, "failed_persistent": 0, "machine": "qemu"})
    night.planted.append(Outcome("missing <unlock>", "lock", False, "", 3.0, 10.0, error="lived"))
    return night


def test_files(tmp_path):
    write.write(full_night(), tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert TOP <= report.keys()
    assert set(write.TARGET_KEYS) <= report["targets"][0].keys()
    assert set(write.CRASH_KEYS) <= report["crashes"][0].keys()
    assert {"name", "class", "found", "by", "seconds", "budget"} <= report["planted"][0].keys()
    assert {"passed", "failed", "skipped", "injections"} <= report["booted"].keys()
    assert {"lines", "branches", "mcdc"} <= report["coverage"].keys()
    page = (tmp_path / "report.html").read_text()
    assert "model-f-g-h" in page and "missing &lt;unlock&gt;" in page
    assert "src=" not in page and "http" not in page  # nothing to load


def test_verdicts():
    night = Night()
    assert (night.verdict, write.EXIT_STATUS[night.verdict]) == ("clean", 0)
    night.broken.append("nothing ran")
    assert (night.verdict, write.EXIT_STATUS[night.verdict]) == ("broken", 2)
    night.findings.append("found")
    assert (night.verdict, write.EXIT_STATUS[night.verdict]) == ("findings", 1)


def test_an_empty_night_can_be_shown():
    assert "clean" in write.render(Night().as_json())
