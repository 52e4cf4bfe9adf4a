"""A notice that a task is on hold, or goes on, is never older than what was told of the task."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from builders import NOON, completed, folded, requested, started, task_id
from contracts.events import Event
from contracts.records import Record, to_record
from gateway.feed import Feed
from gateway.followers import Follow
from gateway.following import (
    Fact,
    Message,
    is_overtaken,
    message_of,
    notice_of,
    place_message,
    snapshot_message,
)
from gateway.holds import Holds
from gateway.outbox import Outbox

ONE, TWO = task_id(1), task_id(2)
OWN = {"task": ONE, "owner": "ann"}
RUNNING = folded(requested(**OWN), started(**OWN), start=99)
ENDED = folded(requested(**OWN), started(**OWN), completed(**OWN), start=99)


def view(record: Record) -> dict[str, Any]:
    return {"status": record["status"], "sequence": record["sequence"]}


NOTICE = notice_of(to_record(RUNNING), view)


class Room:
    """A feed without a log, which has told of the running task, and what it is told by hand."""

    def __init__(self) -> None:
        absent: Any = None
        bus: Any = SimpleNamespace(on_reconnect=lambda hook: None)
        self.feed = Feed(bus, absent, absent, view)
        self.feed._running = True  # noqa: SLF001

    async def joins(self, task_id: str | None) -> Follow:
        follow = Follow("ann", Outbox(), task_id=task_id)
        await self.feed.add(follow)
        return follow

    def happens(self, sequence: int, event: Event) -> None:
        self.feed._tell(Fact(ONE, sequence, NOON, event), {})  # noqa: SLF001

    def runs(self) -> None:
        self.happens(99, requested(**OWN))
        self.happens(100, started(**OWN))


@pytest.fixture
def room() -> Room:
    return Room()


async def told(follow: Follow) -> list[tuple[int | None, str, int]]:
    """What has come since the last time: ids, and the states of the task."""
    follow.outbox.due()
    follow.outbox.ping, messages = False, await follow.outbox.take()
    bodies = [orjson.loads(each.body) for each in messages]
    ids = [each.sequence for each in messages]
    return [(at, body["status"], body["sequence"]) for at, body in zip(ids, bodies, strict=True)]


def test_only_a_notice_is_overtaken_by_what_was_told_of_its_task() -> None:
    assert (NOTICE.sequence, NOTICE.task_id, NOTICE.as_of) == (None, ONE, 100)
    assert is_overtaken(NOTICE, {ONE: 101})
    for sequences in ({}, {ONE: 100}, {TWO: 101}):
        assert not is_overtaken(NOTICE, sequences)
    ordered = message_of(RUNNING, view), snapshot_message(to_record(RUNNING), view)
    for other in (*ordered, place_message(ONE, 1, None), Message("reset", b"{}")):
        assert not is_overtaken(other, {ONE: 101})


@pytest.mark.parametrize("of_task", [ONE, None])
async def test_who_joins_is_not_told_last_what_was_before_the_end_that_it_has_read(
    room: Room, of_task: str | None
) -> None:
    follow = await room.joins(of_task)
    room.runs()
    follow.tell(NOTICE)
    room.happens(101, completed(**OWN))
    # It has read the end, and told it.
    follow.go_live(101)

    assert await told(follow) == []
    assert not follow.has_ended


async def test_what_another_has_read_in_the_log_overtakes_a_notice_as_well(room: Room) -> None:
    follow = await room.joins(None)
    follow.tell(NOTICE)
    room.feed.known.note(ONE, 101)
    room.feed.known.note(ONE, 99)
    follow.go_live(99)

    assert await told(follow) == []


async def test_a_notice_that_nothing_has_overtaken_is_told_in_its_turn(room: Room) -> None:
    follow = await room.joins(None)
    room.runs()
    follow.tell(NOTICE)
    follow.go_live(99)
    room.happens(101, completed(**OWN))

    processing, ended = "processing", "completed"
    assert await told(follow) == [
        (100, processing, 100),
        (None, processing, 100),
        (101, ended, 101),
    ]


async def test_where_tasks_were_told_is_known_of_those_told_last(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.known._MOST_TOLD", 2)
    for each in (ONE, TWO, ONE, task_id(3)):
        room.feed.known.note(each, 7)

    assert [room.feed.known.told(each) for each in (ONE, TWO, task_id(3))] == [7, 0, 7]


class Projection:
    """Tasks as the task-store tells them, one answer after the other; meanwhile things happen."""

    def __init__(self, room: Room, *answers: Record) -> None:
        self.progress: Any = SimpleNamespace()
        self.answers = list(answers)
        self.meanwhile = [lambda: room.happens(101, completed(**OWN))]

    async def projects(self, sequence: int, within_s: float) -> bool:
        return False

    async def get(self, task_id: str) -> tuple[Record, int]:
        for happens in self.meanwhile:
            happens()
        self.meanwhile = []
        return self.answers.pop(0), 100


@pytest.mark.parametrize(
    ("answers", "last"),
    [([RUNNING, ENDED], (None, "completed", 101)), ([RUNNING] * 3, (101, "completed", 101))],
    ids=["projected in time", "not projected"],
)
async def test_an_end_that_is_told_while_the_task_is_read_stays_the_last_word(
    room: Room, answers: list[Any], last: tuple[int | None, str, int]
) -> None:
    bus: Any = None
    tasks: Any = Projection(room, *map(to_record, answers))
    follow = await room.joins(None)
    room.runs()
    follow.go_live(100)

    await Holds(bus, tasks, room.feed, view)._tell(ONE)  # noqa: SLF001

    assert (await told(follow))[-1] == last
    assert tasks.answers == []
