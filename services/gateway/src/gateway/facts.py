"""The facts that the gateway tells of tasks that exist: what they all have in common."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from contracts.events import Envelope, envelope, event_type, schema_urn
from contracts.ids import uuid7
from contracts.records import Record
from gateway.admission import SOURCE
from telemetry.tracing import current_traceparent


def attributes_of(event_class: type[Envelope], record: Record) -> dict[str, Any]:
    """The envelope of an event of this task, told now."""
    now = datetime.now(UTC)
    attributes = envelope(
        event_id=uuid7(now, os.urandom(10)),
        source=SOURCE,
        task_id=record["task_id"],
        owner=record["owner"],
        tasktype=record["type"],
        time=now,
        traceparent=current_traceparent(),
    )
    return {**attributes, "dataschema": schema_urn(event_type(event_class))}
