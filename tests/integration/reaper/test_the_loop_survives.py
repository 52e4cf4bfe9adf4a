"""Downtime of anything: nothing is ended wrongly, nothing is forgotten, and the loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from builders import progressed, requested, started, task_id
from contracts.subjects import STREAM, finished_subject, progress_subject
from delivery import provision
from integration.reaper.conftest import (
    ReaperProcess,
    Running,
    StartReaper,
    count_finished,
    limits,
    metric,
    pass_time,
    record,
    silent_as_of_the_checkpoint,
    sweeper,
    told,
    until_status,
)
from integration.task_store.conftest import SPEC, Bus
from reaper.sweep import CheckpointAhead
from servers import Server, eventually

ONE, TWO = task_id(1), task_id(2)
SpawnReaper = Callable[..., Awaitable[ReaperProcess]]
StartTaskStore = Callable[[], Running]


async def running_tasks(bus: Bus, count: int, **asked: object) -> list[str]:
    """Tasks that have started and fall silent at once."""
    tasks = [task_id(number) for number in range(1, count + 1)]
    for task in tasks:
        await bus.tell(requested(task=task, **asked), started(task=task))
    return tasks


def once_each(tasks: list[str]) -> dict[str, int]:
    return {finished_subject("CREATE", task): 1 for task in tasks}


@pytest.mark.usefixtures("task_store")
async def test_what_fell_silent_during_downtime_is_ended_before_the_reaper_is_ready(
    bus: Bus, start_reaper: StartReaper
) -> None:
    tasks = await running_tasks(bus, 25)
    await pass_time(bus, 0.3)

    reaper = await start_reaper(reaper_batch=10, reaper_interval_s=3600)
    await eventually(reaper.is_ready, 30)

    assert await count_finished(bus) == once_each(tasks)


@pytest.mark.usefixtures("task_store")
async def test_a_projection_that_lags_makes_it_slower_never_wrong(
    bus: Bus, database: asyncpg.Connection
) -> None:
    await bus.projected(await bus.tell(*[fact for task in (ONE, TWO) for fact in _begun(task)]))
    alive = sweeper(bus, limits(0.5))
    async with database.transaction():
        # The projector can't write, queries are answered as of its checkpoint.
        await database.execute("LOCK TABLE checkpoint IN EXCLUSIVE MODE")
        for percent in range(1, 8):
            last = await bus.tell(progressed(percent, task=ONE, at=percent))
            await pass_time(bus, 0.1)
            swept = await alive.run_once()
            assert (swept.timed_out, swept.candidates) == (0, 0)
            assert swept.now < (await bus.log.state()).now

    await bus.projected(last)
    # Only the one that is silent in the log as well, as soon as the rows have caught up.
    swept = await sweeper(bus, limits(0.5)).run_once()
    assert swept.timed_out == 1
    await until_status(bus, TWO, "failed")
    assert (await record(bus, ONE))["status"] == "processing"


def _begun(task: str):  # type: ignore[no-untyped-def]
    return requested(task=task), started(task=task)


async def test_without_a_task_store_nothing_is_ended_and_then_everything_stale_is(
    bus: Bus, start_reaper: StartReaper, start_stoppable_task_store: StartTaskStore
) -> None:
    store = start_stoppable_task_store()
    reaper = await start_reaper()
    await eventually(reaper.is_ready, 30)
    await store.stop()
    tasks = await running_tasks(bus, 3)
    errors = metric("darkroom_reaper_errors_total", kind="NoResponders")

    await pass_time(bus, 0.4)
    await eventually(
        lambda: metric("darkroom_reaper_errors_total", kind="NoResponders") >= errors + 2
    )
    assert await count_finished(bus) == {}

    start_stoppable_task_store()
    for task in tasks:
        await until_status(bus, task, "failed")
    assert await count_finished(bus) == once_each(tasks)


async def test_a_reaper_that_never_saw_a_task_store_is_not_ready(
    bus: Bus, start_reaper: StartReaper, start_stoppable_task_store: StartTaskStore
) -> None:
    errors = metric("darkroom_reaper_errors_total", kind="NoResponders")
    reaper = await start_reaper()

    await eventually(
        lambda: metric("darkroom_reaper_errors_total", kind="NoResponders") >= errors + 2
    )
    assert not await reaper.is_ready()

    start_stoppable_task_store()
    await eventually(reaper.is_ready, 30)


@pytest.mark.usefixtures("task_store")
async def test_a_restart_of_the_broker_costs_some_sweeps_and_no_waiting_task(
    bus: Bus, start_reaper: StartReaper, nats_server: Server
) -> None:
    reaper = await start_reaper(task_timeout_s=1)
    await eventually(reaper.is_ready, 30)
    await bus.tell(requested(task=ONE), started(task=ONE), requested(task=TWO, lane="kie"))

    await nats_server.kill()
    await asyncio.sleep(0.8)  # the downtime itself
    back = datetime.now(UTC)
    await nats_server.restart()

    await until_status(bus, ONE, "failed")
    await until_status(bus, TWO, "failed")
    (end,) = await told(bus, TWO, "generation.timed_out")
    assert end.time - back >= timedelta(seconds=1)
    await eventually(reaper.is_ready, 30)
    assert await count_finished(bus) == once_each([ONE, TWO])


@pytest.mark.usefixtures("task_store")
async def test_a_reaper_killed_in_the_middle_leaves_the_rest_to_the_next(
    bus: Bus, spawn_reaper: SpawnReaper
) -> None:
    tasks = await running_tasks(bus, 60)
    settings = {"task_timeout_s": 0.3, "reaper_interval_s": 3600}
    first = await spawn_reaper(**settings, reaper_batch=1)
    await eventually(lambda: count_finished(bus), 30)
    await first.child.kill()
    ended = await count_finished(bus)

    second = await spawn_reaper(**settings)
    await eventually(second.is_ready, 30)

    assert 0 < len(ended) < 60
    assert await count_finished(bus) == once_each(tasks)
    assert await second.child.stop() == 0


@pytest.mark.usefixtures("task_store")
async def test_a_task_with_parked_events_is_not_judged(bus: Bus) -> None:
    await bus.tell(requested(task=ONE), started(task=ONE))
    await bus.client.jetstream().publish(progress_subject("CREATE", ONE), b"not json")
    last = await bus.tell(requested(task=TWO), started(task=TWO))
    await bus.projected(last)
    await pass_time(bus, 0.1)

    swept = await sweeper(bus, limits(0.1)).run_once()

    assert (swept.timed_out, swept.candidates) == (1, 1)
    assert await count_finished(bus) == once_each([TWO])


@pytest.mark.usefixtures("task_store")
async def test_a_task_store_that_can_not_look_is_an_error_not_an_empty_answer(
    bus: Bus, start_reaper: StartReaper, database: asyncpg.Connection
) -> None:
    errors = metric("darkroom_reaper_errors_total", kind="NoAnswer")
    await database.execute("ALTER TABLE lanes RENAME TO lanes_elsewhere")
    reaper = await start_reaper()

    await eventually(lambda: metric("darkroom_reaper_errors_total", kind="NoAnswer") >= errors + 2)
    assert not await reaper.is_ready()

    await database.execute("ALTER TABLE lanes_elsewhere RENAME TO lanes")
    await eventually(reaper.is_ready, 30)


@pytest.mark.usefixtures("task_store")
async def test_rows_of_another_log_are_not_judged(bus: Bus) -> None:
    await bus.projected(await bus.tell(*_begun(ONE), progressed(task=ONE)))
    jetstream = bus.client.jetstream()
    await jetstream.delete_stream(STREAM)
    await provision.ensure_stream(bus.client, SPEC)
    await bus.tell(requested(task=TWO))
    await pass_time(bus, 0.1)

    with pytest.raises(CheckpointAhead):
        await sweeper(bus, limits(0.05)).run_once()

    assert await count_finished(bus) == {}


@pytest.mark.usefixtures("task_store")
async def test_an_answer_larger_than_the_brokers_limit_is_one_sweep(bus: Bus) -> None:
    tasks = await running_tasks(bus, 25, prompt="\N{GRINNING FACE}" * 14_000)
    await bus.projected((await bus.log.state()).last_sequence)
    await pass_time(bus, 0.1)

    swept = await sweeper(bus, limits(0.1)).run_once()

    assert swept.timed_out == 25
    assert await count_finished(bus) == once_each(tasks)


@pytest.mark.usefixtures("task_store")
async def test_a_sweep_waits_until_the_projection_has_seen_the_last_one(
    bus: Bus, database: asyncpg.Connection
) -> None:
    await silent_as_of_the_checkpoint(bus, ONE, TWO)
    quick = sweeper(bus, limits(0.1), batch=1)

    async with database.transaction():
        await database.execute("LOCK TABLE checkpoint IN EXCLUSIVE MODE")
        first = await quick.run_once()
        second = await quick.run_once()

    assert (first.timed_out, first.put_off) == (1, 0)
    assert (second.timed_out, second.lost, second.put_off) == (0, 0, 1)
    assert not second.nothing_is_stale
    await bus.projected((await bus.log.state()).last_sequence)
    third = await quick.run_once()
    assert (third.timed_out, third.put_off) == (1, 0)
    assert await count_finished(bus) == once_each([ONE, TWO])


@pytest.mark.usefixtures("task_store")
async def test_a_reaper_watches_anew_after_a_reconnect(bus: Bus, nats_server: Server) -> None:
    await bus.projected(await bus.tell(requested(task=ONE)))
    brief = sweeper(bus, limits(60))
    first = await brief.run_once()
    again = await brief.run_once()

    await nats_server.kill()
    await nats_server.restart()
    await eventually(lambda: bus.client.stats["reconnects"] and bus.client.is_connected)
    await bus.projected(1)
    after_it = await brief.run_once()

    assert again.watching_since == first.watching_since == first.now
    assert after_it.watching_since > again.now
