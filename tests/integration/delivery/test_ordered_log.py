"""The log in order, without a gap, or a clear word that it can't be trusted any more."""

import asyncio
import json

import pytest

from builders import completed, progressed, requested, task_id
from contracts.events import Event, encode
from contracts.subjects import ALL_FINISHED, STREAM, subject_of
from delivery import ordered
from delivery.ordered import Delivered, Interrupted, OrderedLog
from delivery.requests import NoResponders, Unreachable
from integration.delivery.bus import Bus
from integration.delivery.line import Line
from servers import Server, eventually


def facts(count: int, start: int = 0) -> list[Event]:
    return [
        progressed(number % 100, task=task_id(number)) for number in range(start, start + count)
    ]


async def tell(bus: Bus, events: list[Event]) -> None:
    """Publish many facts at once; the log gives them their order."""
    await asyncio.gather(*map(bus.publisher.publish, events))


async def read(log: OrderedLog, count: int, *, most: int = 2000) -> list[Delivered]:
    """``count`` messages; fails when they don't come."""
    messages: list[Delivered] = []
    async with asyncio.timeout(10):
        while len(messages) < count:
            messages += await log.batch(most, wait_s=0.1)
    return messages


async def interruption(log: OrderedLog) -> str:
    """Read until the log can't be trusted any more; says why."""
    with pytest.raises(Interrupted) as trouble:
        await read(log, 1_000_000)
    return trouble.value.reason


async def readers(bus: Bus) -> list[str]:
    """The names of the ephemeral consumers on the log."""
    return [info.name for info in await bus.client.jetstream().consumers_info(STREAM)]


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulls run out, and silence is noticed, within tenths of a second."""
    monkeypatch.setattr(ordered, "_EXPIRES_S", 0.3)
    monkeypatch.setattr(ordered, "_IDLE_HEARTBEAT_S", 0.1)
    monkeypatch.setattr(ordered, "_SILENCE_S", 0.5)


async def test_a_reader_gets_every_message_in_order_as_it_is_stored(bus: Bus) -> None:
    told = [requested(), *facts(3)]
    await bus.tell(*told)

    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        messages = await read(log, 4)
        assert await log.batch(10, wait_s=0.05) == []

    assert [each.sequence for each in messages] == [1, 2, 3, 4]
    for message, event in zip(messages, told, strict=True):
        kept = await bus.log.at(message.sequence)
        assert kept is not None
        assert message == Delivered(
            subject_of(event), kept.sequence, kept.logtime, encode(event), event.id
        )


async def test_a_reader_begins_where_it_is_told(bus: Bus) -> None:
    await tell(bus, facts(10))

    async with OrderedLog(bus.client, bus.requests, start=8) as log:
        assert [each.sequence for each in await read(log, 3)] == [8, 9, 10]


async def test_a_reader_at_the_end_gets_what_comes_next(bus: Bus) -> None:
    await tell(bus, facts(3))

    async with OrderedLog(bus.client, bus.requests, start=4) as log:
        reading = asyncio.create_task(log.batch(10, wait_s=10))
        await bus.tell(requested())

        assert [each.sequence for each in await reading] == [4]


async def test_a_filtered_reader_gets_only_what_it_asked_for(bus: Bus) -> None:
    await bus.tell(requested(), completed(), *facts(3), completed(task=task_id(2)))

    async with OrderedLog(
        bus.client, bus.requests, start=1, filter_subject=ALL_FINISHED, name="ends"
    ) as log:
        messages = await read(log, 2)

    assert [each.sequence for each in messages] == [2, 6]


@pytest.mark.parametrize("most", [7, 500, 2000])
async def test_fifteen_hundred_messages_come_whole_in_batches_of_any_size(
    bus: Bus, most: int
) -> None:
    await tell(bus, facts(1500))

    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        messages = await read(log, 1500, most=most)
        assert [each.sequence for each in messages] == list(range(1, 1501))
        assert log.pending == 0

        await tell(bus, facts(1200, start=5000))
        assert [each.sequence for each in await read(log, 1200)] == list(range(1501, 2701))


async def test_a_batch_is_never_larger_than_asked_for(bus: Bus) -> None:
    await tell(bus, facts(20))

    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        sizes = []
        while sum(sizes) < 20:
            sizes.append(len(await log.batch(6)))

    assert max(sizes) <= 6


async def test_a_reader_knows_how_much_is_still_to_come(bus: Bus) -> None:
    await tell(bus, facts(1200))

    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        assert log.pending == 1200
        await read(log, 1)
        assert log.pending < 1200


@pytest.mark.usefixtures("brisk")
async def test_pulls_that_ran_out_are_asked_for_again(bus: Bus) -> None:
    js = bus.client.jetstream()
    async with OrderedLog(bus.client, bus.requests, start=1, name="slow") as log:
        for start in (1, 4, 7):
            await bus.tell(*facts(3, start))
            assert [each.sequence for each in await read(log, 3)] == [start, start + 1, start + 2]
            for _ in range(6):  # longer than a pull lives
                assert await log.batch(10, wait_s=0.1) == []

        (name,) = await readers(bus)

        async def both_wait() -> bool:
            # What runs out at this very moment is asked for again by the next read.
            await log.batch(10, wait_s=0.05)
            return (await js.consumer_info(STREAM, name)).num_waiting == 2

        assert await eventually(both_wait)


@pytest.mark.usefixtures("brisk")
async def test_a_quiet_log_is_no_silence(bus: Bus) -> None:
    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        assert await log.batch(10, wait_s=1.2) == []


async def test_a_message_that_went_elsewhere_is_a_gap(bus: Bus) -> None:
    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        (name,) = await readers(bus)
        thief = bus.client.new_inbox()
        stolen = await bus.client.subscribe(thief)
        # The reader's two pulls are served first, in turn with this one.
        body = json.dumps({"batch": 10, "expires": 10**10}).encode()
        await bus.client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{name}", body, thief)
        await bus.client.flush()
        await tell(bus, facts(10))

        assert await interruption(log) == "gap"
        assert (await stolen.next_msg(timeout=5)).data


async def test_a_consumer_that_is_deleted_is_noticed_at_once(bus: Bus) -> None:
    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        (name,) = await readers(bus)
        await bus.client.jetstream().delete_consumer(STREAM, name)

        assert await interruption(log) == "status_409"


@pytest.mark.usefixtures("brisk")
async def test_a_stream_that_is_deleted_is_noticed(bus: Bus) -> None:
    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        await bus.client.jetstream().delete_stream(STREAM)

        # The broker does not always say so; then its heartbeats end.
        assert await interruption(log) in ("status_409", "heartbeats_missed")


@pytest.mark.usefixtures("brisk")
async def test_a_broker_that_says_nothing_is_not_trusted(line: Line, far_bus: Bus) -> None:
    async with OrderedLog(far_bus.client, far_bus.requests, start=1) as log:
        line.hold()

        assert await interruption(log) == "heartbeats_missed"
        line.release()


async def test_a_lost_connection_is_noticed(nats_server: Server, bus: Bus) -> None:
    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        await nats_server.kill()

        assert await interruption(log) == "disconnected"


async def test_a_reader_that_lost_its_connection_leaves_no_subscription_behind(
    nats_server: Server, bus: Bus
) -> None:
    before = set(bus.client._subs)  # noqa: SLF001 - nothing else tells
    async with OrderedLog(bus.client, bus.requests, start=1):
        await nats_server.kill()
        await eventually(lambda: not bus.client.is_connected)

    assert set(bus.client._subs) == before  # noqa: SLF001


@pytest.mark.usefixtures("brisk")
async def test_a_reader_goes_on_from_its_checkpoint_after_a_restart_of_the_broker(
    nats_server: Server, bus: Bus
) -> None:
    seen: list[int] = []

    async def read_until(last: int) -> None:
        async with OrderedLog(bus.client, bus.requests, start=len(seen) + 1) as log:
            while len(seen) < last:
                seen.extend(each.sequence for each in await log.batch(100, wait_s=0.1))

    await tell(bus, facts(50))
    reading = asyncio.create_task(read_until(100))
    await eventually(lambda: len(seen) == 50)

    await nats_server.kill()
    await nats_server.restart()
    with pytest.raises(Interrupted):
        await reading
    await eventually(lambda: bus.client.is_connected)
    await tell(bus, facts(50, start=50))
    async with asyncio.timeout(10):
        await read_until(100)

    assert seen == list(range(1, 101))


async def test_a_reader_that_is_done_leaves_no_consumer_behind(bus: Bus) -> None:
    async with OrderedLog(bus.client, bus.requests, start=1):
        assert len(await readers(bus)) == 1

    async def gone() -> bool:
        return await readers(bus) == []

    await eventually(gone)


async def test_without_a_stream_there_is_nothing_to_read(empty_bus: Bus) -> None:
    with pytest.raises(Interrupted, match="stream not found"):
        await OrderedLog(empty_bus.client, empty_bus.requests, start=1).__aenter__()


async def test_without_a_connection_there_is_nothing_to_read(nats_server: Server, bus: Bus) -> None:
    await nats_server.kill()
    await eventually(lambda: not bus.client.is_connected)

    with pytest.raises((Unreachable, NoResponders)):
        await OrderedLog(bus.client, bus.requests, start=1).__aenter__()
