"""The limits that hold over all generators: how much is inside of each, known and kept up.

`shares` says what the values mean. A limit is a cell of a bucket on the bus; this process tells
there what it has, renews that while it lives, and hears of what others have.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from contracts.subjects import SHARE_BUCKET
from generator import shares
from generator.cells import Cells, Contended
from generator.facts import now
from generator.shares import Share, Shares, Ticket
from telemetry.logs import get_logger

_log = get_logger(__name__)

_KEYS = f"$KV.{SHARE_BUCKET}."
_FAULTS = (NatsError, Contended, TimeoutError, OSError)
_AGAIN_S = 1.0
_LAST_WORDS_S = 1.0
_RENEWALS_PER_LEASE = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """No more than ``most`` at once, over all generators, of what counts under ``key``."""

    key: str
    most: int


@lru_cache(maxsize=10_000)
def of_owner(owner: str, most: int) -> Limit:
    """An owner's name may be anything; a key may not."""
    return Limit(f"owner.{hashlib.sha256(owner.encode()).hexdigest()[:32]}", most)


@lru_cache(maxsize=1_000)
def of_provider(provider: str, most: int) -> Limit:
    return Limit(f"provider.{provider}", most)


@dataclass(eq=False, slots=True)
class _Count:
    """What is known of a limit. ``lasting`` ones are kept up to date though nothing is inside.

    ``unsure``: a write of ours may have arrived or not. ``stale``: others have written since.
    ``taking``: a work of this process is being let in; who comes after waits until that is known.
    ``waiting``: works that were refused, by task.
    """

    limit: Limit
    lasting: bool = False
    known: Shares = field(default_factory=dict)
    inside: int = 0
    waiting: dict[str, Ticket] = field(default_factory=dict)
    unsure: bool = False
    stale: bool = False
    taking: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def owes(self, name: str, due: datetime) -> bool:
        """Whether what others are told isn't so, or runs out by ``due``."""
        told = self.known.get(name)
        if self.unsure:
            return True
        if told is None:
            return self.inside > 0 or self.front is not None
        return (told.inside, told.front) != (self.inside, self.front) or told.until <= due

    def has_place(self, name: str, at: datetime, ticket: Ticket) -> bool:
        return self.inside + shares.others(self.known, name, at, ticket) < self.limit.most

    @property
    def front(self) -> Ticket | None:
        return min(self.waiting.values(), default=None)

    @property
    def is_idle(self) -> bool:
        busy = self.lasting or self.inside or self.waiting or self.taking or self.lock.locked()
        return not busy


class Counts:
    """``name`` is unique to the start of this process. A share is valid for ``lease``.

    ``lasting`` limits are watched from the start, any other one while it is in the way or used.
    ``on_change`` is called when a work that waited may begin, or more may be asked for. Where
    nothing is limited, nothing is asked of the bus.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        lease: timedelta,
        lasting: Iterable[Limit] = (),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.on_change = on_change
        self._client = client
        self._name = name
        self._lease = lease
        self._cells = Cells(client, SHARE_BUCKET, shares.read, shares.to_bytes)
        self._counts = {limit.key: _Count(limit, lasting=True) for limit in lasting}
        self._used = asyncio.Event()
        if self._counts:
            self._used.set()
        self._again = asyncio.Event()
        self._moved = False
        """Whether something changed since that a work may have waited for."""

    def may_try(self, limit: Limit, ticket: Ticket) -> bool:
        """Whether a work may try to enter: it does where there may be a place, and once where there
        is none, so that others know who waits in front."""
        count = self._counts.get(limit.key)
        if count is None:
            return True
        if count.taking:
            return False
        is_first = count.front is None or ticket < count.front
        return is_first or count.has_place(self._name, now(), ticket)

    def is_full(self, limit: Limit, ticket: Ticket) -> bool:
        """Whether it is known that a work would be refused."""
        count = self._counts.get(limit.key)
        return count is not None and not count.has_place(self._name, now(), ticket)

    def elsewhere(self, limit: Limit) -> int:
        """The places that other generators have, or wait for."""
        count = self._counts.get(limit.key)
        return 0 if count is None else shares.others(count.known, self._name, now())

    def expect(self, limits: Sequence[Limit]) -> None:
        """A work is about to `enter`: no other one tries before that is decided."""
        for limit in limits:
            self._count(limit).taking = True

    async def enter(self, limits: Sequence[Limit], task_id: str, ticket: Ticket) -> bool:
        """Whether the work is inside of all these limits now; if not, it is in none.

        While the bus can't be asked this waits: nothing enters unseen.
        """
        taken: list[Limit] = []
        try:
            for limit in limits:
                if not await self._entered(self._count(limit), task_id, ticket):
                    break
                taken.append(limit)
            is_in = len(taken) == len(limits)
        except BaseException:
            self.leave(taken)
            raise
        finally:
            for limit in limits:
                self._count(limit).taking = False
            self._moved = True
            self._again.set()
        if not is_in:
            self.leave(taken)
        return is_in

    def leave(self, limits: Sequence[Limit]) -> None:
        """A work that was inside is there no more. `run` tells it."""
        for limit in limits:
            self._count(limit).inside -= 1
            self._again.set()

    def forget(self, limits: Sequence[Limit], task_id: str) -> None:
        """A work doesn't wait any more."""
        for limit in limits:
            count = self._counts.get(limit.key)
            if count is not None and count.waiting.pop(task_id, None) is not None:
                self._again.set()

    def reconnected(self) -> None:
        """What others told meanwhile was not heard; and the broker may be another one."""
        for count in self._counts.values():
            count.stale = True
        self._again.set()

    async def run(self) -> None:
        """Tell what this process has, and keep up with the others, until cancelled."""
        await self._used.wait()
        subscription = await self._client.subscribe(f"{_KEYS}>", cb=self._on_message)
        self.reconnected()
        try:
            while True:
                self._again.clear()
                pause = await self._tend()
                if self._moved:
                    self._moved = False
                    self.on_change()
                self._withdraw()
                try:
                    async with asyncio.timeout(pause):
                        await self._again.wait()
                except TimeoutError:
                    # A share may have run out, of which nobody tells.
                    self._moved = True
        finally:
            if self._client.is_connected:
                with contextlib.suppress(NatsError):
                    await subscription.unsubscribe()

    async def close(self) -> None:
        """Tell what this process has left, at its end: nothing, mostly."""
        with contextlib.suppress(*_FAULTS):
            async with asyncio.timeout(_LAST_WORDS_S):
                for count in list(self._counts.values()):
                    if self._owes(count):
                        await self._tell(count)

    async def _entered(self, count: _Count, task_id: str, ticket: Ticket) -> bool:
        while True:
            try:
                async with count.lock:
                    return await self._enter(count, task_id, ticket)
            except _FAULTS as fault:
                _log.warning("a limit can't be asked", key=count.limit.key, reason=repr(fault))
            await asyncio.sleep(_AGAIN_S)

    async def _enter(self, count: _Count, task_id: str, ticket: Ticket) -> bool:
        inside = 0

        def change(before: Shares) -> Shares:
            nonlocal inside
            at, inside = now(), count.inside
            mine = Share(inside, at + self._lease)
            rest = [other for task, other in count.waiting.items() if task != task_id]
            most = count.limit.most
            return shares.entered(before, self._name, mine, ticket, rest, most, at)

        count.unsure = True
        self._learn(count, await self._cells.change(count.limit.key, change))
        count.unsure = False
        is_in = count.known[self._name].inside > inside
        if is_in:
            count.inside += 1
            count.waiting.pop(task_id, None)
        else:
            count.waiting[task_id] = ticket
        return is_in

    async def _tend(self) -> float:
        """Tell and read what is to be told and read; seconds until that is to be done again."""
        try:
            for count in list(self._counts.values()):
                if self._owes(count):
                    await self._tell(count)
                elif count.stale:
                    await self._look(count)
        except _FAULTS as fault:
            _log.warning("limits can't be kept up", reason=repr(fault))
            return _AGAIN_S
        at = now()
        ends = [shares.next_expiry(each.known, self._name, at) for each in self._counts.values()]
        left = [(end - at).total_seconds() for end in ends if end is not None]
        return min([self._lease.total_seconds() / _RENEWALS_PER_LEASE, *left])

    def _owes(self, count: _Count) -> bool:
        return count.owes(self._name, now() + self._lease * (1 - 1 / _RENEWALS_PER_LEASE))

    async def _tell(self, count: _Count) -> None:
        def change(before: Shares) -> Shares:
            at = now()
            mine = Share(count.inside, at + self._lease, count.front)
            return shares.written(before, self._name, mine, at)

        async with count.lock:
            count.unsure, count.stale = True, False
            self._learn(count, await self._cells.change(count.limit.key, change))
            count.unsure = False

    async def _look(self, count: _Count) -> None:
        async with count.lock:
            count.stale = False
            try:
                self._learn(count, await self._cells.value(count.limit.key))
            except BaseException:
                count.stale = True
                raise

    def _learn(self, count: _Count, after: Shares) -> None:
        at = now()
        before = shares.others(count.known, self._name, at)
        count.known = after
        if count.waiting or shares.others(after, self._name, at) < before:
            self._moved = True

    def _withdraw(self) -> None:
        """Let others go first where there is a place for a work that can't take it just now: it
        waits for something else besides. And drop what isn't used any more."""
        at = now()
        for key, count in list(self._counts.items()):
            if not count.taking and count.waiting:
                for task_id, ticket in list(count.waiting.items()):
                    if count.has_place(self._name, at, ticket):
                        del count.waiting[task_id]
                        self._again.set()
            if count.is_idle and not self._owes(count):
                del self._counts[key]

    def _count(self, limit: Limit) -> _Count:
        count = self._counts.get(limit.key)
        if count is None:
            count = self._counts[limit.key] = _Count(limit)
            self._used.set()
        return count

    async def _on_message(self, message: Msg) -> None:
        """Somebody wrote, or tried to: what counts is read."""
        count = self._counts.get(message.subject.removeprefix(_KEYS))
        if count is not None and not count.stale and shares.to_bytes(count.known) != message.data:
            count.stale = True
            self._again.set()
