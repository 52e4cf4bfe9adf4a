"""A database of a released version, brought up to date, is like one that was made today."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from releases import RELEASES, set_up, unpacked
from servers import Server, fresh_database
from task_store import store
from task_store.sql import MIGRATIONS

_COLUMNS = """
SELECT n.nspname || '.' || c.relname AS "table", a.attname AS name,
    format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull, a.attidentity::text,
    coll.collname AS "collation", pg_get_expr(d.adbin, d.adrelid) AS "default"
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation coll ON coll.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm')
    AND n.nspname !~ '^(pg_|information_schema)'
"""
_TABLES = """
SELECT n.nspname || '.' || c.relname AS "table", c.relkind::text, c.reloptions,
    obj_description(c.oid, 'pg_class') AS comment, pg_get_partkeydef(c.oid) AS partitioned
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^(pg_|information_schema)'
"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname !~ '^(pg_|information_schema)'"
_CONSTRAINTS = """
SELECT conrelid::regclass::text AS "table", conname, pg_get_constraintdef(c.oid) AS definition
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE conrelid <> 0 AND n.nspname !~ '^(pg_|information_schema)'
"""


async def catalog(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """Everything that the schema is made of. The order of columns is nobody's business."""
    return {
        name: sorted(str(dict(row)) for row in await connection.fetch(query))
        for name, query in {
            "columns": _COLUMNS,
            "tables": _TABLES,
            "indexes": _INDEXES,
            "constraints": _CONSTRAINTS,
        }.items()
    }


@pytest.mark.parametrize("release", RELEASES)
async def test_a_migrated_database_has_the_tables_of_a_new_one(
    release: str, database_url: str, postgres: Server, tmp_path: Path
) -> None:
    released = await set_up(unpacked(release, tmp_path), database_url)
    async with fresh_database(postgres.url) as new_url:
        migrated, new = await asyncpg.connect(database_url), await asyncpg.connect(new_url)
        applied = await store.migrate(migrated, contract=True)
        await store.migrate(new)
        found, wanted = await catalog(migrated), await catalog(new)
        await migrated.close()
        await new.close()

    assert released + applied == list(MIGRATIONS)
    assert found == wanted
    assert len(wanted["tables"]) >= 9
