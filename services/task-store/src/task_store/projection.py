"""What a batch of the log changes: a pure function over values. Read this first.

A `Fold` takes the batch message by message and says everything that one transaction then writes.
It touches nothing that it was given; the projector carries it out or throws it away whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from contracts.events import Event, decode
from contracts.lifecycle import (
    CompletedState,
    ErasedState,
    Phase,
    Running,
    Task,
    Unapplicable,
    Waiting,
    evolve,
)
from contracts.messages import Message
from contracts.subjects import begins_task, task_id_of

LEVELS = (1, 2, 3)
_BITS = 8
_MEAN_WEIGHT = 0.2
_LONGEST_TASK_ID = 200
"""Longer ones name no task, and no index takes them; cut, they still tell what was parked."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RECENT_S = 0.25
_QUIET_RATE, _BUSY_RATE = 250.0, 600.0
"""Events a second."""
_LONGEST_GATHER_S = 0.02
_PLAIN_NUL = b"\\u0000"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL escaped in JSON; six harmless characters that look like one have a second backslash."""

_TOLD_BY_WORKERS = frozenset(
    {
        "generation.started",
        "generation.submitting",
        "generation.progressed",
        "generation.retrying",
        "generation.completed",
        "generation.failed",
    }
)

CountKey = tuple[str, str, int, int]
"""(type, lane, level, ticket >> (8 * level))"""
LaneKey = tuple[str, str]
"""(type, lane)"""


class Lane(NamedTuple):
    """One line of tasks: how long it is, and how fast it is served.

    ``mean_s`` is the moving mean of seconds from first start to completion; ``served_at`` the
    broker's time of the last event that a worker told in it.
    """

    waiting: int = 0
    running: int = 0
    finished: int = 0
    mean_s: float | None = None
    served_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that was put aside; ``behind`` is the parked event that its task waits behind."""

    message: Message
    task_id: str
    reason: str
    behind: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the projection knows before a batch: the tasks concerned, the lines, what is parked.

    ``archived`` are those of the tasks that have a row in the archive alone.
    """

    tasks: Mapping[str, Task]
    counts: Mapping[CountKey, int] = field(default_factory=dict)
    lanes: Mapping[LaneKey, Lane] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)
    archived: Set[str] = frozenset()


@dataclass(slots=True)
class Changes:
    """Everything that a batch changes. A count of 0 means that its row goes.

    ``begun`` are those of the tasks that had no row before, ``thawed`` those of these that had one
    in the archive; ``kept`` is what the raw copy takes, each with its task.
    """

    tasks: dict[str, Task] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    thawed: set[str] = field(default_factory=set)
    counts: dict[CountKey, int] = field(default_factory=dict)
    lanes: dict[LaneKey, Lane] = field(default_factory=dict)
    kept: list[tuple[Message, str]] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    newly_parked: dict[str, int] = field(default_factory=dict)
    erased: dict[str, int] = field(default_factory=dict)
    applied: int = 0
    late: int = 0


class Read(NamedTuple):
    """A message with what could be made of it: an event, or the reason why not."""

    message: Message
    task_id: str
    event: Event | None
    reason: str = ""


def read(message: Message) -> Read:
    """Decode one message by itself, so that a bad one harms no other."""
    task_id = task_id_of(message.subject)[:_LONGEST_TASK_ID]
    payload = message.payload
    # The cheapest look first: nearly all events have no backslash at all.
    if b"\\" in payload and _PLAIN_NUL in payload and _NUL.search(payload):
        return Read(message, task_id, None, "nul_character")
    try:
        event = decode(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return Read(message, task_id, None, f"undecodable: {first['msg']}"[:500])
    if event.subject != task_id:
        return Read(message, task_id, None, "subject_mismatch")
    if _UUID.fullmatch(task_id) is None:
        return Read(message, task_id, None, "task_id_not_a_uuid")
    return Read(message, task_id, event)


def unknown(batch: Iterable[Message], tasks: Mapping[str, Task], *, sure: bool) -> set[str]:
    """The tasks whose rows must be read before the batch can be folded.

    A task that begins in the batch is taken to be new; with ``sure``, it too is looked for.
    """
    met: set[str] = set()
    wanted = set()
    for message in batch:
        task_id = task_id_of(message.subject)
        if task_id in tasks or task_id in met:
            continue
        met.add(task_id)
        if (sure or not begins_task(message.subject)) and _UUID.fullmatch(task_id):
            wanted.add(task_id)
    return wanted


@dataclass(slots=True)
class _Line:
    """A lane while a batch is folded."""

    waiting: int
    running: int
    finished: int
    mean_s: float | None
    served_at: datetime | None


class Fold:
    """A batch in the making.

    An event that can't be applied parks itself and the later ones of its own task; everything
    else goes on. An erasure applies always, and unparks its task. What comes to an erased task is
    not kept.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._changes = Changes()
        self._lines: dict[LaneKey, _Line] = {}
        self._waiting: dict[tuple[str, str, int], int] = {}
        """By how much the number of waiting tickets changes, by (type, lane, smallest bucket)."""

    def take(self, each: Read) -> None:
        """The next of the batch."""
        message, task_id, event, _ = each
        changes, known = self._changes, self._known
        self._thaw(task_id)
        before = changes.tasks.get(task_id) or known.tasks.get(task_id)
        erases = event is not None and event.type == "generation.erased"
        if before is None or erases or type(before.state) is not ErasedState:
            changes.kept.append((message, task_id))
        behind = changes.newly_parked.get(task_id)
        if behind is None and task_id not in changes.erased:
            behind = known.parked.get(task_id)
        if behind is not None and not erases and behind < message.sequence:
            changes.parked.append(Parked(message, task_id, "behind", behind))
        elif event is None:
            self._park(each, each.reason)
        else:
            try:
                after = evolve(before, event, message.sequence, message.logtime)
            except Unapplicable as problem:
                self._park(each, problem.reason)
            else:
                self._apply(before, event, after, message)

    def pass_over(self, message: Message) -> None:
        """The next of the batch, which an operator dropped: it is kept, and changes nothing."""
        task_id = task_id_of(message.subject)[:_LONGEST_TASK_ID]
        self._thaw(task_id)
        self._changes.kept.append((message, task_id))

    def changes(self) -> Changes:
        """All that was taken."""
        changes, known = self._changes, self._known
        for key, line in self._lines.items():
            changes.lanes[key] = Lane(
                line.waiting, line.running, line.finished, line.mean_s, line.served_at
            )
        for (type_name, lane, bucket), by in self._waiting.items():
            for level in LEVELS:
                count = (type_name, lane, level, bucket >> (_BITS * (level - 1)))
                counted = changes.counts.get(count)
                if counted is None:
                    counted = known.counts.get(count, 0)
                changes.counts[count] = counted + by
        self._waiting.clear()
        return changes

    def _thaw(self, task_id: str) -> None:
        """Whatever is told of an archived task, even if it changes nothing, brings its row back."""
        changes, known = self._changes, self._known
        if task_id in known.archived and task_id not in changes.thawed:
            changes.tasks[task_id] = known.tasks[task_id]
            changes.begun.add(task_id)
            changes.thawed.add(task_id)

    def _park(self, each: Read, reason: str) -> None:
        self._changes.parked.append(Parked(each.message, each.task_id, reason))
        self._changes.newly_parked[each.task_id] = each.message.sequence

    def _apply(
        self, before: Task | None, event: Event, after: Task | None, message: Message
    ) -> None:
        changes = self._changes
        if after is None or after is before:
            changes.late += 1
            return
        changes.applied += 1
        task_id = after.task_id
        changes.tasks[task_id] = after
        if before is None:
            changes.begun.add(task_id)
        if type(after.state) is ErasedState:
            self._forget(task_id, message.sequence)
        self._move(before, event, after, message.logtime)

    def _forget(self, task_id: str, sequence: int) -> None:
        changes = self._changes
        changes.erased[task_id] = sequence
        changes.newly_parked.pop(task_id, None)
        changes.parked = [each for each in changes.parked if each.task_id != task_id]

    def _move(self, before: Task | None, event: Event, after: Task, logtime: datetime) -> None:
        """A task enters the line with its ticket, and leaves it by the same ticket."""
        was, now = None if before is None else before.state, after.state
        # A tombstone has no lane: the task leaves the one that it was in.
        place = after if before is None or after.request.lane else before
        key = (place.type, place.request.lane)
        if not key[1]:
            return
        left = key if before is None else (before.type, before.request.lane)
        moved = type(was) is not type(now) or left != key
        if moved and type(was) is Waiting:
            self._count(left, was.ticket, -1)
        if moved and type(now) is Waiting:
            self._count(key, now.ticket, +1)
        line = self._lines.get(key) or self._line(key)
        if moved:
            gone = line if left == key else self._lines.get(left) or self._line(left)
            gone.waiting -= type(was) is Waiting
            gone.running -= type(was) is Running
            line.waiting += type(now) is Waiting
            line.running += type(now) is Running
            if type(now) is CompletedState:
                line.finished += 1
                line.mean_s = _mean(line.mean_s, after)
        # What was parked is told later than what came after it.
        if event.type in _TOLD_BY_WORKERS and (line.served_at is None or line.served_at < logtime):
            line.served_at = logtime

    def _line(self, key: LaneKey) -> _Line:
        line = self._lines[key] = _Line(*(self._known.lanes.get(key) or Lane()))
        return line

    def _count(self, lane: LaneKey, ticket: int, by: int) -> None:
        bucket = (*lane, ticket >> _BITS)
        self._waiting[bucket] = self._waiting.get(bucket, 0) + by


def _mean(mean_s: float | None, task: Task) -> float | None:
    if task.started_at is None:
        return mean_s
    seconds = max(0.0, (task.updated_at - task.started_at).total_seconds())
    return seconds if mean_s is None else mean_s + _MEAN_WEIGHT * (seconds - mean_s)


def eta_seconds(
    phase: str,
    place: int | None,
    running_for_s: float | None,
    mean_s: float | None,
    running: int | None,
) -> float | None:
    """Seconds until a task is likely to end, from measured durations; None when unknown.

    A task in line waits for those before it to pass ``running`` at a time, and then runs itself.
    """
    if mean_s is None:
        return None
    if phase == Phase.RUNNING and running_for_s is not None:
        return round(max(0.0, mean_s - running_for_s), 1)
    if phase == Phase.WAITING and place is not None:
        rounds = (place - 1) / max(1, running or 1)
        return round(mean_s * (rounds + 1), 1)
    return None


@dataclass(slots=True)
class Pace:
    """How long to gather the next batch. A transaction costs as much as dozens of events in it.

    What is quiet is written at once: nothing is gathered up to 250 events a second, and for the
    longest time from 600 on. Times are of any one clock, in seconds.
    """

    _recent: float = 0.0
    _at: float = 0.0

    def pause_s(self, events: int, now: float) -> float:
        """After a batch of so many events."""
        faded = math.exp(-max(0.0, now - self._at) / _RECENT_S)
        self._recent, self._at = self._recent * faded + events, now
        busy = (self._recent / _RECENT_S - _QUIET_RATE) / (_BUSY_RATE - _QUIET_RATE)
        return _LONGEST_GATHER_S * min(1.0, max(0.0, busy))
