"""Finding a task: in the task-store, else in the log itself; and waiting until it moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pydantic import ValidationError

from contracts.events import decode
from contracts.lifecycle import Phase, Task, Unapplicable, Waiting, evolve
from contracts.records import Record, to_record
from delivery.log import LogUnavailable
from gateway.admission import is_task_id
from gateway.bus import Bus
from gateway.live import LiveEvent, Stopping, Watcher
from gateway.refusals import Refusal
from gateway.tasks import TaskStore

LOOK_AGAIN_S = 5.0
"""A watcher reads its task again this often, whatever the live events say."""

SETTLE_S = 0.5
"""How long an answer waits for the projection, so that the next read shows what it tells."""

_LOG_S = 0.7

Done = Callable[[Task], bool]


class Reader:
    """Reads of single tasks. What another owner's is, is not there.

    ``told`` is up to where a stream here has told of a task; what is read after that is no older.
    """

    def __init__(self, bus: Bus, tasks: TaskStore, told: Callable[[str], int]) -> None:
        self._bus = bus
        self._tasks = tasks
        self._told = told

    async def read(self, owner: str, task_id: str) -> Record:
        """The owner's task; while the task-store is away, as the log has it.

        Raises `Refusal` ``task_not_found``, or that nobody can tell.
        """
        try:
            record = await self.find(task_id)
        except Refusal as away:
            record = await self._logged(owner, task_id, away)
        return _owned(record, owner)

    async def find(self, task_id: str) -> Record | None:
        """Anybody's task, erased ones too. Before it says None, the log's leader was asked."""
        if not is_task_id(task_id):
            return None
        told = self._told(task_id)
        record, checkpoint = await self._tasks.get(task_id)
        if record is None:
            task = await self.from_log(task_id)
            record = None if task is None else to_record(task)
            if task is not None and not isinstance(task.state, Waiting):
                # Else the next read may find the first of its events projected, and no more.
                await self.settled(task)
        elif checkpoint < told:
            if await self._tasks.passes(task_id, told, SETTLE_S):
                record, _ = await self._tasks.get(task_id)
            else:
                record = await self._newer_record(task_id, record)
        return record

    async def read_watched(self, owner: str, task_id: str, watcher: Watcher) -> Record:
        """The owner's task with every event before those that ``watcher`` will be told.

        The projection may lag behind the moment at which the watch began; then the log is read.
        """
        try:
            record, checkpoint = await self._tasks.get(task_id)
        except Refusal as away:
            return _owned(await self._logged(owner, task_id, away), owner)
        if record is None or watcher.since is None or checkpoint < watcher.since:
            record = await self._newer_record(task_id, record)
        return _owned(record, owner)

    async def from_log(self, task_id: str) -> Task | None:
        """The task as its events in the log tell it, as far as they can be understood."""
        task: Task | None = None
        for message in await self._bus.link.log.history(task_id):
            try:
                task = evolve(task, decode(message.payload), message.sequence, message.logtime)
            except (ValidationError, Unapplicable):
                break
        return task

    async def wait(self, watcher: Watcher, task: Task, done: Done, within_s: float) -> Task:
        """The task as soon as it is ``done``, or as it is when time is up.

        ``task`` is as `read_watched` has it, or as its beginning was published while the watcher
        watched: nothing lies between it and what the watcher is told.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not done(task):
            left_s = deadline - loop.time()
            if left_s <= 0:
                break
            notice = await watcher.next(min(left_s, LOOK_AGAIN_S))
            if isinstance(notice, LiveEvent):
                task = _applied(task, notice)
            elif isinstance(notice, Stopping):
                break
            elif notice is not None or left_s > LOOK_AGAIN_S:
                task = await self._newer(task, within_s=left_s)
        return task

    async def settled(self, task: Task) -> None:
        """Wait, for a moment, until the next read of anybody shows what is about to be told."""
        await self._tasks.passes(task.task_id, task.sequence, SETTLE_S)

    async def _logged(self, owner: str, task_id: str, away: Refusal) -> Record:
        """The owner's task in the log alone. What that has not may be older: raises ``away``."""
        try:
            async with asyncio.timeout(_LOG_S):
                logged = await self.from_log(task_id)
        except TimeoutError:
            # Who asked has waited for the task-store already.
            raise away from None
        if logged is None or logged.owner != owner:
            raise away
        return to_record(logged)

    async def _newer_record(self, task_id: str, record: Record | None) -> Record | None:
        """The task as the log has it, unless that is no newer."""
        logged = await self.from_log(task_id)
        if logged is not None and (record is None or logged.sequence > record["sequence"]):
            return to_record(logged)
        return record

    async def _newer(self, task: Task, within_s: float) -> Task:
        """The task as the log has it: live events that were missed are in no projection yet."""
        try:
            async with asyncio.timeout(within_s):
                logged = await self.from_log(task.task_id)
        except (LogUnavailable, TimeoutError):
            return task
        return task if logged is None or logged.sequence <= task.sequence else logged


def _applied(task: Task, told: LiveEvent) -> Task:
    """The task with what was told; what can't be read here is no news, as in `from_log`."""
    if told.sequence <= task.sequence:
        return task
    try:
        return evolve(task, told.event, told.sequence, told.logtime) or task
    except (ValidationError, Unapplicable):
        return task


def _owned(record: Record | None, owner: str) -> Record:
    if record is None or record["owner"] != owner or record["phase"] == Phase.ERASED:
        raise task_not_found()
    return record


def task_not_found() -> Refusal:
    """The same words for what never was, what is erased, and what is someone else's."""
    return Refusal("task_not_found", "There is no such task.")
