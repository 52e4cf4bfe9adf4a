"""What one connection has yet to be sent: bounded, and the end of it."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from gateway.following import Message
from gateway.metrics import STREAM_MESSAGES

MOST_MESSAGES = 512
MOST_BYTES = 256 * 1024
PATIENCE_S = 2.0
"""How long a client may take to read why its connection ends."""
_ROOM_MESSAGES = MOST_MESSAGES // 4
_ROOM_BYTES = MOST_BYTES // 4


class Ending(Enum):
    """Why a connection is over."""

    DONE = "done"
    """Nothing more can happen."""
    STOPPING = "stopping"
    """The gateway goes down; another one goes on."""
    SLOW_READER = "slow_reader"
    """More was to be sent than is kept for a connection."""
    GONE = "gone"
    """The client is."""


class Outbox:
    """Filled by many, emptied by the one that writes to the connection."""

    __slots__ = ("_abort", "_aborting", "_bytes", "_messages", "_room", "_told", "ending", "ping")

    def __init__(self) -> None:
        self._abort: Callable[[], None] | None = None
        self._aborting: asyncio.TimerHandle | None = None
        self._messages: collections.deque[Message] = collections.deque()
        self._bytes = 0
        self._told: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self.ending: Ending | None = None
        self.ping = False

    def put(self, message: Message) -> None:
        """What happens now. Who is too far behind loses the connection, and can resume."""
        if self.ending is not None:
            return
        if len(self._messages) >= MOST_MESSAGES or self._bytes >= MOST_BYTES:
            self._messages.clear()
            self._bytes = 0
            self.end(Ending.SLOW_READER)
            return
        self._add(message)

    async def offer(self, message: Message) -> None:
        """What can wait: only as fast as it is taken."""
        while self.ending is None and (
            len(self._messages) >= _ROOM_MESSAGES or self._bytes >= _ROOM_BYTES
        ):
            if self._room is None:
                self._room = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._room)
        if self.ending is None:
            self._add(message)

    async def take(self) -> list[Message]:
        """Everything there is; empty when there is a ping to send, or all is over."""
        if not self._messages and self.ending is None and not self.ping:
            self._told = asyncio.get_running_loop().create_future()
            try:
                await self._told
            finally:
                self._told = None
        messages = list(self._messages)
        self._messages.clear()
        self._bytes = 0
        self._wake_room()
        return messages

    def end(self, ending: Ending) -> None:
        """No more is taken in; the first reason counts."""
        if self.ending is not None:
            return
        self.ending = ending
        self._wake()
        self._wake_room()
        if self._abort is not None and ending in (Ending.SLOW_READER, Ending.STOPPING):
            loop = asyncio.get_running_loop()
            self._aborting = loop.call_later(PATIENCE_S, self._abort)

    @contextmanager
    def cut_by(self, abort: Callable[[], None] | None) -> Iterator[None]:
        """``abort`` ends a connection whose client takes not even the reason why."""
        self._abort = abort
        try:
            yield
        finally:
            self._abort = None
            if self._aborting is not None:
                self._aborting.cancel()

    def due(self) -> None:
        """A ping is due. Who has not taken the one before takes nothing: what is offered to it
        would wait for ever."""
        if self.ping:
            self.end(Ending.SLOW_READER)
        self.ping = True
        self._wake()

    def _add(self, message: Message) -> None:
        self._messages.append(message)
        self._bytes += len(message.body)
        STREAM_MESSAGES.inc()
        self._wake()

    def _wake(self) -> None:
        if self._told is not None and not self._told.done():
            self._told.set_result(None)

    def _wake_room(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.set_result(None)
