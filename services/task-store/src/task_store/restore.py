"""What brings a lost log back, on this side: the raw copy, and rows that go with the new log.

The events get new sequences, so raw copy, rows, places and checkpoint are made anew from the
restored log, beside the old ones, and take their place in one transaction.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from nats.aio.client import Client

from contracts.messages import Message
from delivery.log import LogReader
from delivery.ordered import Delivered
from delivery.requests import Requests
from task_store import store
from task_store.rebuild import LONG_S, Tell, drop_schema, hold_checkpoint, shadow
from task_store.sql import REBUILD
from task_store.store import Checkpoint

BATCH = 1000
NEVER_TOLD = 1_000_000
"""So many sequences stay free between the highest known one and the new log's first: those of
events that were told and lost. Whoever has seen one of them is behind the new log, not in it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the raw copy has for a log: how many events, from where to where, and their bytes."""

    events: int
    first: int
    last: int
    bytes: int


async def kept_since(connection: asyncpg.Connection, since: datetime) -> Kept:
    rows = await connection.fetch(REBUILD["kept_since"], since, timeout=LONG_S)
    return Kept(**dict(rows[0]))


async def highest_sequence(connection: asyncpg.Connection) -> int:
    """The highest that the raw copy, the rows or the checkpoint know of; 0 when they know none."""
    return await connection.fetchval(REBUILD["highest_sequence"], timeout=LONG_S) or 0


async def erased_tasks(connection: asyncpg.Connection) -> frozenset[str]:
    """Tasks of which nothing but the erasure may come back."""
    rows = await connection.fetch(REBUILD["erased_tasks"], timeout=LONG_S)
    return frozenset(row["task_id"] for row in rows)


async def raw_copy(
    connection: asyncpg.Connection, after: int
) -> AsyncGenerator[Sequence[Message], None]:
    """The raw copy beyond a sequence, in order, in batches."""
    while rows := await connection.fetch(REBUILD["read_raw_after"], after, BATCH):
        after = rows[-1]["sequence"]
        yield [Delivered(**dict(row)) for row in rows]


async def renumber(
    database_url: str,
    client: Client,
    requests: Requests,
    live: asyncpg.Connection,
    first_original: int,
    tell: Tell,
) -> Checkpoint:
    """Put rows and a raw copy in place that are of the log as it is now; where they stand.

    ``first_original`` is the sequence that the log's first message had before. A database that
    knows no log, or this one, is left as it is. ``live`` is the session of `rebuild.alone`.
    """
    before = await store.load_checkpoint(live)
    state = await LogReader(requests).state()
    if before.stream_created in (None, state.created):
        return before
    build = before.build + 1
    schema, retired = f"rebuild_{build}", f"retired_{before.build}"
    async with shadow(
        database_url, client, requests, live, schema, build, tell, older_than=first_original
    ) as made:
        await made.advance(state.last_sequence)
        last = await LogReader(requests).at(state.last_sequence)
        assert last is not None, "the log that was just restored has no last message"
        async with live.transaction():
            await hold_checkpoint(live)
            restored = Checkpoint(
                build, before.stream, state.created, state.last_sequence, last.logtime
            )
            await made.settle(restored)
            await live.execute(REBUILD["supersede"])
            await live.execute(REBUILD["retire_live"].format(retired=retired))
            await live.execute(REBUILD["swap_raw"].format(schema=schema, retired=retired))
            await live.execute(REBUILD["make_live"].format(schema=schema))
        made.adopted = True
    await drop_schema(live, retired)
    return restored
