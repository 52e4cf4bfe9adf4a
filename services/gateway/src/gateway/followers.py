"""Those who follow a task, or an owner's tasks, and what each of them was told."""

from __future__ import annotations

import collections
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from gateway.following import Message, is_overtaken
from gateway.outbox import Outbox

MOST_HELD = 512


class Follow:
    """One follower of a task, or of an owner's tasks (of one type).

    While it is ``joining``, what happens is held back; then it goes to the outbox at once.
    """

    __slots__ = (
        "cursor",
        "has_ended",
        "held",
        "missed",
        "on_end",
        "on_reset",
        "outbox",
        "owner",
        "task_id",
        "told",
        "type_name",
        "waits_for_places",
    )

    def __init__(
        self,
        owner: str,
        outbox: Outbox,
        *,
        type_name: str | None = None,
        task_id: str | None = None,
        on_reset: Callable[[], None] = lambda: None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.owner = owner
        self.outbox = outbox
        self.type_name = type_name
        self.task_id = task_id
        self.on_reset = on_reset
        self.on_end = on_end
        self.cursor = 0
        """Everything up to here was told."""
        self.told: Mapping[str, int] = {}
        """Up to where tasks were told here, to it or to others; the feed knows."""
        self.held: list[Message] | None = []
        self.has_ended = False
        self.missed = False
        """Too much happened while it was joining: it has to read again."""
        self.waits_for_places = False
        """It does not know all places: when it has joined it is told them, moved or not."""

    def concerns(self, task_id: str, type_name: str | None) -> bool:
        if self.task_id is not None:
            return self.task_id == task_id
        return self.type_name is None or self.type_name == type_name

    def tell(self, message: Message) -> None:
        if self.held is None:
            self._hand_on(message)
        elif len(self.held) < MOST_HELD:
            self.held.append(message)
        else:
            self.missed = True

    def go_live(self, cursor: int) -> None:
        """Everything up to ``cursor`` was told; what was held back since then is told now."""
        held, self.held = self.held or [], None
        self.cursor = cursor
        for message in held:
            self._hand_on(message)

    def end(self) -> None:
        """Its task has: nothing more is told."""
        self.has_ended = True
        self.on_end()

    def begin(self) -> None:
        """Hold back what happens from now on."""
        self.held = []
        self.missed = False

    def _hand_on(self, message: Message) -> None:
        if self.has_ended:
            return
        if message.sequence is not None:
            if message.sequence <= self.cursor:
                return
            self.cursor = message.sequence
        elif is_overtaken(message, self.told):
            return
        self.outbox.put(message)
        if self.task_id is not None and message.is_last:
            self.end()


class Followers:
    """All of them, by what they follow."""

    def __init__(self) -> None:
        self._by_task: dict[str, set[Follow]] = {}
        self._by_owner: dict[str, set[Follow]] = {}
        self._owners: collections.Counter[str] = collections.Counter()

    def __iter__(self) -> Iterator[Follow]:
        for follows in (*self._by_owner.values(), *self._by_task.values()):
            yield from follows

    def __contains__(self, follow: Follow) -> bool:
        group, key = self._place(follow)
        return follow in group.get(key, ())

    @property
    def owners(self) -> Iterable[str]:
        """Whose tasks are followed."""
        return self._owners.keys()

    def of(self, owner: str, task_id: str) -> Iterator[Follow]:
        """Those who may be told of this task."""
        yield from self.of_owner(owner)
        yield from self.of_task(owner, task_id)

    def of_owner(self, owner: str) -> Collection[Follow]:
        """Those who follow the owner's tasks, or those of a type."""
        return self._by_owner.get(owner, ())

    def of_task(self, owner: str, task_id: str) -> Iterator[Follow]:
        """Those who follow this task alone."""
        for follow in self._by_task.get(task_id, ()):
            if follow.owner == owner:
                yield follow

    def owner_of(self, task_id: str) -> str:
        """As its followers know it; empty where nobody follows this task alone."""
        return next((follow.owner for follow in self._by_task.get(task_id, ())), "")

    def may_follow(self, task_id: str) -> bool:
        """Whether anybody may, before its owner is read."""
        return bool(self._by_owner) or task_id in self._by_task

    def follow(self, task_id: str, owner: str | None) -> bool:
        """Whether anybody does; ``owner`` is None where its event can't be read."""
        return task_id in self._by_task or owner in self._by_owner

    def add(self, follow: Follow) -> None:
        group, key = self._place(follow)
        group.setdefault(key, set()).add(follow)
        self._owners[follow.owner] += 1

    def remove(self, follow: Follow) -> bool:
        """Whether it was the last one of its task, or of its owner. It must be there."""
        group, key = self._place(follow)
        group[key].remove(follow)
        self._owners[follow.owner] -= 1
        if not self._owners[follow.owner]:
            del self._owners[follow.owner]
        if group[key]:
            return False
        del group[key]
        return True

    def _place(self, follow: Follow) -> tuple[dict[str, set[Follow]], str]:
        if follow.task_id is not None:
            return self._by_task, follow.task_id
        return self._by_owner, follow.owner
