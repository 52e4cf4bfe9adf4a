"""Places in the lines, told as they move: one question for all followers, a few times a second.

Only these are coalesced. Told are places that changed, those nearest the front first and not too
many at once; the rest of a long line follows in turn.
"""

from __future__ import annotations

import asyncio
import collections
from typing import Any

from contracts.lifecycle import Task, Waiting
from gateway.feed import Feed, Follow
from gateway.following import Message, nearest, place_message
from gateway.refusals import Refusal
from gateway.tasks import TaskStore

TICK_S = 0.25
MOST_A_TICK = 50
"""Places told to one follower at once."""
_CATCH_UP_S = 0.25
_MOST_KNOWN = 20_000
_AGAIN_S = 1.0


class Places:
    """Asks the task-store while somebody who follows has tasks in line, and they may have moved."""

    def __init__(self, tasks: TaskStore, feed: Feed) -> None:
        self._tasks = tasks
        self._feed = feed
        self._known: collections.OrderedDict[str, int] = collections.OrderedDict()
        self._messages: dict[str, Message] = {}
        self._onward: list[list[Any]] = []
        self._unplaced: set[Follow] = set()
        self._nobody_waits = True
        """Nobody who follows has anything in line, as far as was seen."""
        self._has_moved = False
        """A line has, since the last question."""
        self._stirred = asyncio.Event()
        feed.on_line_moved = self._moved
        feed.on_change = self._changed

    def stir(self) -> None:
        """There may be places to tell: somebody new follows, or a followed task is in line."""
        self._nobody_waits = False
        self._stirred.set()

    def know(self, task_id: str, place: int | None) -> None:
        """A follower was told a place together with its task."""
        if place and task_id not in self._known:
            self._remember(task_id, place)

    async def run(self) -> None:
        """Tell places until cancelled."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            if not self._feed.owners:
                self._forget()
                continue
            try:
                is_current = await self._look()
            except Refusal:
                self._stirred.set()
                await asyncio.sleep(_AGAIN_S)
                continue
            self._tell()
            moved_meanwhile = self._has_moved and not self._nobody_waits
            if moved_meanwhile or not is_current or self._onward or self._unplaced:
                self._stirred.set()
            await asyncio.sleep(TICK_S)

    def _moved(self) -> None:
        self._has_moved = True
        if not self._nobody_waits:
            self._stirred.set()

    def _changed(self, task: Task) -> None:
        if isinstance(task.state, Waiting):
            self.stir()
        else:
            self._known.pop(task.task_id, None)
            self._messages.pop(task.task_id, None)

    async def _look(self) -> bool:
        """Ask where tasks are; whether the answer has all that was told to followers."""
        at = self._feed.sequence
        self._has_moved = False
        await self._tasks.projects(at, _CATCH_UP_S)
        if not self._onward:
            # Found again below, where somebody does.
            self._nobody_waits = True
        places, self._onward, as_of = await self._tasks.places(self._feed.owners, self._onward)
        for task_id, owner, type_name, place, eta_seconds in places:
            self._nobody_waits = False
            state = self._feed.state(task_id)
            if isinstance(state, Task) and not isinstance(state.state, Waiting):
                # It has left the line since.
                continue
            has_moved = self._known.get(task_id) != place
            for follow in self._feed.followers(owner, task_id):
                if (has_moved or follow.waits_for_places) and follow.concerns(task_id, type_name):
                    self._messages[task_id] = place_message(task_id, place, eta_seconds)
                    follow.unplaced = follow.unplaced or set()
                    follow.unplaced.add(task_id)
                    self._unplaced.add(follow)
            if has_moved:
                self._remember(task_id, place)
        for follow in self._feed.follows():
            if follow.held is None:
                follow.waits_for_places = False
        return as_of >= at

    def _tell(self) -> None:
        """To each its own, the nearest first; what is too much now, later."""
        for follow in list(self._unplaced):
            if follow.held is not None:
                # Its task may not have been told yet.
                continue
            unplaced = follow.unplaced or set()
            for task_id in nearest(self._known, unplaced, MOST_A_TICK):
                unplaced.discard(task_id)
                message = self._messages.get(task_id)
                if message is not None:
                    follow.outbox.put(message)
            # The others have left the line.
            unplaced &= self._known.keys()
            if not unplaced or follow.outbox.ending is not None:
                follow.unplaced = None
                self._unplaced.discard(follow)

    def _remember(self, task_id: str, place: int) -> None:
        self._known[task_id] = place
        self._known.move_to_end(task_id)
        while len(self._known) > _MOST_KNOWN:
            forgotten, _ = self._known.popitem(last=False)
            self._messages.pop(forgotten, None)

    def _forget(self) -> None:
        self._known.clear()
        self._messages.clear()
        self._unplaced.clear()
        self._onward = []
        self._nobody_waits = True
