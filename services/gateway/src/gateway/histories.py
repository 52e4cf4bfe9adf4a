"""The facts of one task from its beginning: in the log, and where that forgot, in the raw copy."""

from __future__ import annotations

from datetime import datetime

import orjson

from gateway.bus import Bus
from gateway.following import STUCK, Fact, fact, folded, is_beginning
from gateway.tasks import TaskStore

_EVERYTHING = 2**63 - 1


class Histories:
    """Raises `Refusal` or `LogUnavailable` where what is needed can't be asked."""

    def __init__(self, bus: Bus, tasks: TaskStore) -> None:
        self._bus = bus
        self._tasks = tasks

    async def of(self, owner: str, task_id: str) -> list[Fact]:
        """All of them up to now, as the log's leader knows it; none when there is no such task."""
        logged = [
            fact(message.subject, message.sequence, message.logtime, message.payload)
            for message in await self._bus.link.log.history(task_id)
        ]
        is_whole = bool(logged) and is_beginning(logged[0].event)
        if is_whole and folded(logged, _EVERYTHING) is not STUCK:
            return logged
        # What it is stuck at may have been dropped: the log can't tell.
        events, dropped = await self._tasks.events(owner, task_id)
        kept = [] if is_whole else [raw_fact(task_id, each) for each in events]
        known = {each.sequence for each in logged}
        facts = [*logged, *(each for each in kept if each.sequence not in known)]
        return sorted(each for each in facts if each.logtime not in dropped)


def raw_fact(task_id: str, told: dict[str, object]) -> Fact:
    """A row of the raw copy, as the task-store answers it."""
    sequence, logtime = told["sequence"], told["logtime"]
    assert isinstance(sequence, int)
    return fact(
        task_id, sequence, datetime.fromisoformat(str(logtime)), orjson.dumps(told["event"])
    )
