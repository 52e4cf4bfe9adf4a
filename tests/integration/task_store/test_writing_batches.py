"""A batch is written whole, in order, and the same however the log is cut into batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import asyncpg
import pytest

from builders import (
    accepted,
    annotated,
    cancelled,
    completed,
    erased,
    fold,
    late_result,
    progressed,
    requested,
    retrying,
    started,
    task_id,
    uploaded,
)
from contracts.events import Event, encode
from contracts.lifecycle import BackingOff, Task
from contracts.records import to_record
from contracts.subjects import progress_subject, subject_of
from delivery.ordered import Delivered
from task_store import store
from task_store.rows import task_of_row
from task_store.writer import Folded, Projection, folded_ahead

UNSTORABLE = {"n": 10**30}
"""Metadata that decode and fold, and that no row can hold."""


def log_of(*events: Event) -> list[Delivered]:
    return [
        Delivered(subject_of(event), sequence, event.time, encode(event), event.id)
        for sequence, event in enumerate(events, 1)
    ]


@dataclass
class Log:
    """A log in memory, handed out so many messages at a time."""

    messages: Sequence[Delivered]
    size: int
    at: int = 0

    @property
    def pending(self) -> int:
        return len(self.messages) - self.at

    async def batch(self, most: int, *, wait_s: float) -> Sequence[Delivered]:
        first, self.at = self.at, min(self.at + self.size, len(self.messages))
        return self.messages[first : self.at]


@pytest.fixture
async def projection(database_url: str, database: asyncpg.Connection) -> AsyncIterator[Projection]:
    connection = await store.open_connection(database_url)
    projection = Projection(connection)
    await projection.load()
    yield projection
    connection.terminate()


async def write_all(projection: Projection, log: Log) -> None:
    async with aclosing(folded_ahead(projection, log)) as batches:
        async for folded in batches:
            if folded is None:
                return
            await projection.write(folded)


async def rows_of(database: asyncpg.Connection) -> dict[str, Task]:
    rows = await database.fetch("SELECT * FROM tasks")
    return {str(row["task_id"]): task_of_row(dict(row)) for row in rows}


def lives() -> list[Event]:
    """Tasks of every kind, told in turns."""
    one, two, three, four = ({"task": task_id(n)} for n in range(1, 5))
    told: list[list[Event]] = [
        [
            requested(reference_images=("uploads/local/a.png",), metadata={"a": {"b": 1}}, **one),
            started(**one),
            progressed(20, external_task_id="job\t1", handle={"url": "é\\n"}, **one),
            annotated({"a": {"b": None, "c": 2}}, **one),
            retrying(**one),
            annotated({"d": 1}, at=6, **one),
            started(2, at=7, **one),
            completed(2, **one),
            late_result(2, **one),
            annotated({"a": None, "d": None}, at=500, **one),
        ],
        [
            accepted(**two),
            uploaded(**two),
            requested(tasktype="PHOTO_TO_3D", prompt="an owl", **two),
            started(tasktype="PHOTO_TO_3D", **two),
        ],
        [requested(prompt="secret", **three), annotated(**three), erased(**three)],
        [requested(prompt_id="p", **four), cancelled(**four), requested(at=9, **four)],
    ]
    return [life[n] for n in range(10) for life in told if n < len(life)]


@pytest.mark.parametrize("remembered", [1, 20_000])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
async def test_rows_are_the_folds_however_the_log_is_cut(
    projection: Projection,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    remembered: int,
) -> None:
    monkeypatch.setattr("task_store.writer._REMEMBERED_TASKS", remembered)
    log = log_of(*lives())

    await write_all(projection, Log(log, size))

    expected: dict[str, Task | None] = {}
    for message, event in zip(log, lives(), strict=True):
        before = expected.get(event.task_id)
        expected[event.task_id] = fold(event, task=before, start=message.sequence)
    rows = await rows_of(database)
    assert {key: to_record(row) for key, row in rows.items()} == {
        key: to_record(task) for key, task in expected.items() if task is not None
    }
    kept = await database.fetch("SELECT sequence, payload FROM log.events ORDER BY sequence")
    assert [tuple(each) for each in kept] == [
        (message.sequence, message.payload)
        for message, event in zip(log, lives(), strict=True)
        if event.task_id != task_id(3) or event.type == "generation.erased"
    ]


@pytest.mark.parametrize("size", [1, 2, 4, 1000])
async def test_poison_voids_what_was_folded_on_top_of_it_and_nothing_is_lost(
    projection: Projection, database: asyncpg.Connection, size: int
) -> None:
    bad, good = task_id(1), [task_id(n) for n in range(2, 8)]
    story = [
        requested(task=bad),
        *(requested(task=each) for each in good[:3]),
        annotated(UNSTORABLE, task=bad),
        *(requested(task=each) for each in good[3:]),
        *(started(task=each) for each in good),
        started(task=bad),
        *(completed(task=each) for each in good),
    ]

    await write_all(projection, Log(log_of(*story), size))

    rows = await rows_of(database)
    assert {key: row.phase for key, row in rows.items()} == {
        bad: "waiting",
        **dict.fromkeys(good, "completed"),
    }
    parked = await database.fetch("SELECT sequence, reason, behind FROM parked ORDER BY sequence")
    assert [(each["sequence"], each["behind"]) for each in parked] == [(5, None), (15, 5)]
    assert parked[0]["reason"].startswith("unstorable")
    assert await database.fetchval("SELECT count(*) FROM log.events") == len(story)
    assert await database.fetchval("SELECT waiting FROM lanes") == 1
    assert await database.fetchval("SELECT sum(waiting) FROM waiting_counts") == 3


async def test_a_task_that_begins_again_long_after_its_end_is_found(
    projection: Projection, database: asyncpg.Connection
) -> None:
    once = [requested(), started(), completed()]
    again = [event.model_copy(update={"id": f"again-{event.id}"}) for event in once]

    await write_all(projection, Log(log_of(*once, *again), 3))

    rows = await rows_of(database)
    assert [(row.phase, row.sequence) for row in rows.values()] == [("completed", 3)]
    assert await database.fetchval("SELECT count(*) FROM log.events") == 6
    assert await database.fetchval("SELECT finished FROM lanes") == 1


async def test_nothing_is_folded_ahead_of_a_batch_that_is_written_anew(
    projection: Projection, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = ({"task": task_id(n)} for n in (1, 2))
    story = [accepted(**two), requested(**one), requested(**two), started(**one), completed(**one)]
    log = log_of(*story)
    await projection.apply(log[:2])
    # Nothing is remembered, as after a restart: the task that was accepted seems to begin.
    await projection.begin_again()
    recall = projection._recall  # noqa: SLF001
    ahead: list[Folded | None] = []

    async def meanwhile(messages: Sequence[Delivered], *, sure: bool) -> None:
        await recall(messages, sure=sure)
        if sure:
            ahead.append(await projection.fold_ahead(log[4:]))

    folded = await projection.fold(log[2:4])
    monkeypatch.setattr(projection, "_recall", meanwhile)
    await projection.write(folded)
    await projection.apply(log[4:])

    assert ahead == [None]
    rows = await rows_of(database)
    assert (rows[task_id(1)].phase, rows[task_id(2)].phase) == ("completed", "waiting")
    assert rows[task_id(1)].started_at == story[3].time
    assert not await database.fetch("SELECT * FROM parked")


async def test_nothing_is_written_on_top_of_a_batch_that_was_not(
    projection: Projection, database: asyncpg.Connection
) -> None:
    log = log_of(requested(), started(), completed())

    async with aclosing(folded_ahead(projection, Log(log, 1))) as batches:
        first = await anext(batches)
        assert first is not None
        await database.execute("UPDATE checkpoint SET sequence = 100")
        with pytest.raises(store.Superseded):
            await projection.write(first)

    assert await database.fetchval("SELECT sequence FROM checkpoint") == 100
    assert await rows_of(database) == {}
    assert await database.fetchval("SELECT count(*) FROM log.events") == 0


async def test_a_projector_that_was_overtaken_by_the_same_batch_writes_it_no_second_time(
    projection: Projection, database_url: str, database: asyncpg.Connection
) -> None:
    log = log_of(requested(), started())
    other = Projection(await store.open_connection(database_url))
    await other.load()
    folded = await projection.fold(log)
    await other.apply(log)
    other.connection.terminate()

    with pytest.raises(store.Superseded):
        await projection.write(folded)

    assert await database.fetchval("SELECT sequence FROM checkpoint") == 2
    assert await database.fetchval("SELECT count(*) FROM log.events") == 2


async def test_a_row_that_vanished_stops_the_batch(
    projection: Projection, database: asyncpg.Connection
) -> None:
    log = log_of(requested(), started())
    await projection.apply(log[:1])
    await database.execute("DELETE FROM tasks")

    with pytest.raises(store.Superseded):
        await projection.apply(log[1:])

    assert await database.fetchval("SELECT sequence FROM checkpoint") == 1


async def test_times_and_states_go_into_rows_and_back(
    projection: Projection, database: asyncpg.Connection
) -> None:
    story = [requested(run_at="2026-11-21T14:00:00.123457+02:00"), started(), retrying()]

    await projection.apply(log_of(*story))

    [row] = (await rows_of(database)).values()
    assert isinstance(row.state, BackingOff)
    assert to_record(row) == to_record(fold(*story) or row)


async def test_what_is_not_text_for_postgres_is_kept_as_far_as_it_goes(
    projection: Projection, database: asyncpg.Connection
) -> None:
    subject = progress_subject("CREATE", "\ud800")
    message = Delivered(subject, 1, requested().time, b"\x00", "a\x00b")

    await projection.apply([message])

    row = await database.fetchrow("SELECT task_id, event_id, payload FROM log.events")
    assert row is not None
    assert tuple(row) == ("?", "a\N{REPLACEMENT CHARACTER}b", b"\x00")
