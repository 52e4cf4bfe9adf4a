"""What follows an attempt that failed, and what the user reads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON
from contracts.events import TaskError
from generator.attempts import (
    LONGEST_PAUSE_S,
    LONGEST_QUIET_S,
    NOT_SAVED,
    Fail,
    Failure,
    Fault,
    Policy,
    Repeat,
    Retry,
    after,
    broken,
    forgotten,
    rejected,
    resubmitted,
    spared,
    timed_out,
    turned_away,
    unanswered,
    unavailable,
    unknown_submit,
    unreadable,
)
from generator.provider import Busy, Rejected, Unavailable

POLICY = Policy(attempts=5, base_s=1)
FAILURE = broken(1)


@pytest.mark.parametrize(("attempt", "delay_s"), [(1, 1), (2, 2), (3, 4), (4, 8)])
def test_each_pause_is_twice_the_one_before(attempt: int, delay_s: float) -> None:
    assert after(FAILURE, attempt, POLICY, 1.0) == Retry(delay_s, FAILURE.error)


def test_the_last_attempt_fails_the_task() -> None:
    assert after(FAILURE, 5, POLICY, 1.0) == Fail(FAILURE.error)


def test_what_can_not_help_is_not_tried_again() -> None:
    refusal = rejected(Rejected("No.", stage="bgr_removal_failed"), 1)
    assert after(refusal, 1, POLICY, 1.0) == Fail(refusal.error, "bgr_removal_failed")


def test_a_provider_may_wish_for_a_longer_pause_but_not_for_a_shorter() -> None:
    slow = unavailable(Unavailable("Later.", retry_after_s=30), 1)
    assert after(slow, 1, POLICY, 1.0) == Retry(30, slow.error)
    hasty = unavailable(Unavailable("Now!", retry_after_s=0.001), 1)
    assert after(hasty, 1, POLICY, 1.0) == Retry(1, hasty.error)


def test_a_submit_of_unknown_outcome_is_repeated_until_the_tries_are_over() -> None:
    failure = unanswered(unknown_submit("kie", 1), "kie")
    assert after(failure, 2, POLICY, 1.0) == Repeat(2)
    assert after(failure, 5, POLICY, 1.0) == Fail(failure.error)


def test_the_pause_before_a_repeated_submit_is_short_because_nothing_is_told_of_it() -> None:
    wish = unanswered(unavailable(Unavailable("Later.", retry_after_s=200), 1), "kie")
    assert after(wish, 1, POLICY, 1.0) == Repeat(LONGEST_QUIET_S)


def test_who_never_learns_what_became_of_a_submit_is_told_so_and_not_to_try_again() -> None:
    failure = unanswered(unavailable(Unavailable("It is raining."), 5), "kie")
    assert after(failure, 5, POLICY, 1.0) == Fail(unknown_submit("kie", 5).error)


def test_a_provider_that_is_only_busy_uses_up_no_try_of_who_asks_about_a_submit() -> None:
    failure = unanswered(unavailable(Busy("One after the other."), 5), "kie")
    assert after(failure, 5, POLICY, 1.0) == Repeat(16, spared=True)


@given(
    attempt=st.integers(1, 10_000),
    base_s=st.floats(0.001, 1000),
    jitter=st.floats(1, 2),
    wish=st.none() | st.floats(0, 1e9),
)
def test_a_pause_is_never_too_long_and_grows_with_the_attempts(
    attempt: int, base_s: float, jitter: float, wish: float | None
) -> None:
    policy = Policy(attempts=20_000, base_s=base_s)
    failure = Failure(FAILURE.error, retry_after_s=wish)
    now, then = (after(failure, number, policy, jitter) for number in (attempt, attempt + 1))
    assert isinstance(now, Retry)
    assert isinstance(then, Retry)
    assert min(base_s, LONGEST_PAUSE_S) <= now.delay_s <= then.delay_s <= LONGEST_PAUSE_S


@given(attempt=st.integers(1, 50), limit=st.integers(1, 50), again=st.booleans())
def test_a_failure_is_tried_again_exactly_when_it_may_help_and_attempts_are_left(
    attempt: int, limit: int, again: bool
) -> None:
    verdict = after(Failure(FAILURE.error, again=again), attempt, Policy(limit, 1), 1.0)
    assert isinstance(verdict, Retry) == (again and attempt < limit)


def test_a_timeout_says_who_was_silent_and_for_how_long() -> None:
    error = TaskError(
        code="provider_timeout",
        message="studio did not answer within 180 s. Please try again.",
        retryable=True,
        attempts=3,
        params={"provider": "studio", "seconds": 180},
    )
    failure = timed_out("studio", 180.0, 3, submitting=False)
    assert failure == Failure(error)
    assert repr(failure.error.params["seconds"]) == "180"


def test_a_timeout_while_submitting_is_not_tried_again() -> None:
    assert not timed_out("kie", 0.5, 1, submitting=True).again


def test_a_provider_that_is_unavailable_speaks_for_itself() -> None:
    error = TaskError(code="provider_error", message="Closed.", retryable=True, attempts=2)
    assert unavailable(Unavailable("Closed."), 2) == Failure(error)


def test_a_refusal_keeps_its_code_its_stage_and_its_values() -> None:
    refusal = Rejected("Too wide.", code="invalid_input", stage="upload_failed", params={"w": 9})
    error = TaskError(code="invalid_input", message="Too wide.", attempts=1, params={"w": 9})
    assert rejected(refusal, 1) == Failure(error, Fault.REQUEST, again=False, stage="upload_failed")


def test_a_provider_that_is_busy_costs_no_attempt() -> None:
    failure = unavailable(Busy("Wait.", retry_after_s=7), 3)
    error = TaskError(code="provider_error", message="Wait.", retryable=True, attempts=3)
    assert failure == Failure(error, Fault.BUSY, spared=True, retry_after_s=7)
    assert after(failure, 3, Policy(3, 1), 1.0) == Retry(7, error, spared=True)


def test_the_attempt_that_tried_a_provider_again_costs_none() -> None:
    failure = spared(unavailable(Unavailable("Down."), 3))
    assert after(failure, 3, Policy(3, 1), 1.0) == Retry(4, failure.error, spared=True)


def test_a_task_that_is_turned_away_says_when_to_come_again() -> None:
    error = turned_away("kie", 0, NOON + timedelta(seconds=42), NOON)
    message = "kie is in trouble at present, so this task was not begun. Please try again in 42 s."
    params = {"provider": "kie", "seconds": 42}
    told = {"code": "circuit_open", "message": message, "retryable": True, "params": params}
    assert error == TaskError(**told)
    assert turned_away("kie", 1, None, NOON).message.endswith("Please try again.")


def test_a_fault_of_ours_is_told_without_its_cause() -> None:
    message = "Something went wrong here. Please try again."
    error = TaskError(code="internal", message=message, retryable=True, attempts=1)
    assert broken(1) == Failure(error, Fault.OURS)
    assert broken(1, NOT_SAVED).error.message == NOT_SAVED


def test_a_submit_of_unknown_outcome_is_not_offered_for_a_retry() -> None:
    failure = unknown_submit("kie", 1)
    assert (failure.again, failure.error.retryable) == (False, False)


def test_a_job_of_which_nothing_can_be_told_is_no_fault_of_the_service_and_not_made_again() -> None:
    failure = unreadable("kie", 1)
    assert (failure.again, failure.error.retryable) == (False, False)
    assert failure.fault is Fault.OURS


def test_a_job_that_its_provider_forgot_may_be_asked_for_again_by_the_user() -> None:
    failure = forgotten("kie", 2)
    assert (failure.again, failure.error.retryable) == (False, True)
    assert failure.error.message.startswith("kie no longer knows")


def test_a_novel_of_a_message_is_cut() -> None:
    message = unavailable(Unavailable("x" * 5000), 1).error.message
    assert (len(message), message[-2:]) == (1000, "x…")


def test_where_the_deployment_says_so_a_job_is_submitted_again_after_a_lost_answer() -> None:
    failure = resubmitted(unknown_submit("kie", 1))
    assert after(failure, 1, POLICY, 1.0) == Retry(1, failure.error)
