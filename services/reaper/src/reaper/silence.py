"""Is this task's silence its end? Read this first. Pure.

`decide` judges one task as of one moment of the broker's clock. A task that waits in line, for its
first attempt or for another one, is not silent while its lane is being served, however long the
line is. Why silence and not the time since submission:
docs/decisions/0007-inactivity-by-default.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, assert_never

from contracts.events import RequestData, TaskError
from contracts.generation_types import GENERATION_TYPES, GenerationType
from contracts.lifecycle import BackingOff, Ended, Pending, Running, Task, Waiting

_HOUR_S = 3600

Reason = Literal["silent", "unserved", "too_long"]
"""``silent``: a task in work of which nothing was heard. ``unserved``: a waiting task whose lane
nobody serves. ``too_long``: one that ran past its deadline, whatever was heard of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a deployment waits, in seconds; a generation type may have limits of its own."""

    timeout_s: float
    deadline_s: float
    photo_ttl_s: float
    kinds: Mapping[str, GenerationType] = field(default_factory=lambda: GENERATION_TYPES)

    def of(self, tasktype: str) -> tuple[float, float]:
        """The timeout and the deadline of a type."""
        kind = self.kinds.get(tasktype)
        if kind is None:
            return self.timeout_s, self.deadline_s
        return (
            self.timeout_s if kind.timeout_s is None else kind.timeout_s,
            self.deadline_s if kind.deadline_s is None else kind.deadline_s,
        )

    def failure_stage(self, task: Task) -> str:
        """The stage in which ``task`` fails when it is ended now."""
        kind = self.kinds.get(task.type)
        return task.stage if kind is None else kind.failure_stage(task.stage)

    def no_longer_than(self, provider_timeout_s: float) -> list[str]:
        """Types of which a provider may be silent for longer than the reaper waits.

        One hung provider then ends what waits behind it: its lane seems to be served by nobody.
        """
        return [name for name in self.kinds if self.of(name)[0] <= provider_timeout_s]


@dataclass(frozen=True, slots=True)
class TimeOut:
    """End it: it has shown no sign of life for its timeout, or runs past its deadline."""

    reason: Reason
    error: TaskError


@dataclass(frozen=True, slots=True)
class UploadFailed:
    """End it in ``stage``: the photo that it waited for never came."""

    stage: str
    error: TaskError


@dataclass(frozen=True, slots=True)
class Release:
    """Put it in line with ``request``: nothing is left to wait for but a worker."""

    request: RequestData


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing is wrong with it."""


Verdict = TimeOut | UploadFailed | Release | Leave


def decide(
    task: Task,
    *,
    served_at: datetime | None,
    excused: datetime | None = None,
    handed_over: bool = False,
    now: datetime,
    watching_since: datetime,
    limits: Limits,
) -> Verdict:
    """What is to be done about ``task``, known as of ``now`` (the broker's clock).

    ``served_at`` is when a worker of the task's provider last told anything; ``excused``, up to
    when nobody could have: its breaker was open, or it took no more. ``handed_over``: its worker
    went as planned, so that it waits for another one; its state doesn't tell. ``watching_since`` is
    when the reaper began to watch without interruption: for a waiting task, earlier silence was
    perhaps only the broker's or the reaper's own downtime. For one in work it counts.
    """
    timeout_s, deadline_s = limits.of(task.type)
    match task.state:
        case Pending():
            return _of_pending(task, now, limits)
        case Ended():
            return Leave()
        case Running() if not handed_over:
            reason: Reason = "silent"
            heard = _latest(task.heard_at, excused)
        case Waiting() | Running() | BackingOff():
            reason = "unserved"
            heard = _latest(_last_sign(task), watching_since, served_at, excused)
        case _:  # pragma: no cover
            assert_never(task.state)
    if _is_over(heard, timeout_s, now):
        return TimeOut(reason, _nothing_heard(task, timeout_s))
    started_at = None if isinstance(task.state, Waiting) else task.started_at
    if started_at is not None and _is_over(started_at, deadline_s, now):
        return TimeOut("too_long", _ran_too_long(task, deadline_s))
    return Leave()


def _of_pending(task: Task, now: datetime, limits: Limits) -> Verdict:
    """A pending task's clock starts at ``run_at``, where it has one.

    A photo without its ``requested`` is released too: whoever took the photo ended in between.
    """
    kind = limits.kinds.get(task.type)
    request = task.request
    takes_photo = kind is not None and kind.waits_for_photo
    if kind is not None and takes_photo and not request.reference_images:
        begins = max(task.heard_at, request.run_at or task.heard_at)
        if _is_over(begins, limits.photo_ttl_s, now):
            return UploadFailed(kind.failure_stage(task.stage), _no_photo(limits.photo_ttl_s))
        return Leave()
    due = request.run_at or (task.heard_at if takes_photo else None)
    if due is None or due > now:
        return Leave()
    stage = task.stage if kind is None else kind.waiting_stage
    return Release(request.model_copy(update={"stage": stage, "metadata": dict(task.metadata)}))


def _latest(first: datetime, *others: datetime | None) -> datetime:
    return max(first, *(each for each in others if each is not None), first)


def _last_sign(task: Task) -> datetime:
    """When the task was last heard of; a pause between attempts is no silence."""
    if isinstance(task.state, BackingOff):
        return max(task.heard_at, task.state.retry_at)
    return task.heard_at


def _is_over(since: datetime, seconds: float, now: datetime) -> bool:
    """Exactly at the limit it is over."""
    return now - since >= timedelta(seconds=seconds)


def _nothing_heard(task: Task, timeout_s: float) -> TaskError:
    seconds = _number(timeout_s)
    return TaskError(
        code="timeout",
        message=f"Nothing was heard of this task for {seconds} s, so it was stopped."
        " Please try again.",
        retryable=True,
        attempts=task.attempt,
        params={"seconds": seconds},
    )


def _ran_too_long(task: Task, deadline_s: float) -> TaskError:
    seconds = _number(deadline_s)
    return TaskError(
        code="timeout",
        message=f"This task ran for longer than {seconds} s, so it was stopped. Please try again.",
        retryable=True,
        attempts=task.attempt,
        params={"seconds": seconds},
    )


def _no_photo(photo_ttl_s: float) -> TaskError:
    hours = _number(photo_ttl_s / _HOUR_S)
    return TaskError(
        code="invalid_input",
        message=f"No photo came within {hours} h. Please start again.",
        retryable=True,
        params={"hours": hours},
    )


def _number(value: float) -> float:
    """300 rather than 300.0 in front of people; no more digits than they read."""
    return int(value) if value == int(value) else round(value, 4)
