"""The answers: NATS request-reply on the subjects of `contracts.queries`, in a queue group.

Any number of task-stores share them; a reply never depends on which one is the projector.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import orjson
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from artifacts.store import ArtifactStore, NotFound, StoreUnavailable
from contracts import queries
from contracts.generation_types import GENERATION_TYPES
from contracts.records import Record
from contracts.subjects import band_of, provider_of, task_id_of
from delivery.incoming import Incoming, leave, listen
from delivery.lines import Unreadable
from delivery.requests import respond
from task_store import archived, dead_letters, metrics
from task_store.projection import eta_seconds
from task_store.projector import Projector
from task_store.rows import COLUMNS, record_of_row
from task_store.sql import STATEMENTS
from telemetry.logs import get_logger

_log = get_logger(__name__)

_HISTORY_WAITS_S = 0.5
CATCH_UP_S = 2.0
_POLL_S = 0.01
_MOST_IDS = 500
_MOST_AT_ONCE = 64
"""Of the records in one answer: the broker takes no message over 1 MiB."""

_BY_ID = STATEMENTS["read_tasks"].format(tasks="tasks", condition="t.task_id = ANY($1::uuid[])")
_OF_OWNER = (
    "t.owner = $1 AND t.status IN ('pending', 'processing')"
    " AND ($2::text IS NULL OR t.type = $2) AND ($3::text IS NULL OR t.status = $3)"
    " ORDER BY t.created_at, t.task_id"
)
_UNFINISHED = STATEMENTS["read_tasks"].format(tasks="tasks", condition=_OF_OWNER)
_UNFINISHED_LONG = STATEMENTS["read_long_lines"].format(condition=_OF_OWNER)
_LONG = 256
"""An owner with more tasks in line than this has them numbered by line, not one by one."""
_SNAPSHOT = STATEMENTS["read_tasks"].format(
    tasks="tasks",
    condition="t.task_id IN (SELECT task_id FROM tasks WHERE owner = $1"
    " AND status IN ('pending', 'processing') AND ($2::text IS NULL OR type = $2)"
    " AND sequence > $3 AND ($4::bigint IS NULL OR sequence <= $4)"
    " ORDER BY sequence LIMIT $5) ORDER BY t.sequence",
)
_SPAN = 5000
_MOST_CHANGES = 500
_PLACES_IN_PART = 500

Answer = Callable[[Mapping[str, Any]], Awaitable[Any]]


class Behind(Exception):
    """The projection did not pass the asked sequence in time."""


class _Switched(Exception):
    """What was read is of two projections: read it again."""


class Queries:
    """Answers what other services ask of the projection."""

    def __init__(
        self, client: Client, pool: asyncpg.Pool, projector: Projector, files: ArtifactStore
    ) -> None:
        self._client = client
        self._files = files
        self._pool = pool
        self._projector = projector
        self._at_once = asyncio.Semaphore(_MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriptions: list[Subscription] = []
        self._answers: Mapping[str, Answer] = {
            queries.GET: self._get,
            queries.PROCESSING: self._processing,
            queries.SNAPSHOT: self._snapshot,
            queries.CHANGES: self._changes,
            queries.PLACES: self._places,
            queries.HISTORY: self._history,
            queries.EVENTS: self._events,
            queries.LINES: self._lines,
            queries.PROVIDERS: self._providers,
            queries.SILENT: self._silent,
            queries.REFERENCED: self._referenced,
            queries.DEAD_LETTERS: partial(dead_letters.listed, pool),
            queries.DEAD_LETTER: partial(dead_letters.shown, pool),
            queries.STATUS: self._status,
        }

    async def start(self) -> None:
        for subject in self._answers:
            subscription = await listen(
                self._client, subject, self._on_query, queue=queries.QUEUE_GROUP
            )
            self._subscriptions.append(subscription)

    async def stop(self) -> None:
        """Take no more questions; answer those that were taken."""
        for subscription in self._subscriptions:
            await leave(subscription, self._client)
        await asyncio.gather(*self._tasks)

    def _on_query(self, message: Incoming) -> None:
        task = asyncio.create_task(self._reply(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, message: Incoming) -> None:
        async with self._at_once:
            body, outcome = await self._answer(message.subject, message.data)
        metrics.QUERIES.labels(message.subject, outcome).inc()
        if message.reply:
            await respond(self._client, message, body)

    async def _answer(self, subject: str, payload: bytes) -> tuple[bytes, str]:
        try:
            question = orjson.loads(payload) if payload else {}
            while True:
                with suppress(_Switched):
                    answer = await self._answers[subject](question)
                    return orjson.dumps({"ok": answer}, option=orjson.OPT_NON_STR_KEYS), "ok"
        except Behind:
            return b'{"error":"behind"}', "behind"
        except (ValueError, KeyError, TypeError, AttributeError, asyncpg.DataError) as problem:
            _log.warning("query not understood", subject=subject, reason=repr(problem))
            return b'{"error":"bad_query"}', "bad_query"
        except (
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            NotFound,
            StoreUnavailable,
            Unreadable,
            OSError,
            TimeoutError,
        ) as problem:
            _log.warning("query failed", subject=subject, reason=repr(problem))
            return b'{"error":"unavailable"}', "unavailable"

    async def _get(self, question: Mapping[str, Any]) -> Any:
        task_ids = question["task_ids"][:_MOST_IDS]
        rows, checkpoint = await self._fetch_with_checkpoint(_BY_ID, task_ids)
        records = {record["task_id"]: record for record in _records(rows)}
        missing = [task_id for task_id in task_ids if task_id not in records]
        if missing:
            pruned = _records(await self._pool.fetch(archived.BY_ID, missing))
            records |= {record["task_id"]: record for record in pruned}
        return {"records": records, "sequence": checkpoint}

    async def _fetch_with_checkpoint(self, sql: str, *arguments: Any) -> tuple[list[Any], int]:
        """Rows, and the checkpoint before them: what it has reached, the rows show."""
        async with self._pool.acquire() as connection:
            sequence = self._projector.sequence
            if sequence is None:
                row = await connection.fetchrow(STATEMENTS["read_checkpoint"])
                sequence = 0 if row is None else row["sequence"]
            return await connection.fetch(sql, *arguments), sequence

    async def _processing(self, question: Mapping[str, Any]) -> Any:
        await self._catch_up(question)
        owner, type_name = question["owner"], question.get("type")
        in_line = await self._pool.fetchval(
            STATEMENTS["count_in_line"], owner, type_name, _LONG + 1
        )
        sql = _UNFINISHED if in_line <= _LONG else _UNFINISHED_LONG
        rows = await self._pool.fetch(sql, owner, type_name, question.get("status"))
        return {"records": _records(rows)}

    async def _snapshot(self, question: Mapping[str, Any]) -> Any:
        await self._catch_up(question)
        limit = min(int(question["limit"]), _MOST_IDS)
        async with self._at_one_moment() as (connection, checkpoint):
            rows = await connection.fetch(
                _SNAPSHOT,
                question["owner"],
                question.get("type"),
                question.get("after") or 0,
                question.get("until"),
                limit + 1,
            )
        records = _records(rows[:limit])
        return {"sequence": checkpoint, "records": records, "more": len(rows) > limit}

    async def _changes(self, question: Mapping[str, Any]) -> Any:
        await self._catch_up(question)
        after = int(question["after"])
        limit = min(int(question["limit"]), _MOST_CHANGES)
        async with self._at_one_moment() as (connection, checkpoint):
            span = await connection.fetchrow(STATEMENTS["read_span"], after, _SPAN)
            # Where the raw copy ends, nothing else has happened up to the checkpoint.
            through = checkpoint if span["events"] < _SPAN else span["through"]
            rows = await connection.fetch(
                STATEMENTS["read_changes"],
                after,
                through,
                question["owner"],
                question.get("type"),
                limit,
            )
        if rows and rows[0]["changed"] == limit:
            through = rows[0]["through"]
        bases, earlier = await archived.pasts(self._pool, self._files, question["owner"], rows)
        events = [
            {
                "task_id": task_id_of(each.subject),
                "sequence": each.sequence,
                "logtime": each.logtime,
                "event": _fragment(each.payload),
            }
            for each in earlier
        ] + [
            {
                "task_id": row["task_id"],
                "sequence": row["sequence"],
                "logtime": row["logtime"],
                "event": _fragment(row["payload"]),
            }
            for row in rows
        ]
        records = [_plain({name: row[name] for name in COLUMNS}) for row in bases]
        return {"through": through, "events": events, "bases": records}

    async def _places(self, question: Mapping[str, Any]) -> Any:
        owners = set(question["owners"])
        lanes = question["from"]
        async with self._at_one_moment() as (connection, checkpoint):
            rows = await connection.fetch(
                STATEMENTS["read_places"],
                list(owners),
                [type_name for type_name, _, _ in lanes],
                [lane for _, lane, _ in lanes],
                [ticket for _, _, ticket in lanes],
                _PLACES_IN_PART,
            )
        places: dict[str, list[Any]] = {}
        looked_at: dict[tuple[str, str], Any] = {}
        for row in rows:
            # In the order of the places: the last row of a line is the farthest that was seen.
            looked_at[row["type"], row["lane"]] = row
            if row["owner"] in owners:
                task_id, place = str(row["task_id"]), int(row["place"])
                eta = eta_seconds("waiting", place, None, row["mean_s"], row["running"])
                places[task_id] = [task_id, row["owner"], row["type"], place, eta]
        following = [
            [*lane, row["ticket"]]
            for lane, row in looked_at.items()
            if row["in_lane"] < row["waiting"]
        ]
        return {"sequence": checkpoint, "places": list(places.values()), "next": following}

    @asynccontextmanager
    async def _at_one_moment(self) -> AsyncIterator[tuple[Any, int]]:
        """A connection whose statements all see the same rows, and the checkpoint of those.

        Raises `_Switched` at its end if a rebuilt projection has come to its place meanwhile.
        """
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            row = await connection.fetchrow(STATEMENTS["read_checkpoint"])
            yield connection, 0 if row is None else row["sequence"]
            # Tables are looked up by their names as of now, rows as of the first statement.
            if await connection.fetchrow(STATEMENTS["read_checkpoint"]) != row:
                raise _Switched

    async def _history(self, question: Mapping[str, Any]) -> Any:
        if "sequence" in question:
            # Late tasks are missed less than the whole history.
            with suppress(Behind):
                await self._catch_up(question, _HISTORY_WAITS_S)
        after_time, after_id = question.get("after") or (None, None)
        limit = min(int(question["limit"]), 1000)
        rows = await self._pool.fetch(
            archived.HISTORY,
            question["owner"],
            question.get("type"),
            question.get("status"),
            question.get("prompt_id"),
            None if after_time is None else datetime.fromisoformat(after_time),
            after_id,
            limit + 1,
        )
        page = rows[:limit]
        more = len(rows) > limit
        last = page[-1] if more else None
        return {
            "records": _records(page),
            "next": None if last is None else [last["created_at"], str(last["task_id"])],
        }

    async def _events(self, question: Mapping[str, Any]) -> Any:
        task_id, owner = question["task_id"], question["owner"]
        kept = await self._pool.fetch(STATEMENTS["read_events"], task_id, owner)
        history = await archived.whole_history(self._pool, self._files, task_id, owner, kept)
        events = []
        for each in history:
            try:
                event = orjson.loads(each.payload)
            except orjson.JSONDecodeError:
                continue
            # What is parked may be any JSON.
            if isinstance(event, dict):
                told = {"sequence": each.sequence, "logtime": each.logtime, "event": event}
                events.append(told)
        dropped = await self._pool.fetch(STATEMENTS["read_dropped"], task_id, owner)
        return {"events": events, "dropped": [row["logtime"] for row in dropped]}

    async def _lines(self, question: Mapping[str, Any]) -> Any:
        rows = await self._pool.fetch(STATEMENTS["read_lines"])
        least = int(question.get("least", 0))
        shares: list[Any] = []
        # Most of the time no line is long enough to look who is in it.
        if least and any(_is_worth_a_look(row, least) for row in rows):
            shares = await self._pool.fetch(STATEMENTS["read_shares"], least)
        lanes = [
            {name: row[name] for name in _LANE_FIELDS} for row in rows if row["lane"] is not None
        ]
        if question.get("since"):
            queues = await self._pool.fetch(STATEMENTS["read_queues"])
            since = {(row["type"], row["lane"]): row["since"] for row in queues}
            lanes = [lane | {"since": since.get((lane["type"], lane["lane"]))} for lane in lanes]
        waiting: dict[str, int] = {}
        for lane in lanes:
            waiting[lane["type"]] = waiting.get(lane["type"], 0) + lane["waiting"]
        return {
            "sequence": rows[0]["sequence"] if rows else 0,
            "waiting": waiting,
            "lanes": lanes,
            "shares": [
                [row["type"], row["owner"], provider_of(row["lane"]), row["waiting"], row["band"]]
                for row in ({**each, "band": band_of(each["lane"])} for each in shares)
            ],
        }

    async def _providers(self, _: Mapping[str, Any]) -> Any:
        rows = await self._pool.fetch(STATEMENTS["read_providers"], _RECENT_EVENTS)
        return {"providers": [dict(row) for row in rows]}

    async def _silent(self, question: Mapping[str, Any]) -> Any:
        limits: Mapping[str, tuple[float, float]] = question.get("types", {})
        excused: Mapping[str, str] = question.get("excused", {})
        rows = await self._pool.fetch(
            STATEMENTS["read_silent"],
            question["log_sequence"],
            datetime.fromisoformat(question["log_now"]),
            float(question["timeout_s"]),
            float(question["deadline_s"]),
            list(limits),
            [float(timeout_s) for timeout_s, _ in limits.values()],
            [float(deadline_s) for _, deadline_s in limits.values()],
            datetime.fromisoformat(question["watching_since"]),
            int(question["limit"]),
            float(question["photo_ttl_s"]),
            [kind.name for kind in GENERATION_TYPES.values() if kind.waits_for_photo],
            list(excused),
            [datetime.fromisoformat(until) for until in excused.values()],
        )
        found = [row for row in rows if row["task_id"] is not None]
        records = [
            _plain({name: row[name] for name in COLUMNS}) | {"served_at": row["served_at"]}
            for row in found
        ]
        return {
            "now": rows[0]["clock_now"] if rows else None,
            "sequence": rows[0]["clock_sequence"] if rows else 0,
            "records": records,
        }

    async def _referenced(self, question: Mapping[str, Any]) -> Any:
        await self._catch_up(question)
        rows = await self._pool.fetch(STATEMENTS["read_referenced"], question["keys"])
        return {"keys": [row["key"] for row in rows]}

    async def _status(self, _: Mapping[str, Any]) -> Any:
        checkpoint = await self._pool.fetchrow(STATEMENTS["read_checkpoint"])
        counted = await self._pool.fetchrow(STATEMENTS["count_parked"])
        return {
            "checkpoint": dict(checkpoint or {}),
            "parked": dict(counted or {}),
            "active": self._projector.sequence is not None,
            "halted": self._projector.halted,
            "pending": self._projector.pending,
        }

    async def _catch_up(self, question: Mapping[str, Any], within_s: float = CATCH_UP_S) -> None:
        """Wait until the projection has passed ``sequence`` of the log that was ``created`` then.

        Raises `Behind` if it has not in time. A stream that is made again counts from 1: to a
        projection of the one before it, every sequence would seem to be passed.
        """
        sequence, told = question["sequence"], question.get("created")
        created = None if told is None else datetime.fromisoformat(told)
        if self._projector.halted is not None:
            # The checkpoint is of another log than the sequence: the two can't be compared.
            raise Behind
        if self._projector.sequence is not None:
            if not await self._projector.passed(sequence, created, within_s):
                raise Behind
            return
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            row = await self._pool.fetchrow(STATEMENTS["read_checkpoint"])
            if (
                row is not None
                and row["sequence"] >= sequence
                and created in (None, row["stream_created"])
            ):
                return
            await asyncio.sleep(_POLL_S)
        raise Behind


_RECENT_EVENTS = 20_000


def _is_worth_a_look(row: Any, least: int) -> bool:
    """Whether some owner may have so many waiting in a lane, or waits behind the front."""
    lane, waiting = row["lane"], row["waiting"]
    return lane is not None and waiting >= (1 if band_of(lane) else least)


_LANE_FIELDS = ("type", "lane", "waiting", "running", "finished", "mean_s", "served_at")


def _fragment(payload: bytes) -> orjson.Fragment | None:
    """A stored event as JSON; None where it isn't any, which must not spoil the whole answer."""
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    return orjson.Fragment(payload)


def _records(rows: list[Any]) -> list[Record]:
    now = datetime.now(UTC)
    return [record_of_row(row, now) for row in rows]


def _plain(record: Record) -> Record:
    for name in (
        "reference_images",
        "provider_params",
        "metadata",
        "handle",
        "artifacts",
        "late_artifacts",
        "error",
    ):
        if record[name] is not None:
            record[name] = orjson.Fragment(record[name])
    record["task_id"] = str(record["task_id"])
    return record
