"""The log becomes rows."""

from __future__ import annotations

import asyncpg
import pytest

from builders import (
    OWNER,
    TASK_ID,
    accepted,
    annotated,
    completed,
    erased,
    fold,
    progressed,
    requested,
    started,
    task_id,
)
from contracts import queries
from contracts.records import to_record
from contracts.subjects import finished_subject, progress_subject, requested_subject
from integration.task_store.conftest import Bus
from task_store.rows import task_of_row

pytestmark = pytest.mark.usefixtures("task_store")


async def test_a_row_is_the_fold_of_its_tasks_events(
    bus: Bus, database: asyncpg.Connection
) -> None:
    story = [requested(), started(), progressed(40), annotated({"a": {"b": 1}}), completed()]
    await bus.projected(await bus.tell(*story))

    row = await database.fetchrow("SELECT * FROM tasks")

    expected = fold(*story)
    assert row is not None
    assert expected is not None
    found = to_record(task_of_row(dict(row)))
    assert found | {"heard_at": None} == to_record(expected) | {"heard_at": None}


async def test_a_finished_task_is_answered_with_its_place_as_zero(bus: Bus) -> None:
    await bus.projected(await bus.tell(requested(), started(), completed()))

    answer = await bus.ask(queries.GET, task_ids=[TASK_ID, task_id(99)])

    records = answer["ok"]["records"]
    assert list(records) == [TASK_ID]
    assert records[TASK_ID]["status"] == "completed"
    assert records[TASK_ID]["queue_position"] == 0


async def test_places_in_a_line_are_one_to_n_and_close_up_when_one_starts(bus: Bus) -> None:
    line = [requested(task=task_id(n)) for n in range(1, 6)]
    await bus.projected(await bus.tell(*line))
    ids = [task_id(n) for n in range(1, 6)]
    before = (await bus.ask(queries.GET, task_ids=ids))["ok"]["records"]
    assert [before[each]["queue_position"] for each in ids] == [1, 2, 3, 4, 5]

    await bus.projected(await bus.tell(started(task=task_id(2))))

    after = (await bus.ask(queries.GET, task_ids=ids))["ok"]["records"]
    assert [after[each]["queue_position"] for each in ids] == [1, 0, 2, 3, 4]


async def test_an_undecodable_event_parks_its_own_task_and_no_other(bus: Bus) -> None:
    poisoned, healthy = task_id(1), task_id(2)
    await bus.tell(requested(task=poisoned), requested(task=healthy))
    js = bus.client.jetstream()
    await js.publish(progress_subject("CREATE", poisoned), b"not json")
    await js.publish(progress_subject("CREATE", poisoned), b"\xff\xfe")
    last = await bus.tell(started(task=poisoned), started(task=healthy))
    await bus.projected(last)

    records = (await bus.ask(queries.GET, task_ids=[poisoned, healthy]))["ok"]["records"]
    parked = (await bus.ask(queries.DEAD_LETTERS))["ok"]
    first = (await bus.ask(queries.DEAD_LETTER, sequence=3))["ok"]

    assert (records[poisoned]["phase"], records[healthy]["phase"]) == ("waiting", "running")
    assert [(each["sequence"], each["waiting"]) for each in parked["dead_letters"]] == [(3, 2)]
    assert (first["event"], first["behind"]) == ("not json", None)
    assert [each["sequence"] for each in first["waiting_behind"]] == [4, 5]
    assert (parked["events"], parked["tasks"]) == (3, 1)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b'{"specversion":"1.0"}',
        b'{"type":"generation.exploded","specversion":"1.0"}',
        requested(prompt="a\u0000b").model_dump_json().encode(),
        b"\x00" * 64,
        b"[" * 2000,
        requested(provider_params={"n": 1})
        .model_dump_json()
        .replace('"n":1', '"n":1e999')
        .encode(),
    ],
)
async def test_poison_is_parked_and_the_projection_goes_on(bus: Bus, payload: bytes) -> None:
    poison = task_id(7)
    await bus.client.jetstream().publish(requested_subject("CREATE", "studio", poison), payload)
    last = await bus.tell(requested(task=task_id(8)))
    await bus.projected(last)

    records = (await bus.ask(queries.GET, task_ids=[task_id(8), poison]))["ok"]["records"]
    counted = (await bus.ask(queries.STATUS))["ok"]["parked"]

    assert records[task_id(8)]["phase"] == "waiting"
    assert (poison in records, counted["events"]) in ((False, 1), (True, 0))


async def test_an_event_of_a_task_that_never_began_is_parked(bus: Bus) -> None:
    await bus.projected(await bus.tell(progressed(10)))

    parked = (await bus.ask(queries.DEAD_LETTERS))["ok"]["dead_letters"]

    assert [each["reason"] for each in parked] == ["unknown_task"]


async def test_erasure_leaves_a_tombstone_and_no_raw_event(
    bus: Bus, database: asyncpg.Connection
) -> None:
    await bus.tell(requested(prompt="my secret"), started(), completed())
    await bus.projected(await bus.tell(erased()))

    row = await database.fetchrow("SELECT phase, prompt, owner, metadata::text FROM tasks")
    raw = await database.fetch("SELECT subject, sequence FROM log.events")

    assert row is not None
    assert tuple(row) == ("erased", None, OWNER, "{}")
    assert [tuple(each) for each in raw] == [(finished_subject("CREATE", TASK_ID), 4)]


async def test_the_raw_copy_has_every_event_as_it_came(
    bus: Bus, database: asyncpg.Connection
) -> None:
    story = [requested(), started(), completed()]
    await bus.projected(await bus.tell(*story))

    raw = await database.fetch("SELECT sequence, event_id FROM log.events ORDER BY sequence")

    assert [tuple(each) for each in raw] == [
        (sequence, event.id) for sequence, event in enumerate(story, 1)
    ]


@pytest.mark.parametrize("together", [True, False])
async def test_the_request_that_puts_a_pending_task_in_line_is_what_counts(
    bus: Bus, database: asyncpg.Connection, together: bool
) -> None:
    first = accepted(prompt=None, tasktype="CREATE")
    second = requested(prompt="later words", provider_params={"seed": 1}, at=5)
    if not together:
        await bus.projected(await bus.tell(first))
        await bus.projected(await bus.tell(second))
    else:
        await bus.projected(await bus.tell(first, second))

    row = await database.fetchrow("SELECT phase, prompt, provider_params::text FROM tasks")

    assert row is not None
    assert tuple(row) == ("waiting", "later words", '{"seed":1}')
