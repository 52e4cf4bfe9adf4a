"""Which task may begin now: at a provider that is there, takes more, and serves all owners.

What may not begin yet waits in line: in the log, while this process asks for no more of its lane;
or here, with its lease, if it had been asked for. Neither uses up an attempt.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nats.errors import Error as NatsError

from contracts.breaker import BreakerState
from generator.breakers import Breakers
from generator.cells import Contended
from generator.counts import Counts, Limit, of_owner, of_provider
from generator.facts import now
from generator.provider import Execution
from generator.rates import Rates
from generator.work import Lane, Work
from telemetry.logs import get_logger

_log = get_logger(__name__)

_FAULTS = (NatsError, Contended, TimeoutError, OSError)
_AGAIN_S = 1.0
_FIRST = (0, 0)


class WhileOpen(StrEnum):
    """What becomes of tasks while the breaker of their provider is open."""

    WAIT = "wait"
    REJECT = "reject"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class DoorPolicy:
    """``owner_running``: how many tasks of one owner are worked on at once, over all generators;
    None: all."""

    while_open: WhileOpen = WhileOpen.WAIT
    owner_running: int | None = None


class Door:
    """Lets works in. ``name`` is unique to the start of this process."""

    def __init__(
        self, name: str, breakers: Breakers, rates: Rates, counts: Counts, policy: DoorPolicy
    ) -> None:
        self.breakers = breakers
        self.counts = counts
        self.while_open = policy.while_open
        self._name = name
        self._rates = rates
        self._owner_running = policy.owner_running
        self._inside: Counter[str] = Counter()
        """Works with a slot, by provider."""
        self._owners: Counter[str] = Counter()
        """… and by owner."""
        self._trying: set[str] = set()
        """Providers that a work of this process is about to try again."""

    def room(self, lane: Lane, free: int, held: int) -> int:
        """How many more requests of a lane to ask for.

        ``free`` slots of this process have nobody waiting for them, ``held`` works of the provider
        are here already.
        """
        free = max(0, free)
        if lane.provider.execution is Execution.LOCAL:
            # One at a time: what this process doesn't hoard, another one works on.
            return min(1, free)
        breaker, at = self.breakers.of(lane.name), now()
        if breaker.is_held(at) or (self._waits and breaker.is_blocked(at)):
            return 0
        if breaker.wants_probe(at):
            return min(free, max(0, 1 - held))
        concurrency, rate = limit_of(lane), lane.limits.rate
        if concurrency is not None:
            elsewhere = self.counts.elsewhere(concurrency)
            free = min(free, max(0, concurrency.most - elsewhere - held))
        if rate is not None:
            waiting = held - self._inside[lane.name]
            free = min(free, max(0, rate.jobs - waiting))
        return free

    def set_aside(self, waiting: Iterable[Work]) -> list[Work]:
        """Those that wait for other tasks of their owners, and not for a slot or the provider."""
        most = self._owner_running
        if most is None:
            return []
        return [
            work for work in waiting if self.counts.is_full(of_owner(work.owner, most), work.ticket)
        ]

    def next_of(self, waiting: Iterable[Work]) -> Work | None:
        """The one to begin: of those that may and wait in front, one of the owner with the fewest
        inside."""
        best: Work | None = None
        rank = _FIRST
        for work in waiting:
            if not self._may_begin(work):
                continue
            own = (work.lease.band, self._owners[work.owner])
            if best is None or own < rank:
                best, rank = work, own
                if own == _FIRST:
                    break
        return best

    def enter(self, work: Work) -> None:
        """It has a slot."""
        self._inside[work.lane.name] += 1
        self._owners[work.owner] += 1
        self.counts.expect(self._limits(work))

    def leave(self, work: Work) -> None:
        """It has none any more."""
        self.counts.leave(work.inside)
        work.inside = ()
        self._inside[work.lane.name] -= 1
        self._owners[work.owner] -= 1
        if not self._owners[work.owner]:
            del self._owners[work.owner]

    def forget(self, work: Work) -> None:
        """It waits no more, and was not let in."""
        self.counts.forget(self._limits(work), work.lease.task_id)

    async def admit(self, work: Work) -> bool:
        """Whether it may begin, once it is its turn; if not, it waits on without a slot."""
        lane, limits = work.lane, self._limits(work)
        if limits:
            if not await self.counts.enter(limits, work.lease.task_id, work.ticket):
                return False
            work.inside = limits
        if not lane.is_elsewhere:
            return True
        breaker, at = self.breakers.of(lane.name), now()
        if breaker.is_held(at):
            return False
        if breaker.wants_probe(at):
            await self._try(work)
            if not work.probe and self._waits:
                return False
        elif self._waits and breaker.is_blocked(at):
            return False
        await self._turn(work)
        return True

    def is_open_for(self, work: Work) -> bool:
        """Whether its provider may be called: else it is turned away, or goes elsewhere."""
        if work.probe or not work.lane.is_elsewhere:
            return True
        return not self.is_blocked(work.lane.name)

    def is_blocked(self, provider: str) -> bool:
        breaker = self.breakers.of(provider)
        return breaker.state is not BreakerState.CLOSED or breaker.is_held(now())

    def blocked_until(self, provider: str) -> datetime | None:
        return self.breakers.of(provider).blocked_until(now())

    async def told_nothing(self, work: Work) -> None:
        """A probe is over that told nothing of the provider."""
        if work.probe and not work.tried:
            work.tried = True
            await self.breakers.unproven(work.lane.name, work.probe)

    @property
    def _waits(self) -> bool:
        return self.while_open is WhileOpen.WAIT

    def _may_begin(self, work: Work) -> bool:
        lane = work.lane
        if not all(self.counts.may_try(limit, work.ticket) for limit in self._limits(work)):
            return False
        if not lane.is_elsewhere:
            return True
        breaker, at = self.breakers.of(lane.name), now()
        if breaker.is_held(at) or (self._waits and breaker.is_blocked(at)):
            return False
        return lane.name not in self._trying

    def _limits(self, work: Work) -> tuple[Limit, ...]:
        """What bounds it, over all generators."""
        most = self._owner_running
        own = None if most is None else of_owner(work.owner, most)
        return tuple(limit for limit in (own, limit_of(work.lane)) if limit is not None)

    async def _try(self, work: Work) -> None:
        name = f"{self._name}:{work.lease.task_id}:{work.lease.delivered}"
        provider = work.lane.name
        self._trying.add(provider)
        try:
            if await self.breakers.probe(provider, name):
                work.probe = name
        finally:
            self._trying.discard(provider)

    async def _turn(self, work: Work) -> None:
        """Wait until the provider takes another submit."""
        rate = work.lane.limits.rate
        while rate is not None:
            try:
                turn = await self._rates.turn(work.lane.name, rate, now())
            except _FAULTS as fault:
                _log.warning("no turn can be had", provider=work.lane.name, reason=repr(fault))
                await asyncio.sleep(_AGAIN_S)
                continue
            await asyncio.sleep(max(0.0, (turn - now()).total_seconds()))
            return


def limit_of(lane: Lane) -> Limit | None:
    """How many jobs its provider takes at once, if it says so."""
    most = lane.limits.concurrency
    return None if most is None else of_provider(lane.name, most)
