"""Every event of the log, in order and none twice, to those who follow its task or its owner.

The live subscription may lose messages; the log does not. So the feed counts: what is missing
between two sequences is read from the log before anything later is told. Of each followed task it
keeps the state, shared by all who follow it.
"""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from nats.errors import Error as NatsError
from pydantic import ValidationError

from contracts.events import Event
from contracts.lifecycle import Task, Waiting
from contracts.subjects import task_id_of
from delivery.log import LogUnavailable, StreamState
from delivery.publisher import LogUnreachable
from gateway.bus import Bus
from gateway.followers import Follow, Followers
from gateway.following import (
    Fact,
    State,
    View,
    advanced,
    fact,
    folded,
    is_beginning,
    message_of,
)
from gateway.histories import Histories
from gateway.known import Known
from gateway.live import Live, LiveEvent
from gateway.metrics import LIVE_GAPS
from gateway.refusals import Refusal
from telemetry.logs import get_logger

_log = get_logger(__name__)

LINGER_S = 10.0
LOOK_S = 5.0
"""How often the log is asked whether it has more than was heard."""
_LATE_S = 1.0
_AGAIN_S = 0.2
_BATCH = 64
_MOST_PENDING = 1024
TROUBLE = (LogUnavailable, LogUnreachable, NatsError, Refusal)
"""What keeps the feed from going on for a while; the next try may find it over."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The log has to be read up to here before anything later is told."""

    until: int


class Feed:
    """Tells followers. It runs while there are some, and a little longer."""

    def __init__(self, bus: Bus, live: Live, histories: Histories, view: View) -> None:
        self._bus = bus
        self._live = live
        self._histories = histories
        self._view = view
        self.followers = Followers()
        self.known = Known()
        self._pending: collections.deque[LiveEvent | Missing] = collections.deque()
        self._starting = asyncio.Lock()
        self._running = False
        self._leaving: asyncio.TimerHandle | None = None
        self._working: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._heard: int | None = None
        self._created: datetime | None = None
        self.sequence = 0
        """Everything up to here was told."""
        self.on_line_moved: Callable[[], None] = lambda: None
        """Somebody, whoever it belongs to, left or entered a line."""
        self.on_change: Callable[[Task], None] = lambda task: None
        """A followed task changed."""
        self.on_left: Callable[[Follow], None] = lambda follow: None
        """The last follower of this one's task, or of this one's owner, left."""
        self.on_another_log: Callable[[], None] = lambda: None
        """What was known of tasks is void: all followers begin anew."""
        bus.on_reconnect(self._on_reconnect)

    def adopt(self, task: Task, released: int) -> None:
        """Keep a state that a follower has read, after it was added, with ``released`` as then.

        What happened since then to a task that isn't known here, the feed has not come to yet: so
        the state counts only if the feed has passed it, and let nothing go in between.
        """
        is_known = task.task_id in self.known or task.status.is_terminal
        if not is_known and released == self.known.released and task.sequence <= self.sequence:
            self.known.keep(task.task_id, task, len(task.request.prompt or ""))

    async def add(self, follow: Follow) -> None:
        """Tell ``follow`` of everything that is stored from now on. Raises `LogUnavailable`…"""
        self.followers.add(follow)
        follow.told = self.known.all_told
        try:
            await self._start()
        except BaseException:
            self.remove(follow)
            raise

    def remove(self, follow: Follow) -> None:
        if follow not in self.followers:
            return
        if self.followers.remove(follow):
            self.on_left(follow)
        if not self.followers.owners and self._leaving is None:
            self._leaving = asyncio.get_running_loop().call_later(LINGER_S, self._stop)

    async def _start(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        if self._running:
            return
        async with self._starting:
            if self._running:
                return
            await self._live.tap(self._hear)
            try:
                state = await self._bus.link.log.state()
            except BaseException:
                self._live.untap(self._hear)
                self._heard = None
                raise
            heard = self._heard
            self._begin_at(state)
            self._running = True
            self._looking = asyncio.create_task(self._look_again())
            if heard is not None and heard > state.last_sequence:
                self._miss(heard)

    def _begin_at(self, state: StreamState) -> None:
        self.sequence = self._heard = state.last_sequence
        self._created = state.created
        self._clear()

    def _stop(self) -> None:
        self._leaving = None
        if self.followers.owners:
            return
        self._live.untap(self._hear)
        self._running = False
        self._heard = None
        self._clear()
        for task in (self._working, self._looking):
            if task is not None:
                task.cancel()
        self._working = self._looking = None

    def _clear(self) -> None:
        self._pending.clear()
        self.known.clear()

    # What comes

    def _hear(self, told: LiveEvent) -> None:
        if not self._running:
            # Where the feed begins isn't known yet.
            self._heard = told.sequence
            return
        heard = self._heard or 0
        if told.sequence <= heard:
            return
        self._heard = told.sequence
        if told.sequence > heard + 1:
            self._miss(told.sequence)
        elif self._pending or not self._told_at_once(told):
            self._pending.append(told)
            if len(self._pending) > _MOST_PENDING:
                # The log keeps it as well.
                self._pending.clear()
                self._miss(told.sequence)
            self._work()

    def _miss(self, until: int) -> None:
        LIVE_GAPS.inc()
        self._heard = max(self._heard or 0, until)
        self._pending.append(Missing(until))
        self._work()

    def _told_at_once(self, told: LiveEvent) -> bool:
        """Whether nothing had to be read first."""
        task_id = task_id_of(told.subject)
        if not self.followers.may_follow(task_id):
            self._pass_over(task_id, told)
            return True
        one = self._fact_of(told)
        if one.task_id in self.known or is_beginning(one.event):
            self._tell(one, {})
            return True
        if not self._is_followed(one):
            self._pass_over(task_id, told)
            return True
        return False

    def _fact_of(self, told: LiveEvent) -> Fact:
        task_id = task_id_of(told.subject)
        try:
            event: Event | None = told.event
        except ValidationError:
            event = None
        if event is not None and event.subject != task_id:
            event = None
        return Fact(task_id, told.sequence, told.logtime, event)

    def _is_followed(self, one: Fact) -> bool:
        owner = None if one.event is None else one.event.owner
        return self.followers.follow(one.task_id, owner)

    def _pass_over(self, task_id: str, told: LiveEvent) -> None:
        """Nobody follows it: what was known of it is no longer its state."""
        self.known.forget(task_id)
        self.sequence = told.sequence
        if _moves_a_line(told.subject, told.payload):
            self.on_line_moved()

    def _tell(self, one: Fact, recalled: dict[str, State]) -> None:
        """Fold it, and tell its followers. Its task's state is known, or this is its beginning."""
        self.sequence = one.sequence
        before = self.known.state(one.task_id)
        if one.task_id in recalled:
            before = recalled[one.task_id]
        now = advanced(before, one)
        if one.task_id in recalled:
            # There may be more of it in the same batch, and what is kept may have to go.
            recalled[one.task_id] = now
        if _is_in_line(before) != _is_in_line(now):
            self.on_line_moved()
        if now is before:
            return
        if not self._is_followed(one):
            self.known.forget(one.task_id)
            return
        if not isinstance(now, Task):
            self.known.keep(one.task_id, now, 0)
            return
        message = message_of(now, self._view)
        if now.status.is_terminal:
            self.known.forget(one.task_id)
        else:
            self.known.keep(one.task_id, now, len(message.body))
        self.known.note(now.task_id, now.sequence)
        self.on_change(now)
        for follow in list(self.followers.of(now.owner, now.task_id)):
            if follow.concerns(now.task_id, now.type):
                follow.tell(message)

    async def _recall(self, facts: list[Fact]) -> dict[str, State]:
        """The states of tasks before their first fact, where they aren't known here."""
        firsts: dict[str, Fact] = {}
        for one in facts:
            if one.task_id not in self.known and self._is_followed(one):
                firsts.setdefault(one.task_id, one)
        recalled: dict[str, State] = dict.fromkeys(firsts)
        async with asyncio.TaskGroup() as group:
            reads = [
                (one.task_id, group.create_task(self._before(one)))
                for one in firsts.values()
                if not is_beginning(one.event)
            ]
        recalled.update((task_id, read.result()) for task_id, read in reads)
        return recalled

    async def _before(self, one: Fact) -> State:
        owner = one.event.owner if one.event is not None else self.followers.owner_of(one.task_id)
        return folded(await self._histories.of(owner, one.task_id), one.sequence)

    # What has to be read first

    def _work(self) -> None:
        if self._working is None:
            self._working = asyncio.create_task(self._work_off())

    async def _work_off(self) -> None:
        try:
            while self._pending:
                first = self._pending[0]
                try:
                    if isinstance(first, Missing):
                        await self._read_again(first.until)
                        if self._pending and self._pending[0] is first:
                            self._pending.popleft()
                    else:
                        await self._take_pending()
                except Exception as problem:  # noqa: BLE001 - whatever it was, nothing is skipped
                    _log.warning("following waits", reason=repr(problem), at=self.sequence)
                    await asyncio.sleep(_AGAIN_S)
        finally:
            self._working = None

    async def _take_pending(self) -> None:
        told: list[LiveEvent] = []
        for each in self._pending:
            if isinstance(each, Missing) or len(told) == _BATCH:
                break
            told.append(each)
        facts = [self._fact_of(each) for each in told]
        recalled = await self._recall(facts)
        for each, one in zip(told, facts, strict=True):
            if not self._pending or self._pending[0] is not each:
                # The feed began anew meanwhile.
                return
            self._pending.popleft()
            self._take(one, recalled)

    async def _read_again(self, until: int) -> None:
        """From the log itself, what the live subscription has lost."""
        if self.sequence >= until:
            return
        state = await self._bus.link.log.state()
        if state.created != self._created or state.first_sequence > self.sequence + 1:
            self._reset(state)
            return
        created = self._created
        async for messages in self._bus.link.log.between(self.sequence + 1, until):
            facts = [fact(m.subject, m.sequence, m.logtime, m.payload) for m in messages]
            recalled = await self._recall(facts)
            if created != self._created:
                return
            for one in facts:
                if one.sequence > self.sequence:
                    self._take(one, recalled)
        self.sequence = max(self.sequence, until)

    def _take(self, one: Fact, recalled: dict[str, State]) -> None:
        if one.task_id in self.known or self._is_followed(one):
            self._tell(one, recalled)
        else:
            self.sequence = one.sequence
            self.on_line_moved()

    async def _on_reconnect(self) -> None:
        if self._running:
            await self._look(0)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._look(_LATE_S)

    async def _look(self, patience_s: float) -> None:
        """See whether the log has more than was heard: a loss that nothing later has shown."""
        # What is heard while the log answers may not be in its answer.
        heard = self._heard
        try:
            state = await self._bus.link.log.state()
        except TROUBLE:
            return
        if heard is None or self._heard is None:
            return
        if state.created != self._created or state.last_sequence < heard:
            self._reset(state)
            return
        if state.last_sequence > self._heard:
            await asyncio.sleep(patience_s)
            if self._heard is not None and self._heard < state.last_sequence:
                self._miss(state.last_sequence)

    def _reset(self, state: StreamState) -> None:
        """The log is another one, or has forgotten what is missing: all have to begin anew."""
        _log.warning("followers begin anew", sequence=self.sequence, log=state.last_sequence)
        self._begin_at(state)
        self.on_another_log()
        for follow in list(self.followers):
            follow.begin()
            follow.on_reset()


def _is_in_line(state: State) -> bool:
    return isinstance(state, Task) and isinstance(state.state, Waiting)


def _moves_a_line(subject: str, payload: bytes) -> bool:
    """Whether a task entered or left a line; read from the outside, since nobody follows it."""
    kind = subject.split(".", 3)[2]
    return kind != "progress" or b'"generation.started"' in payload
