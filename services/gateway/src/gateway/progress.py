"""How far the projection is, as the task-store tells it after each of its transactions.

With it the task-store tells which tasks it put on hold, and which were looked into again.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

import orjson

from contracts.subjects import PROJECTED
from delivery.incoming import Incoming, listen
from gateway.bus import Bus


class Progress:
    """The last sequence that was told, and those who wait for a later one."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._listening = False
        self._sequence = 0
        self._waiting: list[tuple[int, int, asyncio.Future[bool]]] = []
        self._numbers = count()
        self.on_holds: Callable[[list[str]], None] = lambda task_ids: None
        bus.on_reconnect(self._forget)

    async def reaches(self, sequence: int, within_s: float) -> bool:
        """Whether ``sequence`` was told to be projected, or is so in time."""
        if sequence <= self._sequence:
            return True
        await self.listen()
        loop = asyncio.get_running_loop()
        reached: asyncio.Future[bool] = loop.create_future()
        waiting = sequence, next(self._numbers), reached
        heapq.heappush(self._waiting, waiting)
        patience = loop.call_later(within_s, _give_up, reached)
        told = False
        try:
            told = await reached
        finally:
            patience.cancel()
            if not told and waiting in self._waiting:
                self._waiting.remove(waiting)
                heapq.heapify(self._waiting)
        return told

    async def listen(self) -> None:
        """Hear of it from now on. Raises `delivery.publisher.LogUnreachable`."""
        if not self._listening:
            client = self._bus.any_link.client
            self._listening = True
            await listen(client, PROJECTED, self._on_projected)

    def _on_projected(self, message: Incoming) -> None:
        told = orjson.loads(message.data)
        self._sequence = told["sequence"]
        if holds := told.get("holds"):
            self.on_holds(holds)
        while self._waiting and self._waiting[0][0] <= self._sequence:
            _, _, reached = heapq.heappop(self._waiting)
            if not reached.done():
                reached.set_result(True)

    async def _forget(self) -> None:
        """The log behind a new connection may be another one, with sequences of its own."""
        self._sequence = 0


def _give_up(reached: asyncio.Future[bool]) -> None:
    if not reached.done():
        reached.set_result(False)
