"""The photo that a pending task waits for: it comes, and the task gets its ticket in the line."""

from __future__ import annotations

from datetime import UTC, datetime

from artifacts.intake import Unusable
from artifacts.uploads import Upload, Uploads
from contracts.events import (
    Failed,
    FailedData,
    Requested,
    TaskError,
    Uploaded,
    UploadedData,
    decode,
)
from contracts.generation_types import GENERATION_TYPES
from contracts.lifecycle import Task, evolve
from contracts.records import Record, from_record, to_record
from contracts.subjects import finished_subject, requested_subject
from delivery.ends import publish_end
from delivery.publisher import NOTHING_YET, LastSequence, WrongLastSequence
from gateway.bus import PUBLISH_BUDGET_S, Bus
from gateway.facts import attributes_of
from gateway.reading import SETTLE_S, Reader
from gateway.refusals import Refusal
from gateway.tasks import TaskStore


class Photos:
    """Raises `Refusal`, or the faults that `gateway.problems` names."""

    def __init__(self, bus: Bus, tasks: TaskStore, reader: Reader, uploads: Uploads) -> None:
        self._bus = bus
        self._tasks = tasks
        self._reader = reader
        self._uploads = uploads

    async def check(self, owner: str, task_id: str) -> None:
        """Raises `Refusal` unless the task waits for its photo."""
        check_photo_is_awaited(await self._reader.read(owner, task_id))

    async def put(self, owner: str, task_id: str, content: bytes, filename: str | None) -> Record:
        """The task with its photo, in line. One whose photo is unusable has failed."""
        record = await self._reader.read(owner, task_id)
        check_photo_is_awaited(record)
        try:
            upload = await self._keep(owner, content, filename)
        except Unusable as unusable:
            await self._fail(record, unusable)
            raise Refusal("photo_unusable", unusable.message, reason=unusable.code) from None
        try:
            task = await self._put_in_line(record, upload)
        except WrongLastSequence:
            await self._uploads.delete(upload)
            now_it_is = await self._reader.read(owner, task_id)
            check_photo_is_awaited(now_it_is)
            raise photo_there() from None
        await self._tasks.passes(task_id, task.sequence, SETTLE_S)
        return to_record(task)

    async def _keep(self, owner: str, content: bytes, filename: str | None) -> Upload:
        upload = await self._uploads.save(owner, content, filename, datetime.now(UTC))
        if not upload.content_type.startswith("image/"):
            await self._uploads.delete(upload)
            raise Unusable("unsupported_media", "This is a video. Send a photo.")
        return upload

    async def _put_in_line(self, record: Record, upload: Upload) -> Task:
        """Tell of the photo and, unless the task waits for its time as well, put it in line.

        Who ends in between leaves it to the reaper. Raises `WrongLastSequence`.
        """
        task = from_record(record)
        publisher, log = self._bus.link.publisher, self._bus.link.log
        line = requested_subject(task.type, task.request.lane, task.task_id)
        told = Uploaded(
            **attributes_of(Uploaded, record), data=UploadedData(reference_image=upload.key)
        )
        stored = await publisher.publish(
            told, expect=LastSequence(0, line), budget_s=PUBLISH_BUDGET_S
        )
        task = _after(task, told, stored.sequence)
        run_at = task.request.run_at
        if run_at is not None and run_at > told.time:
            return task
        if await log.last(finished_subject(task.type, task.task_id)) is not None:
            raise WrongLastSequence
        kind = GENERATION_TYPES[task.type]
        changes = {"stage": kind.waiting_stage, "metadata": dict(task.metadata)}
        attributes = {**attributes_of(Requested, record), "id": f"{task.task_id}:requested"}
        asked = Requested(**attributes, data=task.request.model_copy(update=changes))
        try:
            stored = await publisher.publish(asked, expect=NOTHING_YET, budget_s=PUBLISH_BUDGET_S)
        except WrongLastSequence:
            # The reaper may have released the task with this photo, or our own try was stored.
            there = await log.last(line)
            if there is None or upload.key not in _references(there.payload):
                raise
            return _after(task, asked, there.sequence)
        return _after(task, asked, stored.sequence)

    async def _fail(self, record: Record, unusable: Unusable) -> None:
        kind = GENERATION_TYPES[record["type"]]
        error = TaskError(
            code="invalid_input", message=unusable.message, params={"reason": unusable.code}
        )
        stage = kind.failure_stage(kind.pending_stage)
        data = FailedData(attempt=record["attempt"], error=error, stage=stage)
        end = Failed(**attributes_of(Failed, record), data=data)
        link = self._bus.link
        outcome = await publish_end(link.publisher, link.log, end, budget_s=PUBLISH_BUDGET_S)
        await self._tasks.passes(record["task_id"], outcome.sequence, SETTLE_S)


def check_photo_is_awaited(record: Record) -> None:
    """Raises `Refusal` unless the task is one that still waits for its photo."""
    kind = GENERATION_TYPES.get(record["type"])
    if kind is None or not kind.waits_for_photo:
        raise Refusal(
            "photo_not_awaited",
            f"A {record['type']} task takes no photo: give its pictures as reference_images.",
        )
    if record["status"] not in ("pending", "processing"):
        raise Refusal(
            "already_finished",
            f"The task is {record['status']} and takes no photo any more.",
            task_status=record["status"],
        )
    if record["status"] != "pending" or record["reference_images"]:
        raise photo_there()


def photo_there() -> Refusal:
    return Refusal(
        "photo_not_awaited",
        "The task has its photo already. Start another task for another photo.",
    )


def _references(payload: bytes) -> tuple[str, ...]:
    event = decode(payload)
    return event.data.reference_images if isinstance(event, Requested) else ()


def _after(task: Task, event: Uploaded | Requested, sequence: int) -> Task:
    changed = evolve(task, event, sequence, event.time)
    assert changed is not None
    return changed
