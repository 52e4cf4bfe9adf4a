"""What is read of tasks that left the hot tables: their rows, and their events in segments."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import asyncpg
import orjson

from artifacts.store import ArtifactStore
from contracts.subjects import begins_task
from delivery.ordered import Delivered
from task_store.rows import COLUMNS
from task_store.segments import events_of
from task_store.sql import ARCHIVE, STATEMENTS

_COLUMNS = ", ".join(f"t.{name}" for name in COLUMNS)
_NEWEST_FIRST = "ORDER BY t.created_at DESC, t.task_id DESC"
_PAGE = (
    f"SELECT {_COLUMNS} FROM {{tasks}} t WHERE t.owner = $1 AND {{which}}"
    " AND ($2::text IS NULL OR t.type = $2) AND ($3::text IS NULL OR t.status = $3)"
    " AND ($4::text IS NULL OR t.prompt_id = $4)"
    " AND ($5::timestamptz IS NULL OR (t.created_at, t.task_id) < ($5, $6::uuid))"
    f" {_NEWEST_FIRST} LIMIT $7"
)
_HOT = _PAGE.format(tasks="tasks", which="t.phase <> 'erased'")
_COLD = _PAGE.format(tasks="archive.tasks", which="t.pruned")

HISTORY = STATEMENTS["read_tasks"].format(
    tasks=f"(SELECT * FROM (({_HOT}) UNION ALL ({_COLD})) t {_NEWEST_FIRST} LIMIT $7)",
    condition=f"true {_NEWEST_FIRST}",
)
"""A page of an owner's tasks, wherever their rows are: each part is short, and read by an index."""

BY_ID = STATEMENTS["read_tasks"].format(
    tasks="archive.tasks", condition="t.task_id = ANY($1::uuid[])"
)
"""For those that have no row of their own. One that has come back since is here as it was."""


_BASES = ARCHIVE["bases"].format(columns=", ".join(f"a.{name}" for name in COLUMNS))


async def pasts(
    pool: asyncpg.Pool, files: ArtifactStore, owner: str, rows: list[Any]
) -> tuple[list[Any], list[Delivered]]:
    """What was before the raw copy's events of some tasks: archived rows, or events in segments.

    ``rows`` are in order. Raises as `whole_history` does.
    """
    first: dict[str, Any] = {}
    for row in rows:
        first.setdefault(row["task_id"], row)
    broken = {key: row["sequence"] for key, row in first.items() if not _begins(row)}
    if not broken:
        return [], []
    found = await pool.fetch(_BASES, list(broken), list(broken.values()))
    events: list[Delivered] = []
    for row in found:
        if not row["is_before"]:
            task_id = str(row["task_id"])
            told = await whole_history(pool, files, task_id, owner, [])
            events += [event for event in told if event.sequence < broken[task_id]]
    return [row for row in found if row["is_before"]], events


def _begins(row: Any) -> bool:
    """Whether nothing of the task can have come before."""
    if begins_task(row["subject"]):
        return True
    try:
        event = orjson.loads(row["payload"])
    except orjson.JSONDecodeError:
        return False
    return isinstance(event, dict) and event.get("type") == "generation.accepted"


async def whole_history(
    pool: asyncpg.Pool, files: ArtifactStore, task_id: str, owner: str, kept: list[Any]
) -> list[Delivered]:
    """A task's events: those that are ``kept`` in the raw copy, and before them what segments have.

    Raises what the object store raises, and `Unreadable`.
    """
    events = [Delivered(**dict(row)) for row in kept]
    if events and begins_task(events[0].subject):
        return events
    keys = [row["key"] for row in await pool.fetch(ARCHIVE["segments_of"], task_id, owner)]
    if not keys:
        return events
    contents = [(key, await files.get(key)) for key in keys]
    archived = await asyncio.to_thread(events_of, contents, task_id)
    dropped = await _dropped(pool, task_id)
    known = {event.sequence for event in events}
    events += [
        each
        for each in archived
        if each.sequence not in known and (each.subject, each.logtime) not in dropped
    ]
    return sorted(events, key=lambda event: event.sequence)


async def _dropped(pool: asyncpg.Pool, task_id: str) -> set[tuple[str, Any]]:
    rows: Iterable[Any] = await pool.fetch(ARCHIVE["dropped_of"], task_id)
    return {(row["subject"], row["logtime"]) for row in rows}
