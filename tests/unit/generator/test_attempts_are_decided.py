"""What a worker does with a request, by what the log tells of its task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    NOON,
    after,
    artifact,
    cancelled,
    completed,
    erased,
    failed,
    fold,
    handed_over,
    late_result,
    progressed,
    retrying,
    started,
    submitting,
    timed_out,
    uploaded,
)
from builders import accepted as accepted_by
from builders import requested as requested_of
from contracts.events import Event, TaskError
from generator.attempts import (
    AwaitLate,
    CallOff,
    Decision,
    Drop,
    Find,
    GiveUp,
    Past,
    Policy,
    Resume,
    Start,
    WaitUntil,
    decide,
    interrupted,
    past_of,
)
from generator.provider import Submitted

POLICY = Policy(attempts=3, base_s=1)
LATER = after(60)
GENERATING = "generating"
UNKNOWN = TaskError(
    code="provider_error",
    message=(
        "It is not known whether kie took this task: the connection was lost while it was handed "
        "over. It was not sent a second time. Check there before you try again."
    ),
    attempts=1,
    params={"provider": "kie"},
)


def requested(**told: Any) -> Event:
    return requested_of(**{"lane": "kie", **told})


def accepted(**told: Any) -> Event:
    return accepted_by(**{"lane": "kie", **told})


def decided(
    *events: Event,
    policy: Policy = POLICY,
    seconds: float = 60,
    key_lasts_s: float | None = None,
    finds: bool = False,
) -> Decision:
    return decide(
        fold(*events),
        past_of(events),
        provider="kie",
        key_lasts_s=key_lasts_s,
        finds=finds,
        policy=policy,
        now=after(seconds),
    )


def handle(attempt: int = 1, **told: object) -> Event:
    return progressed(0, attempt, external_task_id="job-1", handle={"id": 1}, **told)


JOB = Submitted("job-1", {"id": 1})


def test_a_task_nobody_knows_of_yet_is_started() -> None:
    assert decided() == Start(1)


def test_a_task_in_line_is_started() -> None:
    assert decided(requested()) == Start(1)


def test_a_task_that_got_its_photo_is_started() -> None:
    assert decided(accepted(), uploaded()) == Start(1)


@pytest.mark.parametrize("end", [completed(), failed(), timed_out(), cancelled(), erased()])
def test_a_task_that_has_ended_is_dropped(end: Event) -> None:
    assert decided(requested(), started(), end) == Drop()


def test_a_task_whose_worker_died_gets_another_attempt() -> None:
    assert decided(requested(), started(), progressed(40)) == Start(2, reached=GENERATING)


def test_a_resting_task_waits_for_its_time() -> None:
    events = (requested(), started(), retrying(at=4))
    assert decided(*events, seconds=4.9) == WaitUntil(after(5))
    assert decided(*events, seconds=5) == Start(2, reached="queued")


def test_a_3d_model_is_taken_up_at_the_stage_that_was_finished() -> None:
    three_d = {"tasktype": "PHOTO_TO_3D"}
    done = progressed(stage="bgr_removed", handle={"cutout": "key"}, **three_d)
    again = decided(requested(**three_d), started(**three_d), done)
    assert again == Resume(2, Submitted(None, {"cutout": "key"}), False, "bgr_removed")


def test_a_task_that_went_to_another_provider_is_not_this_ones_any_more() -> None:
    there = requested(lane="fal", at=2, event_id="again", substituted_from="KIE")
    assert decided(requested(), there) == Drop()


def test_an_attempt_at_a_provider_that_was_busy_counts_as_none() -> None:
    events = (requested(), started(), retrying(at=2, spared=True))
    assert decided(*events, policy=Policy(1, 1)) == Start(2, reached="queued")


def test_a_job_on_the_log_is_resumed() -> None:
    assert decided(requested(), started(), submitting(), handle()) == Resume(
        2, JOB, False, GENERATING
    )


def test_a_job_that_was_seen_to_fail_may_be_followed_by_another() -> None:
    events = (requested(), started(), submitting(), handle(), retrying())
    assert decided(*events) == Resume(2, JOB, True, "queued")


SEEN_TO_FAIL = (requested(), started(), submitting(), handle(), retrying())


@pytest.mark.parametrize(
    "since",
    [
        (started(2, at=6),),
        (started(2, at=6), handed_over(2, at=7)),
        (started(2, at=6), handed_over(2, at=7), started(3, at=8)),
        (progressed(50, 1, at=6), started(2, at=7)),
    ],
    ids=["died", "handed over", "handed over and died", "told late by who failed"],
)
def test_who_only_asked_for_a_job_that_failed_stands_in_the_way_of_no_other(
    since: tuple[Event, ...],
) -> None:
    decision = decided(*SEEN_TO_FAIL, *since, policy=Policy(5, 1))
    assert isinstance(decision, Resume)
    assert decision.may_submit_anew


@pytest.mark.parametrize(
    "since",
    [
        (started(2, at=6), progressed(50, 2, at=7)),
        (started(2, at=6), handle(2, at=7)),
        (started(2, at=6), submitting(2, at=7), handle(2, at=8), handed_over(2, at=9)),
        (started(2, at=6), submitting(2, at=7), handle(2, at=8), retrying(1, at=9)),
    ],
    ids=["it goes on", "it has another handle", "there is another", "an older attempt failed"],
)
def test_a_job_that_was_heard_of_since_another_one_failed_is_not_followed_by_a_third(
    since: tuple[Event, ...],
) -> None:
    decision = decided(*SEEN_TO_FAIL, *since, policy=Policy(5, 1))
    assert isinstance(decision, Resume)
    assert not decision.may_submit_anew


def test_a_job_without_a_handle_of_its_own_is_resumed_too() -> None:
    events = (requested(), started(), submitting(), progressed(0, handle={}))
    assert decided(*events) == Resume(2, Submitted(None, {}), False, GENERATING)


def test_a_submit_without_an_answer_is_given_up() -> None:
    assert decided(requested(), started(), submitting()) == GiveUp(1, UNKNOWN)


def test_a_second_submit_without_an_answer_is_given_up_whatever_came_before() -> None:
    first = (requested(), started(), submitting(), handle(), retrying())
    second = (started(2, at=6), submitting(2, at=7))
    error = UNKNOWN.model_copy(update={"attempts": 2})
    assert decided(*first, *second) == GiveUp(2, error)


def test_a_refused_submit_is_answered() -> None:
    assert decided(requested(), started(), submitting(), retrying()) == Start(2, reached="queued")


def test_a_handle_that_comes_late_answers_no_later_submit() -> None:
    events = (requested(), started(), submitting(), started(2, at=3), submitting(2, at=4))
    error = UNKNOWN.model_copy(update={"attempts": 2})
    assert decided(*events, handle(1, at=5)) == GiveUp(2, error)


def at_kie(attempt: int = 1, **told: Any) -> Event:
    return started(attempt, provider="kie", **told)


def to_kie(attempt: int = 1, **told: Any) -> Event:
    return submitting(attempt, provider="kie", **told)


def test_a_submit_without_an_answer_is_repeated_where_the_provider_knows_its_key() -> None:
    events = (requested(), started(), to_kie(key="key-1", at=2))
    assert decided(*events, key_lasts_s=60, seconds=61.9) == Start(2, "key-1", GENERATING)


def test_a_key_that_the_provider_may_have_forgotten_is_not_used() -> None:
    events = (requested(), started(), to_kie(at=2))
    assert decided(*events, key_lasts_s=60, seconds=62) == GiveUp(1, UNKNOWN)


def test_a_key_of_another_provider_is_not_used() -> None:
    events = (requested(), started(), submitting(provider="fal"))
    assert decided(*events, key_lasts_s=3600) == GiveUp(1, UNKNOWN)


def test_a_repeated_submit_is_repeated_under_its_first_key() -> None:
    events = (requested(), started(), to_kie(key="key-1"), started(2, at=3))
    again = to_kie(2, key="key-1", at=4)
    assert decided(*events, again, key_lasts_s=3600) == Start(3, "key-1", GENERATING)


def test_a_submit_without_an_answer_is_looked_for_where_the_provider_can_be_asked() -> None:
    events = (requested(), started(), to_kie(key="key-1"))
    assert decided(*events, finds=True) == Find(2, "key-1", GENERATING)
    assert decided(*events, finds=True, policy=Policy(1, 1)) == GiveUp(1, UNKNOWN)
    elsewhere = (requested(), started(), submitting(provider="fal"))
    assert decided(*elsewhere, finds=True) == GiveUp(1, UNKNOWN)


def test_a_submit_without_an_answer_is_made_again_where_the_deployment_says_so() -> None:
    events = (requested(), started(), to_kie())
    policy = Policy(3, 1, resubmits=True)
    assert decided(*events, policy=policy) == Start(2, reached=GENERATING)
    assert decided(*events, policy=Policy(1, 1, resubmits=True)) == GiveUp(1, UNKNOWN)


def test_the_job_of_a_task_that_timed_out_is_waited_for() -> None:
    events = (requested(), started(), handle(at=2), timed_out(at=10))
    policy = Policy(3, 1, late_s=100)
    awaited = AwaitLate(1, JOB, after(110), GENERATING)
    assert decided(*events, policy=policy, seconds=109) == awaited


def test_the_job_of_a_task_that_timed_out_is_called_off_once_nobody_waits_for_it() -> None:
    events = (requested(), at_kie(), handle(at=2), timed_out(at=10))
    policy = Policy(3, 1, late_s=100)
    assert decided(*events, policy=policy, seconds=110) == CallOff(1, JOB, GENERATING)
    assert decided(*events, seconds=11) == CallOff(1, JOB, GENERATING)


@pytest.mark.parametrize("told", [[], [retrying(at=5)], [handed_over(at=5)]])
def test_the_job_of_a_task_that_ended_while_nobody_worked_on_it_is_called_off(
    told: list[Event],
) -> None:
    known = (requested(), at_kie(), submitting(), handle(), *told)
    stage = "queued" if told == [retrying(at=5)] else GENERATING
    for end in (cancelled(1), failed(1)):
        assert decided(*known, end) == CallOff(1, JOB, stage)


def test_no_job_is_called_off_that_made_what_it_was_to_make() -> None:
    late = late_result(at=11, artifacts=(artifact(),))
    known = (requested(), at_kie(), handle())
    assert decided(*known, completed()) == Drop()
    assert decided(*known, timed_out(at=10), late) == Drop()


def test_no_job_of_another_provider_is_called_off() -> None:
    there = requested(lane="kie", at=5, event_id="again", substituted_from="FAL")
    elsewhere = (requested(lane="fal"), started(provider="fal"), handle())
    assert decided(*elsewhere, retrying(at=4), there, cancelled()) == Drop()


def test_no_result_is_waited_for_that_came_or_can_not_come() -> None:
    policy = Policy(3, 1, late_s=100)
    late = late_result(at=11, artifacts=(artifact(),))
    known = (requested(), started(), handle(at=2))
    for events in (
        (*known, timed_out(at=10), late),
        (*known, cancelled(at=10)),
        (*known, failed(at=10)),
        (requested(), started(), timed_out(at=10)),
    ):
        assert decided(*events, policy=policy, seconds=12) == Drop()


def test_a_submit_is_not_repeated_for_ever() -> None:
    events = (requested(), started(), to_kie())
    assert decided(*events, key_lasts_s=3600, policy=Policy(1, 1)) == GiveUp(1, UNKNOWN)


def test_what_a_worker_handed_over_is_no_attempt_that_failed() -> None:
    handed = [
        event
        for number in (1, 2, 3)
        for event in (started(number, at=number), handed_over(number, at=number + 0.5))
    ]
    assert decided(requested(), *handed, policy=Policy(1, 1)) == Start(4, reached=GENERATING)
    crashed = started(4, at=5)
    error = interrupted("kie", 1, 4)
    assert decided(requested(), *handed, crashed, policy=Policy(1, 1)) == GiveUp(4, error)


def test_a_job_that_was_handed_over_is_resumed_whatever_the_limit() -> None:
    events = (requested(), started(), submitting(), handle(), handed_over())
    assert decided(*events, policy=Policy(1, 1)) == Resume(2, JOB, False, GENERATING)


def test_only_what_came_after_the_start_of_an_attempt_hands_it_over() -> None:
    # The first worker went while it was starting: of its start nothing is known.
    events = (requested(), handed_over(at=1), started(at=2))
    assert past_of(events) == Past()
    assert decided(*events, policy=Policy(1, 1)) == GiveUp(1, interrupted("kie", 1, 1))


def test_an_attempt_that_failed_is_not_handed_over() -> None:
    assert past_of((requested(), started(), handed_over(at=2), retrying(at=3))).spared == 0


@pytest.mark.parametrize(("attempts", "often"), [(1, "once"), (3, "3 times")])
def test_a_task_whose_workers_all_died_is_given_up(attempts: int, often: str) -> None:
    events = [requested(), *(started(n, at=n) for n in range(1, attempts + 1))]
    error = TaskError(
        code="internal",
        message=f"The work of kie on this task was interrupted {often}. Please try again.",
        retryable=True,
        attempts=attempts,
        params={"provider": "kie", "times": attempts},
    )
    assert decided(*events, policy=Policy(attempts, 1)) == GiveUp(attempts, error)


def test_the_job_of_a_task_that_is_given_up_is_known_so_that_it_can_be_cancelled() -> None:
    decision = decided(requested(), started(), handle(), policy=Policy(1, 1))
    assert isinstance(decision, GiveUp)
    assert decision.submitted == JOB


_WORKERS_FACTS = st.lists(
    st.sampled_from(["started", "submitting", "handle", "progressed", "handed_over", "retrying"]),
    max_size=12,
)


def _told(names: list[str]) -> list[Event]:
    """A history in which each `started` begins the next attempt."""
    events: list[Event] = [requested()]
    attempt = 0
    for second, name in enumerate(names, 1):
        if name == "started":
            attempt += 1
        makers = {
            "started": started,
            "submitting": to_kie,
            "handle": lambda number, at: handle(number, at=at),
            "handed_over": handed_over,
            "progressed": lambda number, at: progressed(10, number, at=at),
            "retrying": retrying,
        }
        events.append(makers[name](max(attempt, 1), at=second))
    return events


@given(names=_WORKERS_FACTS, limit=st.integers(1, 5), seconds=st.floats(0, 100))
def test_no_attempt_is_beyond_the_limit_and_none_is_repeated(
    names: list[str], limit: int, seconds: float
) -> None:
    events = _told(names)
    task = fold(*events)
    assert task is not None
    decision = decided(*events, policy=Policy(limit, 1), seconds=seconds)
    if isinstance(decision, Start | Resume):
        assert decision.attempt == task.attempt + 1
        assert decision.attempt - past_of(events).spared <= limit


@given(
    names=_WORKERS_FACTS,
    seconds=st.floats(0, 100),
    key_lasts_s=st.one_of(st.none(), st.floats(1, 100)),
)
def test_nothing_starts_anew_where_a_job_may_be_running(
    names: list[str], seconds: float, key_lasts_s: float | None
) -> None:
    events = _told(names)
    task = fold(*events)
    assert task is not None
    decision = decided(*events, seconds=seconds, key_lasts_s=key_lasts_s)
    if isinstance(decision, Start):
        unanswered = past_of(events).unanswered
        assert decision.key == (None if unanswered is None else unanswered.data.key)
        assert task.handle is None or unanswered is not None


@given(names=_WORKERS_FACTS, wait=st.floats(0, 1000))
def test_a_wait_is_never_for_a_time_that_has_come(names: list[str], wait: float) -> None:
    decision = decided(*_told(names), seconds=wait)
    if isinstance(decision, WaitUntil):
        assert decision.retry_at > NOON + timedelta(seconds=wait)
