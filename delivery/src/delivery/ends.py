"""How a task starts and ends: through the broker's check on its one finished subject.

Nothing else publishes an end. See docs/decisions/0002-one-finished-subject.md.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pydantic import ValidationError

from contracts.events import End, Erased, Event, Started, decode
from contracts.subjects import facts_after_request, finished_subject, subject_of
from delivery.log import LogMessage, LogReader, LogUnavailable
from delivery.metrics import ENDS
from delivery.publisher import (
    DEFAULT_BUDGET_S,
    NOTHING_YET,
    LastSequence,
    OutcomeUnknown,
    Publisher,
    WrongLastSequence,
)

_CONFLICT_PAUSE_S = 0.02
_CONFLICT_TRIES = 50
_READ_PAUSE_S = 0.1
_WON, _LOST = ENDS.labels("won"), ENDS.labels("lost")


@dataclass(frozen=True, slots=True)
class Won:
    """This end is the task's end, at ``sequence``."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The task had ended before: ``event`` at ``sequence`` is its end, or its erasure.

    ``event`` is None when this version can't read it: a newer one may end tasks in other words.
    """

    event: Event | None
    sequence: int


async def publish_end(
    publisher: Publisher, log: LogReader, event: End, *, budget_s: float = DEFAULT_BUDGET_S
) -> Won | Lost:
    """Publish the end of a task, and tell whether it is the one that the log recorded.

    ``event.id`` is random per outcome and kept over that outcome's retries: a refusal may be the
    answer to one's own publish whose acknowledgement was lost, and the id tells.
    Raises what `Publisher.publish` raises, but for `WrongLastSequence`.
    """
    subject = subject_of(event)
    deadline = asyncio.get_running_loop().time() + budget_s
    for _ in range(_CONFLICT_TRIES):
        try:
            stored = await publisher.publish(event, expect=NOTHING_YET, budget_s=budget_s)
        except WrongLastSequence:
            there = await _read_back(log, subject, deadline)
            if there is None:
                # On a cluster the refusal can mean that a rival's publish is in flight.
                await asyncio.sleep(_CONFLICT_PAUSE_S)
                continue
            if there.event_id == event.id:
                _WON.inc()
                return Won(there.sequence)
            _LOST.inc()
            return Lost(_event_of(there), there.sequence)
        _WON.inc()
        return Won(stored.sequence)
    raise OutcomeUnknown(subject)


async def publish_start(publisher: Publisher, log: LogReader, event: Started) -> Won | Lost:
    """Publish that an attempt started, unless the task has ended: one round trip, no lock."""
    finished = finished_subject(event.tasktype, event.task_id)
    deadline = asyncio.get_running_loop().time() + DEFAULT_BUDGET_S
    for _ in range(_CONFLICT_TRIES):
        try:
            stored = await publisher.publish(event, expect=LastSequence(0, finished))
        except WrongLastSequence:
            there = await _read_back(log, finished, deadline)
            if there is None:
                await asyncio.sleep(_CONFLICT_PAUSE_S)
                continue
            return Lost(_event_of(there), there.sequence)
        return Won(stored.sequence)
    raise OutcomeUnknown(finished)


async def publish_first_start(publisher: Publisher, log: LogReader, event: Started) -> int | None:
    """Publish that the first attempt started, if the log has nothing of the task but its request.

    At which sequence; None when the log has more: what, is to be read before anything is done. For
    a broker that is no cluster, where look and publish are one; on a cluster a wildcard misses what
    is in flight.
    """
    subject = facts_after_request(event.tasktype, event.task_id)
    deadline = asyncio.get_running_loop().time() + DEFAULT_BUDGET_S
    try:
        stored = await publisher.publish(event, expect=LastSequence(0, subject))
    except WrongLastSequence:
        there = await _read_back(log, subject, deadline)
        return None if there is None or there.event_id != event.id else there.sequence
    return stored.sequence


async def publish_erasure(
    publisher: Publisher, log: LogReader, event: Erased, *, budget_s: float = DEFAULT_BUDGET_S
) -> int:
    """Publish that a task is erased, behind its end; returns the sequence. Safe to repeat."""
    subject = subject_of(event)
    deadline = asyncio.get_running_loop().time() + budget_s
    for _ in range(_CONFLICT_TRIES):
        there = await _read_back(log, subject, deadline)
        if there is not None and isinstance(_event_of(there), Erased):
            return there.sequence
        expected = 0 if there is None else there.sequence
        try:
            stored = await publisher.publish(
                event, expect=LastSequence(expected), budget_s=budget_s
            )
        except WrongLastSequence:
            await asyncio.sleep(_CONFLICT_PAUSE_S)
            continue
        return stored.sequence
    raise OutcomeUnknown(subject)


def _event_of(message: LogMessage) -> Event | None:
    try:
        return decode(message.payload)
    except ValidationError:
        return None


async def _read_back(log: LogReader, subject: str, deadline: float) -> LogMessage | None:
    """The last message on ``subject``: a read is repeated as patiently as the publish before it."""
    while True:
        try:
            return await log.last(subject)
        except LogUnavailable:
            if asyncio.get_running_loop().time() > deadline:
                raise OutcomeUnknown(subject) from None
            await asyncio.sleep(_READ_PAUSE_S)
