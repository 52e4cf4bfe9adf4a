"""One end per task, whoever races, whatever is lost on the way."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from builders import (
    TASK_ID,
    annotated,
    cancelled,
    completed,
    erased,
    failed,
    requested,
    started,
    submitting,
    task_id,
    timed_out,
)
from contracts.events import End, Event, decode
from contracts.subjects import STREAM, finished_subject, progress_subject, subject_of
from delivery.ends import (
    Lost,
    Won,
    publish_end,
    publish_erasure,
    publish_first_start,
    publish_start,
)
from integration.delivery.bus import Bus, connected
from integration.delivery.line import Line
from servers import Server, eventually

TASKS = 50
FINISHED = finished_subject("CREATE", TASK_ID)

Outcomes = dict[str, list[tuple[End, Won | Lost]]]


async def end(bus: Bus, event: End) -> Won | Lost:
    return await publish_end(bus.publisher, bus.log, event)


async def race(rivals: Sequence[Bus], *, told: asyncio.Event | None = None) -> Outcomes:
    """Each rival ends every task with an outcome of its own, half of them twice."""
    outcomes: Outcomes = defaultdict(list)
    dice = random.Random(7)

    async def tell(rival: Bus, event: End, times: int) -> None:
        for _ in range(times):
            outcomes[event.task_id].append((event, await end(rival, event)))
            if told is not None:
                told.set()

    async with asyncio.TaskGroup() as all_at_once:
        for number in range(TASKS):
            ends = (completed, timed_out, cancelled)
            for rival, outcome in zip(rivals, ends, strict=True):
                event: End = outcome(task=task_id(number))
                all_at_once.create_task(tell(rival, event, times=dice.choice((1, 2))))
    return outcomes


async def check(bus: Bus, outcomes: Outcomes) -> None:
    """Every task has one end on the log, and everybody was told which."""
    assert len(outcomes) == TASKS
    for task, told in outcomes.items():
        found = await bus.log.last(finished_subject("CREATE", task))
        assert found is not None
        winner = decode(found.payload)
        for event, outcome in told:
            if event == winner:
                assert outcome == Won(found.sequence)
            else:
                assert outcome == Lost(winner, found.sequence)
    assert (await bus.log.state()).last_sequence == TASKS


async def test_of_three_rivals_one_ends_each_task_and_all_know_which(
    nats_server: Server, bus: Bus
) -> None:
    async with AsyncExitStack() as stack:
        rivals = [await stack.enter_async_context(connected(nats_server.url)) for _ in range(3)]

        outcomes = await race(rivals)

    await check(bus, outcomes)


async def test_a_broker_killed_in_mid_race_lets_one_end_in_all_the_same(
    nats_server: Server, bus: Bus
) -> None:
    told = asyncio.Event()
    async with AsyncExitStack() as stack:
        rivals = [await stack.enter_async_context(connected(nats_server.url)) for _ in range(3)]
        racing = asyncio.create_task(race(rivals, told=told))
        await told.wait()

        await nats_server.kill()
        assert not racing.done()
        await nats_server.restart()

        outcomes = await racing
    await eventually(lambda: bus.client.is_connected)
    await check(bus, outcomes)


@pytest.mark.usefixtures("impatient")
async def test_an_own_end_whose_acknowledgement_was_lost_is_won(
    bus: Bus, line: Line, far_bus: Bus
) -> None:
    line.deafen()
    ending = asyncio.create_task(end(far_bus, completed()))
    await eventually(lambda: bus.log.last(FINISHED))

    line.cut()

    assert await ending == Won(1)
    assert (await bus.log.state()).last_sequence == 1


@pytest.mark.usefixtures("impatient")
async def test_an_own_start_whose_acknowledgement_was_lost_is_won(
    bus: Bus, line: Line, far_bus: Bus
) -> None:
    line.deafen()
    starting = asyncio.create_task(publish_start(far_bus.publisher, far_bus.log, started()))
    await eventually(lambda: bus.log.last(progress_subject("CREATE", TASK_ID)))

    line.cut()

    assert await starting == Won(1)
    assert (await bus.log.state()).last_sequence == 1


@pytest.mark.usefixtures("impatient")
async def test_an_own_first_start_whose_acknowledgement_was_lost_has_started(
    bus: Bus, line: Line, far_bus: Bus
) -> None:
    line.deafen()
    starting = asyncio.create_task(publish_first_start(far_bus.publisher, far_bus.log, started()))
    await eventually(lambda: bus.log.last(progress_subject("CREATE", TASK_ID)))

    line.cut()

    assert await starting == 1
    assert (await bus.log.state()).last_sequence == 1


async def test_a_task_of_which_the_log_has_only_the_request_starts_at_once(bus: Bus) -> None:
    other = task_id(2)
    await bus.tell(requested(), requested(task=other), started(task=other), completed(task=other))

    assert await publish_first_start(bus.publisher, bus.log, started()) == 5
    assert [each.sequence for each in await bus.log.history(TASK_ID)] == [1, 5]


@pytest.mark.parametrize("fact", [started(at=9), submitting(), annotated(), cancelled(), erased()])
async def test_whatever_else_the_log_has_of_a_task_is_read_before_it_starts(
    bus: Bus, fact: Event
) -> None:
    await bus.tell(requested(), fact)

    assert await publish_first_start(bus.publisher, bus.log, started()) is None
    assert (await bus.log.state()).last_sequence == 2


async def test_an_end_repeated_after_a_restart_is_still_ones_own(
    nats_server: Server, bus: Bus
) -> None:
    event = completed()
    assert await end(bus, event) == Won(1)

    await nats_server.kill()
    await nats_server.restart()

    assert await end(bus, event) == Won(1)


async def test_who_comes_second_learns_the_end(bus: Bus) -> None:
    await end(bus, timed_out())

    assert await end(bus, completed()) == Lost(timed_out(), 1)


async def test_a_task_starts_while_it_has_no_end(bus: Bus) -> None:
    await bus.tell(requested())

    assert await publish_start(bus.publisher, bus.log, started()) == Won(2)
    assert await publish_start(bus.publisher, bus.log, started(2)) == Won(3)


async def test_a_task_that_ended_never_starts(bus: Bus) -> None:
    await bus.tell(requested())
    await end(bus, cancelled())

    outcome = await publish_start(bus.publisher, bus.log, started())

    assert outcome == Lost(cancelled(), 2)
    assert (await bus.log.state()).last_sequence == 2


async def test_an_end_that_only_a_newer_version_can_read_is_an_end_all_the_same(bus: Bus) -> None:
    newer = completed().model_dump(mode="json") | {"type": "generation.archived"}
    await bus.client.jetstream().publish(FINISHED, json.dumps(newer).encode())

    assert await end(bus, completed()) == Lost(None, 1)
    assert await publish_start(bus.publisher, bus.log, started()) == Lost(None, 1)
    assert await publish_erasure(bus.publisher, bus.log, erased()) == 2


async def test_the_end_of_one_task_stops_no_other(bus: Bus) -> None:
    await end(bus, cancelled())

    other = started(task=task_id(2))

    assert await publish_start(bus.publisher, bus.log, other) == Won(2)


async def test_an_erasure_comes_behind_the_end_and_is_told_once(bus: Bus) -> None:
    await end(bus, completed())

    assert await publish_erasure(bus.publisher, bus.log, erased()) == 2
    assert await publish_erasure(bus.publisher, bus.log, erased(at=900)) == 2
    assert (await bus.log.state()).last_sequence == 2


async def test_a_task_without_an_end_can_be_erased_and_then_never_ends(bus: Bus) -> None:
    assert await publish_erasure(bus.publisher, bus.log, erased()) == 1

    assert await end(bus, completed()) == Lost(erased(), 1)


async def test_an_end_and_an_erasure_that_race_leave_the_erasure_last(bus: Bus) -> None:
    for number in range(20):
        task = task_id(number)

        await asyncio.gather(
            end(bus, completed(task=task)),
            publish_erasure(bus.publisher, bus.log, erased(task=task)),
            end(bus, failed(task=task)),
            publish_erasure(bus.publisher, bus.log, erased(task=task, at=900)),
        )

        last = await bus.log.last(finished_subject("CREATE", task))
        assert last is not None
        assert decode(last.payload).type == "generation.erased"


async def test_after_the_purge_of_an_erasure_a_late_end_still_finds_the_door_shut(
    bus: Bus,
) -> None:
    js = bus.client.jetstream()
    await bus.tell(requested(), started())
    await end(bus, timed_out())
    await publish_erasure(bus.publisher, bus.log, erased())
    for subject, keep in (
        (subject_of(requested()), None),
        (subject_of(started()), None),
        (FINISHED, 1),
    ):
        await js.purge_stream(STREAM, subject=subject, keep=keep)

    assert await end(bus, completed()) == Lost(erased(), 4)
    assert await publish_start(bus.publisher, bus.log, started(2)) == Lost(erased(), 4)
    assert await publish_erasure(bus.publisher, bus.log, erased(at=900)) == 4
    assert [each.sequence for each in await bus.log.history(TASK_ID)] == [4]
