"""Which events of the log are wanted, as values: what the broker can filter by, and the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from contracts.events import EVENT_CLASSES, event_type
from contracts.generation_types import subject_token
from contracts.messages import Message
from contracts.subjects import ALL_EVENTS, task_id_of

EVENT_NAMES = tuple(event_type(each).removeprefix("generation.") for each in EVENT_CLASSES)
_CLASSES = {
    "requested": "requested",
    **dict.fromkeys(("completed", "failed", "timed_out", "cancelled", "erased"), "finished"),
}
_TASK_ID = re.compile(r"[^\s.*>]+")
_TYPE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
_CLOCKS_DIFFER = timedelta(minutes=1)
"""Times of the log rise, but for what another broker's clock is behind."""


class Unclear(ValueError):
    """A filter that can't be understood; the text says how it is written."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Events that meet every condition that is given; sequences and times are inclusive."""

    tasktype: str | None = None
    events: frozenset[str] = frozenset()
    task_id: str | None = None
    owner: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    since_sequence: int | None = None
    until_sequence: int | None = None

    @property
    def subject(self) -> str:
        """What the broker filters by: one subject that has all that is wanted."""
        classes = {_CLASSES.get(name, "progress") for name in self.events}
        if not classes and self.tasktype is None:
            return ALL_EVENTS
        kind = classes.pop() if len(classes) == 1 else "*"
        tasktype = "*" if self.tasktype is None else subject_token(self.tasktype)
        if self.task_id is None or kind == "*":
            return f"generation.{kind}.{tasktype}.>"
        return f"generation.{kind}.{tasktype}.{'*.' if kind == 'requested' else ''}{self.task_id}"

    @property
    def is_everything(self) -> bool:
        return self == Wanted()

    def has(self, message: Message) -> bool:
        return self._has_place(message) and self._has_content(message)

    def _has_place(self, message: Message) -> bool:
        tokens = message.subject.split(".", 3)
        return (
            (self.since_sequence is None or message.sequence >= self.since_sequence)
            and (self.until_sequence is None or message.sequence <= self.until_sequence)
            and (self.since is None or message.logtime >= self.since)
            and (self.until is None or message.logtime <= self.until)
            and (self.task_id is None or task_id_of(message.subject) == self.task_id)
            and (self.tasktype is None or tokens[2:3] == [subject_token(self.tasktype)])
        )

    def _has_content(self, message: Message) -> bool:
        """What can't be decoded is of no owner, and no event that has a name."""
        if not self.events and self.owner is None:
            return True
        try:
            event = orjson.loads(message.payload)
        except orjson.JSONDecodeError:
            return False
        if not isinstance(event, dict) or (self.owner and event.get("owner") != self.owner):
            return False
        name = str(event.get("type", "")).removeprefix("generation.")
        return not self.events or name in self.events

    def is_past(self, message: Message) -> bool:
        """Whether nothing that is wanted can come after this message."""
        if self.until_sequence is not None and message.sequence >= self.until_sequence:
            return True
        return self.until is not None and message.logtime - self.until > _CLOCKS_DIFFER

    def as_json(self) -> dict[str, Any]:
        """The conditions that are given, as they are written."""
        told = {
            "type": self.tasktype,
            "event": sorted(self.events),
            "task": self.task_id,
            "owner": self.owner,
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "since_sequence": self.since_sequence,
            "until_sequence": self.until_sequence,
        }
        return {name: value for name, value in told.items() if value not in (None, [])}


def wanted_of(told: Mapping[str, Any], now: datetime) -> Wanted:
    """The conditions as they were written on the command line. Raises `Unclear`."""
    wanted = Wanted(
        tasktype=_type_name(told["type_name"]),
        events=_event_names(told["events"]),
        task_id=_task_id(told["task_id"]),
        owner=told["owner"],
        since=_moment("--since", told["since"], now),
        until=_moment("--until", told["until"], now),
        since_sequence=told["since_sequence"],
        until_sequence=told["until_sequence"],
    )
    if _is_reversed(wanted.since, wanted.until):
        raise Unclear("--since is after --until.")
    if _is_reversed(wanted.since_sequence, wanted.until_sequence):
        raise Unclear("--since-sequence is after --until-sequence.")
    return wanted


def _is_reversed(first: Any, last: Any) -> bool:
    return first is not None and last is not None and first > last


def _type_name(text: str | None) -> str | None:
    if text is None:
        return None
    if not _TYPE_NAME.fullmatch(text):
        raise Unclear(f"--type {text}: a type has letters, digits and _, like PHOTO_TO_3D.")
    return text.upper().replace("-", "_")


def _event_names(told: Sequence[str]) -> frozenset[str]:
    names = [each.removeprefix("generation.").replace("-", "_") for each in told]
    for name in names:
        if name not in EVENT_NAMES:
            raise Unclear(f"--event {name}: there are {', '.join(EVENT_NAMES)}.")
    return frozenset(names)


def _task_id(text: str | None) -> str | None:
    if text is not None and not _TASK_ID.fullmatch(text):
        raise Unclear(f"--task {text!r} can't be the id of a task.")
    return text


def _moment(option: str, text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    ago = _AGO.fullmatch(text.removesuffix(" ago").strip())
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Unclear(
        f"{option} {text}: write a time with its zone (2026-11-21T10:00:00Z), or how long ago "
        "(90s, 30m, 2h, 7d)."
    )
