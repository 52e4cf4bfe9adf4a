"""A fact is on the log when publish returns, or the caller is told honestly that it may not be."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from nats.aio.msg import Msg
from prometheus_client import REGISTRY

from builders import (
    cancelled,
    completed,
    erased,
    progressed,
    requested,
    started,
    task_id,
)
from contracts.events import MAX_EVENT_BYTES, encode
from contracts.subjects import StreamSpec, finished_subject, subject_of
from delivery.publisher import (
    NOTHING_YET,
    EventTooLarge,
    LastSequence,
    LogFull,
    LogUnreachable,
    OutcomeUnknown,
    Refused,
    Stored,
    WrongLastSequence,
)
from integration.delivery.bus import SPEC, Bus, set_up
from integration.delivery.line import Line
from servers import EmbeddedServer, Server, eventually


async def test_a_fact_is_on_the_log_when_publish_returns(bus: Bus) -> None:
    event = requested()

    stored = await bus.publisher.publish(event)

    found = await bus.log.last(subject_of(event))
    assert stored == Stored(1)
    assert found is not None
    assert (found.sequence, found.payload, found.event_id) == (1, encode(event), event.id)


async def test_the_same_fact_is_stored_once(bus: Bus) -> None:
    assert await bus.tell(started(), started()) == [Stored(1), Stored(1, duplicate=True)]
    assert (await bus.log.state()).last_sequence == 1


async def test_a_fact_may_demand_to_be_the_first_on_its_subject(bus: Bus) -> None:
    await bus.publisher.publish(requested(), expect=NOTHING_YET)

    with pytest.raises(WrongLastSequence):
        await bus.publisher.publish(requested(event_id="another"), expect=NOTHING_YET)


async def test_a_fact_may_demand_to_come_right_behind_another(bus: Bus) -> None:
    await bus.tell(cancelled())

    with pytest.raises(WrongLastSequence):
        await bus.publisher.publish(erased(), expect=LastSequence(7))
    assert await bus.publisher.publish(erased(), expect=LastSequence(1)) == Stored(2)


async def test_a_fact_may_depend_on_another_subject(bus: Bus) -> None:
    finished = finished_subject("CREATE", started().subject)

    assert await bus.publisher.publish(started(), expect=LastSequence(0, finished)) == Stored(1)
    await bus.tell(cancelled())
    with pytest.raises(WrongLastSequence):
        await bus.publisher.publish(started(2), expect=LastSequence(0, finished))


async def test_a_full_log_says_so_and_takes_more_when_it_has_room(empty_bus: Bus) -> None:
    await set_up(empty_bus, StreamSpec(max_age=SPEC.max_age, max_bytes=2000))
    many = [requested(task=task_id(number)) for number in range(1, 10)]

    with pytest.raises(LogFull):
        await empty_bus.tell(*many)

    await set_up(empty_bus, SPEC)
    last = (await empty_bus.log.state()).last_sequence
    assert await empty_bus.tell(requested(task=task_id(100))) == [Stored(last + 1)]


async def test_a_fact_over_64_kib_is_not_even_sent(bus: Bus) -> None:
    with pytest.raises(EventTooLarge, match=r"generation\.requested is 6"):
        await bus.publisher.publish(requested(prompt="x" * MAX_EVENT_BYTES))

    assert (await bus.log.state()).last_sequence == 0


async def test_a_log_that_is_not_ours_refuses(empty_bus: Bus) -> None:
    await set_up(empty_bus, StreamSpec(max_age=SPEC.max_age, max_bytes=10_000, name="OTHER"))

    with pytest.raises(Refused) as refusal:
        await empty_bus.publisher.publish(requested())

    assert refusal.value.code == 10060


async def test_a_broker_out_of_reach_is_told_and_nothing_comes_later(
    nats_server: Server, bus: Bus
) -> None:
    await nats_server.kill()
    await eventually(lambda: not bus.client.is_connected)

    with pytest.raises(LogUnreachable):
        await bus.publisher.publish(requested(), budget_s=0.2)

    await nats_server.restart()
    await eventually(lambda: bus.client.is_connected)
    await bus.client.flush()
    assert (await bus.log.state()).last_sequence == 0


async def test_a_publish_waits_for_a_broker_that_comes_back(nats_server: Server, bus: Bus) -> None:
    await nats_server.kill()
    await eventually(lambda: not bus.client.is_connected)
    publish = asyncio.create_task(bus.publisher.publish(requested()))

    await nats_server.restart()

    assert await publish == Stored(1)


async def test_a_log_that_does_not_exist_is_unreachable(empty_bus: Bus) -> None:
    with pytest.raises(LogUnreachable):
        await empty_bus.publisher.publish(requested(), budget_s=0.2)


async def test_a_publish_waits_for_the_log_to_be_made(empty_bus: Bus) -> None:
    publish = asyncio.create_task(empty_bus.publisher.publish(requested()))
    await asyncio.sleep(0)

    await set_up(empty_bus)

    assert await publish == Stored(1)


@contextmanager
def paused(server: Server, line: Line) -> Iterator[None]:
    """The broker's process stops; one whose process isn't ours is only cut off from its line."""
    line.hold()
    if isinstance(server, EmbeddedServer):
        os.kill(server.pid, signal.SIGSTOP)
        line.release()
    try:
        yield
    finally:
        if isinstance(server, EmbeddedServer):
            os.kill(server.pid, signal.SIGCONT)
        line.release()


def repetitions() -> float:
    name = "darkroom_publish_retries_total"
    return REGISTRY.get_sample_value(name, {"reason": "no_reply"}) or 0


@pytest.mark.usefixtures("impatient")
async def test_a_broker_that_pauses_stores_the_fact_once(
    nats_server: Server, line: Line, far_bus: Bus
) -> None:
    before = repetitions()
    with paused(nats_server, line):
        publish = asyncio.create_task(far_bus.publisher.publish(requested()))
        await eventually(lambda: repetitions() >= before + 2)
        assert not publish.done()

    assert (await publish).sequence == 1
    await far_bus.client.flush()
    assert (await far_bus.log.state()).last_sequence == 1


@pytest.mark.usefixtures("impatient")
async def test_a_lost_acknowledgement_is_asked_for_again(
    bus: Bus, line: Line, far_bus: Bus
) -> None:
    line.deafen()
    publish = asyncio.create_task(far_bus.publisher.publish(requested()))
    await eventually(lambda: bus.log.last(subject_of(requested())))

    line.cut()

    assert await publish == Stored(1, duplicate=True)
    assert (await bus.log.state()).last_sequence == 1


@pytest.mark.usefixtures("impatient")
async def test_an_outcome_that_nobody_told_is_unknown(bus: Bus, line: Line, far_bus: Bus) -> None:
    line.hold()

    with pytest.raises(OutcomeUnknown):
        await far_bus.publisher.publish(requested(), budget_s=0.3)

    line.release()
    stored = await eventually(lambda: bus.log.last(subject_of(requested())))
    assert stored.event_id == requested().id
    await far_bus.client.flush()
    assert (await bus.log.state()).last_sequence == 1


async def test_many_facts_at_once_each_get_their_own_answer(bus: Bus) -> None:
    events = [progressed(number % 100, task=task_id(number)) for number in range(300)]

    answers = await asyncio.gather(*map(bus.publisher.publish, events))

    assert sorted(each.sequence for each in answers) == list(range(1, 301))
    for event, answer in zip(events, answers, strict=True):
        found = await bus.log.at(answer.sequence)
        assert found is not None
        assert found.payload == encode(event)


class PlayedLog:
    """Answers publishes on a broker without a log, as a cluster would."""

    def __init__(self, *answers: dict[str, object]) -> None:
        self.ids: list[str] = []
        self._answers = list(answers)

    async def on_publish(self, message: Msg) -> None:
        self.ids.append((message.headers or {})["Nats-Msg-Id"])
        await message.respond(json.dumps(self._answers.pop(0)).encode())


def refusal(code: int) -> dict[str, object]:
    return {"error": {"code": 400, "err_code": code, "description": "no"}, "stream": "GENERATION"}


async def test_an_id_in_flight_on_a_cluster_is_tried_again(empty_bus: Bus) -> None:
    log = PlayedLog(refusal(10158), refusal(10158), {"stream": "GENERATION", "seq": 9})
    await empty_bus.client.subscribe("generation.>", cb=log.on_publish)

    assert await empty_bus.publisher.publish(completed()) == Stored(9)
    assert log.ids == [completed().id] * 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (10071, WrongLastSequence),
        (10164, WrongLastSequence),
        (10077, LogFull),
        (10023, LogFull),
        (10047, LogFull),
        (10054, Refused),
    ],
)
async def test_refusals_are_told_apart_by_their_code(
    empty_bus: Bus, code: int, error: type[Exception]
) -> None:
    await empty_bus.client.subscribe("generation.>", cb=PlayedLog(refusal(code)).on_publish)

    with pytest.raises(error):
        await empty_bus.publisher.publish(completed())
