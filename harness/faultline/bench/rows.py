"""Rows of bench.json: one number each, with what it is compared to and whether that is reached."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass
class Row:
    """`goal` is a bound on `value`, or on `ratio` when a ratio is given; `at_least` says on which side to be."""

    name: str
    group: str
    unit: str
    value: float
    peers: list[dict] = field(default_factory=list)
    ratio: float | None = None
    goal: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool:
        if self.goal is None:
            return True
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.goal if self.at_least else measured <= self.goal

    def as_json(self) -> dict:
        return {**asdict(self), "met": self.met}


def keep(rows: list[Row], skipped: list[str], path: Path, partial: bool = False) -> None:
    """Writes bench.json; what it held of groups that were not measured now stays, and with `partial` of rows too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    groups, names = {row.group for row in rows}, {(row.group, row.name) for row in rows}
    try:
        before = [row for row in json.loads(path.read_text())["rows"]
                  if ((row["group"], row["name"]) not in names if partial else row["group"] not in groups)]
    except (OSError, ValueError, KeyError, TypeError):
        before = []
    path.write_text(json.dumps({"rows": before + [row.as_json() for row in rows], "skipped": skipped}, indent=2) + "\n")


_SHOWN = 4  # peers in the table; bench.json has them all


def _beside(peers: list[dict]) -> str:
    shown = ", ".join(f"{peer['name']} {peer['value']:,.6g}" for peer in peers[:_SHOWN])
    return shown + (f" and {len(peers) - _SHOWN} more" if len(peers) > _SHOWN else "")


def show(rows: list[Row]) -> None:
    """The table for people."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, side in (("group", "left"), ("what", "left"), ("value", "right"), ("unit", "left"), ("ratio", "right"),
                        ("goal", "right"), ("met", "left"), ("beside", "left")):
        table.add_column(title, justify=side)
    for row in rows:
        goal = "" if row.goal is None else ("≥ " if row.at_least else "≤ ") + f"{row.goal:,g}"
        table.add_row(row.group, row.name, f"{row.value:,.6g}" if row.value < 1000 else f"{row.value:,.0f}", row.unit,
                      "" if row.ratio is None else f"{row.ratio:.3f}", goal, "" if row.goal is None else ("yes" if row.met else "NO"),
                      _beside(row.peers))
    Console(width=160).print(table)
