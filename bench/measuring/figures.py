"""What was measured, what it is compared with, and how both are shown and kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be: at least, or at most, ``limit``."""

    limit: float
    at_least: bool

    def is_met_by(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {number(self.limit)}"


def at_least(limit: float) -> Target:
    return Target(limit, at_least=True)


def at_most(limit: float) -> Target:
    return Target(limit, at_least=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement. With a ``floor``, measured in the same run, the ratio is what counts."""

    part: str
    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_name: str = ""
    target: Target | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def is_met(self) -> bool | None:
        """None when there is no target."""
        if self.target is None:
            return None
        ratio = self.ratio
        return self.target.is_met_by(self.value if ratio is None else ratio)

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "floor": self.floor,
            "floor_name": self.floor_name,
            "ratio": self.ratio,
            "target": None if self.target is None else str(self.target),
            "met": self.is_met,
            "details": self.details,
        }


def show(console: Console, machine: dict[str, Any], figures: Sequence[Figure]) -> None:
    """The table, and below it what a figure consists of."""
    table = Table(box=box.SIMPLE, title=_title(machine), title_justify="left")
    for heading in ("", "measured", "floor", "ratio", "target", ""):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=not heading)
    part = figures[0].part if figures else ""
    for figure in figures:
        if figure.part != part:
            table.add_section()
            part = figure.part
        floor = "" if figure.floor is None else f"{number(figure.floor)} {figure.floor_name}"
        met = figure.is_met
        table.add_row(
            figure.name,
            f"{number(figure.value)} {figure.unit}",
            floor,
            "" if figure.ratio is None else number(figure.ratio),
            "" if figure.target is None else str(figure.target),
            "" if met is None else "[green]✓[/]" if met else "[red]✗[/]",
        )
    console.print(table)
    for figure in figures:
        if figure.details:
            told = ", ".join(f"{name} {_plain(each)}" for name, each in figure.details.items())
            console.print(f"[dim]{figure.name}: {told}[/]", highlight=False)


def keep(path: Path, machine: dict[str, Any], figures: Sequence[Figure]) -> None:
    """The same as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"machine": machine, "figures": [figure.as_json() for figure in figures]}
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def number(value: float) -> str:
    """Three digits that count, no more."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _plain(value: object) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def _title(machine: dict[str, Any]) -> str:
    return (
        f"{machine['cores']} cores, load {machine['load']:.2f} before, "
        f"a sync of the disk takes {machine['fsync_us']:.0f} µs"
    )
