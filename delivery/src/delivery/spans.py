"""What spans say of a message, by OpenTelemetry's conventions for messaging."""

from __future__ import annotations

from contracts.subjects import STREAM, task_id_of


def message_attributes(subject: str, event_id: str, operation: str) -> dict[str, str]:
    """``operation`` is ``send``, ``receive`` or ``process``."""
    return {
        "messaging.system": "nats",
        "messaging.operation.type": operation,
        "messaging.operation.name": operation,
        "messaging.destination.name": STREAM,
        "messaging.destination.subject": subject,
        "messaging.message.id": event_id,
        "darkroom.task.id": task_id_of(subject),
    }
