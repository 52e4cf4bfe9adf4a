"""What to do with a request, and after an attempt that failed. Pure: time and chance are arguments.

A task gets a bounded number of attempts, counted on the log. Whatever a worker finds there when it
is handed a request decides what it does next (`decide`); whatever became of its attempt decides
whether there is another one (`after`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.events import Event, Progressed, Retrying, Submitting, TaskError
from contracts.lifecycle import BackingOff, Task
from generator.provider import Rejected, Submitted, Unavailable

LONGEST_PAUSE_S = 300.0
_LONGEST_MESSAGE = 1000
_MOST_DOUBLINGS = 30

SOMETHING_WENT_WRONG = "Something went wrong here. Please try again."
NOT_SAVED = "The result could not be saved. Please try again."


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a task is tried, and how long it rests before the second attempt."""

    attempts: int
    base_s: float


# What to do with a request.


@dataclass(frozen=True, slots=True)
class Start:
    """Begin an attempt from nothing."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Begin an attempt that goes on with a job which the provider has already.

    ``may_submit_anew``: if the provider says that the job is over, another may be submitted. Only
    after an attempt that was seen to fail; a job that nobody saw end may have been paid for.
    """

    attempt: int
    submitted: Submitted
    may_submit_anew: bool


@dataclass(frozen=True, slots=True)
class Drop:
    """The task has ended: there is nothing to do."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """The task rests between two attempts."""

    retry_at: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The task can't be worked on any more; it fails in its last attempt."""

    attempt: int
    error: TaskError
    submitted: Submitted | None = None


Decision = Start | Resume | Drop | WaitUntil | GiveUp


def decide(
    task: Task | None,
    *,
    submit_unanswered: bool,
    provider: str,
    policy: Policy,
    now: datetime,
) -> Decision:
    """What a worker does that is handed the request of ``task``, as the log tells of it.

    ``submit_unanswered`` is `submit_is_unanswered` of the task's events.
    """
    if task is None:
        return Start(1)
    if task.status.is_terminal:
        return Drop()
    if isinstance(task.state, BackingOff) and now < task.state.retry_at:
        return WaitUntil(task.state.retry_at)
    if submit_unanswered:
        return GiveUp(task.attempt, unknown_submit(provider, task.attempt).error)
    submitted = _submitted(task)
    if task.attempt >= policy.attempts:
        return GiveUp(task.attempt, interrupted(provider, task.attempt), submitted)
    if submitted is not None:
        seen_to_fail = isinstance(task.state, BackingOff)
        return Resume(task.attempt + 1, submitted, may_submit_anew=seen_to_fail)
    return Start(task.attempt + 1)


def submit_is_unanswered(events: Iterable[Event]) -> bool:
    """Whether a worker was about to submit, and nothing tells what became of it."""
    unanswered = False
    for event in events:
        if isinstance(event, Submitting):
            unanswered = True
        elif isinstance(event, Retrying) or (
            isinstance(event, Progressed) and event.data.handle is not None
        ):
            unanswered = False
    return unanswered


def _submitted(task: Task) -> Submitted | None:
    if task.handle is None:
        return None
    return Submitted(task.external_task_id, task.handle)


# After an attempt that failed.


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, and whether another one may meet better luck."""

    error: TaskError
    again: bool = True
    retry_after_s: float | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after ``delay_s``."""

    delay_s: float
    error: TaskError


@dataclass(frozen=True, slots=True)
class Fail:
    """The task ends without a result; ``stage`` is the failure stage, where it is known."""

    error: TaskError
    stage: str | None = None


def after(failure: Failure, attempt: int, policy: Policy, jitter: float) -> Retry | Fail:
    """What follows the failure of ``attempt``: ``base_s``, twice that, four times … later.

    ``jitter`` multiplies the pause. A provider's own wish makes it longer, never shorter.
    """
    if not failure.again or attempt >= policy.attempts:
        return Fail(failure.error, failure.stage)
    pause = policy.base_s * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS) * jitter
    wish = failure.retry_after_s or 0.0
    return Retry(min(max(pause, wish), LONGEST_PAUSE_S), failure.error)


def timed_out(provider: str, seconds: float, attempt: int, *, submitting: bool) -> Failure:
    """The provider took too long. While submitting, it may have taken the job all the same."""
    seconds = int(seconds) if seconds == int(seconds) else seconds
    error = TaskError(
        code="provider_timeout",
        message=f"{provider} did not answer within {seconds:g} s. Please try again.",
        retryable=True,
        attempts=attempt,
        params={"provider": provider, "seconds": seconds},
    )
    return Failure(error, again=not submitting)


def unavailable(trouble: Unavailable, attempt: int) -> Failure:
    """The provider said that it can't do it now."""
    error = _error("provider_error", trouble.message, attempt, retryable=True)
    return Failure(error, retry_after_s=trouble.retry_after_s)


def rejected(refusal: Rejected, attempt: int) -> Failure:
    """The provider said that it will never do it."""
    error = _error(refusal.code, refusal.message, attempt, params=refusal.params)
    return Failure(error, again=False, stage=refusal.stage)


def broken(attempt: int, message: str = SOMETHING_WENT_WRONG) -> Failure:
    """A fault of ours or of a provider's code; what it was is in the log of the process."""
    return Failure(_error("internal", message, attempt, retryable=True))


def unknown_submit(provider: str, attempt: int) -> Failure:
    """Whether the provider took the job isn't known; it isn't submitted again by itself."""
    message = (
        f"It is not known whether {provider} took this task: the connection was lost while it was "
        "handed over. It was not sent a second time. Check there before you try again."
    )
    params = {"provider": provider}
    return Failure(_error("provider_error", message, attempt, params=params), again=False)


def forgotten(provider: str, attempt: int) -> Failure:
    """The job was submitted, its worker died, and the provider has no results of it."""
    message = f"{provider} no longer knows the job that it was given. Please try again."
    params = {"provider": provider}
    error = _error("provider_error", message, attempt, retryable=True, params=params)
    return Failure(error, again=False)


def interrupted(provider: str, times: int) -> TaskError:
    """Each attempt ended with its worker."""
    often = "once" if times == 1 else f"{times} times"
    message = f"The work of {provider} on this task was interrupted {often}. Please try again."
    params = {"provider": provider, "times": times}
    return _error("internal", message, times, retryable=True, params=params)


def _error(
    code: str,
    message: str,
    attempts: int,
    *,
    retryable: bool = False,
    params: Mapping[str, Any] | None = None,
) -> TaskError:
    if len(message) > _LONGEST_MESSAGE:
        message = message[: _LONGEST_MESSAGE - 1] + "…"
    return TaskError(
        code=code,
        message=message,
        retryable=retryable,
        attempts=attempts,
        params=dict(params or {}),
    )
