"""How the projection stands against the log: what `doctor` and `projection status` look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from contracts.queries import STATUS
from delivery.log import LogReader, StreamState
from delivery.requests import NoReply, NoResponders, Requests
from task_store import store
from task_store.sql import STATEMENTS
from task_store.store import Checkpoint

_ASK_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class ProjectionState:
    """Checkpoint and log side by side. ``projector`` says who projects, as far as one is heard."""

    checkpoint: Checkpoint
    log: StreamState
    parked_events: int
    parked_tasks: int
    parked_since: datetime | None
    projector: str

    @property
    def last_sequence(self) -> int:
        return self.log.last_sequence

    @property
    def lag(self) -> int:
        """Sequences that the log has and the projection doesn't; erased ones are counted too."""
        return max(0, self.log.last_sequence - self.checkpoint.sequence)

    @property
    def lag_s(self) -> float:
        """How old the first event is, at least, that the log has and the projection doesn't."""
        if not self.lag:
            return 0.0
        return max(0.0, (self.log.now - self.checkpoint.logtime).total_seconds())

    @property
    def missing(self) -> int:
        """Sequences that left the log before they were applied."""
        return max(0, self.log.first_sequence - self.checkpoint.sequence - 1)

    def as_json(self) -> dict[str, Any]:
        return {
            "build": self.checkpoint.build,
            "sequence": self.checkpoint.sequence,
            "logtime": self.checkpoint.logtime.isoformat() if self.checkpoint.sequence else None,
            "log_last_sequence": self.log.last_sequence,
            "lag": self.lag,
            "lag_seconds": round(self.lag_s, 3),
            "parked": {"events": self.parked_events, "tasks": self.parked_tasks},
            "projector": self.projector,
        }


async def projection_state(requests: Requests, connection: asyncpg.Connection) -> ProjectionState:
    """Raises `store.SchemaMissing`, and `delivery.log.LogUnavailable`."""
    await store.check_schema(connection)
    checkpoint = await store.load_checkpoint(connection)
    parked = await connection.fetchrow(STATEMENTS["count_parked"])
    counted: dict[str, Any] = dict(parked or {"events": 0, "tasks": 0, "oldest": None})
    return ProjectionState(
        checkpoint=checkpoint,
        log=await LogReader(requests).state(),
        parked_events=counted["events"],
        parked_tasks=counted["tasks"],
        parked_since=counted["oldest"],
        projector=await _projector(requests),
    )


async def _projector(requests: Requests) -> str:
    """What the task-store says of itself; any of them may answer, the active one or another."""
    try:
        reply = await requests.call(STATUS, b"{}", timeout=_ASK_TIMEOUT_S)
    except (NoReply, NoResponders):
        return "no task-store answers"
    told = json.loads(reply.data).get("ok")
    if told is None:
        return "the task-store can't read its database"
    if told["halted"]:
        return f"halted: {told['halted']}"
    return "active" if told["active"] else "standing by"
