"""A task in line, or waiting for its photo or its time, isn't silent: what does end its wait."""

import pytest

from builders import (
    accepted,
    after,
    annotated,
    fold,
    folded,
    handed_over,
    progressed,
    requested,
    retrying,
    started,
    uploaded,
)
from contracts.events import RequestData
from contracts.lifecycle import Task
from reaper.silence import Leave, Limits, Release, TimeOut, UploadFailed, Verdict, decide

DAY = 24 * 3600
LIMITS = Limits(timeout_s=300, deadline_s=3600, photo_ttl_s=3 * DAY)


def judged(
    task: Task,
    at: float,
    *,
    served: float | None = None,
    watching: float = 0,
    handed_over: bool = False,
) -> Verdict:
    return decide(
        task,
        served_at=None if served is None else after(served),
        handed_over=handed_over,
        now=after(at),
        watching_since=after(watching),
        limits=LIMITS,
    )


def test_a_task_waits_for_as_long_as_its_lane_is_served() -> None:
    assert judged(folded(requested()), 3 * DAY, served=3 * DAY - 299) == Leave()


def test_a_task_in_a_lane_that_nobody_serves_is_ended() -> None:
    task = folded(requested(at=100))

    assert judged(task, 399) == Leave()
    verdict = judged(task, 400)

    assert isinstance(verdict, TimeOut)
    assert verdict.reason == "unserved"
    assert (verdict.error.code, verdict.error.attempts) == ("timeout", 0)
    assert verdict.error.params == {"seconds": 300}


def test_a_lane_that_is_served_no_more_ends_its_tasks_only_after_the_timeout() -> None:
    task = folded(requested())

    assert judged(task, 1299, served=1000) == Leave()
    assert isinstance(judged(task, 1300, served=1000), TimeOut)


def test_a_task_that_came_late_to_an_unserved_lane_has_its_own_timeout() -> None:
    assert judged(folded(requested(at=900)), 1199, served=10) == Leave()


def test_downtime_of_the_reaper_is_no_silence_of_a_waiting_task() -> None:
    task = folded(requested())

    assert judged(task, DAY, served=10, watching=DAY) == Leave()
    assert isinstance(judged(task, DAY + 300, served=10, watching=DAY), TimeOut)


def test_a_waiting_task_has_no_deadline() -> None:
    assert judged(folded(requested()), 30 * DAY, served=30 * DAY) == Leave()


RESTING = folded(requested(), started(at=2), retrying(at=10, retry_at=after(200)))
HANDED_OVER = folded(requested(), started(at=2), handed_over(at=200))


@pytest.mark.parametrize("task", [RESTING, HANDED_OVER], ids=["due again", "handed over"])
def test_a_task_that_waits_for_its_next_attempt_is_not_silent_while_its_lane_is_served(
    task: Task,
) -> None:
    waits = task is HANDED_OVER
    assert judged(task, 3000, served=2701, handed_over=waits) == Leave()
    assert judged(task, 499, served=10, handed_over=waits) == Leave()
    for verdict in (
        judged(task, 500, served=10, handed_over=waits),
        judged(task, 3000, served=2700, handed_over=waits),
    ):
        assert isinstance(verdict, TimeOut)
        assert (verdict.reason, verdict.error.attempts) == ("unserved", 1)


@pytest.mark.parametrize("task", [RESTING, HANDED_OVER], ids=["due again", "handed over"])
def test_waiting_for_the_next_attempt_does_not_extend_the_deadline(task: Task) -> None:
    waits = task is HANDED_OVER
    assert judged(task, 3601, served=3601, handed_over=waits) == Leave()
    verdict = judged(task, 3602, served=3602, handed_over=waits)
    assert isinstance(verdict, TimeOut)
    assert verdict.reason == "too_long"


def test_a_task_that_was_sent_to_another_provider_has_no_deadline_while_it_waits() -> None:
    there = requested(lane="kie", at=20, event_id="again", attempt=1, substituted_from="STUDIO")
    task = folded(requested(), started(at=2), retrying(at=10), there)
    assert task.phase == "waiting"
    assert judged(task, 5000, served=5000) == Leave()


def test_a_task_for_later_is_put_in_line_when_its_time_comes() -> None:
    asked = accepted(
        tasktype="CREATE",
        prompt="a red bicycle",
        metadata={"a": 1},
        run_at=after(500),
        stage="queued",
        submission="",
    )
    task = folded(asked, annotated({"b": 2}, at=5))

    assert judged(task, 499.9) == Leave()
    assert judged(task, 500) == Release(
        asked.data.model_copy(update={"metadata": {"a": 1, "b": 2}})
    )


def test_a_released_task_is_in_the_stage_in_which_its_type_waits() -> None:
    task = folded(accepted(reference_images=("uploads/local/a.jpg",), run_at=after(50)))

    verdict = judged(task, 50)

    assert isinstance(verdict, Release)
    assert (task.stage, verdict.request.stage) == ("pending", "uploaded")


def test_a_type_that_only_the_deployment_knows_keeps_its_stage() -> None:
    task = folded(accepted(tasktype="MUSIC", stage="tuning", run_at=after(50)))

    verdict = judged(task, 50)

    assert isinstance(verdict, Release)
    assert verdict.request.stage == "tuning"


def test_a_photo_that_never_comes_fails_the_upload() -> None:
    task = folded(accepted())

    assert judged(task, 3 * DAY - 1) == Leave()
    verdict = judged(task, 3 * DAY)

    assert isinstance(verdict, UploadFailed)
    assert verdict.stage == "upload_failed"
    assert verdict.error.code == "invalid_input"
    assert verdict.error.message == "No photo came within 72 h. Please start again."
    assert verdict.error.params == {"hours": 72}


def test_a_photo_has_its_time_from_when_the_task_may_run() -> None:
    task = folded(accepted(run_at=after(DAY)))

    assert judged(task, DAY) == Leave()
    assert judged(task, 3 * DAY) == Leave()
    assert isinstance(judged(task, 4 * DAY), UploadFailed)


def test_a_photo_whose_task_was_never_put_in_line_is_not_lost() -> None:
    task = folded(accepted(), uploaded("uploads/local/a.jpg", at=9))

    verdict = judged(task, 9)

    assert isinstance(verdict, Release)
    assert verdict.request.reference_images == ("uploads/local/a.jpg",)


def test_a_task_that_is_pending_for_a_reason_unknown_here_is_left_alone() -> None:
    assert judged(folded(accepted(tasktype="CREATE", run_at=None)), 365 * DAY) == Leave()


def test_a_released_task_waits_and_is_not_released_again() -> None:
    pending = folded(accepted(tasktype="CREATE", run_at=after(50)))
    verdict = judged(pending, 50)
    assert isinstance(verdict, Release)

    task = fold(_requested_with(verdict.request), start=2, task=pending)

    assert task is not None
    assert task.phase == "waiting"
    assert judged(task, 51) == Leave()


def _requested_with(request: RequestData):  # type: ignore[no-untyped-def]
    return requested(**request.model_dump(), at=50)


@pytest.mark.parametrize(
    "task",
    [
        folded(requested()),
        folded(requested(), started(at=2), retrying(at=3)),
        folded(requested(), started(at=2), progressed(40, at=3)),
    ],
    ids=["in line", "between attempts", "left by its worker"],
)
def test_while_a_provider_is_left_alone_silence_is_explained(task: Task) -> None:
    def judged(now: float, excused: float | None) -> Verdict:
        until = None if excused is None else after(excused)
        return decide(
            task,
            served_at=None,
            excused=until,
            now=after(now),
            watching_since=after(0),
            limits=LIMITS,
        )

    assert isinstance(judged(1000, None), TimeOut)
    assert judged(1000, 1000) == Leave()
    assert judged(1299, 1000) == Leave()
    assert isinstance(judged(1300, 1000), TimeOut)
