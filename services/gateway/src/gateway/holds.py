"""Tells followers that a task was put on hold, and that it goes on.

An event that can't be applied changes nothing, so no stream would tell of it: the task would only
stand still. The task-store says whose it is, and again when it was retried or dropped.
"""

from __future__ import annotations

import asyncio

from contracts.lifecycle import Phase
from contracts.records import Record
from gateway.admission import is_task_id
from gateway.bus import Bus
from gateway.feed import Feed
from gateway.following import View, notice_of
from gateway.refusals import Refusal
from gateway.tasks import TaskStore

_CATCH_UP_S = 2.0
_MOST_READS = 3
"""Reads of a task that are all older than what was told of it: then it is left out."""


class Holds:
    """A notice may be lost, as every core message: whoever asks or joins sees it all the same."""

    def __init__(self, bus: Bus, tasks: TaskStore, feed: Feed, view: View) -> None:
        self._bus = bus
        self._tasks = tasks
        self._feed = feed
        self._view = view
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Tell until cancelled."""
        self._tasks.progress.on_holds = self._hear
        await self._bus.connected.wait()
        await self._tasks.progress.listen()
        while True:
            await self._tell(await self._heard.get())

    def _hear(self, task_ids: list[str]) -> None:
        # A stray event may be put aside under any word of its subject: nobody follows that.
        for task_id in filter(is_task_id, task_ids):
            # What was folded up to here may be another state now: the next event reads it again.
            self._feed.known.forget(task_id)
            if self._feed.followers.owners:
                self._heard.put_nowait(task_id)

    async def _tell(self, task_id: str) -> None:
        for _ in range(_MOST_READS):
            # What happened before the notice, and was passed over as long as it was on hold.
            told = max(self._feed.sequence, self._feed.known.told(task_id))
            await self._tasks.projects(told, _CATCH_UP_S)
            try:
                record, _ = await self._tasks.get(task_id)
            except Refusal:
                return
            if record is None or record["phase"] == Phase.ERASED:
                return
            if record["sequence"] >= self._feed.known.told(task_id):
                self._tell_followers(record)
                return
            # Its followers know better: the events since then were told to them.

    def _tell_followers(self, record: Record) -> None:
        task_id = record["task_id"]
        followers = list(self._feed.followers.of(record["owner"], task_id))
        if followers:
            message = notice_of(record, self._view)
            for follow in followers:
                if follow.concerns(task_id, record["type"]):
                    follow.tell(message)
