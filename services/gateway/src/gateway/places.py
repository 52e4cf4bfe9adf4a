"""Places in the lines, told as they move: one question for all followers, a few times a second.

Only these are coalesced. Told are places that changed, some of them the nearest to the front, some
those that have waited longest for it, and not too many at once. What a tick costs grows with the
places that changed, and with the followers, but not with both at once: all who follow an owner's
tasks are told the same.
"""

from __future__ import annotations

import asyncio
import collections
from typing import Any

from contracts.lifecycle import Task, Waiting
from contracts.records import Record
from gateway.feed import Feed
from gateway.followers import Follow
from gateway.following import Message, place_message
from gateway.line import Line, Place
from gateway.refusals import Refusal
from gateway.tasks import TaskStore

TICK_S = 0.25
MOST_A_TICK = 50
"""Places told to one follower at once; to one that knows none yet, as many more."""
_CATCH_UP_S = 0.25
_MOST_KNOWN = 20_000
_AGAIN_S = 1.0


class Places:
    """Asks the task-store while somebody who follows has tasks in line, and they may have moved."""

    def __init__(self, tasks: TaskStore, feed: Feed) -> None:
        self._tasks = tasks
        self._feed = feed
        self._lines: dict[str, Line] = {}
        self._known: collections.OrderedDict[str, str] = collections.OrderedDict()
        """Whose the tasks in the lines are, the one that moved last at the end."""
        self._onward: list[list[Any]] = []
        self._newcomers: dict[Follow, str] = {}
        """Who has to be told all places, and the task up to which it was."""
        self._nobody_waits = True
        """Nobody who follows has anything in line, as far as was seen."""
        self._has_moved = False
        """A line has, since the last question."""
        self._stirred = asyncio.Event()
        feed.on_line_moved = self._moved
        feed.on_change = self._changed
        feed.on_left = self._left
        feed.on_another_log = self._forget

    def welcome(self, follow: Follow) -> None:
        """Somebody new follows: there may be places to tell."""
        if follow.waits_for_places:
            follow.waits_for_places = False
            self._newcomers[follow] = ""
        self._stir()

    def know(self, record: Record) -> None:
        """A follower that joins is told a place together with its task."""
        task_id, owner, number = record["task_id"], record["owner"], record["queue_position"]
        follows = list(self._feed.followers.of(owner, task_id))
        if number and follows and task_id not in self._known:
            self._remember(task_id, owner, Place(record["type"], number, record["eta_seconds"]))
            if any(follow.held is None for follow in follows):
                # It is news to the others.
                self._lines[owner].tell(task_id)

    async def run(self) -> None:
        """Tell places until cancelled."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            if not self._feed.followers.owners:
                self._forget()
                continue
            try:
                is_current = await self._look()
            except Refusal:
                self._stirred.set()
                await asyncio.sleep(_AGAIN_S)
                continue
            is_all_told = self._tell()
            moved_meanwhile = self._has_moved and not self._nobody_waits
            if moved_meanwhile or not is_current or self._onward or not is_all_told:
                self._stirred.set()
            await asyncio.sleep(TICK_S)

    def _stir(self) -> None:
        self._nobody_waits = False
        self._stirred.set()

    def _moved(self) -> None:
        self._has_moved = True
        if not self._nobody_waits:
            self._stirred.set()

    def _changed(self, task: Task) -> None:
        if isinstance(task.state, Waiting):
            self._stir()
        else:
            self._drop(task.task_id)

    def _left(self, follow: Follow) -> None:
        """The last follower of a task or of an owner: nobody tells any more when tasks leave."""
        if follow.task_id is None:
            line = self._lines.pop(follow.owner, None)
            for task_id in () if line is None else line.places:
                del self._known[task_id]
        elif not self._feed.followers.of_owner(follow.owner):
            self._drop(follow.task_id)

    async def _look(self) -> bool:
        """Ask where tasks are; whether the answer has all that was told to followers."""
        at = self._feed.sequence
        self._has_moved = False
        await self._tasks.projects(at, _CATCH_UP_S)
        if not self._onward:
            # Found again below, where somebody does.
            self._nobody_waits = True
        places, self._onward, as_of = await self._tasks.places(
            self._feed.followers.owners, self._onward
        )
        for task_id, owner, type_name, number, eta_seconds in places:
            self._nobody_waits = False
            state = self._feed.known.state(task_id)
            if isinstance(state, Task) and not isinstance(state.state, Waiting):
                # It has left the line since.
                continue
            line = self._lines.get(owner)
            known = None if line is None else line.places.get(task_id)
            if known is None or known.number != number:
                self._put(task_id, owner, Place(type_name, number, eta_seconds))
        return as_of >= at

    def _put(self, task_id: str, owner: str, place: Place) -> None:
        """It is at another place than was told. Who follows it alone is told at once."""
        follows = list(self._feed.followers.of_task(owner, task_id))
        of_owner = self._feed.followers.of_owner(owner)
        if not follows and not of_owner:
            return
        self._remember(task_id, owner, place)
        if of_owner:
            self._lines[owner].tell(task_id)
        for follow in follows:
            _tell(follow, [place_message(task_id, place.number, place.eta_seconds)])
            self._newcomers.pop(follow, None)

    def _tell(self) -> bool:
        """To each its own; what is too much now, later. Whether nothing is left."""
        self._tell_newcomers()
        for owner, line in self._lines.items():
            if not line.has_untold:
                continue
            told: dict[str, list[Message]] = {}
            for task_id in line.take(MOST_A_TICK):
                place = line.places[task_id]
                message = place_message(task_id, place.number, place.eta_seconds)
                told.setdefault(place.type_name, []).append(message)
            all_of_them = [each for messages in told.values() for each in messages]
            for follow in self._feed.followers.of_owner(owner):
                messages = all_of_them
                if follow.type_name is not None:
                    messages = told.get(follow.type_name, [])
                _tell(follow, messages)
        return not self._newcomers and not any(line.has_untold for line in self._lines.values())

    def _tell_newcomers(self) -> None:
        for follow, after in list(self._newcomers.items()):
            if follow.held is not None:
                # It joins anew, and says so when it has.
                del self._newcomers[follow]
                follow.waits_for_places = True
                continue
            line = self._lines.get(follow.owner)
            if line is None or follow not in self._feed.followers:
                del self._newcomers[follow]
                continue
            if follow.task_id is not None:
                next_ones = [follow.task_id]
            else:
                next_ones = line.after(after, MOST_A_TICK)
            for task_id in next_ones:
                place = line.places.get(task_id)
                # Others hear of the untold as well, in their turn.
                is_untold = follow.task_id is None and line.is_untold(task_id)
                if place and not is_untold and follow.concerns(task_id, place.type_name):
                    follow.outbox.put(place_message(task_id, place.number, place.eta_seconds))
            if follow.task_id is not None or len(next_ones) < MOST_A_TICK:
                del self._newcomers[follow]
            else:
                self._newcomers[follow] = next_ones[-1]

    def _remember(self, task_id: str, owner: str, place: Place) -> None:
        self._lines.setdefault(owner, Line()).put(task_id, place)
        self._known[task_id] = owner
        self._known.move_to_end(task_id)
        while len(self._known) > _MOST_KNOWN:
            self._drop(next(iter(self._known)))

    def _drop(self, task_id: str) -> None:
        owner = self._known.pop(task_id, None)
        if owner is not None:
            line = self._lines[owner]
            line.leave(task_id)
            if not line.places:
                del self._lines[owner]

    def _forget(self) -> None:
        self._known.clear()
        self._lines.clear()
        self._newcomers.clear()
        self._onward = []
        self._nobody_waits = True


def _tell(follow: Follow, messages: list[Message]) -> None:
    if follow.held is not None:
        # It joins, and has perhaps read older ones: it is told all when it has.
        follow.waits_for_places = True
        return
    for message in messages:
        follow.outbox.put(message)
