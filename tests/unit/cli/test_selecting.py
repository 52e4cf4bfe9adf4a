"""Which events are wanted: what the broker filters by, and what is left to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders import NOON, after, completed, progressed, requested, started, task_id
from contracts.events import Event, encode
from contracts.subjects import subject_of
from darkroom.cli.selecting import EVENT_NAMES, Unclear, Wanted, wanted_of

NOTHING: dict[str, Any] = {
    "type_name": None,
    "events": (),
    "task_id": None,
    "owner": None,
    "since": None,
    "until": None,
    "since_sequence": None,
    "until_sequence": None,
}


@dataclass(frozen=True)
class Stored:
    subject: str
    sequence: int
    logtime: datetime
    payload: bytes
    event_id: str = ""


def stored(event: Event, sequence: int = 1) -> Stored:
    return Stored(subject_of(event), sequence, event.time, encode(event), event.id)


LINE = [
    stored(requested(), 1),
    stored(started(), 2),
    stored(requested(task=task_id(2), tasktype="VIDEO", owner="ann", at=2), 3),
    stored(completed(), 4),
    Stored(f"generation.progress.create.{task_id(1)}", 5, after(20), b"\xff no json"),
    Stored("generation.odd", 6, after(21), b"[1]"),
]


@pytest.mark.parametrize(
    ("wanted", "sequences"),
    [
        (Wanted(), [1, 2, 3, 4, 5, 6]),
        (Wanted(tasktype="VIDEO"), [3]),
        (Wanted(events=frozenset({"requested", "completed"})), [1, 3, 4]),
        (Wanted(task_id=task_id(1)), [1, 2, 4, 5]),
        (Wanted(owner="ann"), [3]),
        (Wanted(owner="local", events=frozenset({"started"})), [2]),
        (Wanted(since=after(2)), [3, 4, 5, 6]),
        (Wanted(until=after(1)), [1, 2]),
        (Wanted(since_sequence=5), [5, 6]),
        (Wanted(since_sequence=2, until_sequence=3), [2, 3]),
    ],
)
def test_each_filter_lets_through_what_it_says(wanted: Wanted, sequences: list[int]) -> None:
    assert [each.sequence for each in LINE if wanted.has(each)] == sequences


@pytest.mark.parametrize(
    ("wanted", "subject"),
    [
        (Wanted(), "generation.>"),
        (Wanted(owner="ann", since_sequence=3), "generation.>"),
        (Wanted(tasktype="PHOTO_TO_3D"), "generation.*.photo_to_3d.>"),
        (Wanted(events=frozenset({"completed", "failed"})), "generation.finished.*.>"),
        (Wanted(events=frozenset({"completed", "started"})), "generation.*.*.>"),
        (
            Wanted("CREATE", frozenset({"requested"}), task_id="t"),
            "generation.requested.create.*.t",
        ),
        (Wanted("CREATE", frozenset({"started"}), task_id="t"), "generation.progress.create.t"),
        (Wanted("CREATE", task_id="t"), "generation.*.create.>"),
    ],
)
def test_the_broker_filters_by_what_one_subject_can_say(wanted: Wanted, subject: str) -> None:
    assert wanted.subject == subject


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T13:00:00+01:00", NOON),
        ("2026-11-21T12:00:00Z", NOON),
        ("90s", NOON - timedelta(seconds=90)),
        ("30m", NOON - timedelta(minutes=30)),
        ("30 min ago", NOON - timedelta(minutes=30)),
        ("2h", NOON - timedelta(hours=2)),
        ("1.5d", NOON - timedelta(hours=36)),
    ],
)
def test_a_time_is_one_with_a_zone_or_so_long_ago(text: str, moment: datetime) -> None:
    wanted = wanted_of(NOTHING | {"since": text}, NOON)

    assert (wanted.since, wanted.since and wanted.since.tzinfo) == (moment, UTC)


def test_types_and_events_may_be_written_as_people_do() -> None:
    told = {"type_name": "photo-to-3d", "events": ("generation.completed", "timed-out")}

    wanted = wanted_of(NOTHING | told, NOON)

    assert wanted == Wanted("PHOTO_TO_3D", frozenset({"completed", "timed_out"}))
    assert wanted.as_json() == {"type": "PHOTO_TO_3D", "event": ["completed", "timed_out"]}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"since": "yesterday"}, "how long ago"),
        ({"until": "2026-11-21T12:00:00"}, "with its zone"),
        ({"since": "999999999999d"}, "how long ago"),
        ({"since": "0001-01-01T00:00:00+01:00"}, "how long ago"),
        ({"until": "9999-12-31T23:59:59-01:00"}, "how long ago"),
        ({"events": ("finished",)}, ", ".join(EVENT_NAMES)),
        ({"type_name": "a.b"}, "PHOTO_TO_3D"),
        ({"task_id": "a b"}, "can't be the id"),
        ({"task_id": ">"}, "can't be the id"),
        ({"since": "1h", "until": "2h"}, "--since is after --until"),
        ({"since_sequence": 2, "until_sequence": 1}, "--since-sequence is after"),
    ],
)
def test_what_is_unclear_is_said(told: dict[str, Any], said: str) -> None:
    with pytest.raises(Unclear, match=said):
        wanted_of(NOTHING | told, NOON)


def test_reading_ends_where_nothing_wanted_can_follow() -> None:
    by_time, by_sequence = Wanted(until=NOON), Wanted(until_sequence=4)
    much_later = stored(progressed(at=61), 3)

    assert [by_sequence.is_past(each) for each in LINE[2:4]] == [False, True]
    # The clock of another broker may be a little behind.
    assert [by_time.is_past(each) for each in (LINE[3], much_later)] == [False, True]
    assert not Wanted().is_past(much_later)


def test_to_the_end_of_time_nothing_is_past() -> None:
    wanted = wanted_of(NOTHING | {"until": "9999-12-31T23:59:59Z"}, NOON)

    assert wanted.has(LINE[0])
    assert not wanted.is_past(LINE[0])
