"""A job handed to an external service is handed over once, and found again."""

from __future__ import annotations

from datetime import UTC, datetime

from builders import progressed, requested, retrying, started, submitting, task_id
from contracts.events import Completed, Failed, Progressed, ProgressedData, Submitting, TaskError
from generator.attempts import unknown_submit
from integration.generator.floor import Floor
from integration.generator.scripted_provider import ScriptedKeyed

LANE = "scripted-remote"
KEYED = ScriptedKeyed.name


async def test_the_handle_is_on_the_log_before_the_job_is_followed(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE)

    end = await floor.ended(task)

    events = await floor.events(task)
    assert [event.type.removeprefix("generation.") for event in events] == [
        *("requested", "started", "submitting", "progressed", "progressed", "completed")
    ]
    about_to, told = events[2], events[3]
    assert isinstance(about_to, Submitting)
    assert about_to.data.key == f"{task}:1"
    assert isinstance(told, Progressed)
    job = f"job-{task}-1"
    assert told.data == ProgressedData(
        attempt=1, progress=0, external_task_id=job, handle={"file": job}
    )
    assert isinstance(end, Completed)
    assert end.data.external_task_id == job


async def test_a_job_on_the_log_is_resumed_and_not_submitted_again(floor: Floor) -> None:
    task = task_id(910)
    job = f"job-{task}-1"
    floor.stage.release(job)
    await _begun(floor, task)
    await floor.tell(progressed(0, task=task, external_task_id=job, handle={"file": job}))

    await floor.start()

    end = await floor.ended(task)
    assert isinstance(end, Completed)
    assert (end.data.attempt, end.data.external_task_id) == (2, job)
    assert floor.stage.calls(task) == [("resume", 2), ("follow", 2)]


async def test_a_submit_of_unknown_outcome_is_never_repeated(floor: Floor) -> None:
    task = task_id(911)
    await _begun(floor, task)

    await floor.start()

    end = await floor.ended(task)
    assert isinstance(end, Failed)
    assert end.data.error == TaskError(
        code="provider_error",
        message=(
            "It is not known whether scripted-remote took this task: the connection was lost "
            "while it was handed over. It was not sent a second time. Check there before you try "
            "again."
        ),
        attempts=1,
        params={"provider": LANE},
    )
    assert floor.stage.calls(task) == []


async def test_a_job_that_vanished_with_its_worker_is_not_submitted_again(floor: Floor) -> None:
    task = task_id(912)
    await _begun(floor, task)
    await floor.tell(progressed(0, task=task, handle={"file": "job-that-is-gone"}))

    await floor.start()

    end = await floor.ended(task)
    assert isinstance(end, Failed)
    assert end.data.error.code == "provider_error"
    assert floor.stage.calls(task) == [("resume", 2)]


async def test_a_job_that_was_seen_to_fail_is_followed_by_another(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE, lose_first=True)

    end = await floor.ended(task)

    assert isinstance(end, Completed)
    assert floor.stage.calls(task) == [("submit", 1), ("resume", 2), ("submit", 2), ("follow", 2)]


async def test_a_refused_submit_is_tried_again(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE, refuse_first=1)

    assert isinstance(await floor.ended(task), Completed)
    assert floor.stage.calls(task) == [("submit", 1), ("submit", 2), ("follow", 2)]


async def test_a_submit_that_hangs_fails_and_is_not_repeated(floor: Floor) -> None:
    await floor.start(provider_timeout_s=0.1)
    task = await floor.ask(lane=LANE, hang_submit=True)

    end = await floor.ended(task)

    assert isinstance(end, Failed)
    assert end.data.error.code == "provider_timeout"
    assert floor.stage.calls(task) == [("submit", 1)]


async def test_a_submit_that_breaks_fails_and_is_not_repeated(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE, break_submit=True)

    end = await floor.ended(task)

    assert isinstance(end, Failed)
    assert (end.data.error.code, end.data.error.retryable) == ("provider_error", False)
    assert floor.stage.calls(task) == [("submit", 1)]


async def test_a_slow_job_is_resumed_then_cancelled_when_time_is_up(floor: Floor) -> None:
    await floor.start(provider_timeout_s=0.2, provider_attempts=2, late_results_s=0)
    task = await floor.ask(lane=LANE, hang=True)

    end = await floor.ended(task)
    await floor.acknowledged(LANE)

    assert isinstance(end, Failed)
    assert end.data.error.code == "provider_timeout"
    assert floor.stage.calls(task)[:4] == [
        ("submit", 1),
        ("follow", 1),
        ("resume", 2),
        ("follow", 2),
    ]
    assert floor.stage.calls(task)[-1] == ("cancel", 2)


async def test_a_resting_job_is_asked_for_before_anything_is_submitted(floor: Floor) -> None:
    task = task_id(913)
    job = f"job-{task}-1"
    floor.stage.release(job)
    await _begun(floor, task)
    await floor.tell(progressed(0, task=task, handle={"file": job}))
    await floor.tell(retrying(task=task, retry_at=datetime.now(UTC)))

    await floor.start()

    assert isinstance(await floor.ended(task), Completed)
    assert floor.stage.calls(task) == [("resume", 2), ("follow", 2)]


async def test_a_submit_whose_answer_was_lost_is_repeated_under_its_key(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=KEYED, unheard=2)

    end = await floor.ended(task)

    assert isinstance(end, Completed)
    assert floor.stage.calls(task) == [("submit", 1), ("submit", 2), ("submit", 3), ("follow", 3)]
    events = await floor.events(task)
    keys = [event.data.key for event in events if isinstance(event, Submitting)]
    assert keys == [f"{task}:1"] * 3
    assert end.data.external_task_id == f"job-{task}-1"
    assert "retrying" not in await floor.story(task)


async def test_a_service_that_takes_no_jobs_now_does_not_answer_an_earlier_submit(
    floor: Floor,
) -> None:
    await floor.start(provider_attempts=4)
    task = await floor.ask(lane=KEYED, unheard=1, refuse=[2, 3])

    end = await floor.ended(task)

    assert isinstance(end, Completed)
    assert end.data.external_task_id == f"job-{task}-1"
    assert [call for call, _ in floor.stage.calls(task)] == ["submit"] * 4 + ["follow"]


async def test_a_submit_that_is_never_answered_fails_and_says_so(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=KEYED, unheard=9)

    end = await floor.ended(task)

    assert isinstance(end, Failed)
    assert end.data.error == unknown_submit(KEYED, 3).error
    assert [call for call, _ in floor.stage.calls(task)] == ["submit"] * 3


async def test_a_key_that_the_service_has_forgotten_is_not_used_again(floor: Floor) -> None:
    task = task_id(914)
    await _begun(floor, task, KEYED)  # long ago

    await floor.start([ScriptedKeyed(floor.stage.folder, key_lasts_s=60)])

    end = await floor.ended(task)
    assert isinstance(end, Failed)
    assert end.data.error == unknown_submit(KEYED, 1).error
    assert floor.stage.calls(task) == []


async def _begun(floor: Floor, task: str, lane: str = LANE) -> None:
    """A worker was about to submit the task's job."""
    long_ago = -1e8
    await floor.tell(requested(task=task, lane=lane, provider_params={}))
    await floor.tell(started(task=task, provider=lane))
    await floor.tell(submitting(task=task, provider=lane, at=long_ago))
