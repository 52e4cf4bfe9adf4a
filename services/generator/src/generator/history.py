"""A task as the log tells of it, read before a provider is called and after one has failed.

Reads are patient: a broker that restarts costs the task a moment, not its lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from contracts.events import Event, Progressed, Requested, Started, Submitting, decode
from contracts.lifecycle import Running, Task, Unapplicable, evolve
from contracts.subjects import finished_subject, progress_subject, requests_of
from delivery.leases import Lease
from delivery.log import LogMessage, LogReader, LogUnavailable
from generator.work import Attempt, Work
from telemetry.logs import get_logger

_log = get_logger(__name__)

_PATIENCE_S = 30.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class History:
    """A task, folded, and its events in order.

    ``ended`` also when nobody here can read by what: anything on its finished subject ends it.
    ``began_at``: when the log stored the start of its last attempt.
    ``last``: the sequence of the last message that was read.
    """

    task: Task | None
    events: list[Event]
    ended: bool
    began_at: datetime | None = None
    last: int = 0

    @property
    def was_left(self) -> bool:
        """Whether somebody began an attempt, and neither ended it nor handed it over."""
        if self.task is None or not isinstance(self.task.state, Running):
            return False
        last = self.events[-1] if self.events else None
        return not (isinstance(last, Progressed) and last.data.handed_over)

    def is_perhaps_held(self, lane_since: datetime | None) -> bool:
        """Whether another worker may be at work on the last attempt.

        A request that comes again tells that its lease ran out. Not so from a consumer that was
        made after the attempt began (``lane_since``): it knows of no leases.
        """
        if not self.was_left or self.began_at is None or lane_since is None:
            return False
        return lane_since > self.began_at


@dataclass(frozen=True, slots=True)
class Standing:
    """How an attempt stands that is about to submit its job.

    ``last``: the last sequence on the task's progress subject. ``told``: the log has the event that
    was asked for. ``overtaken``: another worker took the task on, of which this one did not know.
    """

    last: int
    told: bool
    overtaken: bool
    ended: bool


def read_request(work: Work) -> Requested | None:
    """The request, or None when it is none: there is no task that it could fail."""
    try:
        event = decode(work.lease.payload)
    except ValidationError as problem:
        # The text of the problem would show the prompt.
        _log.error(
            "a request can't be read",
            task_id=work.lease.task_id,
            sequence=work.lease.sequence,
            errors=problem.error_count(),
        )
        return None
    if (
        not isinstance(event, Requested)
        or event.subject != work.lease.task_id
        or event.tasktype != work.lane.kind.name
    ):
        _log.error(
            "a message among the requests is none",
            task_id=work.lease.task_id,
            sequence=work.lease.sequence,
            event_id=event.id,
        )
        return None
    return event


async def is_untouched(log: LogReader, request: Requested, *, surely: bool) -> bool:
    """Whether nothing follows the request on the task's own subject.

    On a cluster an answer that isn't ``surely`` so may be a moment old, and costs less.
    """
    subject = progress_subject(request.tasktype, request.subject)
    read = log.last if surely else log.last_nearby
    last: LogMessage | None = await _patiently(lambda: read(subject))
    return last is None


async def is_in_its_line(log: LogReader, lease: Lease) -> bool:
    """Whether no later request put the task in another line, where it may not have begun."""
    last: LogMessage | None = await _patiently(lambda: log.last(requests_of(lease.task_id)))
    return last is not None and last.sequence == lease.sequence


async def read_task(log: LogReader, request: Requested, lease: Lease) -> History:
    """What the log tells of the task; the request in hand needs no reading."""
    task = evolve(None, request, lease.sequence, lease.logtime)
    last = lease.sequence
    events: list[Event] = []
    began_at: datetime | None = None
    finished = finished_subject(request.tasktype, request.subject)
    ended = False
    for message in await _patiently(lambda: log.history(lease.task_id)):
        ended = ended or message.subject == finished
        last = max(last, message.sequence)
        try:
            event = decode(message.payload)
            task = evolve(task, event, message.sequence, message.logtime)
        except (ValidationError, Unapplicable) as problem:
            # The projector parks it; here it only must not stand in the way.
            _log.warning(
                "an event of the task can't be read",
                task_id=lease.task_id,
                sequence=message.sequence,
                reason=type(problem).__name__,
            )
            continue
        events.append(event)
        if isinstance(event, Started):
            began_at = message.logtime
    return History(task, events, ended, began_at, last)


async def read_standing(log: LogReader, work: Work, attempt: Attempt, event_id: str) -> Standing:
    """Whether the attempt is still the one that has the task, and the log has that event."""
    task_id, kind = attempt.job.task_id, attempt.job.type
    finished, progress = finished_subject(kind, task_id), progress_subject(kind, task_id)
    last, told, overtaken, ended = 0, False, False, False
    for message in await _patiently(lambda: log.history(task_id)):
        ended = ended or message.subject == finished
        if message.subject == progress:
            last = message.sequence
        if message.event_id == event_id:
            told = True
        elif message.sequence > work.seen and message.sequence != attempt.began:
            overtaken = overtaken or _takes_over(message)
    return Standing(last, told, overtaken, ended)


def _takes_over(message: LogMessage) -> bool:
    """Whether this is told by who has the task, or sends it to another line."""
    try:
        event = decode(message.payload)
    except ValidationError:
        return False
    if isinstance(event, Progressed):
        return event.data.handle is not None
    return isinstance(event, Requested | Started | Submitting)


async def _patiently(read: Callable[[], Awaitable[T]]) -> T:
    """What the log answers. Raises `LogUnavailable` after half a minute without an answer."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    pause = _FIRST_PAUSE_S
    while True:
        try:
            return await read()
        except LogUnavailable:
            if asyncio.get_running_loop().time() + pause > deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)
