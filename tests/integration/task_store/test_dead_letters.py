"""Parked events are tried again or dropped, and the rows are as if nothing had happened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from nats.js.api import ConsumerConfig

from builders import cancelled, completed, erased, progressed, requested, started, task_id
from contracts import events, queries
from contracts.events import Event
from contracts.subjects import ALL_EVENTS, STREAM, progress_subject
from delivery.requests import NoResponders
from integration.task_store.conftest import Bus, Starter
from integration.task_store.test_rebuild import Workshop, rows
from servers import eventually
from task_store import mending, projection
from task_store.rebuild import alone

Break = Callable[[bool], None]

WHO = "tests"


@pytest.fixture
async def workshop(bus: Bus, database_url: str) -> Workshop:
    return Workshop(bus, database_url)


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Break:
    """A consumer bug: what it says of ``started`` can't be read."""

    def broken(payload: bytes) -> Event:
        event = events.decode(payload)
        if event.type == "generation.started":
            return events.decode(b"{}")
        return event

    def set_broken(is_broken: bool) -> None:
        monkeypatch.setattr(projection, "decode", broken if is_broken else events.decode)

    return set_broken


async def retry(bus: Bus, **chosen: Any) -> Any:
    return (await bus.ask(queries.RETRY_DEAD_LETTERS, who=WHO, **chosen))["ok"]


async def listing(bus: Bus, **question: Any) -> list[Any]:
    letters: list[Any] = (await bus.ask(queries.DEAD_LETTERS, **question))["ok"]["dead_letters"]
    return letters


async def test_after_a_consumers_bug_is_mended_a_retry_leaves_no_trace_of_it(
    bus: Bus, task_store: None, database: asyncpg.Connection, workshop: Workshop, breaks: Break
) -> None:
    tasks = [task_id(number) for number in range(1, 335)]
    breaks(True)
    for tell in (requested, started, progressed, completed):
        last = await bus.tell(*(tell(task=each) for each in tasks))
    await bus.projected(last)
    parked = (await bus.ask(queries.STATUS))["ok"]["parked"]
    assert (parked["events"], parked["tasks"]) == (1002, 334)
    [first, *_] = await listing(bus)
    assert (first["type"], first["tries"], first["waiting"]) == ("generation.started", 1, 2)

    breaks(False)
    mended = await retry(bus, all=True)

    assert (mended["tried"], mended["applied"], mended["parked"]) == (1002, 1002, 0)
    assert (await workshop.verify()).differences == ()
    mended_rows = await rows(database)
    await workshop.rebuild()
    assert await rows(database) == mended_rows
    assert mended_rows["parked"] == []
    assert {row["status"] for row in await database.fetch("SELECT status FROM tasks")} == {
        "completed"
    }


async def test_live_events_keep_their_order_behind_what_is_parked_while_it_is_tried_again(
    bus: Bus, task_store: None, workshop: Workshop, breaks: Break
) -> None:
    tasks = [task_id(number) for number in range(1, 31)]
    breaks(True)
    await bus.tell(*(requested(task=each) for each in tasks))
    await bus.projected(await bus.tell(*(started(task=each) for each in tasks)))
    breaks(False)

    async def keep_telling() -> int:
        last = 0
        for percent in range(1, 20):
            last = await bus.tell(*(progressed(percent, task=each) for each in tasks))
        return await bus.tell(*(completed(task=each) for each in tasks)) or last

    telling = asyncio.create_task(keep_telling())
    for each in (1, 5, 9):
        await retry(bus, task_id=tasks[each])
    await retry(bus, all=True)
    await bus.projected(await telling)
    await retry(bus, all=True)

    records = (await bus.ask(queries.GET, task_ids=tasks))["ok"]["records"]
    assert {record["status"] for record in records.values()} == {"completed"}
    assert (await workshop.verify()).differences == ()


async def test_what_still_can_not_be_applied_stays_parked_with_one_more_try(
    bus: Bus, task_store: None, workshop: Workshop
) -> None:
    await bus.tell(requested())
    poisoned = (await bus.tell(requested(task=task_id(9)))) + 1
    await bus.client.jetstream().publish(progress_subject("CREATE", task_id(9)), b"{}")
    await bus.projected(await bus.tell(started(task=task_id(9))))

    mended = await retry(bus, reason="undecodable", sequences=None)

    assert (mended["tried"], mended["applied"], mended["parked"]) == (1, 0, 2)
    [letter] = await listing(bus)
    assert (letter["sequence"], letter["tries"], letter["waiting"]) == (poisoned, 2, 1)
    assert letter["last_at"] > letter["first_at"]
    assert await listing(bus, reason="other") == await listing(bus, task_id=task_id(1)) == []
    assert (await workshop.verify()).differences == ()


async def test_what_is_dropped_never_comes_back_and_what_waited_behind_it_is_applied(
    bus: Bus, task_store: None, database: asyncpg.Connection, workshop: Workshop
) -> None:
    poisoned = (await bus.tell(requested())) + 1
    await bus.client.jetstream().publish(progress_subject("CREATE", task_id(1)), b"not an event")
    last = await bus.tell(requested(task=task_id(9)), started(), completed())
    await bus.projected(last)

    order = {"who": WHO, "sequences": [poisoned]}
    unexplained = await bus.ask(queries.DROP_DEAD_LETTERS, **order, note=" ")
    absent = await bus.ask(queries.DROP_DEAD_LETTERS, who=WHO, sequences=[1, poisoned], note="x")
    dropped = await bus.ask(queries.DROP_DEAD_LETTERS, **order, note="a stray publish")

    assert unexplained == {"error": "bad_query"}
    assert (absent["ok"]["absent"], absent["ok"]["dropped"]) == ([1], 0)
    assert (dropped["ok"]["dropped"], dropped["ok"]["applied"]) == (1, 2)
    assert await listing(bus) == []
    [kept] = await listing(bus, dropped=True)
    assert (kept["sequence"], kept["who"], kept["note"]) == (poisoned, WHO, "a stray publish")
    shown = (await bus.ask(queries.DEAD_LETTER, sequence=poisoned))["ok"]
    assert (shown["event"], shown["audit"][0]["action"]) == ("not an event", "dropped")
    assert (await workshop.verify()).differences == ()
    before = await rows(database)
    await workshop.rebuild()
    assert await rows(database) == before
    assert [row["sequence"] for row in await listing(bus, dropped=True)] == [poisoned]


async def test_an_erased_task_leaves_no_payload_in_the_audit(
    bus: Bus, task_store: None, database: asyncpg.Connection
) -> None:
    stray = (await bus.tell(requested())) + 1
    await bus.client.jetstream().publish(progress_subject("CREATE", task_id(1)), b"my secret")
    await bus.projected(await bus.tell(cancelled()))
    await bus.ask(queries.DROP_DEAD_LETTERS, who=WHO, sequences=[stray], note="stray")

    await bus.projected(await bus.tell(erased()))

    assert await database.fetchval("SELECT count(*) FROM log.dead_letters") == 2
    assert await database.fetchval("SELECT count(payload) FROM log.dead_letters") == 0
    assert (await bus.ask(queries.DEAD_LETTER, sequence=stray))["ok"]["event"] is None


async def test_an_event_that_fits_into_no_row_is_found_among_those_tried_again(
    bus: Bus, task_store: None, workshop: Workshop, breaks: Break
) -> None:
    sound, unstorable = task_id(1), task_id(2)
    await bus.tell(requested(task=sound), requested(task=unstorable))
    breaks(True)
    await bus.tell(started(task=sound), started(task=unstorable))
    told = json.loads(progressed(task=unstorable).model_dump_json())
    told["data"]["handle"] = {"n": 10**30}
    await bus.client.jetstream().publish(
        progress_subject("CREATE", unstorable), json.dumps(told).encode()
    )
    await bus.projected(await bus.tell(completed(task=sound), completed(task=unstorable)))
    breaks(False)

    await retry(bus, all=True)

    records = (await bus.ask(queries.GET, task_ids=[sound, unstorable]))["ok"]["records"]
    assert (records[sound]["phase"], records[unstorable]["phase"]) == ("completed", "running")
    [letter] = await listing(bus)
    assert (letter["reason"], letter["waiting"]) == ("unstorable: TypeError", 1)
    assert (await workshop.verify()).differences == ()


async def test_a_rebuild_at_work_is_not_disturbed(
    bus: Bus, task_store: None, database_url: str
) -> None:
    await bus.projected(await bus.tell(started()))

    async with alone(database_url):
        while_it_works = await bus.ask(queries.RETRY_DEAD_LETTERS, who=WHO, all=True)
    chosen_nothing = await bus.ask(queries.RETRY_DEAD_LETTERS, who=WHO)
    afterwards = await retry(bus, all=True)

    assert while_it_works == {"error": "busy"}
    assert chosen_nothing == {"error": "bad_query"}
    assert (afterwards["tried"], afterwards["parked"]) == (1, 1)


async def test_an_order_that_finds_a_rebuild_at_work_has_closed_nothing_either(
    bus: Bus, task_store: None, database: asyncpg.Connection, database_url: str
) -> None:
    used_up = await bus.tell(requested(), requested(task=task_id(9)))
    stray = await bus.client.jetstream().publish(progress_subject("CREATE", task_id(1)), b"{")
    await bus.projected(stray.seq)
    await database.execute(
        "INSERT INTO log.exhausted_deliveries (consumer, sequence, deliveries, first_at, last_at)"
        " VALUES ('billing', $1, 2, now(), now())",
        used_up,
    )
    order = {"who": WHO, "sequences": [used_up, stray.seq], "note": "x"}

    async with alone(database_url):
        while_it_works = await bus.ask(queries.DROP_DEAD_LETTERS, **order)
    still_open = (await bus.ask(queries.DEAD_LETTERS))["ok"]
    dropped = (await bus.ask(queries.DROP_DEAD_LETTERS, **order))["ok"]

    assert while_it_works == {"error": "busy"}
    assert [each["sequence"] for each in still_open["exhausted"]] == [used_up]
    assert [each["sequence"] for each in still_open["dead_letters"]] == [stray.seq]
    assert (dropped["dropped"], dropped["exhausted"], dropped["absent"]) == (1, [used_up], [])
    assert (await bus.ask(queries.DEAD_LETTERS))["ok"]["exhausted"] == []


async def test_what_a_part_of_an_order_has_mended_is_not_absent_for_the_next(
    bus: Bus, task_store: None, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "MOST_TASKS", 2)
    strays = []
    for each in map(task_id, range(3)):
        await bus.tell(requested(task=each))
        for _ in range(2):
            stray = await bus.client.jetstream().publish(progress_subject("CREATE", each), b"{")
            strays.append(stray.seq)
    await bus.projected(await bus.tell(started(task=task_id(0))))
    order = {"who": WHO, "sequences": strays, "note": "x"}

    first = (await bus.ask(queries.DROP_DEAD_LETTERS, **order))["ok"]
    rest = (await bus.ask(queries.DROP_DEAD_LETTERS, **order, after=first["following"]))["ok"]

    assert (first["dropped"], first["applied"], first["absent"]) == (4, 1, [])
    assert (rest["dropped"], rest["absent"], rest["following"]) == (2, [], None)
    assert await listing(bus) == []
    assert (await workshop.verify()).differences == ()


async def test_an_order_reaches_the_one_that_projects_and_where_nobody_does_that_is_said(
    bus: Bus, start_task_store: Starter, database: asyncpg.Connection
) -> None:
    await database.execute("UPDATE checkpoint SET stream_created = '2020-01-01', sequence = 7")
    await start_task_store()

    async def halted() -> bool:
        try:
            return (await bus.ask(queries.STATUS))["ok"]["halted"] is not None
        except NoResponders:
            return False

    await eventually(halted)
    with pytest.raises(NoResponders):
        await bus.ask(queries.RETRY_DEAD_LETTERS, who=WHO, all=True)

    await database.execute("UPDATE checkpoint SET stream_created = NULL, sequence = 0")
    await start_task_store()
    await bus.projected(await bus.tell(started()))
    for _ in range(8):
        assert (await retry(bus, all=True))["tried"] == 1


async def test_deliveries_that_a_subscriber_used_up_are_listed_and_closed(
    bus: Bus, task_store: None
) -> None:
    sequence = await bus.tell(requested())
    await bus.projected(sequence)
    before = (await bus.client.jetstream().stream_info(STREAM)).state.messages
    bound = ConsumerConfig(max_deliver=2, ack_wait=30)
    subscriber = await bus.client.jetstream().pull_subscribe(ALL_EVENTS, "billing", config=bound)
    for _ in range(2):
        [message] = await subscriber.fetch(1, timeout=5)
        await message.nak()
    # The broker gives up when it would have to deliver once more.
    asked = asyncio.create_task(subscriber.fetch(1, timeout=5))

    async def exhausted() -> list[Any]:
        found: list[Any] = (await bus.ask(queries.DEAD_LETTERS))["ok"]["exhausted"]
        return found

    [entry] = await eventually(exhausted)
    asked.cancel()
    shown = (await bus.ask(queries.DEAD_LETTER, sequence=sequence))["ok"]
    tried = await retry(bus, sequences=[sequence])
    still_open = await exhausted()
    order = {"who": WHO, "sequences": [sequence], "note": "billing read it by itself"}
    closed = (await bus.ask(queries.DROP_DEAD_LETTERS, **order))["ok"]

    assert (entry["consumer"], entry["sequence"], entry["deliveries"]) == ("billing", sequence, 2)
    assert (entry["task_id"], entry["type"]) == (task_id(1), "generation.requested")
    assert json.loads(shown["event"])["subject"] == task_id(1)
    assert (tried["tried"], tried["absent"], tried["exhausted"]) == (0, [], [sequence])
    assert still_open == [entry]
    assert (closed["exhausted"], closed["dropped"], closed["absent"]) == ([sequence], 0, [])
    assert await exhausted() == []
    assert (await bus.client.jetstream().stream_info(STREAM)).state.messages == before
