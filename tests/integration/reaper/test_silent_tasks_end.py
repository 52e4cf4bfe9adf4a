"""A started task of which nothing is heard is ended, once, with a message for its user."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from builders import after, completed, failed, progressed, requested, retrying, started, task_id
from contracts.subjects import LIVE_EVENTS, cancel_subject, finished_subject
from integration.reaper.conftest import (
    StartReaper,
    broker_s,
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
from integration.task_store.conftest import Bus
from servers import eventually

pytestmark = pytest.mark.usefixtures("task_store")

ONE = task_id(1)
MESSAGE = "Nothing was heard of this task for 0.3 s, so it was stopped. Please try again."


async def test_a_stuck_task_is_detected_and_its_error_message_sent(
    bus: Bus, start_reaper: StartReaper
) -> None:
    live = await bus.client.subscribe(LIVE_EVENTS.replace(">", "finished.>"))
    await bus.tell(requested(task=ONE), started(task=ONE), progressed(40, task=ONE))
    await start_reaper()

    message = await live.next_msg(timeout=10)

    assert message.subject == f"live.{finished_subject('CREATE', ONE)}"
    assert MESSAGE.encode() in message.data


async def test_the_message_is_persisted_and_the_row_has_the_error_status(
    bus: Bus, start_reaper: StartReaper, database: asyncpg.Connection
) -> None:
    await bus.tell(requested(task=ONE), started(task=ONE), progressed(40, task=ONE))
    await start_reaper()

    found = await until_status(bus, ONE, "failed")

    row = await database.fetchrow("SELECT status, stage, progress, error FROM tasks")
    assert row is not None
    assert (row["status"], row["stage"], row["progress"]) == ("failed", "generating", 0)
    assert found["error"] == {
        "code": "timeout",
        "message": MESSAGE,
        "retryable": True,
        "attempts": 1,
        "params": {"seconds": 0.3},
    }


async def test_it_is_ended_once_by_an_event_of_its_own_kind(
    bus: Bus, start_reaper: StartReaper
) -> None:
    before = metric("darkroom_reaper_timed_out_total", reason="silent")
    await bus.tell(requested(task=ONE), started(task=ONE))
    for _ in range(2):
        await start_reaper()
    await until_status(bus, ONE, "failed")
    sweeps = metric("darkroom_reaper_sweeps_total")

    await eventually(lambda: metric("darkroom_reaper_sweeps_total") >= sweeps + 4)

    (end,) = await told(bus, ONE, "generation.timed_out")
    assert (end.source, end.owner, end.tasktype) == ("reaper", "local", "CREATE")
    assert await count_finished(bus) == {finished_subject("CREATE", ONE): 1}
    assert metric("darkroom_reaper_timed_out_total", reason="silent") == before + 1


async def test_its_worker_is_told_to_stop(bus: Bus, start_reaper: StartReaper) -> None:
    words = await bus.client.subscribe(cancel_subject(ONE))
    await bus.tell(requested(task=ONE), started(task=ONE))
    await start_reaper()

    await words.next_msg(timeout=10)

    assert len(await told(bus, ONE, "generation.timed_out")) == 1


async def test_two_reapers_that_race_end_each_task_once(bus: Bus) -> None:
    tasks = [task_id(number) for number in range(1, 21)]
    for task in tasks:
        last = await bus.tell(requested(task=task), started(task=task))
    await bus.projected(last)
    await pass_time(bus, 0.2)

    swept = await asyncio.gather(*(sweeper(bus, limits(0.2)).run_once() for _ in range(3)))

    assert sum(each.timed_out for each in swept) == 20
    assert sum(each.timed_out + each.lost for each in swept) == sum(
        each.candidates for each in swept
    )
    assert await count_finished(bus) == {finished_subject("CREATE", task): 1 for task in tasks}


async def test_an_end_that_comes_first_stays_the_end(
    bus: Bus, database: asyncpg.Connection
) -> None:
    await silent_as_of_the_checkpoint(bus, ONE)
    async with database.transaction():
        # The projection stands still, so that the reaper can't know what the log knows.
        await database.execute("LOCK TABLE checkpoint IN EXCLUSIVE MODE")
        last = await bus.tell(completed(task=ONE))
        swept = await sweeper(bus, limits(0.1)).run_once()

    await bus.projected(last)
    assert (swept.timed_out, swept.lost) == (0, 1)
    assert (await record(bus, ONE))["status"] == "completed"


async def test_a_sign_of_life_keeps_a_task_alive(bus: Bus, start_reaper: StartReaper) -> None:
    alive, silent = task_id(1), task_id(2)
    for task in (alive, silent):
        await bus.tell(requested(task=task), started(task=task))
    await start_reaper(task_timeout_s=1)

    percent = 0
    while (await record(bus, silent)).get("status") != "failed":
        percent += 1
        await bus.tell(progressed(min(percent, 99), task=alive, at=percent))
        await asyncio.sleep(0.02)

    assert (await record(bus, alive))["status"] == "processing"


async def test_a_task_between_attempts_is_silent_only_after_its_next_one_was_due(
    bus: Bus, start_reaper: StartReaper
) -> None:
    backing_off, silent = task_id(1), task_id(2)
    now = await broker_s(bus)
    for task in (backing_off, silent):
        await bus.tell(requested(task=task), started(task=task))
    await bus.tell(retrying(task=backing_off, at=now, retry_at=after(now + 1.2)))
    await start_reaper()

    await until_status(bus, silent, "failed")
    assert (await record(bus, backing_off))["phase"] == "backing_off"
    await until_status(bus, backing_off, "failed")

    (end,) = await told(bus, backing_off, "generation.timed_out")
    assert end.time >= after(now + 1.5)


async def test_a_task_that_runs_past_its_deadline_is_ended_though_it_is_heard_of(
    bus: Bus, start_reaper: StartReaper
) -> None:
    now = await broker_s(bus)
    await bus.tell(requested(task=ONE, at=now), started(task=ONE, at=now))
    await start_reaper(task_timeout_s=60, task_deadline_s=0.5)

    percent = 0
    while (found := await record(bus, ONE)).get("status") != "failed":
        percent += 1
        await bus.tell(progressed(min(percent, 99), task=ONE, at=now + percent))
        await asyncio.sleep(0.02)

    assert found["error"]["message"] == (
        "This task ran for longer than 0.5 s, so it was stopped. Please try again."
    )


async def test_a_finished_task_is_never_touched(bus: Bus) -> None:
    one, two = task_id(1), task_id(2)
    for task, end in ((one, completed(task=one)), (two, failed(task=two))):
        last = await bus.tell(requested(task=task), started(task=task), end)
    await bus.projected(last)
    await pass_time(bus, 0.1)

    swept = await sweeper(bus, limits(0.05, deadline_s=0.05)).run_once()

    assert swept.candidates == 0
    assert set((await count_finished(bus)).values()) == {1}
