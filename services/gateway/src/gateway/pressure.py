"""Whether there is room for another task: in the line of its type, and in the log."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from delivery.log import LogUnavailable
from delivery.publisher import LogUnreachable
from gateway.bus import Bus
from gateway.problems import log_full
from gateway.refusals import Refusal
from gateway.tasks import TaskStore

REFRESH_S = 1.0
FILL_S = 2.0
FULL_AT = 0.9
RETRY_AFTER_S = 10
_FRESH_S = 0.05


class Place:
    """Room that a submit holds until its event is in the log, or isn't going to be."""

    __slots__ = ("sequence",)

    def __init__(self) -> None:
        self.sequence: int | None = None

    def taken(self, sequence: int) -> None:
        self.sequence = sequence


class Pressure:
    """Waiting tasks of a type = those projected + own ones that the projection hasn't reached."""

    def __init__(self, bus: Bus, tasks: TaskStore, limit: int) -> None:
        self._bus = bus
        self._tasks = tasks
        self._limit = limit
        self._projected: dict[str, int] = {}
        self._checkpoint = 0
        self._accepted: dict[str, deque[int]] = {}
        self._under_way: Counter[str] = Counter()
        self._counted_at = 0.0
        self.is_full = False

    async def run(self) -> None:
        """Keep the counts fresh until cancelled."""
        await self._bus.connected.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_counts())
            group.create_task(self._keep_fill())

    async def admit(self, type_name: str) -> None:
        """Raises `Refusal` ``log_full`` or ``queue_full``."""
        if self.is_full:
            raise log_full()
        if self.waiting(type_name) < self._limit:
            return
        await self.refresh()
        if self.waiting(type_name) >= self._limit:
            raise Refusal(
                "queue_full",
                f"{self._limit} tasks of type {type_name} are waiting already. Try again later.",
                retry_after_s=RETRY_AFTER_S,
            )

    @contextmanager
    def place(self, type_name: str) -> Iterator[Place]:
        """Counts a submit while it is under way, and after that if it was taken."""
        place = Place()
        self._under_way[type_name] += 1
        try:
            yield place
        finally:
            self._under_way[type_name] -= 1
            if place.sequence is not None and place.sequence > self._checkpoint:
                self._accepted.setdefault(type_name, deque()).append(place.sequence)

    def waiting(self, type_name: str) -> int:
        own = self._accepted.get(type_name)
        projected = self._projected.get(type_name, 0)
        return projected + (len(own) if own else 0) + self._under_way[type_name]

    async def refresh(self) -> None:
        """Count again, unless that has just been done; what can't be asked stays as it was."""
        now = asyncio.get_running_loop().time()
        if now - self._counted_at < _FRESH_S:
            return
        self._counted_at = now
        try:
            lines = await self._tasks.lines()
        except Refusal:
            return
        self._projected = dict(lines["waiting"])
        self._checkpoint = checkpoint = lines["sequence"]
        for own in self._accepted.values():
            while own and own[0] <= checkpoint:
                own.popleft()

    async def _keep_counts(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_S)

    async def _keep_fill(self) -> None:
        while True:
            try:
                state = await self._bus.link.log.state()
                self.is_full = 0 < state.max_bytes * FULL_AT <= state.bytes
            except (LogUnavailable, LogUnreachable):
                # Unknown is not full; publishing finds out.
                self.is_full = False
            await asyncio.sleep(FILL_S)
