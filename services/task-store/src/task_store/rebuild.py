"""The projection made anew from the log, beside the live one, without a pause.

A rebuild fills a schema of its own and takes the live one's place in one transaction, in which the
live projector waits for its checkpoint; it then finds itself superseded and loads the new tables.
One that was broken off leaves its schema, and the next goes on where its checkpoint stands, if
everything that decides what the rows become is the same (`mark_of`). Verifying fills a
scratch schema the same way and compares (see `task_store.verify`).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg
from nats.aio.client import Client

from contracts.generation_types import GENERATION_TYPES
from delivery.log import LogReader
from delivery.requests import Requests
from task_store import store
from task_store.history import History
from task_store.sql import REBUILD
from task_store.store import Checkpoint
from task_store.writer import Projection

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
    """What a rebuild did; ``retired`` is the schema of the old projection, if it was kept.

    ``resumed_at`` is where an earlier one had broken off, that it went on with; 0 if none.
    ``dropped`` are the leftovers of earlier ones that could not be gone on with.
    """

    build: int
    sequence: int
    resumed_at: int
    dropped: tuple[str, ...]
    retired: str | None


class Shadow:
    """A projection in the making: `schema` is filled from the history of the log."""

    def __init__(self, schema: str, projection: Projection, history: History, tell: Tell) -> None:
        self.schema = schema
        self.adopted = False
        """Whether it took the live one's place."""
        self._projection = projection
        self._history = history
        self._tell = tell

    @property
    def sequence(self) -> int:
        """How far it is."""
        return self._projection.checkpoint.sequence

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
    fresh: bool = False,
    tell: Tell = lambda _done, _of: None,
) -> Rebuilt:
    """Make the projection anew and put it in the live one's place.

    Goes on with one that was broken off, unless it is to begin ``fresh``. Raises `Busy`,
    `LogUnfit`, and what reading the log raises; the live projection is then as it was.
    """
    async with alone(database_url) as live:
        before = await fit_checkpoint(live, requests)
        build = before.build + 1
        schema, retired = rebuild_schema(before), f"retired_{before.build}"
        mark = await mark_of(live, before)
        broken_off = None if fresh else schema
        if await live.fetchval(REBUILD["mark_of_schema"], schema) != mark:
            broken_off = None
        dropped = await sweep(live, keep=broken_off)
        async with shadow(
            database_url, client, requests, live, schema, build, tell, mark=mark
        ) as made:
            resumed_at = made.sequence
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
    return Rebuilt(build, checkpoint.sequence, resumed_at, dropped, retired if keep_old else None)


@asynccontextmanager
async def alone(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A session on the live projection, the only one of its kind. Raises `Busy`."""
    live = await store.open_connection(database_url)
    try:
        await store.check_schema(live)
        if not await live.fetchval(REBUILD["try_alone"], ALONE):
            raise Busy
        yield live
    finally:
        live.terminate()


def rebuild_schema(live: Checkpoint) -> str:
    """Where the projection is made that follows on this one."""
    return f"rebuild_{live.build + 1}"


async def sweep(live: asyncpg.Connection, *, keep: str | None = None) -> tuple[str, ...]:
    """Drop what earlier ones left behind, but for one schema. Only for who is `alone`."""
    leftovers = [row["nspname"] for row in await live.fetch(REBUILD["leftovers"])]
    dropped = tuple(schema for schema in leftovers if schema != keep)
    for schema in dropped:
        await drop_schema(live, schema)
    return dropped


async def discard_broken_off(connection: asyncpg.Connection) -> None:
    """Drop what was broken off, and has rows as they were then; one that is at work stays."""
    if await connection.fetchval(REBUILD["try_alone"], ALONE):
        try:
            await sweep(connection)
        finally:
            await connection.execute(REBUILD["leave_alone"], ALONE)


async def mark_of(live: asyncpg.Connection, checkpoint: Checkpoint) -> str:
    """All that decides what rows the log becomes, as a digest: half of them made under one are no
    beginning for the other half under another.

    That is the code of the fold with its tables, the generation types, what operators did to parked
    events, what was pruned or imported, and the log itself.
    """
    digest = hashlib.sha256()
    for package in ("contracts", "task_store"):
        for name, content in sorted(_sources(files(package), package)):
            digest.update(f"{name} {len(content)}\n".encode())
            digest.update(content)
    digest.update(repr(sorted(GENERATION_TYPES.items())).encode())
    digest.update(str(await live.fetchval(REBUILD["last_mending"])).encode())
    digest.update(str(await live.fetchval(REBUILD["raw_changes"])).encode())
    digest.update(f"{checkpoint.stream} {checkpoint.stream_created}".encode())
    return digest.hexdigest()


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        name = f"{path}/{each.name}"
        if each.is_dir():
            yield from _sources(each, name)
        elif name.endswith((".py", ".sql")):
            yield name, each.read_bytes()


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
    *,
    older_than: int | None = None,
    mark: str | None = None,
    to_stay: bool = True,
) -> AsyncIterator[Shadow]:
    """A projection in ``schema``, to be filled; what isn't adopted goes, and what is not made
    ``to_stay`` never will be.

    With ``mark`` it stays, and is gone on with where it is there. With ``older_than`` it has a raw
    copy of its own, which begins with what is older than that.
    """
    if mark is not None and await live.fetchval(REBUILD["has_schema"], schema):
        await live.execute(REBUILD["still"].format(schema=schema), timeout=LONG_S)
    else:
        async with live.transaction():
            await store.create_projection(live, schema, build=build)
            if mark is not None:
                await live.execute(REBUILD["mark_schema"].format(schema=schema, mark=mark))
    stays = mark is not None
    raw = store.RAW_SCHEMA
    try:
        if older_than is not None:
            raw = schema
            await live.execute(REBUILD["make_raw"].format(schema=schema))
            keep = REBUILD["keep_older"].format(schema=schema)
            await live.execute(keep, older_than, timeout=LONG_S)
        connection = await store.open_connection(database_url, schema=schema)
        try:
            projection = Projection(
                connection, keep_raw=older_than is not None, raw=raw, stays=to_stay
            )
            await projection.load()
            async with History(
                client, requests, connection, raw, after=projection.checkpoint.sequence
            ) as history:
                made = Shadow(schema, projection, history, tell)
                yield made
                stays = stays or made.adopted
        finally:
            connection.terminate()
    finally:
        if not stays:
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
