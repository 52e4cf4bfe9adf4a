"""What waits is left in peace, what is due is released, and what waits in vain is ended."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from builders import (
    accepted,
    after,
    annotated,
    cancelled,
    handed_over,
    progressed,
    requested,
    retrying,
    started,
    task_id,
    uploaded,
)
from contracts.breaker import Breaker, BreakerState
from contracts.events import RequestData
from contracts.subjects import BREAKER_BUCKET, requests_of
from delivery.provision import ensure_bucket
from integration.reaper.conftest import (
    StartReaper,
    broker_s,
    limits,
    metric,
    pass_time,
    record,
    sweeper,
    told,
    until_status,
)
from integration.task_store.conftest import Bus

pytestmark = pytest.mark.usefixtures("task_store")

ONE = task_id(1)


async def test_a_task_waits_in_a_served_lane_and_ends_in_an_unserved_one(
    bus: Bus, start_reaper: StartReaper
) -> None:
    working, waiting, unserved, other_type = (task_id(n) for n in range(1, 5))
    await bus.tell(requested(task=working), started(task=working), requested(task=waiting))
    await bus.tell(requested(task=other_type, tasktype="WHITE_BACKGROUND"))
    await bus.tell(requested(task=unserved, lane="kie"))
    await start_reaper(task_timeout_s=1)

    percent = 0
    while (found := await record(bus, unserved)).get("status") != "failed":
        percent += 1
        await bus.tell(progressed(min(percent, 99), task=working, at=percent))
        await asyncio.sleep(0.02)

    assert found["error"]["message"] == (
        "Nothing was heard of this task for 1 s, so it was stopped. Please try again."
    )
    assert found["error"]["attempts"] == 0
    assert (await record(bus, waiting))["phase"] == "waiting"
    # The same provider works on a picture; its workers are busy, not gone.
    assert (await record(bus, other_type))["phase"] == "waiting"


async def test_a_task_waits_for_its_next_attempt_while_its_lane_is_served_and_no_longer(
    bus: Bus, start_reaper: StartReaper
) -> None:
    working, resting, left, silent = (task_id(n) for n in range(1, 5))
    await bus.tell(requested(task=working), started(task=working))
    await bus.tell(requested(task=resting), started(task=resting), retrying(task=resting))
    await bus.tell(requested(task=left), started(task=left), handed_over(task=left))
    await bus.tell(requested(task=silent), started(task=silent))
    await start_reaper(task_timeout_s=1)
    before = metric("darkroom_reaper_timed_out_total", reason="unserved")

    percent = 0
    while (await record(bus, silent)).get("status") != "failed":
        percent += 1
        await bus.tell(progressed(min(percent, 99), task=working, at=percent))
        await asyncio.sleep(0.02)
    waiting = [(await record(bus, task))["phase"] for task in (resting, left)]

    assert waiting == ["backing_off", "running"]
    for task in (resting, left):
        assert (await until_status(bus, task, "failed"))["error"]["code"] == "timeout"
    assert metric("darkroom_reaper_timed_out_total", reason="unserved") == before + 2


async def test_those_that_wait_for_their_next_attempt_keep_no_other_from_being_looked_at(
    bus: Bus,
) -> None:
    resting, silent = task_id(1), task_id(2)
    await bus.tell(requested(task=resting), started(task=resting), retrying(task=resting))
    last = await bus.tell(requested(task=silent), started(task=silent))
    await bus.projected(last)
    await pass_time(bus, 0.2)

    swept = await sweeper(bus, limits(0.2), batch=1).run_once()

    assert (swept.candidates, swept.timed_out) == (1, 1)
    await until_status(bus, silent, "failed")


async def test_downtime_of_the_reaper_ends_no_waiting_task(bus: Bus) -> None:
    started_one, waiting = task_id(1), task_id(2)
    last = await bus.tell(
        requested(task=started_one), started(task=started_one), requested(task=waiting)
    )
    await bus.projected(last)
    await pass_time(bus, 0.3)
    fresh = sweeper(bus, limits(0.2))

    first = await fresh.run_once()
    assert (first.timed_out, first.candidates) == (1, 1)
    await pass_time(bus, 0.2)
    await bus.projected((await bus.log.state()).last_sequence)
    second = await fresh.run_once()

    assert second.timed_out == 1
    await until_status(bus, waiting, "failed")


async def test_a_reaper_that_slept_begins_to_watch_anew(bus: Bus) -> None:
    await bus.projected(await bus.tell(requested(task=ONE)))
    drowsy = sweeper(bus, limits(0.2), patience_s=0.15)
    first = await drowsy.run_once()

    await pass_time(bus, 0.25)
    second = await drowsy.run_once()

    assert (second.timed_out, second.candidates) == (0, 0)
    assert second.watching_since > first.watching_since


async def test_a_task_for_later_is_put_in_line_on_time_and_once(
    bus: Bus, start_reaper: StartReaper
) -> None:
    due = after(await broker_s(bus) + 0.5)
    asked = accepted(
        task=ONE,
        tasktype="CREATE",
        stage="queued",
        prompt="a red bicycle",
        reference_images=("uploads/local/a.jpg",),
        provider_params={"seed": 7},
        prompt_id="p1",
        metadata={"a": {"b": 1}},
        run_at=due,
        submission="",
    )
    await bus.tell(asked)
    for _ in range(2):
        await start_reaper(task_timeout_s=60)

    found = await until_status(bus, ONE, "processing")

    ticket = await bus.log.last(requests_of(ONE))
    (release,) = await told(bus, ONE, "generation.requested")
    assert ticket is not None
    assert due <= ticket.logtime
    assert release.time >= due
    assert release.id == f"{ONE}:requested"
    assert (found["ticket"], found["queue_position"]) == (ticket.sequence, 1)
    assert isinstance(data := getattr(release, "data", None), RequestData)
    assert data == asked.data
    state = await bus.log.state()
    assert state.last_sequence == 2


async def test_two_reapers_that_race_give_one_ticket(bus: Bus) -> None:
    now = await broker_s(bus)
    tasks = [task_id(number) for number in range(1, 21)]
    for task in tasks:
        last = await bus.tell(accepted(task=task, tasktype="CREATE", run_at=after(now)))
    await bus.projected(last)

    swept = await asyncio.gather(*(sweeper(bus, limits(60)).run_once() for _ in range(3)))

    assert sum(each.released for each in swept) == 20
    assert (await bus.log.state()).last_sequence == 40


async def test_what_was_cancelled_meanwhile_gets_no_ticket(
    bus: Bus, database: asyncpg.Connection
) -> None:
    now = await broker_s(bus)
    await bus.projected(await bus.tell(accepted(task=ONE, tasktype="CREATE", run_at=after(now))))
    async with database.transaction():
        # The projection stands still, so that the reaper can't know what the log knows.
        await database.execute("LOCK TABLE checkpoint IN EXCLUSIVE MODE")
        await bus.tell(cancelled(task=ONE, tasktype="CREATE"))
        swept = await sweeper(bus, limits(60)).run_once()

    assert (swept.released, swept.lost) == (0, 1)
    assert await bus.log.last(requests_of(ONE)) is None


async def test_a_photo_that_never_comes_fails_the_upload(
    bus: Bus, start_reaper: StartReaper
) -> None:
    await bus.tell(accepted(task=ONE))
    await start_reaper(task_timeout_s=60, upload_ttl_s=0.36)

    found = await until_status(bus, ONE, "failed")

    assert found["stage"] == "upload_failed"
    assert found["error"]["code"] == "invalid_input"
    assert found["error"]["message"] == "No photo came within 0.0001 h. Please start again."


async def test_a_photo_task_that_is_due_still_waits_for_its_photo(bus: Bus) -> None:
    now = await broker_s(bus)
    early, there = task_id(1), task_id(2)
    await bus.tell(accepted(task=early, run_at=after(now)))
    last = await bus.tell(accepted(task=there), uploaded("uploads/local/a.jpg", task=there))
    await bus.projected(last)

    swept = await sweeper(bus, limits(60)).run_once()

    assert (swept.released, swept.candidates) == (1, 1)
    found = await until_status(bus, there, "processing")
    assert (found["stage"], found["reference_images"]) == ("uploaded", ["uploads/local/a.jpg"])
    assert (await record(bus, early))["status"] == "pending"


async def test_a_task_that_can_not_be_released_keeps_no_other_from_it(bus: Bus) -> None:
    now = await broker_s(bus)
    too_large, good = task_id(1), task_id(2)
    for task in (too_large, good):
        await bus.tell(accepted(task=task, tasktype="CREATE", run_at=after(now)))
    for half in ("a", "b"):
        last = await bus.tell(annotated({half: half * 40_000}, task=too_large))
    await bus.projected(last)

    swept = await sweeper(bus, limits(60)).run_once()

    assert (swept.released, swept.failed) == (1, 1)
    assert swept.candidates == 2
    await until_status(bus, good, "processing")


async def test_a_task_waits_for_a_provider_that_is_left_alone_and_no_longer(
    bus: Bus, start_reaper: StartReaper
) -> None:
    patient, other = task_id(1), task_id(2)
    await bus.tell(requested(task=patient, lane="kie"), requested(task=other, lane="fal"))
    far = datetime.now(UTC) + timedelta(hours=1)
    await breaker(bus, "kie", Breaker(state=BreakerState.OPEN, failures=5, until=far))
    await start_reaper(task_timeout_s=1)

    await until_status(bus, other, "failed")
    waiting = await record(bus, patient)
    await breaker(bus, "kie", Breaker(freed_at=datetime.now(UTC)))
    ended = await until_status(bus, patient, "failed")

    assert waiting["phase"] == "waiting"
    assert ended["error"]["code"] == "timeout"


async def breaker(bus: Bus, provider: str, value: Breaker) -> None:
    await ensure_bucket(bus.client, BREAKER_BUCKET)
    bucket = await bus.client.jetstream().key_value(BREAKER_BUCKET)
    await bucket.put(provider, value.model_dump_json(exclude_defaults=True).encode())
