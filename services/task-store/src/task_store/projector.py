"""The projector: the log in, rows out, in stream order, one transaction a batch.

One is active at a time, by a session lock on the connection that writes. The position lives in
Postgres and moves in the same statement as the rows, so a crash anywhere repeats nothing and
skips nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import asyncpg
from nats.aio.client import Client

from contracts.lifecycle import Phase, Task
from contracts.subjects import PROJECTED
from delivery.log import LogReader, StreamState
from delivery.ordered import Interrupted, OrderedLog
from delivery.requests import Requests
from task_store import metrics, store
from task_store.projection import (
    Changes,
    CountKey,
    Known,
    Lane,
    LaneKey,
    Message,
    Read,
    concerned,
    project,
    read,
)
from task_store.sql import STATEMENTS
from task_store.store import Checkpoint
from telemetry.logs import get_logger

_log = get_logger(__name__)

BATCH = 1000
_REMEMBERED_TASKS = 20_000
_LOCK_PAUSE_S = 0.5
_TROUBLE_PAUSE_S = 0.5
_IDLE_S = 1.0
_GATHER_S = 0.002
"""For each event of the batch before."""
_LONGEST_GATHER_S = 0.05
_SLICE = 50
"""Events decoded between two looks at what else is to be done."""
_UNSTORABLE = (
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
    OverflowError,
    TypeError,
    ValueError,
)
"""What a value raises that no row or index can hold, here or in the database."""
_LIVE = (Phase.PENDING, Phase.WAITING, Phase.RUNNING, Phase.BACKING_OFF)


class Halted(Exception):
    """Going on would skip or mix up events; an operator must look. The message says why."""


class Projection:
    """One projection and what its writer remembers of it between batches."""

    def __init__(self, connection: asyncpg.Connection, *, keep_raw: bool = True) -> None:
        self.connection = connection
        self.checkpoint: Checkpoint
        self._keep_raw = keep_raw
        self._tasks: dict[str, Task] = {}
        self._counts: dict[CountKey, int] = {}
        self._lanes: dict[LaneKey, Lane] = {}
        self._parked: dict[str, int] = {}
        self._raw_until = 0

    async def load(self) -> None:
        """Forget everything and read it from the database."""
        self.checkpoint = await store.load_checkpoint(self.connection)
        self._tasks.clear()
        self._raw_until = await store.prepare(self.connection)
        self._counts, self._lanes, self._parked = await store.load_lines(self.connection)
        metrics.PARKED_NOW.set(len(self._parked))

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
        metrics.LOST_EVENTS.set(missing)
        if missing and checkpoint.sequence:
            _log.error("events left the log unapplied", missing=missing)

    async def apply(self, reads: list[Read]) -> Changes:
        """Apply what follows the checkpoint. Raises `store.Superseded`."""
        await self._recall(reads)
        try:
            return await self._apply(reads)
        except _UNSTORABLE as error:
            if len(reads) > 1:
                # One of them is poison that shows only when it is written: find it, alone.
                middle = len(reads) // 2
                first = await self.apply(reads[:middle])
                second = await self.apply(reads[middle:])
                first.applied += second.applied
                first.late += second.late
                return first
            poison = replace(reads[0], event=None, reason=f"unstorable: {type(error).__name__}")
            return await self._apply([poison])

    async def _recall(self, reads: list[Read]) -> None:
        unknown = concerned(reads) - self._tasks.keys()
        if unknown:
            self._tasks.update(await store.load_tasks(self.connection, unknown))

    async def _apply(self, reads: list[Read]) -> Changes:
        changes = project(reads, Known(self._tasks, self._counts, self._lanes, self._parked))
        last = reads[-1].message
        await store.apply_batch(
            self.connection,
            self.checkpoint,
            sequence=last.sequence,
            logtime=last.logtime,
            raw=[(each.message, each.task_id) for each in reads if self._keeps(each, changes)],
            changes=changes,
        )
        self._remember(changes, last)
        return changes

    def _keeps(self, each: Read, changes: Changes) -> bool:
        """What comes late to an erased task is not kept either."""
        if not self._keep_raw or each.message.sequence <= self._raw_until:
            return False
        task = changes.tasks.get(each.task_id) or self._tasks.get(each.task_id)
        erased = task is not None and task.phase is Phase.ERASED
        return not erased or (each.event is not None and each.event.type == "generation.erased")

    def _remember(self, changes: Changes, last: Message) -> None:
        self.checkpoint = replace(self.checkpoint, sequence=last.sequence, logtime=last.logtime)
        for task_id, task in changes.tasks.items():
            if task.phase in _LIVE:
                self._tasks[task_id] = task
            else:
                self._tasks.pop(task_id, None)
        while len(self._tasks) > _REMEMBERED_TASKS:
            self._tasks.pop(next(iter(self._tasks)))
        for key, waiting in changes.counts.items():
            if waiting > 0:
                self._counts[key] = waiting
            else:
                self._counts.pop(key, None)
        self._lanes.update(changes.lanes)
        self._parked.update(changes.newly_parked)
        for task_id in changes.erased:
            self._parked.pop(task_id, None)


class Projector:
    """Keeps the live projection at the end of the log, for as long as it holds the lock."""

    def __init__(self, client: Client, requests: Requests, database_url: str) -> None:
        self._client = client
        self._requests = requests
        self._log_reader = LogReader(requests)
        self._database_url = database_url
        self._moved = asyncio.Condition()
        self.sequence: int | None = None
        """The checkpoint while this process is the active projector, else None."""
        self.stream_created: datetime | None = None
        """When the log was created that ``sequence`` is of."""
        self.halted: str | None = None
        self.pending = 0
        self.turned_at = time.monotonic()
        """When the loop last went round (monotonic seconds)."""

    async def run(self) -> None:
        """Project until cancelled; every fault is met by beginning again from the checkpoint."""
        while True:
            try:
                async with self._active() as connection:
                    await self._project(connection)
            except Halted as problem:
                if self.halted != str(problem):
                    _log.error("projector halted", reason=str(problem))
                self.halted = str(problem)
                metrics.HALTED.set(1)
                metrics.RESTARTS.labels("halted").inc()
                await asyncio.sleep(_TROUBLE_PAUSE_S * 4)
            except Exception as problem:  # noqa: BLE001 - asyncpg and nats-py raise dozens
                # Whatever it was, the checkpoint is in Postgres: nothing is lost by going back.
                metrics.RESTARTS.labels(type(problem).__name__).inc()
                _log.warning("projector begins again", reason=repr(problem))
                await asyncio.sleep(_TROUBLE_PAUSE_S)

    async def passed(self, sequence: int, created: datetime | None, timeout_s: float) -> bool:
        """Wait until this process has projected ``sequence`` of the log that was ``created`` then.

        False if it is not active in time, or projects another log; None is any log.
        """
        try:
            async with asyncio.timeout(timeout_s), self._moved:
                await self._moved.wait_for(
                    lambda: (
                        self.sequence is not None
                        and self.sequence >= sequence
                        and created in (None, self.stream_created)
                    )
                )
        except TimeoutError:
            return False
        return True

    @asynccontextmanager
    async def _active(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection that holds the lock; waits for it in turn with the other processes."""
        connection = await store.open_connection(self._database_url)
        try:
            await store.check_schema(connection)
            while not await store.try_lock(connection):
                self.turned_at = time.monotonic()
                await asyncio.sleep(_LOCK_PAUSE_S)
            metrics.ACTIVE.set(1)
            _log.info("projecting")
            yield connection
        finally:
            metrics.ACTIVE.set(0)
            self.sequence = None
            # A connection that is broken can't say goodbye.
            connection.terminate()

    async def _project(self, connection: asyncpg.Connection) -> None:
        projection = Projection(connection)
        while True:
            await projection.load()
            await projection.adopt(await self._log_reader.state())
            self.halted = None
            metrics.HALTED.set(0)
            self.stream_created = projection.checkpoint.stream_created
            await self._advance_to(projection.checkpoint.sequence)
            try:
                await self._follow(projection)
            except (Interrupted, store.Superseded) as problem:
                reason = getattr(problem, "reason", "superseded")
                metrics.RESTARTS.labels(reason).inc()
                _log.warning("reading the log begins again", reason=reason)
                await asyncio.sleep(_TROUBLE_PAUSE_S)

    async def _follow(self, projection: Projection) -> None:
        start = projection.checkpoint.sequence + 1
        async with (
            OrderedLog(self._client, self._requests, start=start, name="projector") as messages,
            aclosing(decoded_ahead(messages)) as batches,
        ):
            async for reads in batches:
                await self._take(projection, messages, reads)

    async def _take(self, projection: Projection, messages: OrderedLog, reads: list[Read]) -> None:
        self.turned_at = time.monotonic()
        self.pending = messages.pending
        metrics.LAG_EVENTS.set(messages.pending)
        if not reads:
            await self._check_lock(projection.connection)
            return
        with metrics.BATCH_SECONDS.time():
            changes = await projection.apply(reads)
        self._count(reads, changes)
        await self._advance_to(projection.checkpoint.sequence)

    async def _check_lock(self, connection: asyncpg.Connection) -> None:
        """A session that is gone has lost the lock; find out while it is quiet, too."""
        await connection.fetchval("SELECT 1")

    def _count(self, reads: list[Read], changes: Changes) -> None:
        metrics.BATCH_EVENTS.observe(len(reads))
        metrics.APPLIED.inc(changes.applied)
        metrics.LATE.inc(changes.late)
        for each in changes.parked:
            metrics.PARKED.labels(each.reason.partition(":")[0]).inc()
            _log.error(
                "event parked",
                task_id=each.task_id,
                event_id=each.message.event_id,
                sequence=each.message.sequence,
                reason=each.reason,
            )
        metrics.LAG_SECONDS.set(max(0.0, time.time() - reads[-1].message.logtime.timestamp()))

    async def _advance_to(self, sequence: int) -> None:
        async with self._moved:
            self.sequence = sequence
            self._moved.notify_all()
        metrics.SEQUENCE.set(sequence)
        if self._client.is_connected:
            await self._client.publish(PROJECTED, b'{"sequence":%d}' % sequence)


class Batches(Protocol):
    """The log, as `OrderedLog` hands it out."""

    async def batch(self, most: int, *, wait_s: float) -> Sequence[Message]: ...


async def decoded_ahead(messages: Batches) -> AsyncGenerator[list[Read], None]:
    """Batches of the log, each gathered and decoded while the one before it is being written.

    A transaction costs as much as fifty events in it. So the more the last batch held, the longer
    the next one gathers; when little happens, it is written at once.
    """

    async def take(before: int) -> list[Read]:
        await asyncio.sleep(min(before * _GATHER_S, _LONGEST_GATHER_S))
        reads = []
        for message in await messages.batch(BATCH, wait_s=_IDLE_S):
            reads.append(read(message))
            if len(reads) % _SLICE == 0:
                # The database has answered meanwhile, and must not wait for the next statement.
                await asyncio.sleep(0)
        return reads

    ahead = asyncio.create_task(take(0))
    try:
        while True:
            reads = await ahead
            ahead = asyncio.create_task(take(len(reads)))
            yield reads
    finally:
        ahead.cancel()
