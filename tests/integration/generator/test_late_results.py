"""What a job makes after its task has timed out is kept: it was paid for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from builders import NOON, cancelled, erased, timed_out
from contracts.events import Completed, Failed, LateResult, Progressed, TimedOut
from contracts.lifecycle import Status
from delivery.ends import publish_erasure
from generator import lanes
from integration.generator.floor import PATIENCE_S, Floor
from integration.generator.scripted_provider import ScriptedNarrow
from servers import eventually

LANE = "scripted-remote"


def out_of_time(task: str) -> TimedOut:
    """The reaper ends it, now."""
    return timed_out(task=task, at=(datetime.now(UTC) - NOON).total_seconds())


async def late(floor: Floor, task: str) -> LateResult:
    await floor.told(task, "late_result")
    (event,) = [each for each in await floor.events(task) if isinstance(each, LateResult)]
    return event


async def test_the_result_of_a_task_that_the_reaper_ended_is_kept_when_it_comes(
    floor: Floor,
) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE, until="go")
    await floor.followed(task)
    await floor.end(out_of_time(task))
    await eventually(lambda: floor.stage.count("follow") == 2)
    floor.stage.release("go")

    (artifact,) = (await late(floor, task)).data.artifacts
    await floor.acknowledged(LANE)
    row = await floor.task(task)

    assert await floor.store.get(artifact.key) == b"a red bicycle 0"
    assert row.status is Status.FAILED
    assert row.late_artifacts == (artifact,)
    assert ("cancel", 1) not in floor.stage.calls(task)
    assert floor.stage.count("submit") == 1


async def test_a_provider_that_was_only_too_slow_is_heard_out(floor: Floor) -> None:
    await floor.start(provider_timeout_s=0.3, provider_attempts=1)
    task = await floor.ask(lane=LANE, until="go")
    end = await floor.ended(task)
    floor.stage.release("go")
    artifacts = (await late(floor, task)).data.artifacts

    assert isinstance(end, Failed)
    assert end.data.error.code == "provider_timeout"
    assert len(artifacts) == 1


async def test_another_generator_goes_on_waiting_where_one_was_killed(floor: Floor) -> None:
    process = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=LANE, until="go")
    await floor.followed(task)
    await floor.end(out_of_time(task))
    await eventually(lambda: floor.stage.count("follow") == 2)
    process.kill()
    await process.wait()

    await floor.start(lease_s=1)
    floor.stage.release("go")
    await late(floor, task)
    await floor.acknowledged(LANE)

    assert isinstance(await floor.ended(task), TimedOut)
    assert (await floor.story(task)).count("late_result") == 1
    assert floor.stage.count("submit") == 1


async def test_a_job_that_makes_nothing_in_time_is_cancelled(floor: Floor) -> None:
    await floor.start(late_results_s=0.5)
    task = await floor.ask(lane=LANE, until="never")
    await floor.followed(task)
    await floor.end(out_of_time(task))
    await eventually(lambda: ("cancel", 1) in floor.stage.calls(task))
    await floor.acknowledged(LANE)

    assert "late_result" not in await floor.story(task)


async def test_a_job_that_its_owner_called_off_is_cancelled_at_once(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE, until="go")
    await floor.followed(task)
    await floor.end(cancelled(task=task))
    await eventually(lambda: ("cancel", 1) in floor.stage.calls(task))
    await floor.acknowledged(LANE)

    assert floor.stage.count("follow") == 1


async def test_what_comes_after_an_erasure_is_not_kept(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE, until="go")
    await floor.followed(task)
    await floor.end(out_of_time(task))
    await eventually(lambda: floor.stage.count("follow") == 2)
    await publish_erasure(floor.publisher, floor.log, erased(task=task))
    floor.stage.release("go")
    await floor.acknowledged(LANE)

    assert "late_result" not in await floor.story(task)
    assert [each async for each in floor.store.list("artifacts")] == []


async def test_who_waits_for_a_late_result_takes_no_place_from_others(floor: Floor) -> None:
    narrow = ScriptedNarrow(floor.stage.folder)
    await floor.start([narrow], provider_timeout_s=0.3, provider_attempts=1, owner_running=2)
    slow = [await floor.ask(lane=narrow.name, until="go") for _ in range(2)]
    for task in slow:
        assert isinstance(await floor.ended(task), Failed)

    after = [await floor.ask(lane=narrow.name) for _ in range(3)]
    for task in after:
        assert isinstance(await floor.ended(task), Completed)

    assert set(slow) <= floor.held()
    floor.stage.release("go")
    for task in slow:
        await late(floor, task)
    await floor.acknowledged(narrow.name)


async def test_who_waits_for_a_late_result_has_no_slot(floor: Floor) -> None:
    generator = await floor.start(remote_concurrency=1)
    assert generator.parts is not None
    slow = await floor.ask(lane=LANE, until="go")
    await floor.followed(slow)
    await floor.end(out_of_time(slow))
    await eventually(lambda: floor.stage.count("follow") == 2)

    assert isinstance(await floor.ended(await floor.ask(lane=LANE)), Completed)

    floor.stage.release("go")
    await late(floor, slow)


async def test_the_job_of_a_task_that_timed_out_in_line_is_waited_for_there(floor: Floor) -> None:
    task = await floor.ask_in_line(until="go")

    await floor.end(out_of_time(task))
    await eventually(lambda: ("resume", 1) in floor.stage.calls(task), PATIENCE_S)
    floor.stage.release("go")

    await late(floor, task)
    assert (await floor.story(task)).count("started") == 1


@pytest.mark.parametrize("told", [True, False])
async def test_nobody_waits_for_the_job_of_a_task_that_was_erased(floor: Floor, told: bool) -> None:
    await floor.start(lease_s=30 if told else 0.6)
    task = await floor.ask(lane=LANE, until="never")
    await floor.followed(task)
    await floor.end(out_of_time(task))
    await eventually(lambda: floor.stage.count("follow") == 2)

    await publish_erasure(floor.publisher, floor.log, erased(task=task))
    if told:
        await floor.client.publish(f"cancel.{task}")

    await eventually(lambda: ("cancel", 1) in floor.stage.calls(task))
    await floor.acknowledged(LANE)
    assert task not in floor.held()


async def test_a_generator_that_goes_does_not_stay_for_late_results(floor: Floor) -> None:
    patient = await floor.start(drain_s=600)
    task = await floor.ask(lane=LANE, until="go")
    await floor.followed(task)
    await floor.end(out_of_time(task))
    await eventually(lambda: floor.stage.count("follow") == 2)

    await asyncio.wait_for(floor.stop(patient), PATIENCE_S)
    await floor.start()
    floor.stage.release("go")

    await late(floor, task)
    told = await floor.events(task)
    assert isinstance(told[-1], LateResult)
    # The task has ended: there is nothing to hand over.
    assert not any(isinstance(each, Progressed) and each.data.handed_over for each in told)


async def test_no_more_late_jobs_are_followed_than_a_generator_takes(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "_MOST_LATE", 1)
    monkeypatch.setattr(lanes, "_LATE_AGAIN_S", 0.05)
    await floor.start()
    first = await floor.ask(lane=LANE, until="one")
    second = await floor.ask(lane=LANE, until="two")
    for task in (first, second):
        await floor.followed(task)
        await floor.end(out_of_time(task))
        await eventually(lambda: ("resume", 1) in floor.stage.calls(first))
    await eventually(lambda: second not in floor.held())
    floor.stage.release("two")
    assert isinstance(await floor.ended(await floor.ask(lane=LANE)), Completed)
    assert ("resume", 1) not in floor.stage.calls(second)

    floor.stage.release("one")

    await late(floor, first)
    await late(floor, second)
    await floor.acknowledged(LANE)
