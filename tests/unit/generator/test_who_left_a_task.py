"""A request that comes again was left by a worker, or handed back: the log tells which."""

from datetime import timedelta

import pytest

from builders import NOON, completed, fold, progressed, requested, retrying, started
from contracts.events import Event
from generator.history import History


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([], False),
        ([started()], True),
        ([started(), progressed(40)], True),
        ([started(), progressed(40, handed_over=True)], False),
        ([started(), retrying()], False),
        ([started(), completed()], False),
    ],
)
def test_only_a_started_attempt_that_nobody_ended_was_left(events: list[Event], left: bool) -> None:
    assert History(fold(requested(), *events), events, ended=False).was_left is left


def test_a_task_that_cannot_be_read_was_left_by_nobody() -> None:
    assert not History(None, [], ended=False).was_left


@pytest.mark.parametrize(
    ("events", "lane_since", "held"),
    [
        ([started(), progressed()], 2, True),
        ([started(), progressed()], 1, False),
        ([started(), progressed()], None, False),
        ([started(), progressed(40, handed_over=True)], 2, False),
        ([], 2, False),
    ],
)
def test_a_younger_consumer_does_not_know_who_holds_a_task(
    events: list[Event], lane_since: int | None, held: bool
) -> None:
    began_at = NOON + timedelta(seconds=1) if events else None
    history = History(fold(requested(), *events), events, ended=False, began_at=began_at)
    since = None if lane_since is None else NOON + timedelta(seconds=lane_since)

    assert history.is_perhaps_held(since) is held
