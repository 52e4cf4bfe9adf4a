"""What can be done to a task that exists: cancel it, annotate it, erase it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from artifacts.keys import belongs_to, kind, sidecar_key, task_prefix
from artifacts.store import ArtifactStore
from artifacts.uploads import Uploads
from contracts.events import (
    AnnotatedData,
    Cancelled,
    CancelledData,
    Erased,
    MetadataAnnotated,
)
from contracts.ids import made_at
from contracts.lifecycle import MOVES, STATUS_OF, Phase, evolve
from contracts.merge_patch import merge_patch
from contracts.records import Record, from_record, to_record
from contracts.subjects import cancel_subject, finished_subject
from delivery.ends import Lost, Won, publish_end
from delivery.erasure import erase_from_bus
from delivery.log import LogUnavailable
from delivery.publisher import LastSequence, OutcomeUnknown, WrongLastSequence
from gateway.admission import is_task_id
from gateway.bus import PUBLISH_BUDGET_S, Bus
from gateway.facts import attributes_of
from gateway.reading import SETTLE_S, Reader, task_not_found
from gateway.refusals import Refusal
from gateway.tasks import TaskStore
from gateway.wellformed import check_json

ERASE_S = 2.0
_ANNOTATE_TRIES = 10


class Changes:
    """Raises `Refusal`, or the faults that `gateway.problems` names."""

    def __init__(
        self, bus: Bus, tasks: TaskStore, reader: Reader, store: ArtifactStore, uploads: Uploads
    ) -> None:
        self._bus = bus
        self._tasks = tasks
        self._reader = reader
        self._store = store
        self._uploads = uploads
        self._annotating: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def cancel(self, owner: str, task_id: str) -> Record:
        """The task, now cancelled. Raises ``already_finished`` when something else came first."""
        record = await self._find(owner, task_id)
        if record["phase"] == Phase.ERASED:
            raise task_not_found()
        if _has_ended(record):
            raise already_finished(record["status"])
        event, outcome = await self._end(record)
        if isinstance(outcome, Lost):
            if isinstance(outcome.event, Erased):
                raise task_not_found()
            if outcome.event is None:
                raise already_finished()
            raise already_finished(STATUS_OF[MOVES[Phase.RUNNING, outcome.event.type]])
        task = evolve(from_record(record), event, outcome.sequence, event.time)
        assert task is not None
        await self._tasks.passes(task_id, outcome.sequence, SETTLE_S)
        return to_record(task)

    async def annotate(self, owner: str, task_id: str, patch: dict[str, Any]) -> Record:
        """The task with the patch merged into its metadata. An empty patch changes nothing."""
        # One after the other, each on what the one before it left: only so the sum stays bounded.
        async with self._annotating.setdefault(task_id, asyncio.Lock()):
            return await self._annotate(owner, task_id, patch)

    async def _annotate(self, owner: str, task_id: str, patch: dict[str, Any]) -> Record:
        for _ in range(_ANNOTATE_TRIES):
            record = await self._reader.read(owner, task_id)
            if not patch:
                return record
            record, finished = await self._with_finish(record)
            check_json(merge_patch(record["metadata"], patch), ("metadata",))
            attributes = attributes_of(MetadataAnnotated, record)
            event = MetadataAnnotated(**attributes, data=AnnotatedData(patch=patch))
            subject = finished_subject(record["type"], task_id)
            try:
                # Never behind an erasure: its purge would miss what comes later.
                stored = await self._bus.link.publisher.publish(
                    event, expect=LastSequence(finished, subject), budget_s=PUBLISH_BUDGET_S
                )
            except WrongLastSequence:
                continue
            task = evolve(from_record(record), event, stored.sequence, event.time)
            assert task is not None
            await self._tasks.passes(task_id, stored.sequence, SETTLE_S)
            return {**record, **to_record(task)}
        raise OutcomeUnknown(task_id)

    async def erase(self, owner: str, task_id: str) -> None:
        """Nothing personal of the task remains. Safe to repeat, also when it broke off."""
        record = await self._find(owner, task_id)
        if not _has_ended(record):
            await self._end(record)
        link = self._bus.link
        event = Erased(**attributes_of(Erased, record))
        sequence = await erase_from_bus(
            link.publisher, link.log, link.requests, event, budget_s=PUBLISH_BUDGET_S
        )
        stored = [each.key async for each in self._store.list(task_prefix(owner, task_id))]
        await self._store.delete(stored)
        await self._delete_uploads(owner, record)
        await self._tasks.passes(task_id, sequence, ERASE_S)

    async def _find(self, owner: str, task_id: str) -> Record:
        """The owner's task, erased ones too. The log is asked first: it has all that is not over.

        So the task-store is needed only for what may be older than the log. Another owner's task
        goes the way of one that does not exist, whoever answers.
        """
        if not is_task_id(task_id):
            raise task_not_found()
        logged = await self._reader.from_log(task_id)
        if logged is not None and logged.owner == owner:
            return to_record(logged)
        try:
            record = await self._reader.find(task_id)
        except Refusal:
            if await self._is_older_than_the_log(task_id):
                raise
            record = None
        if record is None or record["owner"] != owner:
            raise task_not_found()
        return record

    async def _is_older_than_the_log(self, task_id: str) -> bool:
        """Whether the task may have been there before what the log still has."""
        made = made_at(UUID(task_id))
        log = await self._bus.link.log.state()
        return made is None or made < log.complete_since

    async def _end(self, record: Record) -> tuple[Cancelled, Won | Lost]:
        data = CancelledData(attempt=record["attempt"])
        event = Cancelled(**attributes_of(Cancelled, record), data=data)
        link = self._bus.link
        outcome = await publish_end(link.publisher, link.log, event, budget_s=PUBLISH_BUDGET_S)
        if isinstance(outcome, Won):
            await link.client.publish(cancel_subject(record["task_id"]), b"")
        return event, outcome

    async def _with_finish(self, record: Record) -> tuple[Record, int]:
        """The task, as new as its last finishing event, and that event's sequence or 0."""
        task_id = record["task_id"]
        log = self._bus.link.log
        last = await log.last(finished_subject(record["type"], task_id))
        if last is None:
            return record, 0
        if last.sequence > record["sequence"]:
            task = await self._reader.from_log(task_id)
            if task is None or task.phase is Phase.ERASED:
                raise task_not_found()
            record = to_record(task)
        return record, last.sequence

    async def _delete_uploads(self, owner: str, record: Record) -> None:
        """The task's own uploads that no other task refers to; what is left, the sweep takes."""
        keys = [
            key
            for key in record["reference_images"]
            if belongs_to(key, owner) and kind(key) == "upload"
        ]
        if not keys:
            return
        try:
            needed = await self._tasks.referenced(keys, await self._bus.link.log.state())
        except (Refusal, LogUnavailable):
            # Nobody can say now who else needs them: they are nobody's to use, and the sweep asks.
            await self._expire(owner, keys)
            return
        unneeded = [key for key in keys if key not in needed]
        await self._store.delete([sidecar_key(key) for key in unneeded])
        await self._store.delete(unneeded)

    async def _expire(self, owner: str, keys: Sequence[str]) -> None:
        now = datetime.now(UTC)
        for key in keys:
            upload = await self._uploads.find(owner, key.rpartition("/")[2], now)
            if upload is not None:
                await self._uploads.expire(upload, now)


def already_finished(status: str | None = None) -> Refusal:
    """``status`` is None after an end that only a newer version can read."""
    if status is None:
        return Refusal("already_finished", "The task has ended and can't be cancelled any more.")
    return Refusal(
        "already_finished",
        f"The task is {status} and can't be cancelled any more.",
        task_status=str(status),
    )


def _has_ended(record: Record) -> bool:
    return record["status"] not in ("pending", "processing")
