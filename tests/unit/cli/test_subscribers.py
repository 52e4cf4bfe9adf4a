"""What is said of subscribers, and where one may begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click
import pytest
from nats.js.api import DeliverPolicy

from contracts.subjects import ALL_EVENTS, ALL_FINISHED
from darkroom.cli.subscribers import start_of
from delivery.subscribers import FAR_BEHIND, NEW, Start, Subscriber, judge

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FINE = Subscriber(
    name="fine",
    filters=(ALL_EVENTS,),
    seen=100,
    acknowledged=100,
    behind=3,
    unacknowledged=0,
    redelivered=0,
    asking=1,
    max_deliver=20,
    ack_wait_s=30,
)
SOME = replace(FINE, name="some", filters=(ALL_FINISHED,))


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("new", NEW),
        ("all", Start(DeliverPolicy.ALL)),
        ("17", Start(DeliverPolicy.BY_START_SEQUENCE, sequence=17)),
        ("0", Start(DeliverPolicy.BY_START_SEQUENCE, sequence=1)),
        (
            "2026-11-21T10:00:00+02:00",
            Start(DeliverPolicy.BY_START_TIME, time=datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ),
    ],
)
def test_where_a_subscriber_begins(text: str, start: Start) -> None:
    assert start_of(text, NOW) == start


@pytest.mark.parametrize(
    "text",
    ["yesterday", "-1", "", "2026-11-21T12:00:01Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23Z"],
)
def test_where_none_can_begin(text: str) -> None:
    with pytest.raises(click.BadParameter):
        start_of(text, NOW)


def test_none_and_those_that_are_near_are_fine() -> None:
    assert judge([], 1).ok is True
    assert judge([], 1).detail == "none"
    assert judge([FINE, SOME], 101).detail == "2, at most 3 events behind"


def test_one_that_is_far_behind_is_told() -> None:
    finding = judge([FINE, replace(SOME, behind=FAR_BEHIND)], 1)

    assert finding.ok is None
    assert "some (10,000 events)" in finding.detail


def test_one_whose_next_event_left_the_log_is_told() -> None:
    finding = judge([FINE, SOME], 102)

    assert finding.ok is False
    assert finding.detail == "events left the log unread by fine (at 100); the log begins at 102"


def test_of_one_that_reads_a_part_and_asks_nothing_can_be_said() -> None:
    assert judge([SOME], 102).ok is True
    away = judge([replace(SOME, asking=0)], 102)

    assert away.ok is None
    assert "may have been theirs: some (at 100)" in away.detail
