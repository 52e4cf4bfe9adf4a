"""Requests come in here: one pull consumer per lane, and slots for what is worked on at once."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product

from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts.subjects import BANDS, STREAM, LaneConsumerSpec, lane_of
from delivery.leases import LaneConsumer, Lease
from delivery.provision import ensure_lane
from generator.door import Door
from generator.metrics import WAITING, running
from generator.provider import Execution
from generator.work import Lane, Stop, Work
from telemetry.logs import get_logger

_log = get_logger(__name__)

GIVE_BACK_S = 0.2
_STOP_S = 0.5
_SET_ASIDE = 64
"""How many works that wait for others of their owner take no room from the rest."""
_MOST_LATE = 256
"""Of how many tasks that have timed out this process follows the jobs at once."""
_LATE_AGAIN_S = 30.0
_LAST_WORDS_S = 1.0
"""How long stopped work has to tell that it is handed over, and to hand its lease back."""


class Slots:
    """How many tasks of one kind may be worked on at once, and the works that wait for it."""

    def __init__(self, size: int) -> None:
        self.free = size
        self.waiting: dict[Work, None] = {}
        """In the order in which they came."""

    def put_back(self, work: Work) -> None:
        """One that was not let in stands where it stood, before those behind it."""
        later = [each for each in self.waiting if each.ticket > work.ticket]
        self.waiting[work] = None
        for each in later:
            self.waiting[each] = self.waiting.pop(each)


class Lanes:
    """Everything this process holds, by task. ``door`` tells what may be asked for and begun."""

    def __init__(
        self,
        client: Client,
        lanes: Sequence[Lane],
        slots: Mapping[Execution, Slots],
        door: Door,
        work_on: Callable[[Work], Awaitable[None]],
        *,
        ack_wait: timedelta,
    ) -> None:
        self.works: dict[str, Work] = {}
        self.single_broker = False
        self._client = client
        self._slots = slots
        self._door = door
        self._held: Counter[str] = Counter()
        """Works by provider, with a slot or without."""
        self._work_on = work_on
        self._late = 0
        self._draining = False
        self._since: dict[str, datetime] = {}
        """When each consumer was made."""
        self._returning: set[asyncio.Task[None]] = set()
        self._pulling: list[asyncio.Task[None]] = []
        self._consumers: dict[Slots, list[LaneConsumer]] = {each: [] for each in slots.values()}
        # The front of every line is asked for first.
        self._lines: dict[int, list[LaneConsumer]] = {id(lane): [] for lane in lanes}
        """The consumers of each lane, from the front to the back."""
        for band, lane in product(range(BANDS), lanes):
            pool, ahead = slots[lane.provider.execution], self._lines[id(lane)]
            consumer = LaneConsumer(
                client,
                LaneConsumerSpec(lane.kind.name, lane_of(lane.name, band), ack_wait=ack_wait),
                room=functools.partial(self._room, lane, band),
                on_lease=functools.partial(self.take, lane),
                rebind=self._rebind,
                ahead=tuple(ahead),
            )
            ahead.append(consumer)
            self._consumers[pool].append(consumer)
        door.breakers.on_change = self._on_change
        door.counts.on_change = self._on_change

    @property
    def consumers(self) -> list[LaneConsumer]:
        return [consumer for each in self._consumers.values() for consumer in each]

    def unbound(self) -> list[str]:
        """Lanes that bring nothing in at the moment."""
        return [each.spec.durable for each in self.consumers if not each.bound]

    def start(self, on_fault: Callable[[BaseException], None]) -> None:
        """Begin to pull; ``on_fault`` is told when a lane dies of what it can't mend."""
        for consumer in self.consumers:
            pulling = asyncio.create_task(consumer.run(), name=consumer.spec.durable)
            pulling.add_done_callback(functools.partial(_told, on_fault))
            self._pulling.append(pulling)

    def reconnected(self) -> None:
        self.single_broker = False
        for consumer in self.consumers:
            consumer.reconnected()

    def take(self, lane: Lane, lease: Lease) -> None:
        """A request came in: work on it, or have it wait for a slot, first come, first served."""
        held = self.works.get(lease.task_id)
        if held is not None and held.lane is lane:
            held.adopt(lease)
            return
        if held is not None:
            # It has just been sent from there to here.
            returning = asyncio.create_task(lease.give_back(GIVE_BACK_S))
            self._returning.add(returning)
            returning.add_done_callback(self._returning.discard)
            return
        pool = self._slots[lane.provider.execution]
        work = Work(
            lane,
            lease,
            leaving=self._draining,
            single_broker=self.single_broker,
            lane_since=self._since.get(lease.consumer),
        )
        self.works[lease.task_id] = work
        self._held[lane.name] += 1
        pool.waiting[work] = None
        WAITING.labels(lane.name).inc()
        self._fill(pool)

    async def end(self, work: Work) -> None:
        """The task has ended elsewhere, or was erased since: stop the work on it.

        To be repeated until the work is gone: a provider's library may swallow a cancellation.
        """
        if work.ending and not work.is_late:
            return
        if work.task is not None:
            work.halt(Stop.ENDED)
            return
        # An earlier attempt may have left a job: whoever looks needs no place for that.
        self._leave_line(work)
        work.stop = Stop.ENDED
        work.task = asyncio.create_task(self._finish(work))

    async def drain(self, patience_s: float, submit_patience_s: float) -> None:
        """Take nothing more, give back what hasn't begun, finish what can be finished in time.

        A submit in flight is not left before the log tells what came of it, for as long as
        ``submit_patience_s``. Both count from now.
        """
        clock = asyncio.get_running_loop().time
        began = clock()
        self._draining = True
        for work in self.works.values():
            work.leaving = True
            if work.is_late:
                work.halt(Stop.DRAINED)
        await asyncio.gather(*(_stopped(consumer) for consumer in self.consumers))
        for pulling in self._pulling:
            pulling.cancel()
        for pool in self._slots.values():
            for work in list(pool.waiting):
                self._leave_line(work)
                del self.works[work.lease.task_id]
                await work.lease.give_back(GIVE_BACK_S)
        await self._wait(began + patience_s - clock())
        left = max(0.0, began + submit_patience_s - clock())
        await asyncio.gather(*(_let_go(work, left) for work in list(self.works.values())))
        await self._wait(_LAST_WORDS_S)
        if self.works:
            _log.warning("left behind", tasks=sorted(self.works))
        for work in self.works.values():
            if work.task is not None:
                work.task.cancel()

    def _room(self, lane: Lane, band: int) -> int:
        """What waits here behind that band makes room for what is in front of it."""
        pool = self._slots[lane.provider.execution]
        waiting = sum(work.lease.band <= band for work in pool.waiting)
        held = self._held[lane.name]
        aside = self._door.set_aside(pool.waiting)[:_SET_ASIDE]
        waiting -= sum(work.lease.band <= band for work in aside)
        held -= sum(work.lane.name == lane.name for work in aside)
        return self._door.room(lane, pool.free - waiting, held)

    def _front_brings_more_within(self, work: Work) -> float:
        """Seconds in which something may come that is served before this one."""
        ahead = self._lines.get(id(work.lane), [])[: work.lease.band]
        now = asyncio.get_running_loop().time()
        return max((each.brings_more_within(now) for each in ahead), default=0.0)

    def _leave_line(self, work: Work) -> None:
        """It waits no more."""
        del self._slots[work.lane.provider.execution].waiting[work]
        WAITING.labels(work.lane.name).dec()
        self._door.forget(work)
        self._held[work.lane.name] -= 1

    async def _finish(self, work: Work) -> None:
        """Do what is left to be done for a task that has ended, without a place."""
        try:
            if not work.is_late:
                await self._work_on(work)
            await self._follow_late(work)
        finally:
            del self.works[work.lease.task_id]

    async def _follow_late(self, work: Work) -> None:
        """Follow the job of a task that has timed out, without a place.

        One too many is given back, to be looked at again by whoever has room.
        """
        while work.is_late:
            if self._draining or self._late >= _MOST_LATE:
                await work.lease.give_back(GIVE_BACK_S if self._draining else _LATE_AGAIN_S)
                return
            self._late += 1
            try:
                await self._work_on(work)
            finally:
                self._late -= 1

    def _begin(self, work: Work, pool: Slots) -> None:
        pool.free -= 1
        self._door.enter(work)
        running(work.lane.name).inc()
        work.task = asyncio.create_task(self._run(work, pool))

    async def _run(self, work: Work, pool: Slots) -> None:
        is_in = True
        try:
            is_in = await self._admitted(work)
            if is_in:
                await self._work_on(work)
            elif self._draining:
                is_in = True
                await work.lease.give_back(GIVE_BACK_S)
        finally:
            self._door.leave(work)
            running(work.lane.name).dec()
            pool.free += 1
            if is_in:
                self._door.forget(work)
                self._held[work.lane.name] -= 1
                if work.is_late:
                    work.begun = False
                    work.task = asyncio.create_task(self._finish(work))
                else:
                    del self.works[work.lease.task_id]
            else:
                work.task = None
                pool.put_back(work)
                WAITING.labels(work.lane.name).inc()
            self._fill(pool)
            await self._door.told_nothing(work)

    async def _admitted(self, work: Work) -> bool:
        """Whether the work may begin. One that is stopped meanwhile does, to clean up."""
        work.admitting = True
        try:
            if work.stop is None and await self._door.admit(work):
                return True
        except asyncio.CancelledError:
            if work.stop is None:
                raise
        finally:
            work.admitting = False
        # Also where the answer came with the cancellation, which is then lost.
        return work.stop is not None

    def _fill(self, pool: Slots) -> None:
        while pool.free > 0 and pool.waiting:
            work = self._door.next_of(pool.waiting)
            if work is None:
                break
            pause = self._front_brings_more_within(work)
            if pause > 0:
                self._wake(pool)
                asyncio.get_running_loop().call_later(pause, self._fill, pool)
                break
            del pool.waiting[work]
            WAITING.labels(work.lane.name).dec()
            self._begin(work, pool)
        if pool.free == 1:
            # There was no room; every lane may have stopped asking.
            self._wake(pool)

    def _wake(self, pool: Slots) -> None:
        for consumer in self._consumers[pool]:
            consumer.wake()

    def _on_change(self) -> None:
        """Works that waited may begin, or more may be asked for."""
        for pool in self._consumers:
            self._fill(pool)
            self._wake(pool)

    async def _rebind(self, spec: LaneConsumerSpec) -> None:
        await ensure_lane(self._client, spec)
        found = await self._client.jetstream().consumer_info(STREAM, spec.durable)
        self.single_broker = found.cluster is None
        self._since[spec.durable] = found.created

    async def _wait(self, patience_s: float) -> None:
        tasks = [work.task for work in self.works.values() if work.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.0, patience_s))


async def _let_go(work: Work, submit_patience_s: float) -> None:
    """Stop the work, but not between a paid call and the log's knowing what came of it."""
    settled = await work.settled(submit_patience_s)
    if work.ending:
        return
    if settled:
        work.halt(work.stop or Stop.DRAINED)
        return
    # Handed back, the task would be given up at once; until the lease runs out the answer may come.
    work.lease.abandon()
    _log.error(
        "left in the middle of a submit: whether the job was taken is not on the log",
        task_id=work.lease.task_id,
        provider=work.lane.name,
    )


async def _stopped(consumer: LaneConsumer) -> None:
    """Stop to pull; the broker may not be there to hear it."""
    with contextlib.suppress(TimeoutError, NatsError):
        async with asyncio.timeout(_STOP_S):
            await consumer.stop()


def _told(on_fault: Callable[[BaseException], None], pulling: asyncio.Task[None]) -> None:
    if not pulling.cancelled() and (fault := pulling.exception()) is not None:
        on_fault(fault)
