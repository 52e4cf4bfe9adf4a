"""Publishing a fact so that it is on disk in the log, or saying honestly that it may not be."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from prometheus_client import Counter
from pydantic_core import from_json

from contracts.events import MAX_EVENT_BYTES, Event, Progressed, encode
from contracts.subjects import STREAM, subject_of
from delivery.metrics import PUBLISH_CONFLICTS, PUBLISH_RETRIES, PUBLISHED
from delivery.requests import NoReply, NoResponders, Requests, Unreachable
from delivery.spans import message_attributes
from telemetry.logs import get_logger
from telemetry.tracing import Kind, is_traced, span

_log = get_logger(__name__)

DEFAULT_BUDGET_S = 30.0
_FIRST_TRY_S = 1.0
_LONGEST_TRY_S = 5.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0

WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
"""The check on the last sequence failed: on a single node, and on a cluster in flight."""
_SAME_ID_IN_FLIGHT = 10158
LOG_FULL = frozenset({10077, 10023, 10047})


@dataclass(frozen=True, slots=True)
class Stored:
    """The log has the event at ``sequence``; ``duplicate`` when it had its id already."""

    sequence: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class LastSequence:
    """Publish only if the last message on ``subject`` (default: the event's own) is this one.

    0 means: only if there is none.
    """

    sequence: int = 0
    subject: str | None = None


NOTHING_YET = LastSequence(0)


class WrongLastSequence(Exception):
    """Somebody else's message is there. Read the subject back before believing it."""


class LogFull(Exception):
    """The log has reached its limits and takes nothing more."""


class Refused(Exception):
    """The log will never take this event."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code


class OutcomeUnknown(Exception):
    """It was sent and never acknowledged within the budget; it may be stored."""


class LogUnreachable(Exception):
    """The budget ran out and nothing was ever sent."""


class EventTooLarge(Exception):
    """The event is over 64 KiB; bytes belong in the object store."""


class Publisher:
    """Acknowledged publishes, repeated with the same event id until the budget is spent."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def publish(
        self,
        event: Event,
        *,
        expect: LastSequence | None = None,
        budget_s: float = DEFAULT_BUDGET_S,
    ) -> Stored:
        """Store ``event`` on its subject.

        Raises `WrongLastSequence`, `LogFull`, `Refused`, `EventTooLarge`, `OutcomeUnknown` (sent,
        never acknowledged) or `LogUnreachable` (never sent).
        """
        payload = encode(event)
        if len(payload) > MAX_EVENT_BYTES:
            raise EventTooLarge(f"{event.type} is {len(payload)} bytes")
        subject, headers = subject_of(event), publish_headers(event.id, expect)
        try:
            if not is_traced(event.traceparent):
                stored = await self._repeat(subject, payload, headers, budget_s)
            else:
                with span(
                    f"send {event.type}",
                    Kind.PRODUCER,
                    event.traceparent,
                    attributes=message_attributes(subject, event.id, "send"),
                ):
                    stored = await self._repeat(subject, payload, headers, budget_s)
        except WrongLastSequence:
            PUBLISH_CONFLICTS.labels(event.type).inc()
            raise
        _published(event.type).inc()
        tell = _log.debug if isinstance(event, Progressed) else _log.info
        tell("told", **event_ids(event), type=event.type, sequence=stored.sequence)
        return stored

    async def _repeat(
        self, subject: str, payload: bytes, headers: dict[str, str], budget_s: float
    ) -> Stored:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + budget_s
        pause = _FIRST_PAUSE_S
        patience = _FIRST_TRY_S
        sent = False
        while True:
            remaining = deadline - loop.time()
            if remaining <= 0:
                raise (OutcomeUnknown(subject) if sent else LogUnreachable(subject))
            try:
                reply = await self._requests.call(
                    subject, payload, headers, timeout=min(patience, remaining)
                )
                return _acknowledged(from_json(reply.data))
            except Unreachable:
                reason = "unreachable"
            except NoResponders:
                reason = "no_responders"
            except NoReply:
                # Unknown, not failed: the same id is tried again and found to be a duplicate.
                sent = True
                reason = "no_reply"
                patience = min(patience * 2, _LONGEST_TRY_S)
            except _TryAgain:
                sent = True
                reason = "id_in_flight"
            PUBLISH_RETRIES.labels(reason).inc()
            wait = min(pause * random.uniform(0.5, 1.0), max(0.0, deadline - loop.time()))
            await asyncio.sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE_S)


def event_ids(event: Event) -> dict[str, object]:
    """What a log line about an event has, at every hop."""
    return {
        "task_id": event.subject,
        "event_id": event.id,
        "correlation_id": event.correlation_id,
        "attempt": getattr(event.data, "attempt", None),
    }


class _TryAgain(Exception):
    pass


def publish_headers(event_id: str, expect: LastSequence | None) -> dict[str, str]:
    """The headers of a publish: deduplication, the stream that must take it, and the check."""
    headers = {
        "Nats-Msg-Id": event_id,
        "Nats-Expected-Stream": STREAM,
        "Content-Type": "application/cloudevents+json",
    }
    if expect is not None:
        headers["Nats-Expected-Last-Subject-Sequence"] = str(expect.sequence)
        if expect.subject is not None:
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = expect.subject
    return headers


def _acknowledged(answer: dict[str, Any]) -> Stored:
    """The PubAck, or the error that it carries. Codes are matched, never texts."""
    error = answer.get("error")
    if error is None:
        return Stored(answer["seq"], bool(answer.get("duplicate")))
    code = error.get("err_code", 0)
    if code in WRONG_LAST_SEQUENCE:
        raise WrongLastSequence
    if code == _SAME_ID_IN_FLIGHT:
        raise _TryAgain
    if code in LOG_FULL:
        raise LogFull(error.get("description", ""))
    raise Refused(code, error.get("description", ""))


@lru_cache
def _published(event_type: str) -> Counter:
    return PUBLISHED.labels(event_type)
