"""What operators ask of parked events: to see them, to try them again, to drop them.

Any task-store answers what is only read. An order is carried out by the one that projects, which
is the only one to listen for it; where nobody projects, the broker says at once that nobody does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

import asyncpg
import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts import queries
from delivery.incoming import Incoming, leave, listen
from delivery.requests import respond
from task_store import metrics
from task_store.mending import Busy, Mended, Order, mend
from task_store.projector import NotProjecting, Projector
from task_store.sql import DEAD_LETTERS, STATEMENTS
from task_store.store import Superseded
from task_store.writer import Projection
from telemetry.logs import get_logger

_log = get_logger(__name__)

_MOST_LISTED = 1000
_MOST_BEHIND = 1000


async def listed(pool: asyncpg.Pool, question: Mapping[str, Any]) -> Any:
    """Those that are parked, or with ``dropped`` those that were."""
    limit = min(int(question.get("limit", 100)), _MOST_LISTED)
    statement = "list_dropped" if question.get("dropped") else "list_parked"
    rows = await pool.fetch(
        DEAD_LETTERS[statement],
        int(question.get("after") or 0),
        question.get("reason"),
        question.get("task_id"),
        limit,
    )
    counted = await pool.fetchrow(STATEMENTS["count_parked"])
    return {
        "dead_letters": [_letter(row) for row in rows],
        "exhausted": await _exhausted(pool, None, question.get("task_id")),
        "next": rows[-1]["sequence"] if len(rows) == limit else None,
        **dict(counted or {}),
    }


async def shown(pool: asyncpg.Pool, question: Mapping[str, Any]) -> Any:
    """One parked event whole, what waits behind it, and what was done to it; None if there is none.

    Of a dropped one only the audit is left.
    """
    sequence = int(question["sequence"])
    row = await pool.fetchrow(DEAD_LETTERS["show_parked"], sequence)
    audit = [dict(each) for each in await pool.fetch(DEAD_LETTERS["audit_of_event"], sequence)]
    exhausted = await _exhausted(pool, sequence, None)
    if row is None:
        dropped = await pool.fetch(DEAD_LETTERS["list_dropped"], sequence - 1, None, None, 1)
        found = [each for each in dropped if each["sequence"] == sequence]
        told = {"exhausted": exhausted, "audit": audit}
        if found:
            return _letter(found[0]) | {"event": _text(found[0]["payload"])} | told
        return await _delivered(pool, sequence) | told if exhausted else None
    behind = await pool.fetch(
        DEAD_LETTERS["waiting_behind"], row["task_id"], sequence, _MOST_BEHIND
    )
    waiting = [
        {"sequence": each["sequence"], "logtime": each["logtime"], "type": _type(each)}
        for each in behind
    ]
    return (
        _letter(row)
        | {"event": _text(row["payload"]), "waiting": len(behind), "waiting_behind": waiting}
        | {"exhausted": exhausted, "audit": audit}
    )


async def _exhausted(
    pool: asyncpg.Pool, sequence: int | None, task_id: str | None
) -> list[dict[str, Any]]:
    """Of which events the deliveries to a subscriber are used up."""
    rows = await pool.fetch(DEAD_LETTERS["list_exhausted"], sequence, task_id, _MOST_LISTED)
    return [_letter(row) for row in rows]


async def _delivered(pool: asyncpg.Pool, sequence: int) -> dict[str, Any]:
    """An event that was applied here, and not by a subscriber."""
    [row, *_] = await pool.fetch(DEAD_LETTERS["list_exhausted"], sequence, None, 1)
    return _letter(row) | {"event": _text(row["payload"])}


def _letter(row: Any) -> dict[str, Any]:
    letter = {name: value for name, value in dict(row).items() if name != "payload"}
    return letter | {"type": _type(row)}


def _type(row: Any) -> str | None:
    """The event's type, as far as it can be read."""
    try:
        told = orjson.loads(row["payload"] or b"null")
    except orjson.JSONDecodeError:
        return None
    found = told.get("type") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None


def _text(payload: bytes | None) -> str | None:
    return None if payload is None else payload.decode("utf-8", "replace")


class Orders:
    """Takes orders while this process projects."""

    def __init__(self, client: Client, projector: Projector) -> None:
        self._client = client
        self._projector = projector
        self._tasks: set[asyncio.Task[None]] = set()
        self._read: Mapping[str, Callable[[Mapping[str, Any]], Order]] = {
            queries.RETRY_DEAD_LETTERS: _to_retry,
            queries.DROP_DEAD_LETTERS: _to_drop,
        }

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        subscriptions = [
            await listen(self._client, subject, self._on_order, queue=queries.QUEUE_GROUP)
            for subject in self._read
        ]
        try:
            yield
        finally:
            for subscription in subscriptions:
                with suppress(NatsError):
                    await leave(subscription, self._client)

    def _on_order(self, message: Incoming) -> None:
        task = asyncio.create_task(self._reply(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, message: Incoming) -> None:
        answer, outcome = await self._carried_out(message)
        metrics.QUERIES.labels(message.subject, outcome).inc()
        if message.reply and self._client.is_connected:
            await respond(self._client, message, orjson.dumps(answer))

    async def _carried_out(self, message: Incoming) -> tuple[Any, str]:
        try:
            order = self._read[message.subject](orjson.loads(message.data))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            _log.warning("order not understood", subject=message.subject, reason=repr(problem))
            return _not_done("bad_query")
        mended = Mended()

        async def work(projection: Projection) -> None:
            nonlocal mended
            mended = await mend(projection, order)

        try:
            await self._projector.between_batches(work)
        except Busy:
            return _not_done("busy")
        except NotProjecting:
            return _not_done("not_projecting")
        except (
            Superseded,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            OSError,
            TimeoutError,
        ) as problem:
            _log.warning("order not carried out", reason=repr(problem))
            return _not_done("unavailable")
        told = asdict(mended)
        _log.info("dead letters mended", who=order.who, note=order.note, **told)
        return {"ok": told}, "ok"


def _not_done(code: str) -> tuple[Any, str]:
    return {"error": code}, code


def _to_retry(question: Mapping[str, Any]) -> Order:
    sequences = question.get("sequences")
    chosen = (sequences, question.get("task_id"), question.get("reason"))
    if all(each is None for each in chosen) and question.get("all") is not True:
        raise ValueError("nothing was chosen")
    return Order(
        who=_who(question),
        sequences=None if sequences is None else tuple(map(int, sequences)),
        task_id=question.get("task_id"),
        reason=question.get("reason"),
        after=int(question.get("after") or 0),
    )


def _to_drop(question: Mapping[str, Any]) -> Order:
    note = str(question["note"]).strip()
    sequences = tuple(map(int, question["sequences"]))
    if not note or not sequences:
        raise ValueError("a note, and what to drop")
    return Order(
        who=_who(question),
        sequences=sequences,
        after=int(question.get("after") or 0),
        drop=True,
        note=note,
    )


def _who(question: Mapping[str, Any]) -> str:
    return str(question["who"])[:200]
