"""One bounded sweep: ask what may be silent, judge it, publish the ends and the releases.

It has no clock of its own: all times are the broker's. Any number of reapers may sweep at once; the
log lets one end in, and one ticket.
"""

from __future__ import annotations

import functools
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from contracts.breaker import Breaker
from contracts.events import (
    Failed,
    FailedData,
    Progressed,
    Requested,
    TimedOut,
    decode,
    envelope,
    schema_urn,
)
from contracts.ids import uuid7
from contracts.lifecycle import Task
from contracts.queries import SILENT
from contracts.records import Record, from_record
from contracts.subjects import (
    BREAKER_BUCKET,
    cancel_subject,
    finished_subject,
    progress_subject,
    provider_of,
)
from delivery.bucket import read_bucket
from delivery.ends import Lost, publish_end
from delivery.log import LogReader, StreamState
from delivery.publisher import NOTHING_YET, EventTooLarge, Publisher, Refused, WrongLastSequence
from delivery.requests import Requests
from reaper import metrics
from reaper.silence import Leave, Limits, Release, TimeOut, UploadFailed, Verdict, decide
from telemetry.logs import get_logger

_log = get_logger(__name__)

SOURCE = "reaper"
_ANSWER_S = 5.0
_COUNTED = ("timed_out", "uploads_failed", "released", "lost", "put_off", "failed")


class NoAnswer(Exception):
    """The task-store could not say which tasks are silent; the message is its code."""


class CheckpointAhead(Exception):
    """The projection is of a longer log than this one, so it doesn't know this one's tasks."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did, as of ``now``.

    ``put_off`` are those left for the next one, because the projection has not yet seen what the
    previous one published. ``failed`` could not be dealt with, each for a reason of its own.
    """

    now: datetime
    watching_since: datetime
    candidates: int
    timed_out: int = 0
    uploads_failed: int = 0
    released: int = 0
    lost: int = 0
    put_off: int = 0
    failed: int = 0

    @property
    def did_something(self) -> bool:
        return self.timed_out + self.uploads_failed + self.released > 0

    @property
    def nothing_is_stale(self) -> bool:
        """Nothing is left of what fell silent before the watch began."""
        stale = self.did_something or self.lost + self.put_off > 0
        return not stale and self.now >= self.watching_since


@dataclass(frozen=True, slots=True)
class _Watch:
    """An uninterrupted watch over the log, on one connection."""

    since: datetime
    last: datetime
    connection: int


@dataclass(frozen=True, slots=True)
class _Answer:
    now: datetime
    sequence: int
    records: list[Record]


class Sweeper:
    """Sweeps, and what is remembered from one to the next.

    A watch ends with a failed sweep, with the connection, and when there was no sweep for
    ``patience``: then nobody knows whether a lane could have been served meanwhile.
    """

    def __init__(
        self, requests: Requests, limits: Limits, *, batch: int, patience: timedelta
    ) -> None:
        self._requests = requests
        self._publisher = Publisher(requests)
        self._log = LogReader(requests)
        self._limits = limits
        self._batch = batch
        self._patience = patience
        self._watch: _Watch | None = None
        self._told = 0

    async def run_once(self) -> Swept:
        """Judge one batch of candidates, the longest silent first, and carry the verdicts out.

        Raises whatever broker and task-store do not answer with; what was published by then stays.
        """
        watch, self._watch = self._watch, None
        state = await self._log.state()
        watch = self._continued(watch, state.now)
        excused = await self._excused(state.now)
        answer = await self._ask(state, watch.since, excused)
        await self._check_same_log(answer, state)
        swept = await self._carry_out(answer, state, watch.since, excused)
        self._watch = watch
        return swept

    def _continued(self, watch: _Watch | None, now: datetime) -> _Watch:
        connection = self._requests.client.stats["reconnects"]
        if watch is None or watch.connection != connection or now - watch.last > self._patience:
            return _Watch(since=now, last=now, connection=connection)
        return _Watch(since=watch.since, last=now, connection=connection)

    async def _excused(self, now: datetime) -> dict[str, datetime]:
        """Up to when nobody could serve the lanes whose provider is, or was, left alone."""
        found = await read_bucket(self._requests, BREAKER_BUCKET)
        excused = {}
        for provider, value in found.items():
            try:
                at = Breaker.model_validate_json(value).served_until(now)
            except ValidationError:
                # Of a newer version: rather wait too long than end what only waits.
                at = now
            if at is not None:
                excused[provider] = at
        return excused

    async def _ask(
        self, state: StreamState, watching_since: datetime, excused: Mapping[str, datetime]
    ) -> _Answer:
        limits = self._limits
        question = {
            "log_sequence": state.last_sequence,
            "log_now": state.now.isoformat(),
            "watching_since": watching_since.isoformat(),
            "timeout_s": limits.timeout_s,
            "deadline_s": limits.deadline_s,
            "excused": {lane: at.isoformat() for lane, at in excused.items()},
            "types": {name: limits.of(name) for name in limits.kinds},
            "photo_ttl_s": limits.photo_ttl_s,
            "limit": self._batch,
        }
        reply = await self._requests.call(SILENT, json.dumps(question).encode(), timeout=_ANSWER_S)
        answer: dict[str, Any] = json.loads(reply.data)
        if "ok" not in answer:
            raise NoAnswer(str(answer.get("error")))
        found = answer["ok"]
        return _Answer(
            now=datetime.fromisoformat(found["now"]),
            sequence=found["sequence"],
            records=found["records"],
        )

    async def _check_same_log(self, answer: _Answer, state: StreamState) -> None:
        """A checkpoint may be ahead of the state that was read before it, never of one read after.

        Ahead means that the stream was made anew or lost its end. The projection stands still
        then, and would seem to be up to date while it hears of no sign of life.
        """
        if answer.sequence <= state.last_sequence:
            return
        end = (await self._log.state()).last_sequence
        if answer.sequence > end:
            raise CheckpointAhead(f"checkpoint {answer.sequence}, but the log ends at {end}")

    async def _carry_out(
        self,
        answer: _Answer,
        state: StreamState,
        watching_since: datetime,
        excused: Mapping[str, datetime],
    ) -> Swept:
        # An answer from before the last sweep's own ends would only offer the same tasks again.
        heeded = answer.sequence >= min(self._told, state.last_sequence)
        outcomes: Counter[str] = Counter()
        for record in answer.records:
            try:
                task = from_record(record)
                until = excused.get(provider_of(task.request.lane))
                verdict = await self._judge(task, record, answer.now, watching_since, until)
                outcome = await self._do(verdict, task, state.now) if heeded else _put_off(verdict)
            except (EventTooLarge, Refused, KeyError, TypeError, ValueError) as problem:
                # This task's trouble alone, and the same next time: the others go on.
                metrics.ERRORS.labels(type(problem).__name__).inc()
                _log.exception("task could not be dealt with", task_id=record.get("task_id"))
                outcome = "failed"
            outcomes[outcome] += 1
        metrics.CANDIDATES.inc(len(answer.records))
        return Swept(
            now=answer.now,
            watching_since=watching_since,
            candidates=len(answer.records),
            **{name: outcomes[name] for name in _COUNTED},
        )

    async def _judge(
        self,
        task: Task,
        record: Mapping[str, Any],
        now: datetime,
        watching_since: datetime,
        excused: datetime | None,
    ) -> Verdict:
        served_at = record["served_at"]
        judge = functools.partial(
            decide,
            task,
            served_at=None if served_at is None else datetime.fromisoformat(served_at),
            excused=excused,
            now=now,
            watching_since=watching_since,
            limits=self._limits,
        )
        verdict = judge()
        if isinstance(verdict, TimeOut) and verdict.reason == "silent":
            return judge(handed_over=await self._was_handed_over(task))
        return verdict

    async def _was_handed_over(self, task: Task) -> bool:
        """Whether the last that was told of the task is that its worker went: the log knows."""
        last = await self._log.last(progress_subject(task.type, task.task_id))
        try:
            event = None if last is None else decode(last.payload)
        except ValidationError:
            return False
        return isinstance(event, Progressed) and event.data.handed_over is True

    async def _do(self, verdict: Verdict, task: Task, now: datetime) -> str:
        """Carry a verdict out; the name of what came of it, in the words of `Swept`."""
        match verdict:
            case TimeOut():
                return await self._time_out(verdict, task, now)
            case UploadFailed():
                return await self._fail_upload(verdict, task, now)
            case Release():
                return await self._release(verdict, task, now)
            case Leave():
                return "left"

    async def _time_out(self, verdict: TimeOut, task: Task, now: datetime) -> str:
        attributes = _attributes(task, now, "generation.timed_out")
        stage = self._limits.failure_stage(task)
        data = FailedData(attempt=task.attempt, error=verdict.error, stage=stage)
        end = TimedOut(**attributes, data=data)
        if not await self._end(end):
            return "lost"
        metrics.TIMED_OUT.labels(verdict.reason).inc()
        _log.info(
            "task timed out",
            task_id=task.task_id,
            event_id=end.id,
            attempt=task.attempt,
            reason=verdict.reason,
        )
        await self._requests.client.publish(cancel_subject(task.task_id))
        return "timed_out"

    async def _fail_upload(self, verdict: UploadFailed, task: Task, now: datetime) -> str:
        attributes = _attributes(task, now, "generation.failed")
        data = FailedData(attempt=task.attempt, error=verdict.error, stage=verdict.stage)
        end = Failed(**attributes, data=data)
        if not await self._end(end):
            return "lost"
        metrics.UPLOADS_FAILED.inc()
        _log.info("no photo came", task_id=task.task_id, event_id=end.id)
        return "uploads_failed"

    async def _end(self, end: TimedOut | Failed) -> bool:
        outcome = await publish_end(self._publisher, self._log, end)
        self._told = max(self._told, outcome.sequence)
        if isinstance(outcome, Lost):
            metrics.LOST.inc()
            return False
        return True

    async def _release(self, verdict: Release, task: Task, now: datetime) -> str:
        """Give the task its ticket. Somebody else's is as good, and an end is better."""
        event_id = f"{task.task_id}:requested"
        attributes = _attributes(task, now, "generation.requested", event_id)
        event = Requested(**attributes, data=verdict.request)
        if await self._log.last(finished_subject(task.type, task.task_id)) is not None:
            metrics.LOST.inc()
            return "lost"
        try:
            stored = await self._publisher.publish(event, expect=NOTHING_YET)
        except WrongLastSequence:
            metrics.LOST.inc()
            return "lost"
        self._told = max(self._told, stored.sequence)
        metrics.RELEASED.inc()
        _log.info("task released", task_id=task.task_id, event_id=event_id)
        return "released"


def _put_off(verdict: Verdict) -> str:
    return "left" if isinstance(verdict, Leave) else "put_off"


def _attributes(task: Task, now: datetime, name: str, event_id: str = "") -> dict[str, Any]:
    """The envelope of an event about ``task``; its id is random, for this outcome alone."""
    attributes = envelope(
        event_id=event_id or uuid7(now, os.urandom(10)),
        source=SOURCE,
        task_id=task.task_id,
        owner=task.owner,
        tasktype=task.type,
        time=now,
    )
    return attributes | {"dataschema": schema_urn(name)}
