"""Connections that follow tasks: how many there may be, and how a follower gets to the present.

A follower registers with the feed first and reads then: what the read shows is told, and of what
was held back meanwhile, only what came after it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from contracts.lifecycle import Phase, Task
from contracts.records import from_record, to_record
from delivery.log import StreamState
from gateway.admission import is_task_id
from gateway.bus import Bus
from gateway.feed import TROUBLE, Feed
from gateway.followers import Follow
from gateway.following import (
    Cursor,
    Fact,
    Message,
    changes,
    message_of,
    reset_message,
    snapshot_message,
)
from gateway.histories import Histories, raw_fact
from gateway.metrics import STREAM_RESETS, STREAMS, STREAMS_ENDED
from gateway.outbox import Ending, Outbox
from gateway.places import Places
from gateway.reading import SETTLE_S, task_not_found
from gateway.refusals import Refusal
from gateway.tasks import TaskStore
from gateway.views import Views

RETRY_AFTER_S = 5
_NEAR = 400
"""A follower this many events behind the log reads on before what happens now is held for it."""
_AGAIN_S = 0.5
_BESIDE = ("queue_position", "eta_seconds", "parked_since")
"""What the task-store knows of a task that its events don't tell."""
_MOST_FINDING = 32
"""Tasks looked up at once for those who follow them: each reads its history from the log."""
_MOST_ASKING = 16
"""Followers that ask the task-store at once: who comes and goes in crowds must not keep others
from being answered, and has often gone before its turn."""


@dataclass(frozen=True, slots=True)
class Found:
    """A task as a new follower meets it: its facts, and what they amount to."""

    facts: list[Fact]
    task: Task

    @property
    def has_ended(self) -> bool:
        return self.task.status.is_terminal


class Streams:
    """Everything that the endpoints of live updates share."""

    def __init__(
        self,
        *,
        bus: Bus,
        tasks: TaskStore,
        histories: Histories,
        feed: Feed,
        places: Places,
        views: Views,
        limit: int,
    ) -> None:
        self._bus = bus
        self._tasks = tasks
        self._histories = histories
        self._places = places
        self.views = views
        self._view = views.told
        self._limit = limit
        self._open: set[Outbox] = set()
        self._stopping = False
        self._finding = asyncio.Semaphore(_MOST_FINDING)
        self._asking = asyncio.Semaphore(_MOST_ASKING)
        self.feed = feed

    @contextmanager
    def connection(self, kind: str) -> Iterator[Outbox]:
        """The outbox of a new connection, while it lasts. Raises `Refusal`."""
        if self._stopping:
            raise Refusal(
                "shutting_down",
                "This gateway is going down. Connect again: another one answers.",
                retry_after_s=1,
            )
        if len(self._open) >= self._limit:
            raise Refusal(
                "too_many_streams",
                f"{self._limit} connections follow tasks here already. Poll meanwhile, or connect "
                "again later.",
                retry_after_s=RETRY_AFTER_S,
            )
        outbox = Outbox()
        self._open.add(outbox)
        gauge = STREAMS.labels(kind)
        gauge.inc()
        try:
            yield outbox
        finally:
            outbox.end(Ending.GONE)
            assert outbox.ending is not None
            STREAMS_ENDED.labels(outbox.ending.value).inc()
            gauge.dec()
            self._open.discard(outbox)

    def stop(self) -> None:
        """End all connections, so that the clients go elsewhere."""
        self._stopping = True
        for outbox in list(self._open):
            outbox.end(Ending.STOPPING)

    async def find(self, owner: str, task_id: str) -> Found:
        """The owner's task. Raises `Refusal` ``task_not_found``, or that nobody can tell."""
        if not is_task_id(task_id):
            raise task_not_found()
        async with self._finding:
            facts = await self._histories.of(owner, task_id)
        task = next(reversed(list(changes(facts, 0))), None)
        if task is None or task.owner != owner or task.phase is Phase.ERASED:
            raise task_not_found()
        return Found(facts, task)

    async def is_at_end(self, found: Found, after: int | None) -> bool:
        """Whether the task has ended, and who has this cursor was told how."""
        if after is None or not found.has_ended or after < found.task.sequence:
            return False
        # A cursor that is ahead of the log is of another one.
        return after <= (await self._bus.link.log.state()).last_sequence

    async def join(self, follow: Follow, after: int | None, *, reset: bool = False) -> None:
        """Bring a follower to the present, however long that takes, and leave it there.

        Raises `Refusal` when its task is gone.
        """
        while follow.outbox.ending is None:
            try:
                await self._join(follow, after, reset=reset)
            except TROUBLE as problem:
                self.feed.remove(follow)
                if isinstance(problem, Refusal) and problem.status < 500:
                    raise
                await asyncio.sleep(_AGAIN_S)
                if follow.cursor:
                    after, reset = follow.cursor, False
            else:
                return

    async def _join(self, follow: Follow, after: int | None, *, reset: bool) -> None:
        follow.begin()
        await self.feed.add(follow)
        released = self.feed.known.released
        log = await self._bus.link.log.state()
        if after is not None and not log.first_sequence <= after + 1 <= log.last_sequence + 1:
            # It is of another log, or the log has forgotten what came next.
            reset = True
        if reset:
            STREAM_RESETS.inc()
            follow.cursor = 0
            after = None
            await follow.outbox.offer(reset_message())
        if follow.task_id is not None:
            await self._join_task(follow, follow.task_id, after, released)
        else:
            await self._join_owner(follow, after, log)

    async def _join_task(
        self, follow: Follow, task_id: str, after: int | None, released: int
    ) -> None:
        while True:
            found = await self.find(follow.owner, task_id)
            self.feed.adopt(found.task, released)
            self.feed.known.note(task_id, found.task.sequence)
            if after is None:
                await follow.outbox.offer(await self._shown(found.task, follow))
            else:
                follow.waits_for_places = True
                for task in changes(found.facts, after):
                    follow.cursor = task.sequence
                    await follow.outbox.offer(message_of(task, self._view))
            cursor = follow.cursor = after = max(found.task.sequence, after or 0)
            await self._tell_cursor(follow, cursor)
            if not follow.missed:
                break
            # More happened meanwhile than is held back: read again what there is now.
            follow.begin()
        self._arrived(follow, cursor)
        if found.has_ended:
            follow.end()

    async def _shown(self, task: Task, follow: Follow) -> Message:
        """The task as it is now, with its place where the projection knows it."""
        record = to_record(task)
        projected = None
        with contextlib.suppress(Refusal):
            projected, checkpoint = await self._tasks.get(task.task_id)
            if checkpoint < task.sequence and not task.status.is_terminal:
                await self._tasks.passes(task.task_id, task.sequence, SETTLE_S)
                projected, _ = await self._tasks.get(task.task_id)
        if projected is not None and projected["sequence"] == task.sequence:
            record |= {name: projected[name] for name in _BESIDE if name in projected}
            self._places.know(projected)
        else:
            follow.waits_for_places = True
        return snapshot_message(record, self._view)

    async def _join_owner(self, follow: Follow, after: int | None, log: StreamState) -> None:
        if after is None:
            cursor, is_whole = await self._snapshot(follow, log)
            if is_whole:
                await self._tell_cursor(follow, cursor)
            if not follow.missed:
                self._arrived(follow, cursor)
                return
        else:
            cursor = after
            follow.waits_for_places = True
        while follow.outbox.ending is None:
            follow.cursor = cursor
            if log.last_sequence - cursor > _NEAR or follow.missed:
                # So much happened that it can't be held back for it: read on alone.
                self.feed.remove(follow)
                cursor = await self._read_on(follow, cursor, None)
                follow.begin()
                await self.feed.add(follow)
                log = await self._bus.link.log.state()
            elif cursor < log.last_sequence:
                cursor = await self._read_on(follow, cursor, log)
            else:
                await self._tell_cursor(follow, cursor)
                if not follow.missed:
                    self._arrived(follow, cursor)
                    return

    async def _snapshot(self, follow: Follow, log: StreamState) -> tuple[int, bool]:
        """Tell everything unfinished; as of which sequence, and whether nothing was missed."""
        page = None
        while True:
            async with self._asking:
                records, page, checkpoint = await self._tasks.snapshot(
                    follow.owner, follow.type_name, log, page
                )
            for record in records:
                self._places.know(record)
                # Broken off here, all that is still to come happened later.
                follow.cursor = record["sequence"]
                self.feed.known.note(record["task_id"], record["sequence"])
                await follow.outbox.offer(snapshot_message(record, self._view))
            if page is None:
                return checkpoint, not follow.missed

    async def _read_on(self, follow: Follow, cursor: int, log: StreamState | None) -> int:
        """Tell a part of what happened after ``cursor``; up to where."""
        async with self._asking:
            told, bases, through = await self._tasks.changes(
                follow.owner, follow.type_name, cursor, log
            )
        facts = (raw_fact(each["task_id"], each) for each in told)
        for task in changes(facts, cursor, map(from_record, bases)):
            follow.cursor = task.sequence
            self.feed.known.note(task.task_id, task.sequence)
            await follow.outbox.offer(message_of(task, self._view))
        return max(cursor, through)

    async def _tell_cursor(self, follow: Follow, cursor: int) -> None:
        await follow.outbox.offer(Cursor(cursor))

    def _arrived(self, follow: Follow, cursor: int) -> None:
        follow.go_live(cursor)
        self._places.welcome(follow)
