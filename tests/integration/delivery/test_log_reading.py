"""What the log holds of a task, read directly."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from nats.js.api import StreamConfig

from builders import TASK_ID, accepted, completed, erased, progressed, requested, started, task_id
from contracts.events import encode
from contracts.subjects import StreamSpec, requests_of, subject_of
from delivery.log import LogMessage, LogUnavailable, parse_time
from integration.delivery.bus import SPEC, Bus, set_up
from integration.delivery.line import Line
from servers import Server, eventually


async def test_the_last_message_of_a_subject_is_found_by_the_leader_and_nearby(bus: Bus) -> None:
    before = datetime.now(UTC)
    await bus.tell(started(), progressed(10), progressed(20), started(task=task_id(2)))
    subject = subject_of(started())

    found = await bus.log.last(subject)

    assert found is not None
    assert (found.subject, found.sequence) == (subject, 3)
    assert (found.payload, found.event_id) == (encode(progressed(20)), progressed(20).id)
    assert before - timedelta(seconds=1) < found.logtime < before + timedelta(seconds=60)
    assert found.logtime.tzinfo is UTC
    assert await bus.log.last_nearby(subject) == found
    assert await bus.log.at(3) == found


async def test_the_last_messages_of_many_subjects_are_found_at_once(bus: Bus) -> None:
    told = [completed(task=task_id(number)) for number in (1, 3)]
    await bus.tell(started(), *told, erased(task=task_id(3)))
    subjects = [subject_of(completed(task=task_id(number))) for number in range(1000)]

    found = await bus.log.last_of_each(subjects)

    assert sorted((each.subject, each.sequence) for each in found) == [
        (subjects[1], 2),
        (subjects[3], 4),
    ]
    assert await bus.log.last_of_each(subjects[4:]) == []


async def test_a_request_is_found_by_its_task_alone(bus: Bus) -> None:
    await bus.tell(requested(lane="kie"), requested(task=task_id(2), lane="kie"))

    found = await bus.log.last(requests_of(TASK_ID))

    assert found is not None
    assert found.sequence == 1


async def test_what_the_log_does_not_have_is_none(bus: Bus) -> None:
    await bus.tell(requested())
    await bus.client.jetstream().purge_stream("GENERATION", subject=subject_of(requested()))

    assert await bus.log.last(subject_of(requested())) is None
    assert await bus.log.last_nearby(subject_of(requested())) is None
    assert await bus.log.at(1) is None
    assert await bus.log.at(99) is None
    assert await bus.log.history(TASK_ID) == []


async def test_the_history_of_a_task_is_its_own_and_in_log_order(bus: Bus) -> None:
    other = task_id(2)
    told = [
        requested(),
        requested(task=other),
        started(),
        started(task=other),
        progressed(40),
        completed(),
        progressed(90, task=other),
    ]
    await bus.tell(*told)

    history = await bus.log.history(TASK_ID)

    assert [each.sequence for each in history] == [1, 3, 5, 6]
    assert [each.payload for each in history] == [
        encode(each) for each in told if each.subject == TASK_ID
    ]


@pytest.mark.parametrize("known", [0, 1, 2])
async def test_what_a_replica_has_not_heard_of_yet_the_leader_tells(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    told = [requested(), started(), progressed(10), progressed(20)]
    await bus.tell(*told)
    everything = bus.log._all  # noqa: SLF001 - a single server never lags

    async def lagging(subject: str) -> list[LogMessage]:
        return (await everything(subject))[:known]

    monkeypatch.setattr(bus.log, "_all", lagging)

    assert [each.payload for each in await bus.log.history(TASK_ID)] == list(map(encode, told))


async def test_a_task_that_only_was_accepted_has_a_history(bus: Bus) -> None:
    await bus.tell(accepted())

    assert [each.sequence for each in await bus.log.history(TASK_ID)] == [1]


async def test_a_long_history_is_whole(bus: Bus) -> None:
    await bus.tell(requested())
    told = [progressed(50, at=second) for second in range(1100)]
    await asyncio.gather(*map(bus.publisher.publish, told))
    await bus.tell(completed())

    history = await bus.log.history(TASK_ID)

    assert [each.sequence for each in history] == list(range(1, 1103))
    assert {each.event_id for each in history[1:-1]} == {each.id for each in told}


async def test_a_history_of_large_facts_is_whole(bus: Bus) -> None:
    note = {"note": "x" * 60_000}
    told = [progressed(50, at=second, handle=note) for second in range(600)]
    await asyncio.gather(*map(bus.publisher.publish, told))

    assert len(await bus.log.history(TASK_ID)) == 600


async def test_the_state_of_the_stream_comes_with_the_brokers_clock(bus: Bus) -> None:
    empty = await bus.log.state()
    await bus.tell(requested(), started())

    state = await bus.log.state()

    assert (empty.first_sequence, empty.last_sequence, empty.bytes) == (1, 0, 0) or (
        empty.first_sequence,
        empty.last_sequence,
        empty.bytes,
    ) == (0, 0, 0)
    assert (state.first_sequence, state.last_sequence) == (1, 2)
    assert 0 < state.bytes < state.max_bytes == SPEC.max_bytes
    assert state.created == empty.created <= empty.now <= state.now


async def test_without_a_stream_nothing_can_be_said(empty_bus: Bus) -> None:
    for read in (
        empty_bus.log.last("generation.finished.create.t"),
        empty_bus.log.last_nearby("generation.finished.create.t"),
        empty_bus.log.last_of_each(["generation.finished.create.t"]),
        empty_bus.log.at(1),
        empty_bus.log.history(TASK_ID),
        empty_bus.log.state(),
    ):
        with pytest.raises(LogUnavailable):
            await read


async def test_without_direct_gets_a_near_read_is_refused_not_empty(empty_bus: Bus) -> None:
    config = StreamConfig(name="GENERATION", subjects=["generation.>"], allow_direct=False)
    await empty_bus.client.jetstream().add_stream(config)

    with pytest.raises(LogUnavailable):
        await empty_bus.log.last_nearby("generation.finished.create.t")


async def test_without_a_connection_nothing_can_be_said(nats_server: Server, bus: Bus) -> None:
    await bus.tell(requested())
    await nats_server.kill()
    await eventually(lambda: not bus.client.is_connected)

    for read in (bus.log.last(subject_of(requested())), bus.log.history(TASK_ID), bus.log.state()):
        with pytest.raises(LogUnavailable):
            await read


async def test_a_silent_broker_is_not_an_empty_log(line: Line, far_bus: Bus) -> None:
    await far_bus.tell(requested())
    line.hold()

    with pytest.raises(LogUnavailable):
        await far_bus.log.history(TASK_ID)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-11-21T12:00:00Z", 0),
        ("2026-11-21T12:00:00.1Z", 100_000),
        ("2026-11-21T12:00:00.000001Z", 1),
        ("2026-11-21T12:00:00.123456789Z", 123_456),
        ("2026-11-21T12:00:00.999999999Z", 999_999),
    ],
)
def test_the_brokers_time_is_cut_to_microseconds(text: str, micros: int) -> None:
    assert parse_time(text) == datetime(2026, 11, 21, 12, 0, 0, micros, UTC)


async def test_a_recreated_stream_is_another(bus: Bus) -> None:
    first = await bus.log.state()
    await bus.client.jetstream().delete_stream("GENERATION")
    await set_up(bus, StreamSpec(max_age=SPEC.max_age, max_bytes=SPEC.max_bytes))

    assert (await bus.log.state()).created > first.created
