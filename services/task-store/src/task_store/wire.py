"""Rows as COPY takes them: Postgres' binary format, a row's columns in the order named here.

Written by hand because a row costs four times as much by way of records and a codec a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from struct import Struct
from typing import Any

import orjson

from contracts.events import Artifact
from contracts.lifecycle import STATUS_OF, BackingOff, CompletedState, Ended, Task, Waiting
from contracts.messages import Message
from contracts.records import artifacts_of, error_of

EVENT_COLUMNS = ("sequence", "logtime", "task_id", "event_id", "subject", "payload")

_MOVING_COLUMNS = (
    "task_id",
    "sequence",
    "progress",
    "attempt",
    "updated_at",
    "heard_at",
    "ticket",
    "retry_at",
    "started_at",
    "finished_at",
    "phase",
    "status",
    "stage",
    "provider",
    "external_task_id",
    "handle",
    "artifacts",
    "late_artifacts",
    "error",
)
"""What any event may change."""
_ASKED_COLUMNS = (
    "lane",
    "prompt",
    "prompt_id",
    "reference_images",
    "provider_params",
    "run_at",
    "body_sha256",
    "metadata",
    "created_at",
)
"""What only the owner changes, and seldom once a task has begun."""
CHANGED_COLUMNS = _MOVING_COLUMNS + _ASKED_COLUMNS
TASK_COLUMNS = (*CHANGED_COLUMNS, "owner", "type")

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_SAME_AS_BEFORE = _NULL * len(_ASKED_COLUMNS)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -63_082_281_600_000_000, 252_455_615_999_999_999
"""The years 1 and 9999 begin and end, in microseconds."""
_LENGTH = Struct(">i").pack
_LONG = Struct(">iq").pack
_EVENT = Struct(">hiqiqi").pack
_TASK = Struct(">hi16siqihiiiqiq").pack
_JSONB_VERSION = b"\x01"


def event_rows(kept: Iterable[tuple[Message, str]]) -> bytes:
    """Messages with their tasks, as rows of `log.events`."""
    parts = [_SIGNATURE]
    for message, task_id in kept:
        task = storable(task_id)
        event_id, subject = storable(message.event_id), storable(message.subject)
        payload = message.payload
        head = _EVENT(6, 8, message.sequence, 8, _microseconds(message.logtime), len(task))
        parts += (
            head,
            task,
            _LENGTH(len(event_id)),
            event_id,
            _LENGTH(len(subject)),
            subject,
            _LENGTH(len(payload)),
            payload,
        )
    parts.append(_END)
    return b"".join(parts)


def task_rows(tasks: Iterable[Task]) -> bytes:
    """Whole rows of `tasks`."""
    parts = [_SIGNATURE]
    for task in tasks:
        parts += _moving(task, len(TASK_COLUMNS))
        parts += _asked(task)
        parts += (_word(task.owner), _word(task.type))
    parts.append(_END)
    return b"".join(parts)


def changed_rows(changed: Iterable[tuple[Task | None, Task]]) -> bytes:
    """Tasks as they were and are, as rows of `incoming`; what was asked for only if it changed."""
    parts = [_SIGNATURE]
    for before, after in changed:
        parts += _moving(after, len(CHANGED_COLUMNS))
        if (
            before is not None
            and after.request is before.request
            and after.metadata is before.metadata
        ):
            parts.append(_SAME_AS_BEFORE)
        else:
            parts += _asked(after)
    parts.append(_END)
    return b"".join(parts)


def _moving(task: Task, columns: int) -> tuple[bytes, ...]:
    state, started_at = task.state, task.started_at
    kind = type(state)
    updated = _microseconds(task.updated_at)
    finished = error = _NULL
    if isinstance(state, Ended):
        at = state.finished_at
        finished = _LONG(8, updated if at is task.updated_at else _microseconds(at))
        if kind is not CompletedState and (told := error_of(task)) is not None:
            error = _json(told)
    provider, external, handle = task.provider, task.external_task_id, task.handle
    return (
        _TASK(
            columns,
            16,
            bytes.fromhex(task.task_id.replace("-", "")),
            8,
            task.sequence,
            2,
            task.progress,
            4,
            task.attempt,
            8,
            updated,
            8,
            _microseconds(task.heard_at),
        ),
        _LONG(8, state.ticket) if isinstance(state, Waiting) else _NULL,
        _time(state.retry_at) if isinstance(state, BackingOff) else _NULL,
        _NULL if started_at is None else _time(started_at),
        finished,
        _PHASE_AND_STATUS[state.phase],
        _word(task.stage),
        _NULL if provider is None else _word(provider),
        _NULL if external is None else _text(external),
        _NULL if handle is None else _json(handle),
        _artifacts(state.artifacts) if isinstance(state, CompletedState) else _EMPTY_ARRAY,
        _artifacts(task.late_artifacts),
        error,
    )


def _asked(task: Task) -> tuple[bytes, ...]:
    request = task.request
    references = request.reference_images
    return (
        _word(request.lane),
        _NULL if request.prompt is None else _text(request.prompt),
        _NULL if request.prompt_id is None else _word(request.prompt_id),
        _sized(_JSONB_VERSION + orjson.dumps(references)) if references else _NO_REFERENCES,
        _json(request.provider_params),
        _NULL if request.run_at is None else _time(request.run_at),
        _text(request.body_sha256),
        _json(task.metadata),
        _time(task.created_at),
    )


def _microseconds(value: datetime) -> int:
    since = value - _EPOCH
    since_epoch = (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
    if not _FIRST <= since_epoch <= _LAST:
        # Postgres would take it, and then nobody could read the row.
        raise OverflowError("a time outside of the years 1 to 9999")
    return since_epoch


def _time(value: datetime) -> bytes:
    return _LONG(8, _microseconds(value))


def _sized(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value


def _text(value: str) -> bytes:
    return _sized(value.encode())


_word = lru_cache(4096)(_text)
"""For what many rows have in common."""


def _json(value: Any) -> bytes:
    return _sized(orjson.dumps(value)) if value else _EMPTY_OBJECT


def _artifacts(artifacts: tuple[Artifact, ...]) -> bytes:
    return _sized(orjson.dumps(artifacts_of(artifacts))) if artifacts else _EMPTY_ARRAY


_PHASE_AND_STATUS = {phase: _text(phase) + _text(status) for phase, status in STATUS_OF.items()}
_EMPTY_OBJECT = _sized(b"{}")
_EMPTY_ARRAY = _sized(b"[]")
_NO_REFERENCES = _sized(_JSONB_VERSION + b"[]")


def storable(text: str) -> bytes:
    """Postgres takes no NUL and no lone surrogate in text; the payload's bytes are kept as is."""
    if text.isascii() and "\x00" not in text:
        return text.encode()
    return text.encode("utf-8", "replace").replace(b"\x00", "\N{REPLACEMENT CHARACTER}".encode())
