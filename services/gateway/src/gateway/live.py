"""Events as they happen: one core subscription of the process, told apart by task.

Core NATS may lose: a jump in the log's sequence, and every reconnect, tells all watchers to read
their task again. The subscription is there while somebody watches, and a little longer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from pydantic import ValidationError

from contracts.events import Event, decode
from contracts.subjects import LIVE_EVENTS, task_id_of
from delivery.log import parse_time
from gateway.bus import Bus
from gateway.metrics import LIVE_GAPS, WAITS

LINGER_S = 10.0
_FLUSH_S = 1
_MOST_UNREAD = 256


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event that the log stored at ``sequence``."""

    event: Event
    sequence: int
    logtime: datetime


class ReadAgain:
    """Events may have been missed."""


class Stopping:
    """The gateway is going down; answer with what is known."""


READ_AGAIN: Final = ReadAgain()
STOPPING: Final = Stopping()
Notice = LiveEvent | ReadAgain | Stopping


class Watcher:
    """What happens to one task from now on."""

    def __init__(self) -> None:
        self.since: int | None = None
        """The last sequence that was told before the watch began; None where it isn't known."""
        self._notices: asyncio.Queue[Notice] = asyncio.Queue()

    async def next(self) -> Notice:
        return await self._notices.get()

    def tell(self, notice: Notice) -> None:
        if self._notices.qsize() >= _MOST_UNREAD:
            while not self._notices.empty():
                self._notices.get_nowait()
            notice = READ_AGAIN
        self._notices.put_nowait(notice)


class Live:
    """Hands each stored event to those who watch its task."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._watchers: dict[str, set[Watcher]] = {}
        self._subscription: Subscription | None = None
        self._subscribing = asyncio.Lock()
        self._leaving: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sequence: int | None = None
        self._stopping = False
        bus.on_reconnect(self._on_reconnect)

    @asynccontextmanager
    async def watch(self, task_id: str) -> AsyncIterator[Watcher]:
        """Every event of the task that is stored from now on reaches the watcher."""
        watcher = Watcher()
        self._watchers.setdefault(task_id, set()).add(watcher)
        WAITS.inc()
        try:
            if self._stopping:
                watcher.tell(STOPPING)
            await self._subscribe()
            watcher.since = self._sequence
            yield watcher
        finally:
            WAITS.dec()
            others = self._watchers[task_id]
            others.discard(watcher)
            if not others:
                del self._watchers[task_id]
            if not self._watchers:
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
            subscription = await client.subscribe(LIVE_EVENTS, cb=self._on_message)
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
            task = asyncio.create_task(_unsubscribe(subscription))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _on_message(self, message: Msg) -> None:
        headers = message.headers or {}
        sequence = int(headers.get("Nats-Sequence", 0))
        if self._sequence is not None and sequence > self._sequence + 1:
            LIVE_GAPS.inc()
            self._tell_all(READ_AGAIN)
        self._sequence = sequence
        watchers = self._watchers.get(task_id_of(message.subject))
        if not watchers:
            return
        try:
            stamp = headers.get("Nats-Time-Stamp")
            logtime = datetime.now(UTC) if stamp is None else parse_time(stamp)
            told = LiveEvent(decode(message.data), sequence, logtime)
        except ValidationError:
            return
        for watcher in watchers:
            watcher.tell(told)

    async def _on_reconnect(self) -> None:
        self._sequence = None
        self._tell_all(READ_AGAIN)

    def _tell_all(self, notice: Notice) -> None:
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.tell(notice)


async def _unsubscribe(subscription: Subscription) -> None:
    try:
        await subscription.unsubscribe()
    except NatsError:
        return
