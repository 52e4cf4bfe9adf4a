"""One projection and its writer: a batch of the log is folded, then written in one transaction.

It remembers what it has folded, as of the last batch. The live projector drives one, a rebuild or a
verification another beside it.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import asyncpg

from contracts.lifecycle import BackingOff, Pending, Running, Task, Waiting
from contracts.messages import Message
from delivery.log import StreamState
from task_store import metrics, store
from task_store.projection import (
    Changes,
    CountKey,
    Fold,
    Known,
    Lane,
    LaneKey,
    Pace,
    Read,
    read,
    unknown,
)
from task_store.sql import STATEMENTS
from task_store.store import Batch, Checkpoint, EventKey
from telemetry.logs import get_logger

_log = get_logger(__name__)

BATCH = 2000
IDLE_S = 1.0
_REMEMBERED_TASKS = 20_000
_SLICE = 50
"""Events folded between two looks at what else is to be done."""
_EVERYTHING = 2**63 - 1
UNSTORABLE = (
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)
"""What a value raises that no row or index can hold, here or in the database."""
_LIVE = (Pending, Waiting, Running, BackingOff)


class Halted(Exception):
    """Going on would skip or mix up events; an operator must look. The message says why."""


@dataclass(slots=True)
class Memory:
    """What the writer remembers of a projection: live tasks, lines, and what is parked.

    Of the tasks, ``archived`` have a row in the archive alone. It is as of the last batch that was
    folded. If writing that fails, all of it is void.
    """

    raw_until: int
    counts: dict[CountKey, int]
    lanes: dict[LaneKey, Lane]
    parked: dict[str, int]
    dropped: frozenset[EventKey]
    tasks: dict[str, Task] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    recalled: list[str] = field(default_factory=list)
    """Tasks whose rows were read for the next batch."""

    def known(self) -> Known:
        return Known(self.tasks, self.counts, self.lanes, self.parked, self.archived)

    def remember(self, changes: Changes) -> None:
        self.archived -= changes.thawed
        for task_id, task in changes.tasks.items():
            if type(task.state) in _LIVE:
                self.tasks[task_id] = task
            else:
                self.tasks.pop(task_id, None)
        # One that has ended may be pruned at any time; whatever is told of it then brings it back.
        for task_id in self.recalled:
            if task_id in self.tasks and type(self.tasks[task_id].state) not in _LIVE:
                del self.tasks[task_id]
        self.recalled.clear()
        while len(self.tasks) > _REMEMBERED_TASKS:
            self.tasks.pop(next(iter(self.tasks)))
        for key, waiting in changes.counts.items():
            if waiting > 0:
                self.counts[key] = waiting
            else:
                self.counts.pop(key, None)
        self.lanes.update(changes.lanes)
        for task_id in changes.erased:
            self.parked.pop(task_id, None)
        self.parked.update(changes.newly_parked)


@dataclass(frozen=True, slots=True)
class Folded:
    """A batch that is ready to be written; it follows on what ``memory`` held before.

    Instead of a ``batch`` there is what was raised where a value fits into no row.
    """

    messages: Sequence[Message]
    changes: Changes
    batch: Batch | Exception
    memory: Memory


class Projection:
    """One projection and its writer. A batch is folded, then written; one may be folded ahead.

    ``raw`` is the schema of its raw copy; what is there already is not written again. One that does
    not ``stay`` changes nothing in the archive.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        *,
        keep_raw: bool = True,
        raw: str = store.RAW_SCHEMA,
        stays: bool = True,
    ) -> None:
        self.connection = connection
        self.checkpoint: Checkpoint
        self._keep_raw = keep_raw
        self._raw = raw
        self._stays = stays
        self._memory: Memory
        self._is_careful = False
        """A batch that could not be written is being written anew; memory is without it."""
        self.holds: set[str] = set()
        """Tasks that were put on hold, or looked into again, until somebody is told of them."""

    async def load(self) -> None:
        """Forget everything and read it from the database."""
        self.checkpoint = await store.load_checkpoint(self.connection)
        last_raw = await store.prepare(self.connection, self._raw)
        raw_until = last_raw if self._keep_raw else _EVERYTHING
        lines = await store.load_lines(self.connection)
        dropped = await store.load_dropped(self.connection)
        self._memory = Memory(raw_until, *lines, dropped)
        metrics.PARKED_NOW.set(len(self._memory.parked))

    async def adopt(self, state: StreamState) -> None:
        """Check that the log is the one that this projection is of.

        Raises `Halted` when the stream was recreated, or ends before the checkpoint.
        """
        checkpoint = self.checkpoint
        if checkpoint.stream_created is None:
            await self.connection.execute(STATEMENTS["adopt_stream"], state.created)
            self.checkpoint = replace(checkpoint, stream_created=state.created)
        elif checkpoint.stream_created != state.created:
            raise Halted(
                f"stream {checkpoint.stream} was recreated at {state.created.isoformat()}; the "
                f"projection is of the one of {checkpoint.stream_created.isoformat()}"
            )
        if checkpoint.sequence > state.last_sequence:
            raise Halted(
                f"the checkpoint is at {checkpoint.sequence}, but the log ends at "
                f"{state.last_sequence}: the log lost events"
            )
        missing = max(0, state.first_sequence - checkpoint.sequence - 1)
        if not checkpoint.sequence:
            # What has seen nothing misses nothing: a log that was restored begins far behind 1.
            missing = 0
        metrics.LOST_EVENTS.set(missing)
        if missing:
            _log.error("events left the log unapplied", missing=missing)

    async def apply(self, messages: Sequence[Message]) -> Changes:
        """Apply what follows the checkpoint. Raises `store.Superseded`."""
        return await self.write(await self.fold(messages))

    async def fold(self, messages: Sequence[Message]) -> Folded:
        """Fold what follows the last batch folded. Nothing may be being written meanwhile."""
        await self._recall(messages, sure=False)
        return await self._fold(messages)

    async def fold_ahead(self, messages: Sequence[Message]) -> Folded | None:
        """The same while the batch before is being written; None where that has to end first."""
        if self._is_careful or unknown(messages, self._memory.tasks, sure=False):
            return None
        return await self._fold(messages)

    def still_follows(self, folded: Folded) -> bool:
        """Whether what was folded ahead stands on what was then written."""
        return folded.memory is self._memory

    async def write(self, folded: Folded) -> Changes:
        """Write what was folded; what was really changed. Raises `store.Superseded`."""
        try:
            return await self._write(folded)
        except (*UNSTORABLE, asyncpg.UniqueViolationError, store.NotNew):
            self._is_careful = True
            try:
                return await self._apply_with_care(folded.messages)
            finally:
                self._is_careful = False

    async def _apply_with_care(self, messages: Sequence[Message]) -> Changes:
        """Apply a batch that could not be written.

        Either a task that begins in it is not new: this time all rows are read before. Or it has
        poison that shows only when it is written: it is found by halving, and parked.
        """
        await self.begin_again()
        await self._recall(messages, sure=True)
        folded = await self._fold(messages)
        try:
            return await self._write(folded)
        except UNSTORABLE as error:
            if len(messages) > 1:
                middle = len(messages) // 2
                first = await self._apply_with_care(messages[:middle])
                second = await self._apply_with_care(messages[middle:])
                first.applied += second.applied
                first.late += second.late
                first.parked += second.parked
                return first
            reason = f"unstorable: {type(error).__name__}"
        await self.begin_again()
        await self._recall(messages, sure=True)
        poison = await self._fold(
            messages, lambda message: read(message)._replace(event=None, reason=reason)
        )
        return await self._write(poison)

    async def begin_again(self) -> None:
        """What is remembered is void, as after a failed write; the position must be as it was.

        Raises `store.Superseded`.
        """
        believed = self.checkpoint
        await self.load()
        if self.checkpoint != believed:
            raise store.Superseded

    async def _recall(self, messages: Sequence[Message], *, sure: bool) -> None:
        memory = self._memory
        missing = unknown(messages, memory.tasks, sure=sure)
        if not missing:
            return
        found = await store.load_tasks(self.connection, missing)
        memory.tasks.update(found)
        memory.recalled += found
        missing -= found.keys()
        if missing:
            going_on = unknown(messages, memory.tasks, sure=False)
            archived = await store.load_archived(self.connection, going_on, missing - going_on)
            memory.tasks.update(archived)
            memory.recalled += archived
            memory.archived.update(archived)

    async def _fold(
        self, messages: Sequence[Message], reading: Callable[[Message], Read] = read
    ) -> Folded:
        memory = self._memory
        fold = Fold(memory.known())
        for start in range(0, len(messages), _SLICE):
            for message in messages[start : start + _SLICE]:
                if memory.dropped and store.key_of(message) in memory.dropped:
                    fold.pass_over(message)
                else:
                    fold.take(reading(message))
            # The database has answered meanwhile, and must not wait for the next statement.
            await asyncio.sleep(0)
        changes = fold.changes()
        batch: Batch | Exception
        try:
            recalled = memory.recalled if self._stays else ()
            batch = store.batch_of(messages[-1], changes, memory.tasks, memory.raw_until, recalled)
        except UNSTORABLE as error:
            batch = error
        memory.remember(changes)
        return Folded(messages, changes, batch, memory)

    async def _write(self, folded: Folded) -> Changes:
        batch = folded.batch
        if isinstance(batch, Exception):
            raise batch
        await store.write(
            self.connection, self.checkpoint, batch, self._raw, with_archive=self._stays
        )
        self.checkpoint = replace(self.checkpoint, sequence=batch.sequence, logtime=batch.logtime)
        self.holds.update(folded.changes.newly_parked)
        return folded.changes


class Batches(Protocol):
    """The log, as `OrderedLog` hands it out."""

    @property
    def pending(self) -> int: ...
    async def batch(self, most: int, *, wait_s: float) -> Sequence[Message]: ...


async def folded_ahead(
    projection: Projection, messages: Batches
) -> AsyncGenerator[Folded | None, None]:
    """Batches of the log. While there is more, each is folded while the one before it is written.

    Where there is no more, the next batch is all that comes until that is written, and a while
    after: two events of a task in one transaction are readable sooner than in two.

    None says that nothing came. What is yielded must be written before the next is asked for.
    """
    pace = Pace()
    written = asyncio.Event()
    written.set()

    async def take(pause_s: float) -> tuple[Sequence[Message], Folded | None]:
        if messages.pending == 0:
            await asyncio.gather(written.wait(), asyncio.sleep(pause_s))
        batch = await messages.batch(BATCH, wait_s=IDLE_S)
        return batch, await projection.fold_ahead(batch) if batch else None

    ahead = asyncio.create_task(take(0))
    try:
        while True:
            batch, folded = await ahead
            if batch and (folded is None or not projection.still_follows(folded)):
                folded = await projection.fold(batch)
            written.clear()
            ahead = asyncio.create_task(take(pace.pause_s(len(batch), time.monotonic())))
            yield folded
            written.set()
    finally:
        ahead.cancel()
