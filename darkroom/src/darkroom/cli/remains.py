"""What there is of an owner or of one task, and what of it is only the proof that it was erased."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from contracts.events import Erased, event_type

_EXAMPLES = 3
_ERASED = event_type(Erased)

What = Literal["erasure", "remains", "other"]


@dataclass(frozen=True, slots=True)
class Sought:
    """Whose things are looked for: an owner's, or, with ``task_id``, those of one task."""

    owner: str | None
    task_id: str | None = None

    @property
    def words(self) -> list[bytes]:
        """What an event of the owner has in it, whichever way its JSON was written."""
        if self.owner is None or self.task_id is not None:
            return []
        return [
            json.dumps(self.owner, ensure_ascii=ascii_only).encode() for ascii_only in (True, False)
        ]


@dataclass
class Remains:
    """What is left, by place. ``types`` has every task that is known, ``tasks`` those of which
    something is left, ``erased`` those with a proof."""

    places: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    tasks: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    files: list[str] = field(default_factory=list)
    segments: set[str] = field(default_factory=set)
    replayed: list[tuple[str, str]] = field(default_factory=list)

    def note(self, place: str, what: str, task_id: str | None = None, tasktype: str = "") -> None:
        if task_id is not None:
            self.tasks.add(task_id)
            self.types[task_id] = self.types.get(task_id) or tasktype
        self.places[place] = self.places.get(place, 0) + 1
        examples = self.examples.setdefault(place, [])
        if len(examples) < _EXAMPLES:
            examples.append(what)

    @property
    def nothing(self) -> bool:
        return not self.places

    def lines(self) -> list[str]:
        """One line a place, with examples."""
        return [
            f"{place}: {count:,} ({', '.join(self.examples[place])}"
            f"{' …' if count > len(self.examples[place]) else ''})"
            for place, count in self.places.items()
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "left": [
                {"where": place, "count": count, "examples": self.examples[place]}
                for place, count in self.places.items()
            ],
            "tasks": len(self.tasks),
            "erased_tasks": len(self.erased),
        }


def judge(payload: bytes, task_id: str, owned: Collection[str], sought: Sought) -> What:
    """What an event is: a proof of erasure, something that remains, or not what is sought.

    What can't be read belongs to its task, and to the owner whose name is in it.
    """
    is_owned = task_id in owned
    if not is_owned and not any(word in payload for word in sought.words):
        return "other"
    try:
        event = json.loads(payload)
    except ValueError:
        return "remains"
    if not isinstance(event, dict):
        return "remains"
    if not is_owned and event.get("owner") != sought.owner:
        return "other"
    return "erasure" if event.get("type") == _ERASED and not event.get("data") else "remains"


def tasktype_of(payload: bytes) -> str:
    """The task's type, as the event itself tells it; empty where that can't be read."""
    try:
        event = json.loads(payload)
    except ValueError:
        return ""
    return str(event.get("tasktype", "")) if isinstance(event, dict) else ""


def type_of(subject: str) -> str:
    """The task's type, as the subjects of its events tell it."""
    tokens = subject.split(".")
    return tokens[2].upper() if len(tokens) > 3 else ""
