"""What a process holds: slots for what is worked on, a line for what waits, one lease a task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from builders import task_id
from contracts.breaker import BreakerPolicy
from contracts.generation_types import GENERATION_TYPES
from delivery.leases import Lease
from generator.breakers import Breakers
from generator.counts import Counts
from generator.door import Door, DoorPolicy
from generator.lanes import Lanes, Slots
from generator.provider import Execution, Offer, Provider
from generator.rates import Rates
from generator.work import Attempt, Lane, Stop, Work
from servers import eventually


class Painter:
    name = "painter"
    execution = Execution.LOCAL


LANE = Lane(GENERATION_TYPES["CREATE"], cast("Provider", Painter()), Offer({}))
ACK, NAK = b"+ACK", b'-NAK {"delay": 200000000}'


@dataclass
class Wire:
    """A connection that remembers what was said over it."""

    is_connected: bool = True
    said: list[tuple[str, bytes]] = field(default_factory=list)

    async def publish(self, subject: str, payload: bytes) -> None:
        self.said.append((subject, payload))

    def lease(self, number: int, delivery: int = 1) -> Lease:
        reply = f"$JS.ACK.GENERATION.lane.{delivery}.{number}.{number}.0.0"
        subject = f"generation.requested.create.painter.{task_id(number)}"
        message = Msg(_client=cast("Any", self), subject=subject, reply=reply, data=b"")
        return Lease(cast("Client", self), message, lambda _: None)

    def answers(self) -> list[tuple[int, bytes]]:
        """Which requests were answered, and how."""
        return [(int(subject.split(".")[5]), payload) for subject, payload in self.said]


class Bench:
    """Works on each request until it is told to finish."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.finish = asyncio.Event()

    async def work_on(self, work: Work) -> None:
        work.begun = True
        self.begun.append(work.lease.task_id)
        if work.stop is None:
            try:
                await self.finish.wait()
            except asyncio.CancelledError:
                await work.lease.give_back(0.2)
                return
        await work.lease.done()


@dataclass
class Floor:
    wire: Wire
    bench: Bench
    lanes: Lanes

    async def settled(self) -> None:
        """Let every task that can run do so."""
        for _ in range(10):
            await asyncio.sleep(0)


def _floor(wire: Wire, bench: Bench, work_on: Callable[[Work], Awaitable[None]]) -> Floor:
    slots = {Execution.LOCAL: Slots(2)}
    client = cast("Client", wire)
    policy = BreakerPolicy(5, timedelta(seconds=60), timedelta(seconds=60))
    breakers, counts = Breakers(client, (), policy), Counts(client, "test", timedelta(seconds=30))
    door = Door("test", breakers, Rates(client), counts, DoorPolicy())
    lanes = Lanes(client, [], slots, door, work_on, ack_wait=timedelta(seconds=30))
    return Floor(wire, bench, lanes)


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    bench = Bench()
    made = _floor(Wire(), bench, bench.work_on)
    yield made
    bench.finish.set()
    await made.settled()


async def test_no_more_is_worked_on_than_there_are_slots(floor: Floor) -> None:
    for number in (1, 2, 3, 4):
        floor.lanes.take(LANE, floor.wire.lease(number))
    await floor.settled()
    assert floor.bench.begun == [task_id(1), task_id(2)]

    floor.bench.finish.set()
    await floor.settled()

    assert floor.bench.begun == [task_id(1), task_id(2), task_id(3), task_id(4)]
    assert floor.wire.answers() == [(1, ACK), (2, ACK), (3, ACK), (4, ACK)]
    assert floor.lanes.works == {}


async def test_a_request_that_comes_again_is_worked_on_once_under_the_newer_lease(
    floor: Floor,
) -> None:
    old, new = floor.wire.lease(1), floor.wire.lease(1, delivery=2)
    floor.lanes.take(LANE, old)
    await floor.settled()

    floor.lanes.take(LANE, new)

    assert (old.open, new.open) == (False, True)
    floor.bench.finish.set()
    await floor.settled()
    assert floor.bench.begun == [task_id(1)]
    assert [subject for subject, _ in floor.wire.said] == ["$JS.ACK.GENERATION.lane.2.1.1.0.0"]


async def test_a_task_that_ended_before_its_work_ran_leaves_its_slot(floor: Floor) -> None:
    floor.lanes.take(LANE, floor.wire.lease(1))
    (work,) = floor.lanes.works.values()

    await floor.lanes.end(work)
    await floor.settled()

    assert work.stop is Stop.ENDED
    assert floor.lanes.works == {}
    assert floor.wire.answers() == [(1, ACK)]


async def test_a_task_that_ended_in_line_is_seen_to_at_once_without_a_slot(floor: Floor) -> None:
    for number in (1, 2, 3):
        floor.lanes.take(LANE, floor.wire.lease(number))
    await floor.settled()

    ended = floor.lanes.works[task_id(3)]
    await floor.lanes.end(ended)
    await floor.settled()

    assert ended.stop is Stop.ENDED
    assert set(floor.lanes.works) == {task_id(1), task_id(2)}
    assert floor.wire.answers() == [(3, ACK)]
    floor.bench.finish.set()
    await floor.settled()
    assert floor.wire.answers() == [(3, ACK), (1, ACK), (2, ACK)]


async def test_a_process_that_leaves_gives_back_what_waits_then_what_takes_too_long(
    floor: Floor,
) -> None:
    for number in (1, 2, 3):
        floor.lanes.take(LANE, floor.wire.lease(number))
    await floor.settled()

    await floor.lanes.drain(0.01, 0.01)

    assert floor.wire.answers() == [(3, NAK), (1, NAK), (2, NAK)]
    assert floor.bench.begun == [task_id(1), task_id(2)]


def _submitting(work: Work) -> asyncio.Event:
    """Have the work be in the middle of a submit, until the event is set."""
    answer_told = asyncio.Event()
    job, facts = cast("Any", None), cast("Any", None)
    work.attempt = Attempt(job, facts, "generating", answer_told=answer_told)
    return answer_told


async def test_a_submit_in_flight_is_waited_for_and_then_its_task_is_handed_back(
    floor: Floor,
) -> None:
    for number in (1, 2):
        floor.lanes.take(LANE, floor.wire.lease(number))
    await floor.settled()
    answer_told = _submitting(floor.lanes.works[task_id(1)])

    draining = asyncio.create_task(floor.lanes.drain(0.0, 30))
    await eventually(lambda: floor.wire.answers() == [(2, NAK)])
    assert not draining.done()
    answer_told.set()
    await draining

    assert floor.wire.answers() == [(2, NAK), (1, NAK)]


async def test_a_submit_that_nobody_answers_in_time_keeps_the_task_until_its_lease_runs_out(
    floor: Floor,
) -> None:
    lease = floor.wire.lease(1)
    floor.lanes.take(LANE, lease)
    await floor.settled()
    _submitting(floor.lanes.works[task_id(1)])

    await floor.lanes.drain(0.0, 0.01)
    await floor.settled()

    assert floor.wire.answers() == []
    assert not lease.open
    assert floor.lanes.works == {}


async def test_what_comes_in_during_a_drain_submits_nothing(floor: Floor) -> None:
    floor.lanes.take(LANE, floor.wire.lease(1))
    draining = asyncio.create_task(floor.lanes.drain(30, 30))
    await floor.settled()

    floor.lanes.take(LANE, floor.wire.lease(2))

    assert [work.leaving for work in floor.lanes.works.values()] == [True, True]
    floor.bench.finish.set()
    await draining


async def test_nothing_is_said_of_a_lease_while_the_broker_can_not_hear_it(floor: Floor) -> None:
    lease = floor.wire.lease(1)
    floor.lanes.take(LANE, lease)
    await floor.settled()
    floor.wire.is_connected = False

    await floor.lanes.drain(0.01, 0.01)

    assert floor.wire.said == []
    assert not lease.open


def test_one_that_is_not_let_in_stands_where_it_stood() -> None:
    wire, slots = Wire(), Slots(1)
    first, second, third = (Work(LANE, wire.lease(number)) for number in (1, 2, 3))
    slots.waiting = {first: None, third: None}

    slots.put_back(second)

    assert list(slots.waiting) == [first, second, third]
