"""The projection made anew from the log, beside the live one, without a pause.

A rebuild fills a schema of its own and takes the live one's place in one transaction, in which the
live projector waits for its checkpoint; it then finds itself superseded and loads the new tables.
Verifying fills a scratch schema the same way and compares (see `task_store.verify`).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg
from nats.aio.client import Client

from delivery.log import LogReader
from delivery.requests import Requests
from task_store import store
from task_store.history import History
from task_store.projector import Projection
from task_store.sql import REBUILD
from task_store.store import Checkpoint

NEAR = 500
"""So many events at most are left to apply when the live projector is made to wait."""
_MOST_ROUNDS = 50
LONG_S = 24 * 3600
ALONE = int.from_bytes(hashlib.sha256(b"darkroom rebuild").digest()[:8], signed=True)

Tell = Callable[[int, int], None]
"""Told of progress: the sequence reached, and the one to reach."""


class Busy(Exception):
    """Another rebuild or verification is at work on this database."""


class LogUnfit(Exception):
    """The log is not the one that the live projection was made from; the message says why."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did; ``retired`` is the schema of the old projection, if it was kept."""

    build: int
    sequence: int
    dropped: tuple[str, ...]
    retired: str | None


class Shadow:
    """A projection in the making: `schema` is filled from the history of the log."""

    def __init__(self, schema: str, projection: Projection, history: History, tell: Tell) -> None:
        self.schema = schema
        self.adopted = False
        """Whether it took the live one's place; else it is dropped in the end."""
        self._projection = projection
        self._history = history
        self._tell = tell

    async def approach(self, live: asyncpg.Connection) -> None:
        """Come near to the live projection's checkpoint, which moves on meanwhile."""
        for _ in range(_MOST_ROUNDS):
            target = (await store.load_checkpoint(live)).sequence
            if target - self._history.position <= NEAR:
                break
            await self.advance(target)
        await self._projection.connection.execute(REBUILD["analyze"], timeout=LONG_S)

    async def advance(self, target: int) -> None:
        """Apply all that the history has up to ``target``."""
        while batch := await self._history.take(target):
            await self._projection.apply(batch)
            self._tell(min(self._history.position, target), target)

    async def settle(self, checkpoint: Checkpoint) -> None:
        """Stand exactly where the live projection stands."""
        await self.advance(checkpoint.sequence)
        await self._projection.connection.execute(
            REBUILD["settle_checkpoint"],
            checkpoint.stream_created,
            checkpoint.sequence,
            checkpoint.logtime,
        )


async def rebuild(
    database_url: str,
    client: Client,
    requests: Requests,
    *,
    keep_old: bool = False,
    tell: Tell = lambda _done, _of: None,
) -> Rebuilt:
    """Make the projection anew and put it in the live one's place.

    Raises `Busy`, `LogUnfit`, and what reading the log raises; the live projection is then as it
    was.
    """
    async with alone(database_url) as (live, dropped):
        before = await fit_checkpoint(live, requests)
        build = before.build + 1
        schema, retired = f"rebuild_{build}", f"retired_{before.build}"
        async with shadow(database_url, client, requests, live, schema, build, tell) as made:
            await made.approach(live)
            async with live.transaction():
                checkpoint = await hold_checkpoint(live)
                await made.settle(checkpoint)
                await live.execute(REBUILD["supersede"])
                await live.execute(REBUILD["retire_live"].format(retired=retired))
                await live.execute(REBUILD["make_live"].format(schema=schema))
            made.adopted = True
        if not keep_old:
            await drop_schema(live, retired)
    return Rebuilt(build, checkpoint.sequence, dropped, retired if keep_old else None)


@asynccontextmanager
async def alone(
    database_url: str,
) -> AsyncIterator[tuple[asyncpg.Connection, tuple[str, ...]]]:
    """A session on the live projection, the only one of its kind, and the leftovers it dropped."""
    live = await store.open_connection(database_url)
    try:
        await store.check_schema(live)
        if not await live.fetchval(REBUILD["try_alone"], ALONE):
            raise Busy
        leftovers = tuple(row["nspname"] for row in await live.fetch(REBUILD["leftovers"]))
        for schema in leftovers:
            await drop_schema(live, schema)
        yield live, leftovers
    finally:
        live.terminate()


async def fit_checkpoint(live: asyncpg.Connection, requests: Requests) -> Checkpoint:
    """The live checkpoint, if the log is the one that it is of. Raises `LogUnfit`."""
    checkpoint = await store.load_checkpoint(live)
    state = await LogReader(requests).state()
    created = checkpoint.stream_created
    if created is not None and created != state.created:
        raise LogUnfit(
            f"the stream {checkpoint.stream} was recreated at {state.created.isoformat()}, the "
            f"projection is of the one of {created.isoformat()}"
        )
    if checkpoint.sequence > state.last_sequence:
        raise LogUnfit(
            f"the projection is at {checkpoint.sequence}, but the log ends at "
            f"{state.last_sequence}: the log lost events"
        )
    return checkpoint


@asynccontextmanager
async def shadow(
    database_url: str,
    client: Client,
    requests: Requests,
    live: asyncpg.Connection,
    schema: str,
    build: int,
    tell: Tell,
    older_than: int | None = None,
) -> AsyncIterator[Shadow]:
    """An empty projection in ``schema``, to be filled; what isn't adopted goes.

    With ``older_than`` it has a raw copy of its own, which begins with what is older than that.
    """
    await store.create_projection(live, schema, build=build)
    adopted = False
    raw = store.RAW_SCHEMA
    try:
        if older_than is not None:
            raw = schema
            await live.execute(REBUILD["make_raw"].format(schema=schema))
            keep = REBUILD["keep_older"].format(schema=schema)
            await live.execute(keep, older_than, timeout=LONG_S)
        connection = await store.open_connection(database_url, schema=schema)
        try:
            projection = Projection(connection, keep_raw=older_than is not None, raw=raw)
            await projection.load()
            async with History(client, requests, connection, raw) as history:
                made = Shadow(schema, projection, history, tell)
                yield made
                adopted = made.adopted
        finally:
            connection.terminate()
    finally:
        if not adopted:
            # Where the database is gone, the next run drops it.
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await drop_schema(live, schema)


async def hold_checkpoint(live: asyncpg.Connection) -> Checkpoint:
    """The live checkpoint, which stays where it is until the transaction ends."""
    row = await live.fetchrow(REBUILD["hold_checkpoint"])
    if row is None:
        raise store.SchemaMissing("the projection has no checkpoint: run `darkroom setup`")
    return Checkpoint(**dict(row))


async def drop_schema(connection: asyncpg.Connection, schema: str) -> None:
    """Drop one of our own schemas, once nobody reads in it any more."""
    await connection.execute(REBUILD["drop_schema"].format(schema=schema), timeout=LONG_S)
