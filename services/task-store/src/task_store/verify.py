"""The live projection compared, row for row, with one made anew from the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from nats.aio.client import Client

from delivery.requests import Requests
from task_store import store
from task_store.rebuild import (
    LONG_S,
    Tell,
    alone,
    fit_checkpoint,
    hold_checkpoint,
    rebuild_schema,
    shadow,
    sweep,
)
from task_store.sql import REBUILD

MOST = 20
_KEYS = {
    "tasks": ("task_id",),
    "waiting_counts": ("type", "lane", "level", "bucket"),
    "parked": ("sequence",),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not the same on both sides; ``columns`` is empty where a side lacks it."""

    table: str
    key: str
    columns: tuple[str, ...]
    is_live: bool
    is_rebuilt: bool

    def __str__(self) -> str:
        if not self.is_rebuilt:
            return f"{self.table} {self.key}: the log does not tell of it"
        if not self.is_live:
            return f"{self.table} {self.key}: missing from the projection"
        return f"{self.table} {self.key}: {', '.join(self.columns)}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was compared at which sequence, and the first of the rows that differ."""

    sequence: int
    rows: int
    different: int
    differences: tuple[Difference, ...]


async def verify(
    database_url: str,
    client: Client,
    requests: Requests,
    *,
    most: int = MOST,
    tell: Tell = lambda _done, _of: None,
) -> Verified:
    """Compare the live projection with the log, both as of the same sequence.

    The live projector waits only for the last events; the comparison reads a snapshot. Raises as
    `rebuild` does.
    """
    async with alone(database_url) as live:
        before = await fit_checkpoint(live, requests)
        await sweep(live, keep=rebuild_schema(before))
        schema = f"verify_{before.build}"
        async with shadow(
            database_url, client, requests, live, schema, before.build, tell, to_stay=False
        ) as made:
            await made.approach(live)
            async with _reader(database_url) as reader:
                async with live.transaction():
                    checkpoint = await hold_checkpoint(live)
                    await made.settle(checkpoint)
                    # The snapshot is taken while neither side moves.
                    await reader.fetchval("SELECT 1")
                return await _compared(reader, schema, checkpoint.sequence, most)


@asynccontextmanager
async def _reader(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A session that sees one moment for as long as it lasts."""
    connection = await store.open_connection(database_url)
    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield connection
    finally:
        connection.terminate()


async def _compared(reader: asyncpg.Connection, schema: str, sequence: int, most: int) -> Verified:
    rows = different = 0
    found: list[Difference] = []
    for table in (*_KEYS, "lanes"):
        counted = await reader.fetchval(REBUILD["count_rows"].format(table=table), timeout=LONG_S)
        rows += counted
        statement = await _statement(reader, schema, table)
        differing = await reader.fetch(statement, most, timeout=LONG_S)
        if differing:
            different += differing[0]["total"]
        found += [
            Difference(
                table, row["key"], tuple(row["differing"]), row["is_live"], row["is_rebuilt"]
            )
            for row in differing
        ]
    return Verified(sequence, rows, different, tuple(found[:most]))


async def _statement(reader: asyncpg.Connection, schema: str, table: str) -> str:
    """The comparison of one table: every column as text, since json has no equality."""
    if table == "lanes":
        return REBUILD["compare_lanes"].format(schema=schema)
    keys = _KEYS[table]
    columns = [
        row["column_name"]
        for row in await reader.fetch(REBUILD["columns"], table)
        if row["column_name"] not in keys
    ]
    tests = {name: f"l.{name}::text IS DISTINCT FROM s.{name}::text" for name in columns}
    cases = ", ".join(f"CASE WHEN {test} THEN '{name}' END" for name, test in tests.items())
    missing = f"l.{keys[0]} IS NULL OR s.{keys[0]} IS NULL"
    return REBUILD["compare"].format(
        schema=schema,
        table=table,
        key=", ".join(keys),
        first=keys[0],
        differing=f"array_remove(ARRAY[{cases}], NULL)",
        different=" OR ".join([missing, *tests.values()]),
    )
