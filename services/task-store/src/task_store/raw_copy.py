"""The raw copy of the log compared with the log, and completed from it.

The copy has what the log has, but for what came to a task after its erasure, which is not kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.lifecycle import Phase
from contracts.messages import Message
from contracts.subjects import task_id_of
from delivery.log import LogReader
from task_store import store
from task_store.checks import Compared
from task_store.projection import read
from task_store.rebuild import ALONE, LONG_S, hold_checkpoint
from task_store.sql import CHECKS
from task_store.wire import storable

RECENT = 1000
MOST_LOOKED_AT = 10_000
"""Missing events that are looked at one by one; what is beyond is not told by its sequence."""
MOST_DELETED = 1_000_000
"""Deleted sequences that the broker is asked for: 8 MB of its memory, and of ours."""
_BATCH = 500
_FEW = 20

Rows = asyncpg.Connection | asyncpg.Pool


class TooManyDeleted(Exception):
    """So much was deleted from the log that the broker can't be asked for all of it."""


class OtherLog(Exception):
    """The projection is not of this log, or is being rebuilt, verified or restored just now."""


async def known_tasks(rows: Rows, task_ids: Iterable[str]) -> dict[str, Phase | None]:
    """Those of some tasks that are known, and their phases; what is no UUID names no task.

    None is the phase of one that has events and no row.
    """
    asked = [each for each in task_ids if is_uuid(each)]
    found = await rows.fetch(CHECKS["known_tasks"], asked)
    return {row["task_id"]: row["phase"] and Phase(row["phase"]) for row in found}


async def compare_recent(rows: Rows, log: LogReader, first: int, checkpoint: int) -> Compared:
    """The last `RECENT` sequences that are projected; ``first`` is the log's first."""
    begin = max(1, first, checkpoint - RECENT + 1)
    kept = {row["sequence"] for row in await rows.fetch(CHECKS["raw_between"], begin, checkpoint)}
    missing = [
        message.sequence
        async for message in _to_be_kept(rows, log, [(begin, checkpoint)])
        if message.sequence not in kept
    ]
    return Compared(begin, checkpoint, missing)


async def compare_all(
    connection: asyncpg.Connection, log: LogReader, first: int, checkpoint: int
) -> Compared:
    """All that is projected and still in the log. Raises `TooManyDeleted`.

    A minute or so at ten million events: the raw copy is read once, by its index.
    """
    first = max(1, first)
    deleted = await log.deleted(MOST_DELETED)
    if deleted is None:
        raise TooManyDeleted
    gone = [sequence for sequence in deleted if first <= sequence <= checkpoint]
    foreign = await connection.fetch(CHECKS["raw_among"], gone, timeout=LONG_S)
    missing: list[int] = []
    looked_at, is_all = 0, True
    for begin, end in await _gaps(connection, first, checkpoint, gone):
        if looked_at >= MOST_LOOKED_AT:
            is_all = False
            break
        last = min(end, begin + MOST_LOOKED_AT - looked_at - 1)
        is_all = is_all and last == end
        looked_at += last - begin + 1
        missing += [
            message.sequence async for message in _to_be_kept(connection, log, [(begin, last)])
        ]
    return Compared(first, checkpoint, missing, [row["sequence"] for row in foreign], is_all)


async def complete(connection: asyncpg.Connection, log: LogReader, created: datetime) -> int:
    """Copy from the log ``created`` then what the raw copy lacks; how many events that was.

    The projector waits for each batch: an erasure that it applies meanwhile would else be undone.
    Raises `OtherLog`, `TooManyDeleted`.
    """
    copied = 0
    deleted = await log.deleted(MOST_DELETED)
    if deleted is None:
        raise TooManyDeleted
    first = max(1, (await log.state()).first_sequence)
    checkpoint = (await store.load_checkpoint(connection)).sequence
    for begin, end in await _gaps(connection, first, checkpoint, deleted):
        for start in range(begin, end + 1, _BATCH):
            async with connection.transaction():
                held = await hold_checkpoint(connection)
                if held.stream_created != created or not await connection.fetchval(
                    "SELECT pg_try_advisory_xact_lock($1)", ALONE
                ):
                    raise OtherLog
                span = (start, min(end, start + _BATCH - 1))
                batch = [each async for each in _to_be_kept(connection, log, [span])]
                await _keep(connection, batch)
            copied += len(batch)
    return copied


async def _gaps(
    connection: asyncpg.Connection, first: int, checkpoint: int, deleted: Sequence[int]
) -> list[tuple[int, int]]:
    """Runs of sequences that the raw copy lacks, but for those that the log lacks altogether."""
    rows = await connection.fetch(CHECKS["raw_gaps"], first, checkpoint, timeout=LONG_S)
    gone = set(deleted)
    return [
        (row["first"], row["last"])
        for row in rows
        if any(sequence not in gone for sequence in range(row["first"], row["last"] + 1))
    ]


async def _to_be_kept(
    rows: Rows, log: LogReader, spans: Iterable[tuple[int, int]]
) -> AsyncIterator[Message]:
    """What the log has there, but for what came to tasks that are erased."""
    for first, last in spans:
        if last < first:
            continue
        async for batch in _stored(log, first, last):
            known = await known_tasks(rows, {task_id_of(message.subject) for message in batch})
            for message in batch:
                if known.get(task_id_of(message.subject)) is not Phase.ERASED:
                    yield message


async def _stored(log: LogReader, first: int, last: int) -> AsyncIterator[Sequence[Message]]:
    """What the log has there, in batches; a batch reads on behind the end, so not for a few."""
    if last - first >= _FEW:
        async for batch in log.between(first, last):
            yield batch
    else:
        found = [await log.at(sequence) for sequence in range(first, last + 1)]
        yield [message for message in found if message is not None]


async def _keep(connection: asyncpg.Connection, messages: Sequence[Message]) -> None:
    await connection.execute(
        CHECKS["keep_events"],
        [message.sequence for message in messages],
        [message.logtime for message in messages],
        [_text(read(message).task_id) for message in messages],
        [_text(message.event_id) for message in messages],
        [_text(message.subject) for message in messages],
        [message.payload for message in messages],
    )


def _text(text: str) -> str:
    return storable(text).decode()


def is_uuid(text: str) -> bool:
    """Whether a task can have this id, as it is written."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
