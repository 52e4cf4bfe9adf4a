"""The projector: the log in, rows out, in stream order, one transaction a batch.

One is active at a time, by a session lock on the connection that writes. The position lives in
Postgres and moves in the same statement as the rows, so a crash anywhere repeats nothing and
skips nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    nullcontext,
    suppress,
)
from datetime import datetime

import asyncpg
import orjson
from nats.aio.client import Client
from pydantic import ValidationError

from contracts.events import decode
from contracts.messages import Message
from contracts.subjects import PROJECTED
from delivery.log import LogReader
from delivery.ordered import Interrupted, OrderedLog
from delivery.publisher import event_ids
from delivery.requests import Requests
from task_store import metrics, store
from task_store.projection import Changes
from task_store.spans import tell_projected
from task_store.writer import Folded, Halted, Projection, folded_ahead
from telemetry.logs import get_logger

_log = get_logger(__name__)

_FINISHED = "generation.finished."
_LOCK_PAUSE_S = 0.5
_TROUBLE_PAUSE_S = 0.5
_HALTED_PAUSE_S = 2.0
_HOLDS_AT_ONCE = 500


class NotProjecting(Exception):
    """This process doesn't write the projection, or no longer; nothing is known to be done."""


Work = Callable[[Projection], Awaitable[None]]


class Projector:
    """Keeps the live projection at the end of the log, for as long as it holds the lock.

    ``while_active`` is entered when it has it, and left when it has not.
    """

    def __init__(self, client: Client, requests: Requests, database_url: str) -> None:
        self._client = client
        self._requests = requests
        self._log_reader = LogReader(requests)
        self._database_url = database_url
        self._moved = asyncio.Condition()
        self._is_active = False
        """Whether this process holds the lock; it knows its position a moment later."""
        self._work: deque[tuple[Work, asyncio.Future[None]]] = deque()
        self.while_active: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
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
            if self._client.is_reconnecting:
                # Others may hear the broker: the lock is theirs.
                await asyncio.sleep(_TROUBLE_PAUSE_S)
                continue
            try:
                async with self._active() as connection:
                    await self._project(connection)
            except Halted as problem:
                if self.halted != str(problem):
                    _log.error("projector halted", reason=str(problem))
                self.halted = str(problem)
                metrics.HALTED.set(1)
                metrics.RESTARTS.labels("halted").inc()
                await asyncio.sleep(_HALTED_PAUSE_S)
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
            try:
                await store.check_schema(connection)
            except store.SchemaTooNew as problem:
                raise Halted(str(problem)) from None
            began = time.monotonic()
            while not await store.try_lock(connection):
                self.turned_at = time.monotonic()
                if self.turned_at - began > 2 * _HALTED_PAUSE_S:
                    # Who halts leaves the lock at once: this one projects.
                    self._go_on()
                await asyncio.sleep(_LOCK_PAUSE_S)
            self._is_active = True
            metrics.ACTIVE.set(1)
            _log.info("projecting")
            async with self.while_active():
                yield connection
        finally:
            self._is_active = False
            metrics.ACTIVE.set(0)
            self.sequence = None
            while self._work:
                _fail(self._work.popleft()[1], NotProjecting())
            # A connection that is broken can't say goodbye.
            connection.terminate()

    async def _project(self, connection: asyncpg.Connection) -> None:
        projection = Projection(connection)
        while True:
            await projection.load()
            await projection.adopt(await self._log_reader.state())
            self._go_on()
            self.stream_created = projection.checkpoint.stream_created
            await self._advance_to(projection)
            try:
                await self._follow(projection)
            except (Interrupted, store.Superseded) as problem:
                reason = getattr(problem, "reason", "superseded")
                metrics.RESTARTS.labels(reason).inc()
                _log.warning("reading the log begins again", reason=reason)
                await asyncio.sleep(_TROUBLE_PAUSE_S)

    def _go_on(self) -> None:
        self.halted = None
        metrics.HALTED.set(0)

    async def _follow(self, projection: Projection) -> None:
        start = projection.checkpoint.sequence + 1
        async with (
            OrderedLog(self._client, self._requests, start=start, name="projector") as messages,
            aclosing(folded_ahead(projection, messages)) as batches,
        ):
            async for folded in batches:
                await self._take(projection, messages, folded)
                await self._do_work(projection)

    async def between_batches(self, work: Work) -> None:
        """Have ``work`` done by the writer, while nothing else is being written.

        Raises what it raises, or `NotProjecting`.
        """
        if not self._is_active:
            raise NotProjecting
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work.append((work, done))
        await done

    async def _do_work(self, projection: Projection) -> None:
        while self._work:
            work, done = self._work.popleft()
            try:
                await work(projection)
            except Exception as problem:  # noqa: BLE001 - whoever asked for it is told
                _fail(done, problem)
            except asyncio.CancelledError:
                _fail(done, NotProjecting())
                raise
            else:
                if not done.done():
                    done.set_result(None)
            # The rows may have changed: what was folded ahead is void.
            await projection.begin_again()
            await self._advance_to(projection)

    async def _take(
        self, projection: Projection, messages: OrderedLog, folded: Folded | None
    ) -> None:
        self.turned_at = time.monotonic()
        self.pending = messages.pending
        metrics.LAG_EVENTS.set(messages.pending)
        if folded is None:
            if not messages.pending:
                # What the last batch was behind by says nothing of a log that is quiet since.
                metrics.LAG_SECONDS.set(0)
            await self._check_lock(projection.connection)
            return
        began_ns = time.time_ns()
        with metrics.BATCH_SECONDS.time():
            changes = await projection.write(folded)
        tell_projected(folded.messages, began_ns, time.time_ns())
        self._count(folded.messages, changes)
        await self._advance_to(projection)

    async def _check_lock(self, connection: asyncpg.Connection) -> None:
        """A session that is gone has lost the lock; find out while it is quiet, too."""
        await connection.fetchval("SELECT 1")

    def _count(self, messages: Sequence[Message], changes: Changes) -> None:
        metrics.BATCH_EVENTS.observe(len(messages))
        metrics.APPLIED.inc(changes.applied)
        metrics.LATE.inc(changes.late)
        _tell_ends(messages)
        for each in changes.parked:
            metrics.PARKED.labels(each.reason.partition(":")[0]).inc()
            _log.error(
                "event parked",
                task_id=each.task_id,
                event_id=each.message.event_id,
                sequence=each.message.sequence,
                reason=each.reason,
            )
        metrics.LAG_SECONDS.set(max(0.0, time.time() - messages[-1].logtime.timestamp()))

    async def _advance_to(self, projection: Projection) -> None:
        sequence = projection.checkpoint.sequence
        async with self._moved:
            self.sequence = sequence
            self._moved.notify_all()
        metrics.SEQUENCE.set(sequence)
        if not self._client.is_connected:
            return
        if not projection.holds:
            await self._client.publish(PROJECTED, b'{"sequence":%d}' % sequence)
            return
        holds = sorted(projection.holds)
        projection.holds.clear()
        for start in range(0, len(holds), _HOLDS_AT_ONCE):
            told = {"sequence": sequence, "holds": holds[start : start + _HOLDS_AT_ONCE]}
            await self._client.publish(PROJECTED, orjson.dumps(told))


def _tell_ends(messages: Sequence[Message]) -> None:
    """The last hop of a task, in the log; what can't be read is told as parked."""
    for message in messages:
        if message.subject.startswith(_FINISHED):
            with suppress(ValidationError):
                event = decode(message.payload)
                ids = event_ids(event)
                _log.info("projected", **ids, type=event.type, sequence=message.sequence)


def _fail(done: asyncio.Future[None], problem: Exception) -> None:
    if not done.done():
        done.set_exception(problem)
