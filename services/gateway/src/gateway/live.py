"""Events as they happen: one core subscription of the process, told apart by task.

Core NATS may lose: a jump in the log's sequence, and every reconnect, tells all watchers to read
their task again. The subscription is there while somebody watches, and a little longer.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from contracts.events import Event, decode
from contracts.subjects import LIVE_EVENTS, task_id_of
from delivery.incoming import Incoming, leave, listen
from delivery.log import parse_time
from gateway.bus import Bus
from gateway.metrics import LIVE_GAPS, WAITS

LINGER_S = 10.0
_FLUSH_S = 1
_MOST_UNREAD = 256


class LiveEvent:
    """An event that the log stored at ``sequence``, read when somebody needs it."""

    __slots__ = ("_event", "_message", "sequence")

    def __init__(self, message: Incoming, sequence: int) -> None:
        self.sequence = sequence
        self._message = message
        self._event: Event | None = None

    @property
    def subject(self) -> str:
        return self._message.subject

    @property
    def payload(self) -> bytes:
        return self._message.data

    @property
    def event(self) -> Event:
        """Raises `pydantic.ValidationError`."""
        if self._event is None:
            self._event = decode(self._message.data)
        return self._event

    @property
    def logtime(self) -> datetime:
        stamp = self._message.last_header(b"Nats-Time-Stamp")
        return datetime.now(UTC) if stamp is None else parse_time(stamp)


class ReadAgain:
    """Events may have been missed."""


class Stopping:
    """The gateway is going down; answer with what is known."""


READ_AGAIN: Final = ReadAgain()
STOPPING: Final = Stopping()
Hear = Callable[["LiveEvent"], None]
Notice = LiveEvent | ReadAgain | Stopping


class Watcher:
    """What happens to one task from now on."""

    def __init__(self) -> None:
        self.since: int | None = None
        """The last sequence that was told before the watch began; None where it isn't known."""
        self._notices: collections.deque[Notice] = collections.deque()
        self._told: asyncio.Future[None] | None = None

    async def next(self, within_s: float) -> Notice | None:
        """The next notice; None when none comes in time. For one caller at a time."""
        if not self._notices:
            loop = asyncio.get_running_loop()
            self._told = loop.create_future()
            patience = loop.call_later(within_s, _wake, self._told)
            try:
                await self._told
            finally:
                patience.cancel()
                self._told = None
        return self._notices.popleft() if self._notices else None

    def tell(self, notice: Notice) -> None:
        if len(self._notices) >= _MOST_UNREAD:
            self._notices.clear()
            notice = READ_AGAIN
        self._notices.append(notice)
        if self._told is not None:
            _wake(self._told)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


class Watch:
    """A watch while it lasts: ``async with live.watch(task_id) as watcher``."""

    __slots__ = ("_live", "_task_id", "_watcher")

    def __init__(self, live: Live, task_id: str) -> None:
        self._live = live
        self._task_id = task_id
        self._watcher = Watcher()

    async def __aenter__(self) -> Watcher:
        try:
            await self._live.begin(self._task_id, self._watcher)
        except BaseException:
            self._live.end(self._task_id, self._watcher)
            raise
        return self._watcher

    async def __aexit__(self, *_: object) -> None:
        self._live.end(self._task_id, self._watcher)


class Live:
    """Hands each stored event to those who watch its task."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._watchers: dict[str, set[Watcher]] = {}
        self._taps: list[Hear] = []
        self._subscription: Subscription | None = None
        self._subscribing = asyncio.Lock()
        self._leaving: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sequence: int | None = None
        self._stopping = False
        bus.on_reconnect(self._on_reconnect)

    def watch(self, task_id: str) -> Watch:
        """Every event of the task that is stored from now on reaches the watcher."""
        return Watch(self, task_id)

    async def begin(self, task_id: str, watcher: Watcher) -> None:
        self._watchers.setdefault(task_id, set()).add(watcher)
        WAITS.inc()
        if self._stopping:
            watcher.tell(STOPPING)
        if self._subscription is None or self._leaving is not None:
            await self._subscribe()
        watcher.since = self._sequence

    def end(self, task_id: str, watcher: Watcher) -> None:
        WAITS.dec()
        others = self._watchers[task_id]
        others.discard(watcher)
        if not others:
            del self._watchers[task_id]
        if not self._watchers and not self._taps:
            self._leave_later()

    async def tap(self, hear: Hear) -> None:
        """Call ``hear`` with every event from now on, in the order of their arrival."""
        self._taps.append(hear)
        try:
            if self._subscription is None or self._leaving is not None:
                await self._subscribe()
        except BaseException:
            self.untap(hear)
            raise

    def untap(self, hear: Hear) -> None:
        self._taps.remove(hear)
        if not self._watchers and not self._taps:
            self._leave_later()

    def stop(self) -> None:
        """Tell all who wait to answer now."""
        self._stopping = True
        self._tell_all(STOPPING)

    async def _subscribe(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        async with self._subscribing:
            if self._subscription is not None:
                return
            client = self._bus.link.client
            self._sequence = None
            subscription = await listen(client, LIVE_EVENTS, self._on_message)
            # The server must know of it before whatever the caller does next.
            with contextlib.suppress(NatsError):
                # If the connection breaks here, the client subscribes again by itself.
                await client.flush(_FLUSH_S)
            self._subscription = subscription

    def _leave_later(self) -> None:
        if self._leaving is None:
            loop = asyncio.get_running_loop()
            self._leaving = loop.call_later(LINGER_S, self._leave)

    def _leave(self) -> None:
        self._leaving = None
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            task = asyncio.create_task(self._unsubscribe(subscription))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _on_message(self, message: Incoming) -> None:
        sequence = int(message.last_header(b"Nats-Sequence") or 0)
        if self._sequence is not None and sequence > self._sequence + 1:
            LIVE_GAPS.inc()
            self._tell_all(READ_AGAIN)
        self._sequence = sequence
        watchers = self._watchers.get(task_id_of(message.subject))
        if not watchers and not self._taps:
            return
        told = LiveEvent(message, sequence)
        for hear in self._taps:
            hear(told)
        for watcher in watchers or ():
            watcher.tell(told)

    async def _on_reconnect(self) -> None:
        self._sequence = None
        self._tell_all(READ_AGAIN)

    def _tell_all(self, notice: Notice) -> None:
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.tell(notice)

    async def _unsubscribe(self, subscription: Subscription) -> None:
        with contextlib.suppress(NatsError):
            await leave(subscription, self._bus.any_link.client)
