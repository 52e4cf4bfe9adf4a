"""The archive of finished tasks: written to segments, pruned from the hot tables, scrubbed.

A task that nothing was told of for a while is written first: its events into an object, then, in
one transaction, what the object holds and a snapshot of its row. Much later, when the log has no
event of it any more, its row and the raw copy of its events go. Each step is bounded, may be broken
off anywhere, and holds the live checkpoint where it changes what the projector relies on.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from artifacts.keys import segment_key
from artifacts.store import ArtifactStore, NotFound
from contracts.messages import Message
from contracts.subjects import task_id_of
from delivery.lines import Unreadable
from delivery.log import LogReader, StreamState
from delivery.ordered import Delivered
from task_store import store
from task_store.rebuild import ALONE, hold_checkpoint
from task_store.rows import COLUMNS
from task_store.segments import CONTENT_TYPE, Segment, segment_of, without
from task_store.sql import ARCHIVE, STATEMENTS
from task_store.store import Checkpoint

SPAN_EVENTS = 10_000
MOST_TASKS = 2000
MOST_BYTES = 4 * 1024 * 1024
"""Of payloads in a segment; a single task may have more."""
PRUNED_AT_ONCE = 500
LOOKED_AT_ONCE = 10_000
"""For those. After a log was restored nearly all rows are newer than the archive has them."""
_PRUNINGS = 4
"""In a round, so that as many tasks go as come."""
_LOCK = int.from_bytes(hashlib.sha256(b"darkroom archive").digest()[:8], signed=True)
_NO_TASK = UUID(int=0)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KEEP_TASKS = ARCHIVE["keep_tasks"].format(
    columns=", ".join(COLUMNS),
    t_columns=", ".join(f"t.{name}" for name in COLUMNS),
    excluded_columns=", ".join(f"excluded.{name}" for name in COLUMNS),
)


class Busy(Exception):
    """Somebody else works on this archive."""


class Held(Exception):
    """Events were imported; the rows must be made from them first."""


@dataclass(frozen=True, slots=True)
class Written:
    """A part of the raw copy that was looked through, and what of it was archived."""

    tasks: int = 0
    events: int = 0
    bytes: int = 0
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """What one round did; ``busy`` if a rebuild or a verification kept it from pruning, ``more`` if
    not all that may be pruned was looked at."""

    written: Written
    pruned: int
    scrubbed: int
    busy: bool = False
    more: bool = False

    @property
    def nothing(self) -> bool:
        return not (self.written.looked_at or self.written.tasks or self.pruned or self.scrubbed)


@dataclass(slots=True)
class Walk:
    """Up to where archived tasks were looked at, in the order of their last events, for those to be
    pruned. At the end it begins again."""

    through: int = 0
    task_id: UUID = _NO_TASK

    @property
    def begun(self) -> bool:
        return self.through > 0


@asynccontextmanager
async def opened(
    database_url: str, log: LogReader, files: ArtifactStore, walk: Walk | None = None
) -> AsyncIterator[Archive]:
    """The archive, for who works on it alone. Raises `Busy`, and `store.SchemaMissing`.

    A ``walk`` goes on from where it was.
    """
    connection = await store.open_connection(database_url)
    try:
        await store.check_schema(connection)
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            raise Busy
        await connection.execute(STATEMENTS["find_by_key"])
        await connection.execute(ARCHIVE["begin"])
        yield Archive(connection, log, files, walk or Walk())
    finally:
        connection.terminate()


class Archive:
    """One round at a time in `run_once`."""

    def __init__(
        self, connection: asyncpg.Connection, log: LogReader, files: ArtifactStore, walk: Walk
    ) -> None:
        self.connection = connection
        self.files = files
        self._walk = walk
        self.unreadable: dict[int, str] = {}
        """Segments that were to be scrubbed and could not be read, with why; not tried again."""
        self._log = log

    async def tidy(self) -> None:
        """What a round left that was killed after its object and before its transaction."""
        in_hand = (await self.state())["in_hand"]
        if in_hand is not None:
            await self.files.delete([in_hand])
            await self.connection.execute(ARCHIVE["take_in_hand"], None)

    async def run_once(self, before: datetime | None) -> Done:
        """One segment of tasks that were told of last before ``before``, some pruned, one scrubbed.

        Without ``before`` only that last. Raises `Held`, `store.Superseded`, and what database, log
        and object store raise: what was not done then is done in a later round.
        """
        await self.tidy()
        if before is None:
            return Done(Written(), 0, await self.scrub())
        written = await self.write(before)
        pruned = await self._prune_some()
        # Last, so that a segment that can't be read stops nothing else.
        scrubbed = await self.scrub()
        more = pruned is not None and self._walk.begun
        return Done(written, pruned or 0, scrubbed, pruned is None, more)

    async def _prune_some(self) -> int | None:
        """As many as a segment takes, a few at a time: the projector waits for each of them."""
        pruned = 0
        for _ in range(_PRUNINGS):
            gone = await self.prune()
            if gone is None:
                return pruned or None
            pruned += gone
            if not self._walk.begun:
                break
        return pruned

    async def state(self) -> Any:
        state = await self.connection.fetchrow(ARCHIVE["state"])
        assert state is not None
        return state

    async def write(self, before: datetime) -> Written:
        """Archive what comes next in the raw copy."""
        state = await self.state()
        if state["held_at_build"] is not None:
            checkpoint = await store.load_checkpoint(self.connection)
            if checkpoint.build == state["held_at_build"]:
                raise Held
        ready, position, looked_at = await self._ready(state["sequence"], before)
        chosen, position = _cut(ready, position)
        postponed = [row["task_id"] for row in chosen if row["is_parked"]]
        chosen = [row for row in chosen if not row["is_parked"]]
        number = state["segments"]
        segment, key = await self._segment(chosen), ""
        if segment is not None:
            number += 1
            key = segment_key(segment.last, secrets.token_hex(8))
            await self.connection.execute(ARCHIVE["take_in_hand"], key)
            await self.files.put(key, segment.content, CONTENT_TYPE)
        if position > state["sequence"] or chosen or postponed:
            async with self.connection.transaction():
                await self.hold()
                await self._register(chosen, number, key, segment)
                await self.connection.execute(ARCHIVE["postpone"], postponed)
                await self.connection.execute(ARCHIVE["move_on"], position, number)
        if segment is None:
            return Written(len(chosen), looked_at=looked_at)
        return Written(len(chosen), segment.events, len(segment.content), looked_at)

    async def prune(self) -> int | None:
        """Take tasks out of the hot tables that the log no longer tells of; how many.

        None while a rebuild or a verification is at work, which must find what it has yet to read.
        """
        log = await self._log.state()
        # Looked for before anything waits for it, and looked at again when nothing moves.
        walk = self._walk
        met = await self.connection.fetch(
            ARCHIVE["may_be_pruned"],
            log.first_sequence,
            walk.through,
            walk.task_id,
            LOOKED_AT_ONCE,
        )
        chosen, position = _next_to_prune(met)
        task_ids = await self._prune(chosen, log) if chosen else []
        if task_ids is None:
            return None
        walk.through, walk.task_id = position
        return len(task_ids)

    async def _prune(self, chosen: list[UUID], log: StreamState) -> list[str] | None:
        async with self.connection.transaction():
            checkpoint = await self.hold()
            if checkpoint.stream_created != log.created:
                # What another log lacks may be needed to restore this one.
                return []
            if not await self.connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", ALONE):
                return None
            rows = await self.connection.fetch(ARCHIVE["to_prune"], log.first_sequence, chosen)
            task_ids = [str(row["task_id"]) for row in rows]
            if task_ids:
                await self.connection.execute(ARCHIVE["prune"], task_ids, task_ids)
        return task_ids

    async def scrub(self) -> int:
        """Take erased tasks out of the next segment that can be read; how many they were.

        The object is replaced as a whole, under the same key: a reader sees it with them or
        without, and to do it twice is to do it once.
        """
        while row := await self.connection.fetchrow(ARCHIVE["to_scrub"], list(self.unreadable)):
            number, key, task_ids = row["segment"], row["key"], frozenset(row["task_ids"])
            try:
                if key is not None:
                    await self.rewrite(key, _told_of(task_ids))
            except Unreadable as problem:
                self.unreadable[number] = str(problem)
            else:
                await self.connection.execute(ARCHIVE["scrubbed"], number, list(task_ids))
                return len(task_ids)
        return 0

    async def rewrite(self, key: str, is_gone: Callable[[Message], bool]) -> None:
        """Take some events out of a segment. Raises `Unreadable`."""
        try:
            content = await self.files.get(key)
        except NotFound:
            # An object that nothing is left of has gone; one with other tasks in it is elsewhere.
            if await self.connection.fetchval(ARCHIVE["has_others"], key):
                raise Unreadable(f"{key} is not in the object store") from None
            segment = None
        else:
            segment = await asyncio.to_thread(without, content, key, is_gone)
        if segment is None:
            await self.files.delete([key])
            await self.connection.execute(ARCHIVE["drop_segment"], key)
        else:
            await self.files.put(key, segment.content, CONTENT_TYPE)
            numbers = (segment.first, segment.last, segment.tasks, segment.events)
            size = len(segment.content)
            await self.connection.execute(ARCHIVE["replace_segment"], key, *numbers, size)

    async def _ready(self, after: int, before: datetime) -> tuple[list[Any], int, int]:
        """The tasks whose last event is next in the raw copy, or that were postponed; up to where
        that was looked at, and how many events that were."""
        position, looked_at = after, 0
        met: dict[str, int | None] = {
            row["task_id"]: None
            for row in await self.connection.fetch(ARCHIVE["postponed"], MOST_TASKS)
        }
        for row in await self.connection.fetch(ARCHIVE["span"], after, SPAN_EVENTS):
            if row["logtime"] >= before:
                break
            position, looked_at = row["sequence"], looked_at + 1
            if _UUID.fullmatch(row["task_id"]) and met.get(row["task_id"], 0) is not None:
                met[row["task_id"]] = position
        if not met:
            return [], position, looked_at
        ready = await self.connection.fetch(ARCHIVE["ready"], list(met), list(met.values()))
        return ready, position, looked_at

    async def _segment(self, chosen: Sequence[Any]) -> Segment | None:
        """The events of these tasks that no segment has yet."""
        rows = await self.connection.fetch(
            ARCHIVE["events"],
            [row["task_id"] for row in chosen],
            [row["written"] for row in chosen],
            [row["through"] for row in chosen],
        )
        messages = [Delivered(**dict(row)) for row in rows]
        return await asyncio.to_thread(segment_of, messages) if messages else None

    async def _register(
        self, chosen: Sequence[Any], number: int, key: str, segment: Segment | None
    ) -> None:
        task_ids = [row["task_id"] for row in chosen]
        through = [row["through"] for row in chosen]
        if segment is not None:
            numbers = (segment.first, segment.last, segment.tasks, segment.events)
            size = len(segment.content)
            await self.connection.execute(ARCHIVE["add_segment"], number, key, *numbers, size)
            new = [row for row in chosen if row["through"] > row["written"]]
            await self.connection.execute(
                ARCHIVE["add_contents"],
                number,
                [row["task_id"] for row in new],
                [row["through"] for row in new],
            )
        sequences = [row["sequence"] for row in chosen]
        await self.connection.execute(_KEEP_TASKS, task_ids, sequences, through)
        await self.connection.execute(ARCHIVE["postpone_no_more"], task_ids)

    async def hold(self) -> Checkpoint:
        """Let nothing be projected until the transaction ends. Raises `store.Superseded`."""
        checkpoint = await hold_checkpoint(self.connection)
        if checkpoint.build < 0:
            raise store.Superseded
        return checkpoint


def _next_to_prune(met: Sequence[Any]) -> tuple[list[UUID], tuple[int, UUID]]:
    """Those of the tasks that were met whose rows are archived, and where to go on after them."""
    chosen: list[UUID] = []
    for row in met:
        if row["is_same"]:
            chosen.append(row["task_id"])
        if len(chosen) == PRUNED_AT_ONCE:
            return chosen, (row["through"], row["task_id"])
    if len(met) < LOOKED_AT_ONCE:
        return chosen, (0, _NO_TASK)
    return chosen, (met[-1]["through"], met[-1]["task_id"])


def _told_of(task_ids: Collection[str]) -> Callable[[Message], bool]:
    return lambda event: task_id_of(event.subject) in task_ids


def _cut(ready: Sequence[Any], position: int) -> tuple[list[Any], int]:
    """As many as a segment takes, and the sequence up to which nothing is left then."""
    chosen: list[Any] = []
    size = 0
    for row in ready:
        size += row["bytes"]
        if chosen and (len(chosen) == MOST_TASKS or size > MOST_BYTES):
            return chosen, 0 if chosen[-1]["met"] is None else chosen[-1]["met"]
        chosen.append(row)
    return chosen, position
