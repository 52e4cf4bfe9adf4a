"""Postgres: the connection that projects, and the pool that answers queries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import asyncpg

from contracts.lifecycle import Task
from contracts.messages import Message
from contracts.subjects import STREAM
from task_store.projection import Changes, CountKey, Lane, LaneKey, Parked
from task_store.rows import COLUMNS, task_of_row
from task_store.sql import ARCHIVE, DEAD_LETTERS, MIGRATIONS, PROJECTION_TABLES, SCHEMA, STATEMENTS
from task_store.steps import Step, due, lacking, session_name, too_old
from task_store.wire import (
    CHANGED_COLUMNS,
    EVENT_COLUMNS,
    TASK_COLUMNS,
    changed_rows,
    event_rows,
    storable,
    task_rows,
)

LIVE_SCHEMA = "live"
RAW_SCHEMA = "log"
_LOAD_ARCHIVED = ARCHIVE["load_tasks"].format(columns=", ".join(COLUMNS))
_LOCK = int.from_bytes(hashlib.sha256(b"darkroom projector").digest()[:8], signed=True)


EventKey = tuple[str, datetime]
"""(subject, time in the log)"""


class SchemaMissing(Exception):
    """The database has not been set up for this version: run `darkroom setup`."""


class SchemaTooNew(Exception):
    """The database was contracted beyond this version; the message says what to do."""


class OlderCodeConnected(Exception):
    """A contracting step would take from under running services what they use."""

    def __init__(self, step: Step, sessions: list[str]) -> None:
        super().__init__(f"step {step.number} ({step.title})")
        self.step = step
        self.sessions = sessions


class Superseded(Exception):
    """Another projector moved the checkpoint, or the projection was rebuilt: load it again.

    So says, too, a row that is not as it was remembered.
    """


class NotNew(Exception):
    """A task that seemed to begin has been here before, or went meanwhile: it is in the archive."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a projection is. ``build`` changes with every rebuild."""

    build: int
    stream: str
    stream_created: datetime | None
    sequence: int
    logtime: datetime


async def open_pool(database_url: str, *, most: int = 8, schema: str = LIVE_SCHEMA) -> asyncpg.Pool:
    """A pool for reads. Nothing of a session is used, so connections aren't reset on release."""

    async def no_reset(_: asyncpg.Connection) -> None:
        return None

    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=most,
        reset=no_reset,
        command_timeout=10,
        server_settings={
            "search_path": schema,
            "application_name": _named("task-store"),
            "jit": "off",
        },
    )


_GIVEN_UP = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
"""The server ends a session, and with it its locks, within 25 s after its host vanished."""


async def open_connection(database_url: str, *, schema: str = LIVE_SCHEMA) -> asyncpg.Connection:
    """A session of its own, for a projector; whoever waits for its locks gets them if it is gone.

    So that the server finds out by itself, see ``tcp_keepalives_idle`` in Postgres's manual.
    """
    return await asyncpg.connect(
        database_url,
        command_timeout=60,
        server_settings=_GIVEN_UP
        | {
            "search_path": schema,
            "application_name": _named("projector"),
            "jit": "off",
        },
    )


async def try_lock(connection: asyncpg.Connection) -> bool:
    """Become the one active projector, for as long as this session lasts."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK))


def _named(role: str) -> str:
    return session_name(role, max(MIGRATIONS))


async def migrate(
    connection: asyncpg.Connection,
    *,
    contract: bool = False,
    steps: Mapping[int, Step] = MIGRATIONS,
) -> list[int]:
    """Bring the schema up to this version; returns the steps that were applied. Safe to race.

    Steps that contract are applied to a new database, and when told to. Raises
    `OlderCodeConnected`; nothing is applied then.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK + 1)
        await connection.execute(SCHEMA["make_record"])
        wanted = due(steps, await applied_steps(connection), contract=contract)
        for step in wanted:
            if step.contracts:
                await _keep_older_code_away(connection, step)
            await connection.execute(step.sql)
            await connection.execute(
                SCHEMA["record"], step.number, step.least, version("darkroom-task-store")
            )
        if not await connection.fetchval("SELECT to_regclass('live.checkpoint') IS NOT NULL"):
            await create_projection(connection, LIVE_SCHEMA, build=1)
    return [step.number for step in wanted]


async def _keep_older_code_away(connection: asyncpg.Connection, step: Step) -> None:
    """Raises `OlderCodeConnected`. Who connects from now on waits, and then sees the step."""
    await connection.execute("LOCK TABLE public.darkroom_migrations")
    sessions = [row["name"] for row in await connection.fetch(SCHEMA["sessions"])]
    if older := too_old(sessions, step.least):
        raise OlderCodeConnected(step, older)


async def applied_steps(connection: asyncpg.Connection) -> frozenset[int]:
    """The steps that this database has; none where it was never set up."""
    if await connection.fetchval("SELECT to_regclass('public.darkroom_migrations')") is None:
        return frozenset()
    rows = await connection.fetch("SELECT step FROM public.darkroom_migrations")
    return frozenset(row["step"] for row in rows)


async def schema_version(connection: asyncpg.Connection) -> int:
    """The last step applied; 0 for a database that was never set up."""
    return max(await applied_steps(connection), default=0)


async def check_schema(
    connection: asyncpg.Connection, steps: Mapping[int, Step] = MIGRATIONS
) -> None:
    """Raises `SchemaMissing` where a step is missing that this version needs, or `SchemaTooNew`."""
    applied = await applied_steps(connection)
    if missing := lacking(steps, applied):
        raise SchemaMissing(
            f"database schema {max(applied, default=0)}, needs {missing[-1]}: run `darkroom setup`"
        )
    await check_not_contracted(connection, steps)


async def check_not_contracted(
    connection: asyncpg.Connection, steps: Mapping[int, Step] = MIGRATIONS
) -> None:
    """Raises `SchemaTooNew` where a step was applied that this version does not run on."""
    newest = await connection.fetchrow(SCHEMA["least"])
    if newest is not None and newest["least"] > max(steps):
        raise SchemaTooNew(
            f"this version is too old for the database: it knows schema step {max(steps)}, and "
            f"{newest['step']} was contracted for code that knows {newest['least']}. Run version "
            f"{newest['version']} or newer, or restore a backup"
        )


async def create_projection(connection: asyncpg.Connection, schema: str, *, build: int) -> None:
    """An empty projection in a schema of its own. ``schema`` is ours, never a user's text."""
    async with connection.transaction():
        await connection.execute(f"CREATE SCHEMA {schema}")
        await connection.execute(f"SET LOCAL search_path = {schema}")
        await connection.execute(PROJECTION_TABLES)
        await connection.execute(STATEMENTS["begin_checkpoint"], build, STREAM)


async def prepare(connection: asyncpg.Connection, raw: str = RAW_SCHEMA) -> int:
    """Make the session ready to write; returns the last sequence of the raw copy in ``raw``."""
    await connection.execute(STATEMENTS["find_by_key"])
    await connection.execute(STATEMENTS["make_incoming"])
    return await connection.fetchval(STATEMENTS["last_raw"].format(raw=raw)) or 0


async def load_checkpoint(connection: asyncpg.Connection) -> Checkpoint:
    row = await connection.fetchrow(STATEMENTS["load_checkpoint"])
    if row is None:
        raise SchemaMissing("the projection has no checkpoint: run `darkroom setup`")
    return Checkpoint(**dict(row))


async def load_lines(
    connection: asyncpg.Connection,
) -> tuple[dict[CountKey, int], dict[LaneKey, Lane], dict[str, int]]:
    """The counts, the lanes, and what each task with parked events waits behind."""
    counts = {
        (row["type"], row["lane"], row["level"], row["bucket"]): row["waiting"]
        for row in await connection.fetch(STATEMENTS["load_counts"])
    }
    lanes = {
        (row["type"], row["lane"]): Lane(*tuple(row)[2:])
        for row in await connection.fetch(STATEMENTS["load_lanes"])
    }
    parked = {
        row["task_id"]: row["sequence"] for row in await connection.fetch(STATEMENTS["load_parked"])
    }
    return counts, lanes, parked


async def load_dropped(connection: asyncpg.Connection) -> frozenset[EventKey]:
    """The events that are never applied, because an operator dropped them."""
    rows = await connection.fetch(DEAD_LETTERS["load_dropped"])
    return frozenset((row["subject"], row["logtime"]) for row in rows)


def key_of(message: Message) -> EventKey:
    """What stays of an event when the log is restored: not its sequence."""
    return storable(message.subject).decode(), message.logtime


async def load_tasks(connection: asyncpg.Connection, task_ids: Iterable[str]) -> dict[str, Task]:
    rows = await connection.fetch(STATEMENTS["load_tasks"], list(task_ids))
    tasks = [task_of_row(dict(row)) for row in rows]
    return {task.task_id: task for task in tasks}


async def load_archived(
    connection: asyncpg.Connection, task_ids: Iterable[str], beginning: Iterable[str]
) -> dict[str, Task]:
    """Rows of the archive for tasks that have no other; of the ``beginning``, what was pruned."""
    rows = await connection.fetch(_LOAD_ARCHIVED, list(task_ids), list(beginning))
    tasks = [task_of_row(dict(row)) for row in rows]
    return {task.task_id: task for task in tasks}


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it is written: rows for COPY, and what goes beside them."""

    sequence: int
    logtime: datetime
    events: bytes | None
    begun: bytes | None
    changed: bytes | None
    changed_rows: int
    lines: list[list[Any]]
    hot: list[str]
    thawed: list[str]
    erased: Mapping[str, int]


def batch_of(
    last: Message,
    changes: Changes,
    known: Mapping[str, Task],
    raw_until: int,
    recalled: Iterable[str] = (),
) -> Batch:
    """What to write up to the message ``last``. ``known`` are the tasks as they were before.

    The raw copy has everything up to ``raw_until`` already. The rows of those ``recalled`` were
    read for this, and must not be pruned before it is written.
    """
    kept = [each for each in changes.kept if each[0].sequence > raw_until]
    begun = [changes.tasks[task_id] for task_id in changes.begun]
    changed = [
        (known.get(task_id), task)
        for task_id, task in changes.tasks.items()
        if task_id not in changes.begun
    ]
    return Batch(
        sequence=last.sequence,
        logtime=last.logtime,
        events=event_rows(kept) if kept else None,
        begun=task_rows(begun) if begun else None,
        changed=changed_rows(changed) if changed else None,
        changed_rows=len(changed),
        lines=[
            *_count_columns(changes.counts),
            *_lane_columns(changes.lanes),
            *_parked_columns(changes.parked),
        ],
        hot=list(changes.begun.union(recalled) - changes.thawed),
        thawed=list(changes.thawed),
        erased=changes.erased,
    )


async def write(
    connection: asyncpg.Connection,
    checkpoint: Checkpoint,
    batch: Batch,
    raw: str = RAW_SCHEMA,
    *,
    with_archive: bool = True,
) -> None:
    """Write a batch, all of it or nothing, and move the checkpoint.

    The archive is told what came back to the rows, and what was erased, if it is ``with_archive``.
    Raises `Superseded`, and `NotNew`.
    """
    async with connection.transaction():
        if batch.begun is not None:
            await _copy(connection, "tasks", TASK_COLUMNS, batch.begun)
        if batch.events is not None:
            await _copy(connection, "events", EVENT_COLUMNS, batch.events, schema=raw)
        if batch.changed is not None:
            await _copy(connection, "incoming", CHANGED_COLUMNS, batch.changed)
        settled = await connection.fetchrow(
            STATEMENTS["settle"],
            checkpoint.sequence,
            checkpoint.build,
            checkpoint.stream,
            batch.sequence,
            batch.logtime,
            *batch.lines,
            batch.hot,
        )
        if settled is None or tuple(settled)[:2] != (1, batch.changed_rows):
            raise Superseded
        if settled["archived"]:
            raise NotNew
        if batch.thawed and with_archive:
            await connection.execute(ARCHIVE["thaw"], batch.thawed)
        if batch.erased:
            if with_archive:
                await connection.execute(ARCHIVE["forget"], list(batch.erased))
            await connection.execute(
                STATEMENTS["forget_events"].format(raw=raw),
                list(batch.erased),
                list(batch.erased.values()),
            )
            await connection.execute(DEAD_LETTERS["forget_payloads"], list(batch.erased))


async def _copy(
    connection: asyncpg.Connection,
    table: str,
    columns: tuple[str, ...],
    rows: bytes,
    schema: str | None = None,
) -> None:
    await connection.copy_to_table(
        table,
        # Bytes would be a path. The stubs don't know that a buffer will do.
        source=memoryview(rows),  # type: ignore[arg-type]
        columns=columns,
        schema_name=schema,
        format="binary",
    )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * width


def _count_columns(counts: Mapping[CountKey, int]) -> list[list[Any]]:
    kept = [(*key, waiting) for key, waiting in counts.items() if waiting > 0]
    emptied = [key for key, waiting in counts.items() if waiting <= 0]
    return _columns(kept, 5) + _columns(emptied, 4)


def _lane_columns(lanes: Mapping[LaneKey, Lane]) -> list[list[Any]]:
    rows = [
        (*key, lane.waiting, lane.running, lane.finished, lane.mean_s, lane.served_at)
        for key, lane in lanes.items()
    ]
    return _columns(rows, 7)


def _parked_columns(parked: Sequence[Parked]) -> list[list[Any]]:
    rows = [
        (
            each.message.sequence,
            storable(each.task_id).decode(),
            storable(each.reason).decode(),
            each.behind,
            each.message.logtime,
            storable(each.message.subject).decode(),
            each.message.payload,
        )
        for each in parked
    ]
    return _columns(rows, 7)
