"""Finding everything that there is of an owner, and erasing it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
from nats.aio.client import Client

from artifacts.keys import ARCHIVE, kind, owner_prefixes, task_prefix
from artifacts.store import ArtifactStore, NotFound
from contracts.events import Cancelled, CancelledData, Erased, envelope, event_type, schema_urn
from contracts.ids import uuid7
from contracts.messages import Message
from contracts.subjects import ALL_EVENTS, HOOK_BUCKET, cancel_subject, replay_stream, task_id_of
from darkroom.cli.archives import archive_alone
from darkroom.cli.failures import Unreachable
from darkroom.cli.objects import object_store
from darkroom.cli.remains import Remains, Sought, judge, tasktype_of, type_of
from darkroom.cli.servers import database_connection, log_connection, log_requests
from darkroom.cli.settings import CommandLineSettings, server_addresses
from delivery.bucket import read_bucket
from delivery.ends import Won, publish_end
from delivery.erasure import erase_from_bus
from delivery.lines import Unreadable
from delivery.log import LogReader, LogUnavailable
from delivery.publisher import LogFull, LogUnreachable, OutcomeUnknown, Publisher, Refused
from delivery.requests import Requests
from task_store import erasure, store
from task_store.rebuild import discard_broken_off
from task_store.segments import messages_in

SOURCE = "darkroom erase"
_CATCH_UP_S = 30.0
_POLL_S = 0.1
_FILES = 500
_ASK_S = 5.0

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Plane:
    """All that keeps anything of a task."""

    client: Client
    requests: Requests
    log: LogReader
    publisher: Publisher
    database: asyncpg.Connection
    database_url: str
    files: ArtifactStore

    async def projected(self, sequence: int) -> None:
        """Wait until the rows are that far; said if they don't get there."""
        deadline = asyncio.get_running_loop().time() + _CATCH_UP_S
        while (at := (await store.load_checkpoint(self.database)).sequence) < sequence:
            if asyncio.get_running_loop().time() > deadline:
                raise Unreachable(
                    f"The rows are at {at}, the log at {sequence}: what they hold can't be judged. "
                    "Look with `darkroom doctor`, and run this again."
                )
            await asyncio.sleep(_POLL_S)


@asynccontextmanager
async def plane(settings: CommandLineSettings) -> AsyncIterator[Plane]:
    addresses = server_addresses(settings)
    url = addresses.database_url
    try:
        async with (
            log_connection(addresses.nats_url) as client,
            log_requests(client) as requests,
            database_connection(url) as database,
        ):
            with object_store(settings) as files:
                await store.check_schema(database)
                log, publisher = LogReader(requests), Publisher(requests)
                yield Plane(client, requests, log, publisher, database, url, files)
    except (LogFull, LogUnreachable, OutcomeUnknown, Refused) as problem:
        raise Unreachable(
            f"The log does not take it ({problem or type(problem).__name__}). What was erased is; "
            "run this again for the rest."
        ) from None


async def look(plane: Plane, sought: Sought, tell: Tell) -> Remains:
    """Look everywhere. ``tell`` is told how much of the log was read, of how much."""
    last = await plane.log.last(ALL_EVENTS)
    await plane.projected(0 if last is None else last.sequence)
    found = Remains()
    owners = await _look_at_rows(plane, sought, found)
    if last is not None:
        await _look_at_log(plane, sought, last.sequence, found, tell)
    for table in await erasure.tables_of_events(plane.database):
        async for kept in erasure.events_naming(
            plane.database, table, found.types.keys(), sought.words
        ):
            if judge(kept.payload, kept.task_id, found.types, sought) == "remains":
                place, what = f"events in {table}", f"sequence {kept.sequence}"
                found.note(place, what, kept.task_id, tasktype_of(kept.payload))
    for key in await read_bucket(plane.requests, HOOK_BUCKET):
        task_id = task_id_of(key)
        if task_id in found.types:
            found.note("callbacks", key, task_id)
    await _look_at_replays(plane, found)
    await _look_at_archive(plane, sought, found)
    for owner in sorted(owners):
        await _look_at_files(plane, owner, sought.task_id, found)
    return found


async def _look_at_rows(plane: Plane, sought: Sought, found: Remains) -> set[str]:
    """Returns the owners whose files are looked for."""
    owners = set() if sought.owner is None else {sought.owner}
    if sought.task_id is not None:
        found.types[sought.task_id] = ""
    for table in await erasure.tables_of_tasks(plane.database):
        for row in await erasure.owned_tasks(plane.database, table, sought.owner, sought.task_id):
            owners.add(row.owner)
            found.types[row.task_id] = row.type
            if table == erasure.LIVE_ROWS and row.status in ("pending", "processing"):
                found.running.add(row.task_id)
            if row.bare:
                found.erased.add(row.task_id)
            else:
                found.note(f"rows in {table}", row.task_id, row.task_id)
    return owners


async def _look_at_log(plane: Plane, sought: Sought, last: int, found: Remains, tell: Tell) -> None:
    first = (await plane.log.state()).first_sequence
    async for batch in plane.log.between(first, last):
        for message in batch:
            task_id = task_id_of(message.subject)
            what = judge(message.payload, task_id, found.types, sought)
            if what == "erasure":
                found.erased.add(task_id)
                found.types.setdefault(task_id, tasktype_of(message.payload))
            elif what == "remains":
                place, where = "events in the log", f"sequence {message.sequence}"
                found.note(place, where, task_id, type_of(message.subject))
        tell(batch[-1].sequence, last)


async def _look_at_replays(plane: Plane, found: Remains) -> None:
    """Streams in which events were told again: each subject there ends in its task's id."""
    for stream in await _streams(plane.requests):
        if not stream.startswith(replay_stream("")):
            continue
        for subject in await _subjects(plane.requests, stream):
            task_id = task_id_of(subject)
            if task_id in found.types:
                found.replayed.append((stream, subject))
                found.note(f"subjects in {stream}", subject, task_id)


async def _look_at_archive(plane: Plane, sought: Sought, found: Remains) -> None:
    """Every segment, known to the database or not, and what that says is to be scrubbed."""
    for task_id, segment in await erasure.to_scrub(plane.database, found.types.keys()):
        found.note("tasks to scrub from segments", segment, task_id)
    async for stored in plane.files.list(ARCHIVE):
        if kind(stored.key) != "segment":
            continue
        try:
            content = await plane.files.get(stored.key)
            left = await asyncio.to_thread(_left_in, content, stored.key, dict(found.types), sought)
        except NotFound:
            continue
        except Unreadable as problem:
            found.note("segments that can't be read", str(problem))
            continue
        for message in left:
            found.segments.add(stored.key)
            what = f"sequence {message.sequence} in {stored.key}"
            tasktype = tasktype_of(message.payload) or type_of(message.subject)
            found.note("events in the archive", what, task_id_of(message.subject), tasktype)


def _left_in(content: bytes, key: str, owned: Collection[str], sought: Sought) -> list[Message]:
    return [
        message
        for message in messages_in(content, key)
        if judge(message.payload, task_id_of(message.subject), owned, sought) == "remains"
    ]


async def _streams(requests: Requests) -> list[str]:
    names: list[str] = []
    while True:
        page = await _ask(requests, "$JS.API.STREAM.NAMES", {"offset": len(names)})
        names += page.get("streams") or []
        if not page.get("streams") or len(names) >= page["total"]:
            return names


async def _subjects(requests: Requests, stream: str) -> list[str]:
    subjects: list[str] = []
    while True:
        question = {"subjects_filter": ">", "offset": len(subjects)}
        page = (await _ask(requests, f"$JS.API.STREAM.INFO.{stream}", question))["state"]
        found = page.get("subjects") or {}
        subjects += found
        if not found or len(subjects) >= page["num_subjects"]:
            return subjects


async def _ask(requests: Requests, subject: str, question: dict[str, Any]) -> dict[str, Any]:
    reply = await requests.call(subject, json.dumps(question).encode(), timeout=_ASK_S)
    answer: dict[str, Any] = json.loads(reply.data)
    if "error" in answer:
        raise LogUnavailable(answer["error"].get("description", subject))
    return answer


async def _look_at_files(plane: Plane, owner: str, task_id: str | None, found: Remains) -> None:
    folders = owner_prefixes(owner) if task_id is None else (task_prefix(owner, task_id),)
    for folder in folders:
        async for stored in plane.files.list(folder):
            found.files.append(stored.key)
            found.note(f"files in {folder.partition('/')[0]}", stored.key)


async def erase(plane: Plane, owner: str, found: Remains, *, per_s: float, tell: Tell) -> None:
    """Erase what `look` found, at most so many tasks a second. May break off, and be repeated."""
    loop = asyncio.get_running_loop()
    begun, sequence = loop.time(), 0
    for number, task_id in enumerate(sorted(found.tasks), 1):
        type_name = found.types[task_id]
        if not type_name:
            # No event of it can be read, here or elsewhere: there is nothing to end.
            continue
        if task_id in found.running:
            await _cancel(plane, owner, task_id, type_name)
        event = Erased(**_envelope(Erased, owner, task_id, type_name))
        erased = await erase_from_bus(plane.publisher, plane.log, plane.requests, event)
        sequence = max(sequence, erased)
        tell(number, len(found.tasks))
        await asyncio.sleep(max(0.0, begun + number / per_s - loop.time()))
    for stream, subject in found.replayed:
        await _ask(plane.requests, f"$JS.API.STREAM.PURGE.{stream}", {"filter": subject})
    for start in range(0, len(found.files), _FILES):
        await plane.files.delete(found.files[start : start + _FILES])
    await plane.projected(sequence)
    await _forget(plane, Sought(owner), found)


async def _cancel(plane: Plane, owner: str, task_id: str, type_name: str) -> None:
    """End a task, and stop whoever works on it."""
    event = Cancelled(**_envelope(Cancelled, owner, task_id, type_name), data=CancelledData())
    if isinstance(await publish_end(plane.publisher, plane.log, event), Won):
        await plane.client.publish(cancel_subject(task_id), b"")


async def _forget(plane: Plane, sought: Sought, found: Remains) -> None:
    """Take out of the database what the projector did not: kept old rows, and other copies."""
    await discard_broken_off(plane.database)
    for table in await erasure.tables_of_tasks(plane.database):
        if table not in (erasure.LIVE_ROWS, erasure.ARCHIVED_ROWS):
            await erasure.drop_rows(plane.database, table, found.tasks)
    await erasure.leave_archive(plane.database, found.tasks)
    await _scrub(plane, sought, found)
    for table in await erasure.tables_of_events(plane.database):
        left = [
            (kept.sequence, kept.task_id)
            async for kept in erasure.events_naming(
                plane.database, table, found.types.keys(), sought.words
            )
            if judge(kept.payload, kept.task_id, found.types, sought) == "remains"
        ]
        if left:
            await erasure.drop_events(plane.database, table, left)


async def _scrub(plane: Plane, sought: Sought, found: Remains) -> None:
    """Rid the segments of what was erased: those that the database knows to have it, and others.

    What can't be read stays as it is; the next look tells of it.
    """
    async with archive_alone(plane.database_url, plane.log, plane.files) as archive:
        while await archive.scrub():
            pass

        def is_gone(message: Message) -> bool:
            task_id = task_id_of(message.subject)
            return judge(message.payload, task_id, found.types, sought) == "remains"

        for key in sorted(found.segments):
            with suppress(Unreadable):
                await archive.rewrite(key, is_gone)


def _envelope(
    event_class: type[Erased | Cancelled], owner: str, task_id: str, type_name: str
) -> dict[str, Any]:
    now = datetime.now(UTC)
    shared = envelope(
        event_id=uuid7(now, os.urandom(10)),
        source=SOURCE,
        task_id=task_id,
        owner=owner,
        tasktype=type_name,
        time=now,
    )
    return {**shared, "dataschema": schema_urn(event_type(event_class))}
