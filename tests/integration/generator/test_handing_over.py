"""A worker that goes hands its tasks on: nothing is submitted twice, nothing counts as failed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from builders import (
    handed_over,
    progressed,
    requested,
    retrying,
    started,
    submitting,
    task_id,
)
from contracts.events import Completed, Event, Failed, Progressed, ProgressedData
from generator.attempts import unknown_submit
from integration.generator.floor import PATIENCE_S, Floor, ended_with, terminate
from integration.generator.scripted_provider import ScriptedKeyed, ScriptedRemote
from servers import eventually

LANE = ScriptedRemote.name
KEYED = ScriptedKeyed.name


async def test_a_worker_goes_only_when_the_log_tells_of_the_job_that_it_is_submitting(
    floor: Floor,
) -> None:
    leaving = await floor.start_process(drain_submit_s=60, lease_s=600)
    task = await floor.ask(lane=LANE, submit_until="answered", until_1="never")
    await _in_the_middle_of_a_submit(floor, task, leaving)
    floor.stage.release("answered")

    assert await ended_with(leaving) == 0
    await floor.start(lease_s=600)
    end = await floor.ended(task)
    assert isinstance(end, Completed)
    assert end.data.external_task_id == f"job-{task}-1"
    calls = floor.stage.calls(task)
    assert [call for call, attempt in calls if attempt == 2] == ["resume", "follow"]
    assert calls.count(("submit", 1)) == 1


async def test_a_submit_that_is_refused_while_its_worker_goes_is_tried_again(floor: Floor) -> None:
    leaving = await floor.start_process(drain_submit_s=60, lease_s=600)
    task = await floor.ask(lane=LANE, submit_until="answered", refuse_first=1)
    await _in_the_middle_of_a_submit(floor, task, leaving)
    floor.stage.release("answered")
    assert await ended_with(leaving) == 0
    await floor.start(lease_s=600)

    assert isinstance(await floor.ended(task), Completed)
    assert floor.stage.calls(task) == [("submit", 1), ("submit", 2), ("follow", 2)]


async def test_a_submit_that_is_not_answered_in_time_is_told_to_be_unknown(floor: Floor) -> None:
    leaving = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=LANE, hang_submit=True)
    await eventually(lambda: ("submit", 1) in floor.stage.calls(task), PATIENCE_S)

    terminate(leaving)
    assert await ended_with(leaving) == 0
    await floor.start(lease_s=1)

    end = await floor.ended(task)
    assert isinstance(end, Failed)
    assert end.data.error == unknown_submit(LANE, 1).error
    assert floor.stage.calls(task) == [("submit", 1)]


async def test_a_worker_killed_in_the_middle_of_a_submit_costs_no_second_job(floor: Floor) -> None:
    first = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=KEYED, submit_until="answered")
    await eventually(lambda: ("submit", 1) in floor.stage.calls(task), PATIENCE_S)

    first.kill()
    floor.stage.release("answered")
    await floor.start(lease_s=1)

    end = await floor.ended(task)
    assert isinstance(end, Completed)
    assert end.data.external_task_id == f"job-{task}-1"
    assert floor.stage.calls(task) == [("submit", 1), ("submit", 2), ("follow", 2)]


async def test_a_worker_that_goes_submits_nothing_any_more(floor: Floor) -> None:
    task = task_id(930)
    # Its job is gone, and seen to fail: another would be submitted.
    await floor.tell(requested(task=task, lane=LANE, provider_params={"resume_until": "asked"}))
    await floor.tell(started(task=task, provider=LANE))
    await floor.tell(submitting(task=task, provider=LANE))
    await floor.tell(progressed(0, task=task, handle={"file": "job-that-is-gone"}))
    await floor.tell(retrying(task=task, retry_at=datetime.now(UTC)))
    generator = await floor.start(drain_s=60)
    parts = generator.parts
    assert parts is not None
    await eventually(lambda: ("resume", 2) in floor.stage.calls(task))

    stopping = asyncio.create_task(floor.stop(generator))
    await eventually(lambda: parts.lanes.works[task].leaving)
    floor.stage.release("asked")
    await stopping

    assert floor.stage.calls(task) == [("resume", 2)]
    assert await _is_handed_over(floor, task)

    await floor.start()
    assert isinstance(await floor.ended(task), Completed)
    assert floor.stage.calls(task)[1:] == [("resume", 3), ("submit", 3), ("follow", 3)]


async def test_a_worker_killed_while_it_asks_for_a_job_that_failed_stands_in_the_way_of_no_other(
    floor: Floor,
) -> None:
    first = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=LANE, lose_first=True, resume_until="asked")
    await eventually(lambda: ("resume", 2) in floor.stage.calls(task), PATIENCE_S)
    first.kill()
    await first.wait()
    floor.stage.release("asked")
    await floor.start(lease_s=1)

    assert isinstance(await floor.ended(task), Completed)
    assert [call for call, _ in floor.stage.calls(task)].count("submit") == 2


async def test_a_long_job_outlives_any_number_of_drains(floor: Floor) -> None:
    remote = await floor.ask(lane=LANE, until="done")
    local = await floor.ask(until="done")
    for times in (1, 2, 3):
        generator = await floor.start(provider_attempts=1)
        for task in (remote, local):
            await floor.told(task, "started", times)
            await floor.followed(task, times)
        await floor.stop(generator)
    floor.stage.release("done")
    await floor.start(provider_attempts=1)

    for task in (remote, local):
        end = await floor.ended(task)
        assert isinstance(end, Completed)
        assert end.data.attempt == 4
    calls = [call for call, _ in floor.stage.calls(remote)]
    assert (calls.count("submit"), calls.count("cancel")) == (1, 0)
    handed = [event.data for event in await floor.events(local) if _hands_over(event)]
    assert handed == [
        ProgressedData(attempt=number, progress=50, handed_over=True) for number in (1, 2, 3)
    ]


async def test_a_crash_counts_whatever_was_handed_over_before(floor: Floor) -> None:
    task = task_id(931)
    await floor.tell(requested(task=task, lane="scripted"))
    await floor.tell(started(task=task))
    await floor.tell(handed_over(task=task, at=2))
    await floor.tell(started(2, task=task, at=3))

    await floor.start(provider_attempts=1)

    end = await floor.ended(task)
    assert isinstance(end, Failed)
    assert end.data.error.params == {"provider": "scripted", "times": 1}
    assert floor.stage.calls(task) == []


async def _in_the_middle_of_a_submit(
    floor: Floor, task: str, leaving: asyncio.subprocess.Process
) -> None:
    """Have the process go, to the point at which it waits for nothing but that submit."""
    other = await floor.ask(until="never")
    await floor.told(other, "started")
    await eventually(lambda: ("submit", 1) in floor.stage.calls(task), PATIENCE_S)
    terminate(leaving)
    await eventually(lambda: _is_handed_over(floor, other), PATIENCE_S)


def _hands_over(event: Event) -> bool:
    return isinstance(event, Progressed) and event.data.handed_over is True


async def _is_handed_over(floor: Floor, task: str) -> bool:
    return any(map(_hands_over, await floor.events(task)))
