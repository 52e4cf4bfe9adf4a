"""What to do with a request, and after an attempt that failed. Pure: time and chance are arguments.

A task gets a bounded number of tries: its attempts on the log, without those that a worker handed
over because it went. Whatever a worker finds there when it is handed a request decides what it does
next (`decide`); whatever became of its attempt decides whether there is another one (`after`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, TypeGuard

from contracts.events import Event, Progressed, Retrying, Started, Submitting, TaskError
from contracts.lifecycle import BackingOff, CompletedState, FailedState, Task
from contracts.subjects import provider_of
from generator.provider import Busy, Rejected, Submitted, Unavailable

LONGEST_PAUSE_S = 300.0
LONGEST_QUIET_S = 30.0
_LONGEST_MESSAGE = 1000
_MOST_DOUBLINGS = 30

SOMETHING_WENT_WRONG = "Something went wrong here. Please try again."
NOT_SAVED = "The result could not be saved. Please try again."


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a task is tried, and how long it rests before the second attempt.

    ``resubmits``: whether a job is submitted again when nobody can tell whether the provider took
    it. It may then be paid for twice; otherwise the task fails. ``late_s``: for how long after a
    task timed out its result is still waited for.
    """

    attempts: int
    base_s: float
    resubmits: bool = False
    late_s: float = 0.0


# What to do with a request.


@dataclass(frozen=True, slots=True)
class Past:
    """What the events of a task tell beyond the fold.

    ``spared``: how many attempts count as none, because their worker went as planned, or because
    nobody was at fault. ``unanswered``: a worker was about to submit, and nothing tells what became
    of it. ``seen_to_fail``: an attempt failed, and no later one got further with its job.
    """

    spared: int = 0
    unanswered: Submitting | None = None
    seen_to_fail: bool = False


def past_of(events: Iterable[Event]) -> Past:
    """The past of a task whose events, in log order, are ``events``."""
    spared: set[int] = set()
    unanswered: Submitting | None = None
    newest, failed = 0, 0
    for event in events:
        if isinstance(event, Started | Retrying):
            spared.discard(event.data.attempt)
            newest = max(newest, event.data.attempt)
        if isinstance(event, Retrying) and event.data.attempt == newest:
            failed = newest
        elif failed and _goes_on(event, failed):
            failed = 0
        if _is_spared(event):
            spared.add(event.data.attempt)
        if isinstance(event, Submitting):
            unanswered = event
        elif unanswered is not None and _answers(event, unanswered):
            unanswered = None
    return Past(len(spared), unanswered, failed > 0)


def _is_spared(event: Event) -> TypeGuard[Progressed | Retrying]:
    """Whether this ends an attempt that counts as none."""
    if isinstance(event, Progressed):
        return event.data.handed_over is True
    return isinstance(event, Retrying) and event.data.spared is True


def _goes_on(event: Event, failed: int) -> bool:
    """Whether, since that attempt failed, there is another job, or it is seen that there is one."""
    if not isinstance(event, Progressed):
        return isinstance(event, Submitting)
    told = event.data
    return told.handle is not None or (told.attempt > failed and told.handed_over is None)


def _answers(event: Event, submit: Submitting) -> bool:
    """Whether ``event`` tells what became of ``submit``. An older attempt speaks of its own."""
    if not isinstance(event, Retrying | Progressed) or event.data.attempt < submit.data.attempt:
        return False
    return isinstance(event, Retrying) or event.data.handle is not None


@dataclass(frozen=True, slots=True)
class Start:
    """Begin an attempt at a task that has ``reached`` a stage; None before its first attempt.

    ``key`` is that of a submit whose outcome nobody knows: it is repeated.
    """

    attempt: int
    key: str | None = None
    reached: str | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """Begin an attempt that goes on from what an earlier one told in a handle: at most providers, a
    job that the service has already.

    ``may_submit_anew``: if the provider says that the job is over, another may be submitted. Only
    after an attempt that was seen to fail; a job that nobody saw end may have been paid for.
    """

    attempt: int
    submitted: Submitted
    may_submit_anew: bool
    reached: str | None = None


@dataclass(frozen=True, slots=True)
class Find:
    """Begin an attempt by asking the provider for the job that may have been submitted under
    ``key``."""

    attempt: int
    key: str
    reached: str | None = None


@dataclass(frozen=True, slots=True)
class AwaitLate:
    """The task has timed out, but its job may still end well, until ``until``."""

    attempt: int
    submitted: Submitted
    until: datetime
    reached: str | None = None


@dataclass(frozen=True, slots=True)
class CallOff:
    """The task has ended, and nobody waits for its job, which may still be running: it is to be
    stopped."""

    attempt: int
    submitted: Submitted
    reached: str | None = None


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


Decision = Start | Resume | Find | AwaitLate | CallOff | Drop | WaitUntil | GiveUp

_TIMEOUTS = frozenset({"timeout", "provider_timeout"})


def decide(
    task: Task | None,
    past: Past,
    *,
    provider: str,
    key_lasts_s: float | None,
    finds: bool,
    policy: Policy,
    now: datetime,
) -> Decision:
    """What a worker does that is handed the request of ``task``, as the log tells of it.

    ``key_lasts_s`` is `Offer.key_lasts_s` of the provider; ``finds``, whether it is one that
    `Finds`.
    """
    if task is None:
        return Start(1)
    if provider_of(task.request.lane) != provider:
        # It has gone to another one.
        return Drop()
    if task.status.is_terminal:
        return late_job(task, policy, now) or job_left(task, provider) or Drop()
    if isinstance(task.state, BackingOff) and now < task.state.retry_at:
        return WaitUntil(task.state.retry_at)
    tries = task.attempt - past.spared
    out_of_tries = tries >= policy.attempts
    if past.unanswered is not None:
        return _after_unanswered(
            task,
            past.unanswered,
            provider=provider,
            repeats=_may_repeat(past.unanswered, provider, key_lasts_s, now),
            finds=finds,
            resubmits=policy.resubmits,
            out_of_tries=out_of_tries,
        )
    submitted = _submitted(task)
    if out_of_tries:
        return GiveUp(task.attempt, interrupted(provider, tries, task.attempt), submitted)
    if submitted is not None:
        return Resume(task.attempt + 1, submitted, past.seen_to_fail, task.stage)
    return Start(task.attempt + 1, reached=task.stage if task.attempt else None)


def late_job(task: Task, policy: Policy, now: datetime) -> AwaitLate | None:
    """The job of a task that timed out, if a result of it may still come and none has."""
    state = task.state
    if not isinstance(state, FailedState) or state.error.code not in _TIMEOUTS:
        return None
    submitted = _submitted(task)
    until = state.finished_at + timedelta(seconds=policy.late_s)
    if submitted is None or task.late_artifacts or now >= until:
        return None
    return AwaitLate(task.attempt, submitted, until, task.stage)


def job_left(task: Task, provider: str) -> CallOff | None:
    """The job that a task which has ended may have left running at this provider.

    Whoever stops a worker stops the job; but the task may have ended while nobody worked on it.
    """
    submitted = _submitted(task)
    if submitted is None or task.provider != provider:
        return None
    has_made_it = isinstance(task.state, CompletedState) or task.late_artifacts
    return None if has_made_it else CallOff(task.attempt, submitted, task.stage)


def _after_unanswered(
    task: Task,
    submit: Submitting,
    *,
    provider: str,
    repeats: bool,
    finds: bool,
    resubmits: bool,
    out_of_tries: bool,
) -> Start | Find | GiveUp:
    """What to do about a submit of which nobody knows what became of it."""
    number, key = task.attempt + 1, submit.data.key
    if not out_of_tries:
        if repeats:
            return Start(number, key, task.stage)
        if finds and submit.data.provider == provider:
            return Find(number, key, task.stage)
        if resubmits:
            return Start(number, reached=task.stage)
    return GiveUp(task.attempt, unknown_submit(provider, task.attempt).error)


def _may_repeat(
    submit: Submitting, provider: str, key_lasts_s: float | None, now: datetime
) -> bool:
    if key_lasts_s is None or submit.data.provider != provider:
        return False
    return now - submit.time < timedelta(seconds=key_lasts_s)


def _submitted(task: Task) -> Submitted | None:
    if task.handle is None:
        return None
    return Submitted(task.external_task_id, task.handle)


# After an attempt that failed.


class Fault(Enum):
    """Whose fault it was that an attempt failed: what its provider's breaker is told."""

    PROVIDER = auto()
    """It did not answer, or that it can't."""
    BUSY = auto()
    """Nobody's: it takes no more at present."""
    REQUEST = auto()
    """It answered that it won't: it is there."""
    OURS = auto()
    """This tells nothing of the provider."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, and whether another one may meet better luck.

    ``unanswered``: what became of its submit isn't known, and the next attempt asks with its key.
    ``spared``: it counts as no attempt.
    """

    error: TaskError
    fault: Fault = Fault.PROVIDER
    again: bool = True
    unanswered: bool = False
    spared: bool = False
    retry_after_s: float | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after ``delay_s``; if ``spared``, this attempt counts as none."""

    delay_s: float
    error: TaskError
    spared: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """Submit again under the same key after ``delay_s``.

    Nothing is told that would seem to answer the submit. If ``spared``, this attempt counts as
    none.
    """

    delay_s: float
    spared: bool = False


@dataclass(frozen=True, slots=True)
class Fail:
    """The task ends without a result; ``stage`` is the failure stage, where it is known."""

    error: TaskError
    stage: str | None = None


def after(failure: Failure, tries: int, policy: Policy, jitter: float) -> Retry | Repeat | Fail:
    """What follows the failure of try number ``tries``: ``base_s``, twice that, four times … later.

    ``jitter`` multiplies the pause. A provider's own wish makes it longer, never shorter; a pause
    of which nothing is told is bounded more narrowly.
    """
    if not failure.again or (tries >= policy.attempts and not failure.spared):
        return Fail(failure.error, failure.stage)
    pause = policy.base_s * 2.0 ** min(tries - 1, _MOST_DOUBLINGS) * jitter
    pause = max(pause, failure.retry_after_s or 0.0)
    if failure.unanswered:
        return Repeat(min(pause, LONGEST_QUIET_S), failure.spared)
    return Retry(min(pause, LONGEST_PAUSE_S), failure.error, failure.spared)


def spared(failure: Failure) -> Failure:
    """The same of an attempt that only tried whether the provider is there again."""
    return replace(failure, spared=True)


def resubmitted(failure: Failure) -> Failure:
    """The same where a job is submitted again when nobody can tell whether it was taken."""
    return replace(failure, again=True)


def unanswered(failure: Failure, provider: str) -> Failure:
    """The same where another try will tell what became of a submit: under its key, or by looking.

    Once there is none left, that is what the owner has to know, whatever this one failed of.
    """
    error = unknown_submit(provider, failure.error.attempts).error
    return replace(failure, error=error, again=True, unanswered=True)


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
    busy = isinstance(trouble, Busy)
    return Failure(
        error,
        Fault.BUSY if busy else Fault.PROVIDER,
        spared=busy,
        retry_after_s=trouble.retry_after_s,
    )


def rejected(refusal: Rejected, attempt: int) -> Failure:
    """The provider said that it will never do it."""
    error = _error(refusal.code, refusal.message, attempt, params=refusal.params)
    return Failure(error, Fault.REQUEST, again=False, stage=refusal.stage)


def broken(attempt: int, message: str = SOMETHING_WENT_WRONG) -> Failure:
    """A fault of ours or of a provider's code; what it was is in the log of the process."""
    return Failure(_error("internal", message, attempt, retryable=True), Fault.OURS)


def turned_away(provider: str, attempt: int, until: datetime | None, at: datetime) -> TaskError:
    """The provider's breaker is open, and tasks are not to wait for it."""
    seconds = 0 if until is None else max(1, round((until - at).total_seconds()))
    message = f"{provider} is in trouble at present, so this task was not begun. Please try again"
    message += f" in {seconds} s." if seconds else "."
    params = {"provider": provider, "seconds": seconds}
    return _error("circuit_open", message, attempt, retryable=True, params=params)


def unknown_submit(provider: str, attempt: int) -> Failure:
    """Whether the provider took the job isn't known; it isn't submitted again by itself."""
    message = (
        f"It is not known whether {provider} took this task: the connection was lost while it was "
        "handed over. It was not sent a second time. Check there before you try again."
    )
    params = {"provider": provider}
    return Failure(_error("provider_error", message, attempt, params=params), again=False)


def unreadable(provider: str, attempt: int) -> Failure:
    """The provider took the job, and its plug-in answered with what the log can't keep."""
    message = (
        f"{provider} took this task, but its answer could not be kept, so there is no way to the "
        "result. It was not sent a second time. Check there before you try again."
    )
    params = {"provider": provider}
    error = _error("provider_error", message, attempt, params=params)
    return Failure(error, Fault.OURS, again=False)


def forgotten(provider: str, attempt: int) -> Failure:
    """The job was submitted, its worker died, and the provider has no results of it."""
    message = f"{provider} no longer knows the job that it was given. Please try again."
    params = {"provider": provider}
    error = _error("provider_error", message, attempt, retryable=True, params=params)
    return Failure(error, again=False)


def interrupted(provider: str, times: int, attempts: int) -> TaskError:
    """Each attempt, but for those handed over, ended with its worker."""
    often = "once" if times == 1 else f"{times} times"
    message = f"The work of {provider} on this task was interrupted {often}. Please try again."
    params = {"provider": provider, "times": times}
    return _error("internal", message, attempts, retryable=True, params=params)


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
