"""What followers of tasks are told: a message for each event that changed one. Pure.

A message is the whole task as it was at a sequence of the log, whoever folds it and whenever: live,
from the raw copy, or by another gateway.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

import orjson
from pydantic import ValidationError

from contracts.events import Accepted, Erased, Event, Requested, decode
from contracts.generation_types import GENERATION_TYPES
from contracts.lifecycle import Phase, Task, Unapplicable, evolve
from contracts.records import Record, from_record, to_record
from contracts.subjects import task_id_of

View = Callable[[Record], dict[str, Any]]


class Fact(NamedTuple):
    """An event where the log has it; without an event where nobody here can read it."""

    task_id: str
    sequence: int
    logtime: datetime
    event: Event | None


def fact(subject: str, sequence: int, logtime: datetime, payload: bytes) -> Fact:
    """A message of the log as a fact. What speaks of another task than its subject is none."""
    task_id = task_id_of(subject)
    try:
        event = decode(payload)
    except ValidationError:
        return Fact(task_id, sequence, logtime, None)
    return Fact(task_id, sequence, logtime, event if event.subject == task_id else None)


class Stuck:
    """The state of a task whose history can't be read on: its projection waits there as well."""


STUCK: Final = Stuck()
State = Task | Stuck | None
"""None before its beginning."""


def is_beginning(event: Event | None) -> bool:
    """Whether nothing can have come before.

    A ``requested`` may be the ticket of a task that was accepted to wait for a time or a photo, or
    that goes to another provider.
    """
    if isinstance(event, Requested):
        if event.data.run_at is not None or event.data.substituted_from is not None:
            return False
        kind = GENERATION_TYPES.get(event.tasktype)
        return kind is None or not kind.waits_for_photo
    return isinstance(event, Accepted | Erased)


def advanced(state: State, fact: Fact) -> State:
    """The state after a fact; the same one when it changes nothing."""
    event = fact.event
    if isinstance(state, Stuck):
        state = None
        if not isinstance(event, Erased):
            return STUCK
    if event is None:
        return STUCK
    try:
        return evolve(state, event, fact.sequence, fact.logtime)
    except Unapplicable:
        return STUCK


def folded(facts: Iterable[Fact], before: int) -> State:
    """The state of one task before a sequence."""
    state: State = None
    for each in facts:
        if each.sequence < before:
            state = advanced(state, each)
    return state


def changes(facts: Iterable[Fact], after: int, bases: Iterable[Task] = ()) -> Iterator[Task]:
    """The tasks after each fact over ``after`` that changed one.

    ``facts`` reach to beginnings, or follow on ``bases``.
    """
    states: dict[str, State] = {base.task_id: base for base in bases}
    for each in facts:
        before = states.get(each.task_id)
        now = advanced(before, each)
        states[each.task_id] = now
        if each.sequence > after and now is not before and isinstance(now, Task):
            yield now


class Message:
    """One message, encoded once for all who get it. Without a sequence it can't be resumed from.

    ``as_of`` is the sequence of the task that it tells of.
    """

    def __init__(
        self, name: str, body: bytes, sequence: int | None = None, task: Task | None = None
    ) -> None:
        self.name = name
        self.body = body
        self.sequence = sequence
        self.task_id = None if task is None else task.task_id
        self.as_of = sequence if task is None else task.sequence
        self.type = None if task is None else task.type
        self.is_last = task is not None and task.status.is_terminal

    @cached_property
    def sse(self) -> bytes:
        """As a block of an event stream."""
        position = b"" if self.sequence is None else b"id: %d\n" % self.sequence
        return b"%sevent: %s\ndata: %s\n\n" % (position, self.name.encode(), self.body)

    @cached_property
    def frame(self) -> str:
        """As a frame of a WebSocket."""
        position = "null" if self.sequence is None else str(self.sequence)
        return f'{{"id":{position},"event":"{self.name}","data":{self.body.decode()}}}'


class Cursor(Message):
    """All until here was told. An event stream keeps it as its last id, and tells no event."""

    def __init__(self, sequence: int) -> None:
        super().__init__("ready", b"{}", sequence)

    @cached_property
    def sse(self) -> bytes:
        return b"id: %d\n\n" % (self.sequence or 0)


def notice_of(record: Record, view: View) -> Message:
    """A task as it is now, told between two events: who resumes does so where one was told."""
    return Message("task", orjson.dumps(view(record)), task=from_record(record))


def is_overtaken(message: Message, told: Mapping[str, int]) -> bool:
    """Whether it has no place of its own in the order, and its task was told as of a later one."""
    if message.sequence is not None or message.task_id is None or message.as_of is None:
        return False
    return message.as_of < told.get(message.task_id, 0)


def message_of(task: Task, view: View) -> Message:
    """What is told of a task after an event; its place in the line is told by `place_message`."""
    if task.phase is Phase.ERASED:
        return Message("erased", orjson.dumps({"task_id": task.task_id}), task.sequence, task)
    return Message("task", orjson.dumps(view(to_record(task))), task.sequence, task)


def snapshot_message(record: Record, view: View) -> Message:
    """A task as it is now."""
    return Message("task", orjson.dumps(view(record)), record["sequence"])


def place_message(task_id: str, place: int, eta_seconds: float | None) -> Message:
    told = {"task_id": task_id, "queue_position": place, "eta_seconds": eta_seconds}
    return Message("position", orjson.dumps(told))


def reset_message() -> Message:
    """Forget what was told before: a snapshot follows."""
    return Message("reset", b"{}")


def error_message(problem: Mapping[str, Any]) -> Message:
    return Message("error", orjson.dumps(problem))


def told_now(places: Mapping[str, int], most: int) -> list[str]:
    """Of the tasks whose places are to be told, those whose turn it is.

    Half of them are the nearest; the others are the first in ``places``, so that in a line that
    moves all the time those far behind have their turn as well.
    """
    near = heapq.nsmallest(most - most // 2, places, key=places.__getitem__)
    others = (task_id for task_id in places if task_id not in near)
    return [*near, *itertools.islice(others, most // 2)]
