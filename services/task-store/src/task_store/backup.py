"""What a backup takes from the database, and how it comes back: raw events and tables.

The tables are those that no log makes: the catalog says which. Rows of tasks are not among them,
the projection makes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from contracts.messages import Message
from task_store import store
from task_store.projection import read
from task_store.rebuild import LONG_S
from task_store.restore import raw_copy
from task_store.sql import BACKUP
from task_store.wire import EVENT_COLUMNS, event_rows

Write = Callable[[bytes], Coroutine[Any, Any, None]]


class Misfit(Exception):
    """What is to come back fits into no table of this database; the text says what."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table, and the columns that are taken of it."""

    schema: str
    name: str
    columns: tuple[str, ...]

    @property
    def quoted(self) -> str:
        return f'"{self.schema}"."{self.name}"'

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class ContentDigest:
    """The digest of events that stays the same when they are brought back: all but sequences."""

    def __init__(self) -> None:
        self.events = 0
        self._sha256 = hashlib.sha256()

    def add(self, messages: Sequence[Message]) -> None:
        self.events += len(messages)
        for each in messages:
            head = f"{each.subject}\n{each.logtime.timestamp():.6f}\n{len(each.payload)}\n"
            self._sha256.update(head.encode() + each.payload)

    @property
    def hex(self) -> str:
        return self._sha256.hexdigest()


async def alone(connection: asyncpg.Connection, work: str) -> bool:
    """Whether nobody else is at this work: then nobody else can be until this session ends.

    One that was killed a moment ago is waited for.
    """
    number = int.from_bytes(hashlib.sha256(f"darkroom {work}".encode()).digest()[:8], signed=True)
    try:
        async with connection.transaction():
            await connection.execute(BACKUP["be_patient"])
            await connection.execute(BACKUP["be_alone"], number)
    except asyncpg.LockNotAvailableError:
        return False
    return True


@asynccontextmanager
async def snapshot(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Whatever is read within is of one moment, however long it takes."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


async def tables(connection: asyncpg.Connection) -> list[Table]:
    rows = await connection.fetch(BACKUP["tables"])
    return [Table(row["schema"], row["name"], tuple(row["columns"])) for row in rows]


async def segments(connection: asyncpg.Connection) -> set[str]:
    """The keys of the archive's segments."""
    return {row["key"] for row in await connection.fetch(BACKUP["segments"])}


async def read_table(connection: asyncpg.Connection, table: Table, write: Write) -> int:
    """Hand out a table in COPY's text format; how many rows it has."""
    columns = ", ".join(f'"{name}"' for name in table.columns)
    told: str = await connection.copy_from_query(
        f"SELECT {columns} FROM {table.quoted}",
        output=write,
        timeout=LONG_S,
    )
    return int(told.rpartition(" ")[2])


async def there(connection: asyncpg.Connection) -> dict[str, int]:
    """What the database knows of tasks, by table; empty where it knows nothing."""
    if not await store.applied_steps(connection):
        return {}
    found = {}
    for row in await connection.fetch(BACKUP["tables_of_tasks"]):
        count = BACKUP["count"].format(table=row["name"])
        if rows := await connection.fetchval(count, timeout=LONG_S):
            found[row["name"]] = rows
    if at := (await store.load_checkpoint(connection)).sequence:
        found["projected events"] = at
    return found


async def begin_at(
    connection: asyncpg.Connection, created: datetime, sequence: int, logtime: datetime
) -> None:
    """Have rows and raw copy be of the log that the backup is of, as after its loss."""
    await connection.execute(BACKUP["begin_at"], created, sequence, logtime)


async def begin_anew(connection: asyncpg.Connection) -> None:
    """Have the projection take on whatever log it meets."""
    await connection.execute(BACKUP["begin_at"], None, 0, datetime.fromtimestamp(0, UTC))


async def last_raw(connection: asyncpg.Connection) -> int:
    return await connection.fetchval("SELECT coalesce(max(sequence), 0) FROM log.events") or 0


async def add_raw(connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
    """Events as they were, with their old sequences."""
    rows = event_rows((each, read(each).task_id) for each in messages)
    await connection.copy_to_table(
        "events",
        # Bytes would be a path. The stubs don't know that a buffer will do.
        source=memoryview(rows),  # type: ignore[arg-type]
        schema_name=store.RAW_SCHEMA,
        columns=EVENT_COLUMNS,
        format="binary",
    )


async def digest_of_raw(
    connection: asyncpg.Connection, tell: Callable[[int], None]
) -> ContentDigest:
    """The digest of the whole raw copy. ``tell`` hears how many events were read."""
    digest = ContentDigest()
    async for batch in raw_copy(connection, 0):
        digest.add(batch)
        tell(digest.events)
    return digest


async def fill_table(
    connection: asyncpg.Connection, table: Table, parts: AsyncIterator[bytes]
) -> int:
    """Put into a table what `read_table` handed out, instead of what it has. Raises `Misfit`."""
    known = {str(each): each for each in await tables(connection)}.get(str(table))
    if known is None or not set(table.columns) <= set(known.columns):
        raise Misfit(f"{table} with the columns {', '.join(table.columns)}")
    async with connection.transaction():
        await connection.execute(f"TRUNCATE {table.quoted}")
        told: str = await connection.copy_to_table(
            table.name,
            source=parts,
            schema_name=table.schema,
            columns=table.columns,
            timeout=LONG_S,
        )
        for row in await connection.fetch(BACKUP["counters"], table.quoted):
            count_on = BACKUP["count_on"].format(column=row["column"], table=table.quoted)
            await connection.execute(count_on, row["counter"])
    return int(told.rpartition(" ")[2])
