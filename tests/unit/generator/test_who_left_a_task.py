"""A request that comes again was left by a worker, or handed back: the log tells which."""

import pytest

from builders import completed, fold, progressed, requested, retrying, started
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
