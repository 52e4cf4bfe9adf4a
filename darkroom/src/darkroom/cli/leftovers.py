"""Schemas that a rebuild or a verification which was killed left in the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from task_store import store
from task_store.rebuild import ALONE, mark_of, rebuild_schema, sweep
from task_store.sql import REBUILD
from telemetry.findings import Finding


@dataclass(frozen=True, slots=True)
class Left:
    """Of the ``schemas``, ``resumable`` is the one with which the next rebuild would go on."""

    schemas: tuple[str, ...]
    resumable: str | None

    @property
    def useless(self) -> tuple[str, ...]:
        return tuple(each for each in self.schemas if each != self.resumable)

    def judge(self) -> Finding:
        if self.useless:
            return Finding(
                "leftovers",
                ok=False,
                detail=f"nobody works at {', '.join(self.useless)}, or can go on with it",
                mend="darkroom doctor --fix drops what a rebuild or verification left there",
            )
        if self.resumable is not None:
            return Finding(
                "leftovers",
                ok=None,
                detail=f"{self.resumable} is of a rebuild that was broken off",
                mend="darkroom projection rebuild goes on with it",
            )
        return Finding("leftovers", ok=True, detail="no rebuild or verification was left undone")


async def examine(connection: asyncpg.Connection) -> Finding:
    async with _alone(connection) as is_alone:
        if not is_alone:
            return Finding("leftovers", ok=True, detail="a rebuild or verification is at work")
        return (await _left(connection)).judge()


async def drop(connection: asyncpg.Connection) -> list[str]:
    """Drop those that nobody can go on with, if nobody is at work; what was dropped."""
    async with _alone(connection) as is_alone:
        if not is_alone:
            return []
        left = await _left(connection)
        return [f"dropped {name}" for name in await sweep(connection, keep=left.resumable)]


@asynccontextmanager
async def _alone(connection: asyncpg.Connection) -> AsyncIterator[bool]:
    """Whether nobody else is at work; then nobody begins."""
    is_alone = await connection.fetchval(REBUILD["try_alone"], ALONE)
    try:
        yield is_alone
    finally:
        if is_alone:
            await connection.execute(REBUILD["leave_alone"], ALONE)


async def _left(connection: asyncpg.Connection) -> Left:
    schemas = tuple(row["nspname"] for row in await connection.fetch(REBUILD["leftovers"]))
    if not schemas:
        return Left((), None)
    checkpoint = await store.load_checkpoint(connection)
    expected = rebuild_schema(checkpoint)
    mark = await connection.fetchval(REBUILD["mark_of_schema"], expected)
    fits = mark is not None and mark == await mark_of(connection, checkpoint)
    return Left(schemas, expected if fits else None)
