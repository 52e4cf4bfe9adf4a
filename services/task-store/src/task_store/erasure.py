"""What the database has of an owner or a task, wherever it lies, and taking it out of there.

For ``darkroom erase``. The projector takes erased tasks out of the live rows and the raw copy by
itself; this finds what is elsewhere, or came later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

import asyncpg

from task_store.raw_copy import is_uuid
from task_store.sql import ARCHIVE, ERASURE
from task_store.store import LIVE_SCHEMA

_BATCH = 500
LONG_S = 3600.0

LIVE_ROWS = f"{LIVE_SCHEMA}.tasks"
ARCHIVED_ROWS = "archive.tasks"


@dataclass(frozen=True, slots=True)
class OwnedTask:
    """A row; ``bare`` if it has nothing but the ids that a tombstone has."""

    task_id: str
    owner: str
    type: str
    status: str
    bare: bool


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event in a table."""

    sequence: int
    task_id: str
    payload: bytes


async def tables_of_tasks(connection: asyncpg.Connection) -> list[str]:
    """`LIVE_ROWS`, `ARCHIVED_ROWS`, and those that a rebuild has kept."""
    return await _names(connection, "tables_of_tasks")


async def tables_of_events(connection: asyncpg.Connection) -> list[str]:
    return await _names(connection, "tables_of_events")


async def owned_tasks(
    connection: asyncpg.Connection, table: str, owner: str | None, task_id: str | None = None
) -> list[OwnedTask]:
    """The owner's rows, or the one of a task."""
    statement = ERASURE["owned_tasks"].format(table=table)
    rows = await connection.fetch(statement, owner, task_id, timeout=LONG_S)
    return [OwnedTask(**row) for row in rows]


async def events_naming(
    connection: asyncpg.Connection, table: str, task_ids: Collection[str], words: Sequence[bytes]
) -> AsyncIterator[KeptEvent]:
    """The events of these tasks, and those with one of the words in them. Reads all of the table
    where there are words."""
    statement = ERASURE["naming_events"].format(table=table)
    async with connection.transaction(readonly=True):
        cursor = connection.cursor(
            statement, list(task_ids), list(words), prefetch=_BATCH, timeout=LONG_S
        )
        async for row in cursor:
            yield KeptEvent(**row)


async def drop_rows(connection: asyncpg.Connection, table: str, task_ids: Collection[str]) -> None:
    """Not from `LIVE_ROWS`, which are the projector's, nor from the archive, which has events."""
    assert table not in (LIVE_ROWS, ARCHIVED_ROWS)
    await connection.execute(
        ERASURE["drop_rows"].format(table=table), list(task_ids), timeout=LONG_S
    )


async def leave_archive(connection: asyncpg.Connection, task_ids: Collection[str]) -> None:
    """Take tasks out of the archive's rows, and have their segments rid of them.

    An event may lie on any id; what is in the archive has one that a row can have.
    """
    archivable = [each for each in task_ids if is_uuid(each)]
    await connection.execute(ARCHIVE["forget"], archivable, timeout=LONG_S)


async def to_scrub(
    connection: asyncpg.Connection, task_ids: Collection[str]
) -> list[tuple[str, str]]:
    """Which of some tasks are still to be scrubbed from which segments, named by number and key."""
    rows = await connection.fetch(ERASURE["to_scrub"], list(task_ids), timeout=LONG_S)
    return [(row["task_id"], row["segment"]) for row in rows]


async def drop_events(
    connection: asyncpg.Connection, table: str, events: Collection[tuple[int, str]]
) -> None:
    """``events``: sequence and task of each."""
    await connection.execute(
        ERASURE["drop_events"].format(table=table),
        [sequence for sequence, _ in events],
        list({task_id for _, task_id in events}),
        timeout=LONG_S,
    )


async def _names(connection: asyncpg.Connection, statement: str) -> list[str]:
    return [row["name"] for row in await connection.fetch(ERASURE[statement])]
