"""A task as it was at a sequence of the log, folded from its events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from artifacts.keys import InvalidKey, url_of
from contracts.api import task_view
from contracts.events import decode
from contracts.lifecycle import Task, Unapplicable, evolve
from contracts.records import to_record
from darkroom.cli.failures import Refused


def task_at(
    task_id: str, events: Sequence[Mapping[str, Any]], sequence: int, root_url: str
) -> dict[str, Any]:
    """The task after all of its events up to ``sequence``. Raises `Refused` before the first.

    What can't be applied holds back what comes after it, as it does in the projection.
    """
    task: Task | None = None
    for told in events:
        if told["sequence"] > sequence:
            break
        try:
            event = decode(json.dumps(told).encode())
            task = evolve(task, event, told["sequence"], datetime.fromisoformat(told["logtime"]))
        except (ValidationError, Unapplicable):
            break
    if task is None:
        raise Refused(_why_not(task_id, events, sequence))

    def url(key: str) -> str:
        if "://" in key:
            return key
        try:
            return url_of(key, root_url)
        except InvalidKey:
            return key

    view: dict[str, Any] = json.loads(json.dumps(task_view(to_record(task), url), default=_as_json))
    return view


def _why_not(task_id: str, events: Sequence[Mapping[str, Any]], sequence: int) -> str:
    if not events:
        return f"No events of task {task_id} are kept any more."
    first = events[0]["sequence"]
    if sequence < first:
        return f"Task {task_id} began at sequence {first}: at {sequence} there was no such task."
    return (
        f"The first event of task {task_id}, at {first}, can't be applied by this version. "
        "`darkroom dead-letters list` shows why."
    )


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else dict(value)
