"""A task as the log tells of it, read before a provider is called and after one has failed."""

from __future__ import annotations

from pydantic import ValidationError

from contracts.events import Event, Requested, decode
from contracts.lifecycle import Task, Unapplicable, evolve
from delivery.leases import Lease
from delivery.log import LogReader
from telemetry.logs import get_logger

_log = get_logger(__name__)


async def read_task(
    log: LogReader, request: Requested, lease: Lease
) -> tuple[Task | None, list[Event]]:
    """The task, folded, and its events in order; the request in hand needs no reading."""
    task = evolve(None, request, lease.sequence, lease.logtime)
    events: list[Event] = []
    for message in await log.history(lease.task_id):
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
    return task, events
