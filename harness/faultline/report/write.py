"""report.json, whose keys other tools rely on, and report.html, one file that a person can mail."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import jinja2

from faultline import files

TARGET_KEYS = ("name", "engine", "sanitizer", "executions", "seconds", "edges", "edges_total", "corpus", "crashes", "stability")
CRASH_KEYS = ("signature", "target", "kind", "frames", "folder", "replays", "machines", "faults", "new")
VERDICTS = ("clean", "findings", "broken")
EXIT_STATUS = {"clean": 0, "findings": 1, "broken": 2}


@dataclass
class Night:
    """Everything a night has to say. `findings` and `broken` are sentences; either decides the verdict."""

    commit: str = ""
    started: str = ""
    seconds: float = 0.0
    targets: list = field(default_factory=list)     # EngineRun
    crashes: list = field(default_factory=list)     # Crash
    sites: list[dict] = field(default_factory=list)
    planted: list = field(default_factory=list)     # Outcome
    booted: dict = field(default_factory=lambda: {"passed": 0, "failed": 0, "skipped": 0, "injections": 0,
                                                        "interrupts": 0, "places": 0})
    coverage: dict = field(default_factory=lambda: {"lines": None, "branches": None, "mcdc": None})
    worlds: dict[str, dict] = field(default_factory=dict)  # "booted" and "linux": programs, same, explained, ...
    findings: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    host_injections: int = 0

    @property
    def verdict(self) -> str:
        """A night that found something says so first: exit 1 even when a part of it broke."""
        if self.crashes or self.findings:
            return "findings"
        return "broken" if self.broken else "clean"

    def as_json(self) -> dict:
        """The document of report.json."""
        return {
            "verdict": self.verdict, "reasons": self.findings + self.broken, "commit": self.commit,
            "started": self.started, "seconds": round(self.seconds, 1),
            "targets": [_entry(run, TARGET_KEYS) | ({"error": run.error} if run.error else {}) for run in self.targets],
            "crashes": [_entry(crash, CRASH_KEYS) | {"said": crash.said, "without_faults": crash.without_faults}
                        for crash in self.crashes],
            "sites": self.sites,
            "planted": [{"name": bug.name, "class": bug.kind, "found": bug.found, "by": bug.by,
                         "seconds": round(bug.seconds, 1), "budget": bug.budget} | ({"error": bug.error} if bug.error else {})
                        for bug in self.planted],
            "booted": self.booted, "worlds": self.worlds, "coverage": self.coverage, "host_injections": self.host_injections,
        }


def _entry(item, keys: tuple[str, ...]) -> dict:
    values = asdict(item)
    return {key: round(values[key], 1) if key == "seconds" else values[key] for key in keys}


def write(night: Night, folder: Path) -> None:
    """Writes both files, each whole or not at all."""
    document = night.as_json()
    text = json.dumps(document, indent=2) + "\n"
    files.write(folder / "report.json", text)
    files.write(folder / "report.html", render(document))


def render(document: dict) -> str:
    """The page for one report.json document."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["grouped"] = lambda value: f"{value:,}" if value is not None else "–"
    environment.filters["percent"] = lambda part, whole: f"{100 * part / whole:.0f} %" if whole else "–"
    environment.filters["basename"] = lambda path: Path(path).name
    return environment.get_template("report.html.j2").render(r=document)
