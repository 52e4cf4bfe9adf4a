"""Which artifacts of no task may go, and what is said of them."""

from __future__ import annotations

from datetime import datetime

import pytest

from artifacts.store import Stored
from builders import after
from darkroom.cli.strays import Stray, Strays

DAY_S = 86_400
NOW = after(10 * DAY_S)
SINCE = after(0)
"""The log has had everything since then."""


def stray(written: datetime, *, is_erased: bool = False) -> Stray:
    return Stray(Stored("artifacts/x/y/1-0-a.png", 10, '"e"', "image/png", written), is_erased)


@pytest.mark.parametrize(
    ("written_s", "may_go"),
    [(0.9 * DAY_S, False), (1.1 * DAY_S, True), (8.9 * DAY_S, True), (9.1 * DAY_S, False)],
)
def test_only_what_the_log_must_have_told_of_and_is_settled_may_go(
    written_s: float, may_go: bool
) -> None:
    assert stray(after(written_s)).may_go(NOW, SINCE) is may_go
    # Rows that are not those of the log, or behind it, prove nothing.
    assert not stray(after(written_s)).may_go(NOW, None)


def test_what_is_left_of_an_erased_task_may_go_at_once() -> None:
    assert stray(NOW, is_erased=True).may_go(NOW, None)


def found(known: int, removable: int, others: int) -> Strays:
    met = Strays(known)
    for number in range(removable + others):
        met.note(stray(NOW), may_go=number < removable)
    return met


@pytest.mark.parametrize(
    ("met", "ok", "says"),
    [
        (found(2, 0, 0), True, "each of 2 artifacts has a task"),
        (found(9, 2, 0), False, "2 artifacts of no task, 20 bytes"),
        (found(9, 2, 3), False, "5 artifacts of no task, 50 bytes"),
        (found(9, 0, 2), None, "2 artifacts of no task, 20 bytes"),
        # Most of the store is of tasks that this database does not know.
        (found(4, 5, 0), None, "and only 4 of tasks that are known"),
    ],
)
def test_artifacts_of_no_task_are_told_with_their_bytes(
    met: Strays, ok: bool | None, says: str
) -> None:
    finding = met.judge()

    assert finding.ok is ok
    assert says in finding.detail
    assert ("--fix" in finding.mend) is (ok is False)
