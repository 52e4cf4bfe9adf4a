"""How tasks look in a terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from darkroom.cli.following import note_of
from darkroom.cli.screen import age, task_table
from unit.cli.stand_in import TASK_ID, task


@pytest.mark.parametrize("width", [60, 80, 200])
def test_an_id_is_never_cut(width: int) -> None:
    screen = Console(file=io.StringIO(), width=width)
    long = task(type="WHITE_BACKGROUND", prompt="a very long prompt " * 20, progress=40)

    screen.print(task_table([long, task("completed")]))

    assert isinstance(screen.file, io.StringIO)
    printed = screen.file.getvalue()
    assert printed.count(TASK_ID) == 2
    assert width < 80 or ("queued 40 %" in printed and "completed" in printed)


@pytest.mark.parametrize(
    ("created", "shown"),
    [
        ("2026-11-21T11:59:30Z", "30 s"),
        ("2026-11-21T11:30:00Z", "30 min"),
        ("2026-11-21T02:00:00Z", "10 h"),
        ("2026-11-01T12:00:00Z", "20 d"),
        ("2026-11-21T12:00:05Z", "0 s"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_that_fits(created: str, shown: str) -> None:
    assert age(created, datetime(2026, 11, 21, 12, tzinfo=UTC)) == shown


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"queue_position": 3, "eta_seconds": 12.4}, "number 3 in line, about 12 s left"),
        ({"queue_position": 0, "attempt": 2}, "attempt 2"),
        ({"queue_position": None, "attempt": 1}, ""),
    ],
)
def test_the_note_says_what_the_percent_does_not(changes: dict[str, object], note: str) -> None:
    assert note_of(task(**changes)) == note
