"""Spans of what was projected: one of the batch, and in the trace of each of its tasks one more."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts.messages import Message
from delivery.spans import message_attributes
from telemetry import tracing
from telemetry.tracing import Kind

_DATA = b',"data":'
_TRACEPARENT = re.compile(rb'"traceparent":"([0-9a-f-]{55})"')
_MOST_LINKS = 128
"""As many as OpenTelemetry keeps by default."""


def tell_projected(messages: Sequence[Message], began_ns: int, ended_ns: int) -> None:
    """The batch has been written; times in nanoseconds since the epoch."""
    if tracing.provider() is None:
        return
    traced = [
        (message, parent)
        for message in messages
        if tracing.is_traced(parent := traceparent_of(message.payload)) and parent is not None
    ]
    if not traced:
        return
    batch = tracing.tell(
        "process batch",
        Kind.CONSUMER,
        None,
        began_ns,
        ended_ns,
        links=[parent for _, parent in traced[:_MOST_LINKS]],
        attributes={
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.batch.message_count": len(messages),
        },
    )
    for message, parent in traced:
        tracing.tell(
            f"process {'.'.join(message.subject.split('.')[:2])}",
            Kind.CONSUMER,
            parent,
            began_ns,
            ended_ns,
            links=[parent, *([] if batch is None else [batch])],
            attributes=message_attributes(message.subject, message.event_id, "process"),
        )


def traceparent_of(payload: bytes) -> str | None:
    """That of an event's envelope, without decoding it; its data may say anything. Pure."""
    found = _TRACEPARENT.search(payload, 0, max(0, payload.find(_DATA)))
    return None if found is None else found.group(1).decode()
