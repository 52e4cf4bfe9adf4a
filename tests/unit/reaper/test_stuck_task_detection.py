"""When a started task is stuck, and what its user then reads."""

from dataclasses import replace

import pytest

from builders import after, completed, folded, progressed, requested, retrying, started
from contracts.generation_types import GENERATION_TYPES
from contracts.lifecycle import Task
from reaper.silence import Leave, Limits, TimeOut, Verdict, decide

MINUTE = 60
LIMITS = Limits(timeout_s=300, deadline_s=3600, photo_ttl_s=259_200)
HEARD = 10
"""When a worker last told something, in seconds after noon."""


def judged(task: Task, at: float, limits: Limits = LIMITS) -> Verdict:
    return decide(task, served_at=None, now=after(at), watching_since=after(0), limits=limits)


def running() -> Task:
    return folded(requested(), started(at=2), progressed(40, at=HEARD))


def test_a_task_inactive_for_4_minutes_is_not_marked() -> None:
    assert judged(running(), HEARD + 4 * MINUTE) == Leave()


def test_a_task_inactive_for_5_minutes_is_marked() -> None:
    assert isinstance(judged(running(), HEARD + 5 * MINUTE), TimeOut)


def test_a_task_inactive_for_10_minutes_is_marked() -> None:
    assert isinstance(judged(running(), HEARD + 10 * MINUTE), TimeOut)


def test_an_active_task_is_not_marked_however_long_it_runs() -> None:
    for minute in range(1, 60):
        task = folded(requested(), started(at=2), progressed(minute, at=minute * MINUTE))
        assert judged(task, minute * MINUTE + 30) == Leave()


def test_the_error_message_says_what_happened_and_what_to_do() -> None:
    verdict = judged(running(), HEARD + 5 * MINUTE)

    assert isinstance(verdict, TimeOut)
    assert verdict.reason == "silent"
    assert verdict.error.model_dump() == {
        "code": "timeout",
        "message": "Nothing was heard of this task for 300 s, so it was stopped. Please try again.",
        "retryable": True,
        "attempts": 1,
        "params": {"seconds": 300},
    }


@pytest.mark.parametrize(("early_s", "marked"), [(0.000_001, False), (0, True)])
def test_exactly_at_the_timeout_it_is_over(early_s: float, marked: bool) -> None:
    assert isinstance(judged(running(), HEARD + 300 - early_s), TimeOut) is marked


def test_the_pause_before_the_next_attempt_is_no_silence() -> None:
    task = folded(requested(), started(), retrying(at=10, retry_at=after(200)))

    assert judged(task, 10 + 5 * MINUTE) == Leave()
    assert judged(task, 200 + 5 * MINUTE - 1) == Leave()
    assert isinstance(judged(task, 200 + 5 * MINUTE), TimeOut)


def test_a_task_over_its_deadline_is_marked_though_it_is_heard_of() -> None:
    task = folded(requested(), started(at=2), progressed(99, at=3600))

    assert judged(task, 3601) == Leave()
    verdict = judged(task, 3602)

    assert isinstance(verdict, TimeOut)
    assert verdict.reason == "too_long"
    assert verdict.error.model_dump() == {
        "code": "timeout",
        "message": "This task ran for longer than 3600 s, so it was stopped. Please try again.",
        "retryable": True,
        "attempts": 1,
        "params": {"seconds": 3600},
    }


def test_attempts_do_not_extend_the_deadline() -> None:
    task = folded(requested(), started(at=2), retrying(at=50), started(2, at=3590))

    verdict = judged(task, 3602)

    assert isinstance(verdict, TimeOut)
    assert (verdict.reason, verdict.error.attempts) == ("too_long", 2)


def test_a_task_without_a_start_time_has_no_deadline() -> None:
    task = running()._replace(started_at=None, heard_at=after(5000))

    assert judged(task, 5001) == Leave()


def test_with_a_deadline_of_5_minutes_no_task_runs_longer() -> None:
    limits = replace(LIMITS, deadline_s=300)
    task = folded(requested(), started(at=2), progressed(90, at=301))

    assert judged(task, 301, limits) == Leave()
    assert isinstance(judged(task, 302, limits), TimeOut)


def test_a_finished_task_is_left_alone() -> None:
    task = folded(requested(), started(), completed(at=5))

    assert judged(task, 100_000) == Leave()


def test_a_type_may_have_limits_of_its_own() -> None:
    patient = replace(GENERATION_TYPES["VIDEO"], timeout_s=1200, deadline_s=7200)
    limits = replace(LIMITS, kinds={"VIDEO": patient})
    task = folded(requested(tasktype="VIDEO"), started(at=2, tasktype="VIDEO"))

    assert limits.of("VIDEO") == (1200, 7200)
    assert limits.of("CREATE") == (300, 3600)
    assert judged(task, 2 + 300, limits) == Leave()
    verdict = judged(task, 2 + 1200, limits)
    assert isinstance(verdict, TimeOut)
    assert verdict.error.params == {"seconds": 1200}


def test_types_whose_provider_may_be_silent_for_longer_are_named() -> None:
    create = GENERATION_TYPES["CREATE"]
    kinds = {"CREATE": create, "VIDEO": replace(create, timeout_s=1200)}
    limits = replace(LIMITS, kinds=kinds)

    assert limits.no_longer_than(299) == []
    assert limits.no_longer_than(300) == ["CREATE"]
    assert limits.no_longer_than(1200) == ["CREATE", "VIDEO"]


def test_seconds_are_told_as_people_write_them() -> None:
    verdict = judged(running(), HEARD + 1, replace(LIMITS, timeout_s=0.3))

    assert isinstance(verdict, TimeOut)
    assert "for 0.3 s," in verdict.error.message
    assert verdict.error.params == {"seconds": 0.3}


def test_a_stuck_task_fails_in_the_stage_after_the_one_it_reached() -> None:
    photo = {"tasktype": "PHOTO_TO_3D"}
    task = folded(requested(**photo), started(**photo))
    assert LIMITS.failure_stage(task) == "bgr_removal_failed"
    assert LIMITS.failure_stage(running()) == "generating"


def test_a_type_that_only_a_deployment_knows_fails_where_it_was() -> None:
    task = folded(requested(tasktype="FRESCO"), started(tasktype="FRESCO", stage="plastering"))
    assert LIMITS.failure_stage(task) == "plastering"
