"""From a request to a task in the log: at most once for a key, on disk before the answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError

from contracts.events import Accepted, Requested, decode
from contracts.ids import uuid7, uuid8
from contracts.lifecycle import Task, evolve
from contracts.records import Record, from_record, to_record
from delivery.log import LogUnavailable
from delivery.publisher import NOTHING_YET, OutcomeUnknown, WrongLastSequence
from gateway.admission import Circumstances, Wanted, begin, check_idempotency_key, check_replay
from gateway.bus import PUBLISH_BUDGET_S, Bus
from gateway.catalogue import Catalogue
from gateway.live import Live, Watcher
from gateway.metrics import ACCEPTED
from gateway.pressure import Pressure
from gateway.problems import refusal_of_fault
from gateway.reading import Reader
from gateway.references import References
from gateway.refusals import Refusal
from gateway.tasks import TaskStore

_READ_BACK_TRIES = 5
_READ_BACK_PAUSE_S = 0.02

Beginning = Requested | Accepted


@dataclass(frozen=True, slots=True)
class Asked:
    """How a request was made: by whom, under which key, and how long the caller waits."""

    owner: str
    key: str | None = None
    wait_s: int | None = None
    traceparent: str | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """The task of a submit, as folded here or as somebody's record of it.

    ``replayed`` when its key had named it before.
    """

    told: Task | Record
    replayed: bool = False

    @property
    def task(self) -> Task:
        return from_record(self.told) if isinstance(self.told, dict) else self.told

    @property
    def record(self) -> Record:
        return self.told if isinstance(self.told, dict) else to_record(self.told)


class Submissions:
    """Everything between a well-formed request and its answer."""

    def __init__(
        self,
        *,
        bus: Bus,
        tasks: TaskStore,
        reader: Reader,
        catalogue: Catalogue,
        pressure: Pressure,
        references: References,
        live: Live,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._bus = bus
        self._tasks = tasks
        self._reader = reader
        self._catalogue = catalogue
        self._pressure = pressure
        self._references = references
        self._live = live
        self._now = now

    async def submit(self, wanted: Wanted, asked: Asked) -> Submitted:
        """Raises `Refusal`, or the faults that `gateway.problems` names."""
        if asked.key is not None:
            task_id = str(uuid8(asked.owner, check_idempotency_key(asked.key)))
            known = await self._known(task_id)
            if known is not None:
                return await self._replay(known, wanted, asked)
        else:
            task_id = uuid7(self._now(), os.urandom(10))
        await self._check_world(wanted, asked)
        if not asked.wait_s:
            return await self._publish(task_id, wanted, asked)
        async with self._live.watch(task_id) as watcher:
            submitted = await self._publish(task_id, wanted, asked)
            return await self._finished(submitted, watcher, asked.wait_s)

    async def _check_world(self, wanted: Wanted, asked: Asked) -> None:
        """What can't be seen in the request: providers, references, room."""
        if not self._catalogue.announced.is_set():
            # Nothing was ever read: not that nobody offers it, but that nobody could be asked.
            _ = self._bus.link
        offer = self._catalogue.offer(wanted.kind.name, wanted.lane)
        offer.check(wanted.provider_params)
        if wanted.references:
            await self._references.check(asked.owner, wanted.references, expired=asked.retry)
        await self._pressure.admit(wanted.kind.name, asked.owner, wanted.lane)

    async def _publish(self, task_id: str, wanted: Wanted, asked: Asked) -> Submitted:
        with self._pressure.place(wanted.kind.name, asked.owner, wanted.lane) as place:
            at = Circumstances(
                owner=asked.owner,
                task_id=task_id,
                submission=os.urandom(8).hex(),
                now=self._now(),
                band=place.band,
                traceparent=asked.traceparent,
            )
            event = begin(wanted, at)
            try:
                stored = await self._bus.link.publisher.publish(
                    event, expect=NOTHING_YET, budget_s=PUBLISH_BUDGET_S
                )
                sequence = None if stored.duplicate else stored.sequence
            except WrongLastSequence:
                sequence = None
            except OutcomeUnknown as unknown:
                refusal = refusal_of_fault(unknown)
                refusal.members["task_id"] = task_id
                raise refusal from None
            if sequence is None:
                first, first_sequence = await self._beginning(task_id)
                if first.data.submission != event.data.submission:
                    check_replay(first.data.body_sha256, wanted.body_sha256)
                    record = await self._reader.find(task_id)
                    return Submitted(record or _begun(first, first_sequence), replayed=True)
                sequence = first_sequence
            if isinstance(event, Requested):
                place.taken(sequence)
        ACCEPTED.labels(wanted.kind.name).inc()
        return Submitted(_begun(event, sequence))

    async def _beginning(self, task_id: str) -> tuple[Beginning, int]:
        """The stored first event: one's own whose acknowledgement was lost, or a rival's."""
        for _ in range(_READ_BACK_TRIES):
            try:
                history = await self._bus.link.log.history(task_id)
            except LogUnavailable:
                history = []
            for message in history:
                with contextlib.suppress(ValidationError):
                    event = decode(message.payload)
                    if isinstance(event, Requested | Accepted):
                        return event, message.sequence
            await asyncio.sleep(_READ_BACK_PAUSE_S)
        refusal = refusal_of_fault(OutcomeUnknown(task_id))
        refusal.members["task_id"] = task_id
        raise refusal

    async def _known(self, task_id: str) -> Record | None:
        """The task that a key named before: projected, or only in the log yet.

        A task-store that doesn't answer leaves the log's word, which reaches back for as long as
        the log keeps its events.
        """
        projected, logged = await asyncio.gather(
            self._tasks.get(task_id), self._reader.from_log(task_id), return_exceptions=True
        )
        if isinstance(logged, BaseException):
            raise logged
        if isinstance(projected, BaseException):
            if not isinstance(projected, Refusal):
                raise projected
        elif projected[0] is not None:
            record: Record = projected[0]
            if logged is None or logged.sequence <= record["sequence"]:
                return record
        return None if logged is None else to_record(logged)

    async def _replay(self, known: Record, wanted: Wanted, asked: Asked) -> Submitted:
        check_replay(known["body_sha256"], wanted.body_sha256)
        if not asked.wait_s or known["status"] not in ("pending", "processing"):
            return Submitted(known, replayed=True)
        async with self._live.watch(known["task_id"]) as watcher:
            now = await self._reader.read_watched(asked.owner, known["task_id"], watcher)
            return await self._finished(Submitted(now, replayed=True), watcher, asked.wait_s)

    async def _finished(self, submitted: Submitted, watcher: Watcher, wait_s: int) -> Submitted:
        task = submitted.task
        ended = await self._reader.wait(watcher, task, _has_ended, wait_s)
        if ended.sequence == task.sequence:
            return submitted
        await self._reader.settled(ended)
        return Submitted(ended, submitted.replayed)


def _has_ended(task: Task) -> bool:
    return task.status.is_terminal


def _begun(event: Beginning, sequence: int) -> Task:
    """The task right after its beginning; its place in the line isn't known here."""
    task = evolve(None, event, sequence, event.time)
    assert task is not None
    return task
