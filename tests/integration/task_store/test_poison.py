"""Events that nobody can store: each parks its own task, and the others go on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from anybytes import publish_bytes
from builders import requested, started, task_id
from contracts import queries
from contracts.events import encode
from contracts.subjects import progress_subject, subject_of
from integration.task_store.conftest import Bus

GOOD = task_id(2)
NOISE = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=3500))
"""Compresses too badly for a row of an index."""


async def _status(bus: Bus) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = (await bus.ask(queries.STATUS))["ok"]
    return answer


@pytest.mark.parametrize(
    "part",
    [
        b'"time":"0001-01-01T00:00:00+14:00"',
        b'"owner":"' + NOISE.encode() + b'"',
        b'"tasktype":"' + NOISE.encode() + b'"',
        b'"data":{"lane":"studio","stage":"queued","metadata":{"n":1' + b"0" * 30 + b"}}",
        b'"data":{"lane":"studio","stage":"queued","run_at":"9999-12-31T23:59:59-14:00"}',
    ],
    ids=["time before the years", "owner", "type", "integer", "time after the years"],
)
async def test_an_event_that_can_not_be_stored_parks_its_own_task(
    bus: Bus, task_store: None, part: bytes
) -> None:
    event = requested()
    # Of two members of one name the later counts.
    payload = encode(event)[:-1] + b"," + part + b"}"
    js = bus.client.jetstream()
    await js.publish(subject_of(event), payload)
    await js.publish(progress_subject("CREATE", event.task_id), b"{}")

    await bus.projected(await bus.tell(requested(task=GOOD)))

    assert (await _status(bus))["parked"]["events"] == 2
    records = (await bus.ask(queries.GET, task_ids=[GOOD]))["ok"]["records"]
    assert records[GOOD]["status"] == "processing"


async def test_a_subject_that_is_no_text_is_parked_with_its_reason(
    bus: Bus, task_store: None
) -> None:
    sequence = await publish_bytes(bus.client, b"generation.progress.create.\xff" + GOOD.encode())

    await bus.projected(await bus.tell(requested(task=GOOD)))

    [letter] = (await bus.ask(queries.DEAD_LETTERS))["ok"]["dead_letters"]
    assert (letter["sequence"], letter["task_id"]) == (sequence, f"\N{REPLACEMENT CHARACTER}{GOOD}")
    assert letter["reason"].startswith("undecodable")
    records = (await bus.ask(queries.GET, task_ids=[GOOD]))["ok"]["records"]
    assert records[GOOD]["status"] == "processing"


async def test_an_event_under_an_id_that_is_no_text_is_applied_like_any_other(
    bus: Bus, task_store: None, database: asyncpg.Connection
) -> None:
    await bus.tell(requested(task=GOOD))
    event = started(task=GOOD)
    sequence = await publish_bytes(
        bus.client, subject_of(event).encode(), encode(event), b"Nats-Msg-Id: \xff\r\n"
    )

    await bus.projected(sequence)

    records = (await bus.ask(queries.GET, task_ids=[GOOD]))["ok"]["records"]
    assert (records[GOOD]["sequence"], records[GOOD]["attempt"]) == (sequence, 1)
    kept = await database.fetchrow("SELECT * FROM log.events WHERE sequence = $1", sequence)
    assert kept is not None
    assert (kept["event_id"], kept["payload"]) == ("\N{REPLACEMENT CHARACTER}", encode(event))


async def test_a_subject_too_long_for_an_index_stops_nothing(bus: Bus, task_store: None) -> None:
    payload = encode(requested())
    await bus.client.jetstream().publish(f"generation.progress.create.{NOISE}", payload)

    await bus.projected(await bus.tell(requested(task=GOOD)))

    assert (await _status(bus))["parked"]["events"] == 1
