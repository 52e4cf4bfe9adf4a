"""What a job makes after its task has timed out is kept: it was paid for."""

from __future__ import annotations

from datetime import UTC, datetime

from builders import NOON, cancelled, erased, timed_out
from contracts.events import Failed, LateResult, TimedOut
from contracts.lifecycle import Status
from delivery.ends import publish_erasure
from integration.generator.floor import Floor
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
