"""The schema is expanded beside running services, and contracted when no older one runs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from servers import eventually
from task_store import store
from task_store.projector import Projector
from task_store.sql import MIGRATIONS
from task_store.steps import Step
from task_store.writer import Halted

NEXT = max(MIGRATIONS) + 1
EXPANDED = {**MIGRATIONS, NEXT: Step(NEXT, "a table", "CREATE TABLE log.wider (n int)")}
CONTRACTED = {
    **EXPANDED,
    NEXT + 1: Step(NEXT + 1, "the audit goes", "DROP TABLE log.dead_letters", least=NEXT),
}


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(database_url)
    yield made
    await made.close()


async def session(database_url: str, name: str) -> asyncpg.Connection:
    return await asyncpg.connect(database_url, server_settings={"application_name": name})


async def test_a_contracting_step_waits_until_it_is_asked_for(
    connection: asyncpg.Connection,
) -> None:
    await store.migrate(connection)

    unasked = await store.migrate(connection, steps=CONTRACTED)
    await store.check_schema(connection, EXPANDED)
    await store.check_schema(connection, CONTRACTED)
    asked = await store.migrate(connection, steps=CONTRACTED, contract=True)

    assert (unasked, asked) == ([NEXT], [NEXT + 1])
    assert await connection.fetchval("SELECT to_regclass('log.dead_letters')") is None


async def test_a_new_database_has_all_steps_at_once(connection: asyncpg.Connection) -> None:
    assert await store.migrate(connection, steps=CONTRACTED) == list(CONTRACTED)
    assert await store.migrate(connection, steps=CONTRACTED, contract=True) == []


async def test_nothing_is_contracted_while_older_code_is_connected(
    connection: asyncpg.Connection, database_url: str
) -> None:
    await store.migrate(connection)
    others = [
        await session(database_url, name)
        for name in ("task-store", f"projector knows {NEXT - 1}", f"projector knows {NEXT}")
    ]

    with pytest.raises(store.OlderCodeConnected) as refused:
        await store.migrate(connection, steps=CONTRACTED, contract=True)
    schema = await store.schema_version(connection)
    for other in others[:2]:
        await other.close()

    async def contracted() -> list[int]:
        try:
            return await store.migrate(connection, steps=CONTRACTED, contract=True)
        except store.OlderCodeConnected:
            # The server takes a moment to forget a session that has ended.
            return []

    applied = await eventually(contracted)
    await others[2].close()

    assert refused.value.sessions == [f"projector knows {NEXT - 1}", "task-store"]
    assert refused.value.step.number == NEXT + 1
    assert (schema, applied) == (max(MIGRATIONS), [NEXT, NEXT + 1])


async def test_sessions_of_this_version_say_what_they_know(
    connection: asyncpg.Connection, database_url: str
) -> None:
    projector = await store.open_connection(database_url)
    pool = await store.open_pool(database_url)
    names = await connection.fetch(
        "SELECT DISTINCT application_name AS name FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY 1"
    )
    await pool.close()
    await projector.close()

    known = max(MIGRATIONS)
    assert [row["name"] for row in names] == [
        f"projector knows {known}",
        f"task-store knows {known}",
    ]


async def test_the_version_before_runs_on_a_step_that_expands(
    connection: asyncpg.Connection,
) -> None:
    await store.migrate(connection, steps=EXPANDED)

    await store.check_schema(connection)

    assert await store.schema_version(connection) == NEXT


async def test_a_version_that_is_too_old_for_the_schema_stops_and_says_so(
    connection: asyncpg.Connection, database_url: str
) -> None:
    await store.migrate(connection, steps=CONTRACTED)
    projector = Projector(None, None, database_url)  # type: ignore[arg-type]

    with pytest.raises(
        Halted, match=r"too old for the database: .* Run version .* or newer, or restore a backup"
    ):
        async with projector._active():  # noqa: SLF001 - what `run` does first
            pass


async def test_the_record_of_the_first_version_is_read_and_extended(
    connection: asyncpg.Connection,
) -> None:
    """Versions before 0.2.0 recorded steps alone, and read no more of it."""
    await connection.execute(
        "CREATE TABLE public.darkroom_migrations (step integer PRIMARY KEY,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    await connection.execute(MIGRATIONS[1].sql)
    await connection.execute("INSERT INTO public.darkroom_migrations (step) VALUES (1)")

    with pytest.raises(store.SchemaMissing, match=f"schema 1, needs {max(MIGRATIONS)}"):
        await store.check_schema(connection)
    await store.check_not_contracted(connection)
    applied = await store.migrate(connection)

    assert applied == list(MIGRATIONS)[1:]
    await store.check_schema(connection)
    await connection.execute("INSERT INTO public.darkroom_migrations (step) VALUES (99)")
    assert await store.schema_version(connection) == 99
