"""Whether there is room for another task: in the line of its type, and in the log."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from delivery.log import LogUnavailable
from delivery.publisher import LogUnreachable
from gateway.admission import band_for
from gateway.bus import Bus
from gateway.problems import log_full
from gateway.refusals import Refusal
from gateway.tasks import TaskStore

REFRESH_S = 1.0
FILL_S = 2.0
FULL_AT = 0.9
RETRY_AFTER_S = 10
_FRESH_S = 0.05
_NOTHING = (0, 0)


class Place:
    """Room that a submit holds until its event is in the log, or isn't going to be."""

    __slots__ = ("band", "sequence")

    def __init__(self, band: int) -> None:
        self.band = band
        self.sequence: int | None = None

    def taken(self, sequence: int) -> None:
        self.sequence = sequence


Line = tuple[str, str, str]
"""Type, owner, provider: what one owner has waiting at one provider."""


class Pressure:
    """Waiting tasks of a type = those projected + own ones that the projection hasn't reached.

    The same of each owner's. ``share`` tasks of an owner wait in front; ``owner_limit`` is how many
    may wait at all, None for any number.
    """

    def __init__(
        self,
        bus: Bus,
        tasks: TaskStore,
        limit: int,
        *,
        share: int,
        owner_limit: int | None = None,
    ) -> None:
        self._bus = bus
        self._tasks = tasks
        self._limit = limit
        self._share = share
        self._owner_limit = owner_limit
        # Who has fewer waiting is not worth telling: it may be taken for none.
        self._least = max(1, min(share, share if owner_limit is None else owner_limit) // 4)
        self._projected: dict[str, int] = {}
        self._shares: dict[Line, tuple[int, int]] = {}
        """How many tasks wait, and how far back; of those that have many only."""
        self._checkpoint = 0
        self._accepted: dict[str, deque[int]] = {}
        self._owned: dict[Line, deque[tuple[int, int]]] = {}
        """Sequences and bands of own ones that the projection hasn't reached."""
        self._under_way: Counter[str | Line] = Counter()
        self._counted_at = 0.0
        self.is_full = False

    async def run(self) -> None:
        """Keep the counts fresh until cancelled."""
        await self._bus.connected.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_counts())
            group.create_task(self._keep_fill())

    async def admit(self, type_name: str, owner: str, provider: str) -> None:
        """Raises `Refusal` ``log_full``, ``queue_full`` or ``owner_queue_full``."""
        if self.is_full:
            raise log_full()
        if self._owner_limit is not None:
            await self._admit_owner((type_name, owner, provider), self._owner_limit)
        if self.waiting(type_name) < self._limit:
            return
        await self.refresh()
        if self.waiting(type_name) >= self._limit:
            raise Refusal(
                "queue_full",
                f"{self._limit} tasks of type {type_name} are waiting already. Try again later.",
                retry_after_s=RETRY_AFTER_S,
            )

    async def _admit_owner(self, line: Line, limit: int) -> None:
        if self._waiting_in(line) >= limit:
            await self.refresh()
        if self._waiting_in(line) >= limit:
            raise Refusal(
                "owner_queue_full",
                f"{limit} of your tasks of type {line[0]} are waiting already. Try again when one "
                "of them has begun.",
                retry_after_s=RETRY_AFTER_S,
            )

    def band(self, type_name: str, owner: str, provider: str) -> int:
        """How far back the owner's next task waits: never before one of its own."""
        line = (type_name, owner, provider)
        _, back = self._shares.get(line, _NOTHING)
        own = self._owned.get(line)
        last = own[-1][1] if own else 0
        return max(back, last, band_for(self._waiting_in(line), self._share))

    def _waiting_in(self, line: Line) -> int:
        waiting, _ = self._shares.get(line, _NOTHING)
        own = self._owned.get(line)
        return waiting + (len(own) if own else 0) + self._under_way[line]

    @contextmanager
    def place(self, type_name: str, owner: str, provider: str) -> Iterator[Place]:
        """Counts a submit while it is under way, and after that if it was taken."""
        line = (type_name, owner, provider)
        place = Place(self.band(*line))
        self._under_way[type_name] += 1
        self._under_way[line] += 1
        try:
            yield place
        finally:
            self._under_way[type_name] -= 1
            self._under_way[line] -= 1
            if not self._under_way[line]:
                del self._under_way[line]
            if place.sequence is not None and place.sequence > self._checkpoint:
                self._accepted.setdefault(type_name, deque()).append(place.sequence)
                self._owned.setdefault(line, deque()).append((place.sequence, place.band))

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
            lines = await self._tasks.lines(self._least)
        except Refusal:
            return
        self._projected = dict(lines["waiting"])
        self._shares = {
            (kind, owner, provider): (waiting, band)
            for kind, owner, provider, waiting, band in lines["shares"]
        }
        self._checkpoint = checkpoint = lines["sequence"]
        for own in self._accepted.values():
            while own and own[0] <= checkpoint:
                own.popleft()
        for line, theirs in list(self._owned.items()):
            while theirs and theirs[0][0] <= checkpoint:
                theirs.popleft()
            if not theirs:
                del self._owned[line]

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
