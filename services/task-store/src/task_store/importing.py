"""Segments of the archive brought back into the raw copy, after the database was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from artifacts.keys import ARCHIVE as FOLDER
from artifacts.keys import kind
from contracts.messages import Message
from contracts.subjects import ALL_EVENTS, task_id_of
from delivery.log import LogReader
from task_store.archive import Archive
from task_store.segments import messages_in
from task_store.sql import ARCHIVE

_BATCH = 1000


class OtherLog(Exception):
    """The segment is not of the log that this database is of; the message says why."""


class Behind(Exception):
    """The projection has yet to read what was told before the segment's end; the message says how
    far it is."""


@dataclass
class Imported:
    """What came back. Tasks that are known, or erased, were left as they are."""

    segments: int = 0
    events: int = 0
    tasks: int = 0
    left_alone: int = 0


async def import_segments(
    archive: Archive, log: LogReader, tell: Callable[[int, int], None]
) -> Imported:
    """Bring back what all segments hold, each in a transaction; one that was broken off goes on.

    The rows are then to be made from it by a rebuild; until then nothing is archived. Raises
    `Behind`, `OtherLog`, `Unreadable` and what log, database and object store raise.
    """
    done = Imported()
    keys = [
        stored.key async for stored in archive.files.list(FOLDER) if kind(stored.key) == "segment"
    ]
    last = (await log.state()).last_sequence
    newest = await log.last(ALL_EVENTS)
    to_project = 0 if newest is None else newest.sequence
    for number, key in enumerate(sorted(keys), 1):
        content = await archive.files.get(key)
        messages = await asyncio.to_thread(lambda: list(messages_in(content, key)))  # noqa: B023
        if messages[-1].sequence > last:
            raise OtherLog(f"{key} goes to {messages[-1].sequence}, the log ends at {last}")
        await _import(archive, key, messages, len(content), to_project, done)
        tell(number, len(keys))
    return done


async def _import(
    archive: Archive,
    key: str,
    messages: Sequence[Message],
    size: int,
    to_project: int,
    done: Imported,
) -> None:
    connection = archive.connection
    through = {task_id_of(message.subject): message.sequence for message in messages}
    async with connection.transaction():
        # The projector takes the end of the raw copy for all that it has copied: nothing may be put
        # in before its eyes that lies beyond what it has yet to read.
        at = (await archive.hold()).sequence
        if at < min(messages[-1].sequence, to_project):
            raise Behind(f"the task-store is still at {at} of {to_project}")
        known = await connection.fetch(ARCHIVE["not_to_import"], list(through))
        left_alone = {row["task_id"] for row in known}
        lost = [each for each in messages if task_id_of(each.subject) not in left_alone]
        inserted = 0
        for start in range(0, len(lost), _BATCH):
            inserted += await _insert(archive, key, lost[start : start + _BATCH])
        state = await archive.state()
        last = state["segments"]
        number = await connection.fetchval(ARCHIVE["number_of"], key)
        if number is None:
            number = last = last + 1
            numbers = (messages[0].sequence, messages[-1].sequence, len(through), len(messages))
            await connection.execute(ARCHIVE["add_segment"], number, key, *numbers, size)
        await connection.execute(
            ARCHIVE["import_contents"], number, list(through), list(through.values())
        )
        if inserted:
            await connection.execute(ARCHIVE["hold"], last, lost[0].sequence - 1)
        else:
            await connection.execute(ARCHIVE["move_on"], 0, last)
        # Where the log has nothing of it any more, the rebuild must still go that far.
        await connection.execute(ARCHIVE["pass_by"], messages[-1].sequence, messages[-1].logtime)
    done.segments += 1
    done.events += inserted
    done.tasks += len(through.keys() - left_alone)
    done.left_alone += len(left_alone)


async def _insert(archive: Archive, key: str, messages: Sequence[Message]) -> int:
    """How many were not there."""
    connection = archive.connection
    sequences = [each.sequence for each in messages]
    subjects = [each.subject for each in messages]
    event_ids = [each.event_id for each in messages]
    inserted = await connection.execute(
        ARCHIVE["import_events"],
        sequences,
        [each.logtime for each in messages],
        [task_id_of(subject) for subject in subjects],
        event_ids,
        subjects,
        [each.payload for each in messages],
    )
    other = await connection.fetchval(ARCHIVE["other_events"], sequences, subjects, event_ids)
    if other is not None:
        raise OtherLog(f"{key} has another event at {other} than the raw copy")
    return int(inserted.rpartition(" ")[2])
