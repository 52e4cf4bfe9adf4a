"""Requests are leased: delivered once while their holder lives, and again when it doesn't."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from nats.js.api import ConsumerInfo

from builders import requested, task_id
from contracts.events import encode
from contracts.subjects import STREAM, LaneConsumerSpec
from delivery import leases, provision
from delivery.leases import LaneConsumer, Lease
from integration.delivery.bus import LANE, Bus, set_up
from integration.delivery.line import Line
from servers import Server, eventually

PATIENT = replace(LANE, ack_wait=timedelta(seconds=30))
"""Whatever comes again soon in this lane was given back."""


class Hands:
    """Takes leases, as many as it has room for."""

    def __init__(self, bus: Bus, spec: LaneConsumerSpec, room: int) -> None:
        self.room = room
        self.taken: asyncio.Queue[Lease] = asyncio.Queue()
        self.consumer = LaneConsumer(
            bus.client,
            spec,
            room=lambda: self.room - len(self.consumer.leases),
            on_lease=self.taken.put_nowait,
            rebind=lambda spec: self._rebind(bus, spec),
        )
        self.running = asyncio.create_task(self.consumer.run())

    async def take(self) -> Lease:
        async with asyncio.timeout(10):
            return await self.taken.get()

    async def take_all(self, count: int) -> list[Lease]:
        return [await self.take() for _ in range(count)]

    @staticmethod
    async def _rebind(bus: Bus, spec: LaneConsumerSpec) -> None:
        await provision.ensure_lane(bus.client, spec)


@asynccontextmanager
async def pulling(
    bus: Bus, spec: LaneConsumerSpec = LANE, *, room: int = 4
) -> AsyncIterator[Hands]:
    """A consumer at work until the end of the block."""
    hands = Hands(bus, spec, room)
    try:
        await eventually(lambda: hands.consumer.bound)
        yield hands
    finally:
        hands.running.cancel()
        with suppress(asyncio.CancelledError):
            await hands.running


async def lane_info(bus: Bus) -> ConsumerInfo:
    return await bus.client.jetstream().consumer_info(STREAM, LANE.durable)


async def counts(bus: Bus, *, waiting: int, leased: int) -> bool:
    """Whether the broker counts so many requests in the lane."""
    info = await lane_info(bus)
    return (info.num_pending, info.num_ack_pending) == (waiting, leased)


async def submit(bus: Bus, count: int, start: int = 1) -> None:
    requests = [requested(task=task_id(number)) for number in range(start, start + count)]
    await asyncio.gather(*map(bus.publisher.publish, requests))


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulls run out, and silence is noticed, within tenths of a second."""
    monkeypatch.setattr(leases, "_PULL_EXPIRES_S", 0.3)
    monkeypatch.setattr(leases, "_IDLE_HEARTBEAT_S", 0.1)
    monkeypatch.setattr(leases, "_SILENCE_S", 0.5)


async def test_a_request_comes_as_a_lease_that_tells_what_it_is_for(bus: Bus) -> None:
    await bus.tell(requested(task=task_id(1)), requested(task=task_id(2)))

    async with pulling(bus) as hands:
        first, second = await hands.take_all(2)

    kept = await bus.log.at(2)
    assert kept is not None
    assert (first.task_id, first.sequence) == (task_id(1), 1)
    assert (second.task_id, second.sequence, second.delivered) == (task_id(2), 2, 1)
    assert second.payload == encode(requested(task=task_id(2)))
    assert second.logtime == kept.logtime
    assert second.open


async def test_a_lease_is_exact_about_the_brokers_time(bus: Bus) -> None:
    await submit(bus, 50)

    async with pulling(bus, room=50) as hands:
        for lease in await hands.take_all(50):
            kept = await bus.log.at(lease.sequence)
            assert kept is not None
            assert lease.logtime == kept.logtime


async def test_what_is_done_does_not_come_again(bus: Bus) -> None:
    await submit(bus, 3)

    async with pulling(bus) as hands:
        for lease in await hands.take_all(3):
            await lease.done()
            assert not lease.open

        await eventually(lambda: counts(bus, waiting=0, leased=0))
        assert (await lane_info(bus)).num_redelivered == 0
        assert hands.consumer.leases == frozenset()


async def test_a_lease_lives_while_it_is_extended_and_no_longer(bus: Bus) -> None:
    await submit(bus, 2)

    async with pulling(bus, room=10) as hands:
        held, dropped = await hands.take_all(2)

        async def hold() -> None:
            while True:
                await held.extend()
                await asyncio.sleep(0.2)

        holding = asyncio.create_task(hold())
        again = await hands.take_all(2)
        holding.cancel()

        # The dropped one came twice more, each time after the full wait; the held one only when
        # nobody held it any more.
        assert [each.task_id for each in again] == [dropped.task_id] * 2
        assert [each.delivered for each in again] == [2, 3]
        assert held.task_id in {each.task_id for each in await hands.take_all(2)}


async def test_what_is_given_back_comes_again_after_its_delay(bus: Bus) -> None:
    await submit(bus, 1)

    async with pulling(bus, PATIENT) as hands:
        lease = await hands.take()
        given_back = time.monotonic()
        await lease.give_back(0.5)
        assert not lease.open

        again = await hands.take()

    assert time.monotonic() - given_back >= 0.5
    assert (again.task_id, again.delivered) == (lease.task_id, 2)


async def test_what_is_abandoned_runs_out_by_itself(bus: Bus) -> None:
    await submit(bus, 1)

    async with pulling(bus) as hands:
        lease = await hands.take()
        lease.abandon()

        assert (await hands.take()).delivered == 2


async def test_no_more_is_taken_than_there_is_room_for(bus: Bus) -> None:
    await submit(bus, 5)

    async with pulling(bus, PATIENT, room=2) as hands:
        first, _ = await hands.take_all(2)
        await eventually(lambda: counts(bus, waiting=3, leased=2))

        await first.done()

        assert (await hands.take()).sequence == 3
        assert hands.taken.empty()


async def test_a_consumer_without_room_takes_when_there_is_some(bus: Bus) -> None:
    async with pulling(bus, room=0) as hands:
        await submit(bus, 1)
        await eventually(lambda: counts(bus, waiting=1, leased=0))

        hands.room = 1
        hands.consumer.wake()

        assert (await hands.take()).sequence == 1


async def test_a_large_room_is_filled(bus: Bus) -> None:
    await submit(bus, 700)

    async with pulling(bus, PATIENT, room=1000) as hands:
        taken = await hands.take_all(700)

    assert [each.sequence for each in taken] == list(range(1, 701))


async def test_every_request_goes_to_one_of_the_generators(bus: Bus, far_bus: Bus) -> None:
    await submit(bus, 100)
    done: list[int] = []

    async def work(hands: Hands) -> None:
        while True:
            lease = await hands.take()
            done.append(lease.sequence)
            await lease.done()

    async with pulling(bus, PATIENT) as one, pulling(far_bus, PATIENT) as other:
        workers = [asyncio.create_task(work(each)) for each in (one, other)]
        await eventually(lambda: len(done) >= 100)
        for each in workers:
            each.cancel()

    assert sorted(done) == list(range(1, 101))


async def test_lanes_do_not_take_from_each_other(bus: Bus) -> None:
    await bus.tell(
        requested(task=task_id(1), lane="kie"),
        requested(task=task_id(2), lane="studio"),
        requested(task=task_id(3), lane="studio", tasktype="VIDEO"),
    )

    async with pulling(bus) as hands:
        assert (await hands.take()).sequence == 2
        await eventually(lambda: counts(bus, waiting=0, leased=1))


@pytest.mark.usefixtures("brisk")  # the broker does not always say that it has deleted it
async def test_a_deleted_consumer_is_bound_again_and_the_work_goes_on(bus: Bus) -> None:
    async with pulling(bus, PATIENT) as hands:
        await bus.client.jetstream().delete_consumer(STREAM, PATIENT.durable)
        await submit(bus, 1)

        lease = await hands.take()
        await lease.done()

        assert lease.task_id == task_id(1)
        assert (await lane_info(bus)).config.ack_wait == 30


@pytest.mark.usefixtures("brisk")
async def test_a_consumer_deleted_while_nothing_is_asked_of_it_is_bound_again(bus: Bus) -> None:
    async with pulling(bus, PATIENT, room=0) as hands:
        await bus.client.jetstream().delete_consumer(STREAM, PATIENT.durable)
        await submit(bus, 1)

        hands.room = 1
        hands.consumer.wake()

        assert (await hands.take()).sequence == 1


async def test_a_consumer_of_a_log_that_is_not_there_yet_waits_for_it(empty_bus: Bus) -> None:
    hands = Hands(empty_bus, LANE, room=1)

    await set_up(empty_bus)
    await submit(empty_bus, 1)

    assert (await hands.take()).sequence == 1
    hands.running.cancel()


@pytest.mark.usefixtures("brisk")
async def test_pulls_that_ran_out_are_asked_for_again(bus: Bus) -> None:
    async with pulling(bus, PATIENT) as hands:
        for number in (1, 2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(hands.taken.get(), 1)  # longer than three pulls live
            await submit(bus, 1, start=number)
            assert (await hands.take()).sequence == number


@pytest.mark.usefixtures("brisk")
async def test_work_goes_on_after_a_restart_of_the_broker(nats_server: Server, bus: Bus) -> None:
    async with pulling(bus) as hands:
        await submit(bus, 1)
        await (await hands.take()).done()

        await nats_server.kill()
        await nats_server.restart()
        await eventually(lambda: bus.client.is_connected)
        await submit(bus, 1, start=2)

        lease = await hands.take()
        while lease.task_id != task_id(2):  # the acknowledgement may have died with the broker
            lease = await hands.take()


async def test_a_reconnected_consumer_binds_at_once(nats_server: Server, bus: Bus) -> None:
    async with pulling(bus, PATIENT) as hands:
        await nats_server.kill()
        await nats_server.restart()
        await eventually(lambda: bus.client.is_connected)
        hands.consumer.reconnected()
        await submit(bus, 1)

        assert (await hands.take()).sequence == 1


async def test_a_lease_given_back_while_cut_off_says_nothing_later(
    nats_server: Server, bus: Bus
) -> None:
    async with pulling(bus) as hands:
        await submit(bus, 1)
        lease = await hands.take()
        await nats_server.kill()
        await eventually(lambda: not bus.client.is_connected)

        await lease.give_back(0.01)
        assert not lease.open
        await nats_server.restart()
        await eventually(lambda: bus.client.is_connected)
        hands.consumer.reconnected()

        assert (await hands.take()).task_id == lease.task_id


async def test_what_arrives_while_stopping_goes_back_at_once(
    bus: Bus, line: Line, far_bus: Bus
) -> None:
    async def has_asked() -> bool:
        return (await lane_info(bus)).num_waiting == 1

    async with pulling(far_bus, PATIENT) as stopping:
        await eventually(has_asked)
        line.hold()
        await submit(bus, 1)

        await eventually(lambda: counts(bus, waiting=0, leased=1))
        stop = asyncio.create_task(stopping.consumer.stop())
        await asyncio.sleep(0)
        line.release()
        await stop

        async with pulling(bus, PATIENT) as other:
            lease = await other.take()

    assert (lease.sequence, lease.delivered) == (1, 2)
    assert stopping.taken.empty()


async def test_a_stopped_consumer_comes_to_rest(bus: Bus) -> None:
    async with pulling(bus, PATIENT) as hands:
        await hands.consumer.stop()

        await asyncio.wait_for(hands.running, 2)
