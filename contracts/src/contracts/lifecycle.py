"""The life of a task: its states, the moves between them as data, and the fold over its events.

Read this first. `evolve` is what the projector, the gateway's live view and ``projection verify``
agree on: what is true of a task after a fact. It never fails on a late, duplicate or reordered
event: what has no arrow in `MOVES` changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, assert_never

from contracts.events import (
    Accepted,
    Artifact,
    Cancelled,
    Completed,
    Erased,
    Event,
    Failed,
    LateResult,
    MetadataAnnotated,
    Progressed,
    ProgressedData,
    RequestData,
    Requested,
    Retrying,
    RetryingData,
    Started,
    StartedData,
    Submitting,
    SubmittingData,
    TaskError,
    TimedOut,
    Uploaded,
)
from contracts.generation_types import GENERATION_TYPES
from contracts.merge_patch import merge_patch


class Status(StrEnum):
    """What machines look at."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self not in (Status.PENDING, Status.PROCESSING)


class Phase(StrEnum):
    """The names of the states below; finer than `Status`."""

    PENDING = "pending"
    WAITING = "waiting"
    RUNNING = "running"
    BACKING_OFF = "backing_off"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ERASED = "erased"


STATUS_OF: Mapping[Phase, Status] = MappingProxyType(
    {
        Phase.PENDING: Status.PENDING,
        Phase.WAITING: Status.PROCESSING,
        Phase.RUNNING: Status.PROCESSING,
        Phase.BACKING_OFF: Status.PROCESSING,
        Phase.COMPLETED: Status.COMPLETED,
        Phase.FAILED: Status.FAILED,
        Phase.CANCELLED: Status.CANCELLED,
        Phase.ERASED: Status.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class Pending:
    """Accepted, and waiting for something other than a worker."""

    phase = Phase.PENDING


@dataclass(frozen=True, slots=True)
class Waiting:
    """In line. ``ticket`` is the log sequence of its ``requested``: lower is served earlier."""

    ticket: int
    phase = Phase.WAITING


@dataclass(frozen=True, slots=True)
class Running:
    """A worker holds the lease."""

    progress: int = 0
    phase = Phase.RUNNING


@dataclass(frozen=True, slots=True)
class BackingOff:
    """Between two attempts."""

    retry_at: datetime
    phase = Phase.BACKING_OFF


@dataclass(frozen=True, slots=True)
class Ended:
    """What all terminal states have."""

    finished_at: datetime


@dataclass(frozen=True, slots=True)
class CompletedState(Ended):
    artifacts: tuple[Artifact, ...]
    phase = Phase.COMPLETED


@dataclass(frozen=True, slots=True)
class FailedState(Ended):
    error: TaskError
    phase = Phase.FAILED


@dataclass(frozen=True, slots=True)
class CancelledState(Ended):
    phase = Phase.CANCELLED


@dataclass(frozen=True, slots=True)
class ErasedState(Ended):
    phase = Phase.ERASED


State = (
    Pending
    | Waiting
    | Running
    | BackingOff
    | CompletedState
    | FailedState
    | CancelledState
    | ErasedState
)


_EMPTY: Mapping[str, Any] = MappingProxyType({})


class Task(NamedTuple):
    """A task as of log ``sequence``. A tuple, because the fold makes a new one for every event.

    ``heard_at`` is the broker's time of the last fact that a worker told of it, or of its
    beginning: what the reaper measures silence by. All other times are the events' own.
    """

    task_id: str
    owner: str
    type: str
    request: RequestData
    state: State
    stage: str
    created_at: datetime
    updated_at: datetime
    heard_at: datetime
    sequence: int
    attempt: int = 0
    started_at: datetime | None = None
    provider: str | None = None
    external_task_id: str | None = None
    handle: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = _EMPTY
    late_artifacts: tuple[Artifact, ...] = ()

    @property
    def phase(self) -> Phase:
        return self.state.phase

    @property
    def status(self) -> Status:
        return STATUS_OF[self.state.phase]

    @property
    def progress(self) -> int:
        """0..100; 100 only when completed, 0 again when failed."""
        match self.state:
            case Running(progress=progress):
                return progress
            case CompletedState():
                return 100
            case _:
                return 0


class Unapplicable(Exception):
    """The event can't be folded; it is parked with ``reason`` and its task waits behind it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_LIVE = (Phase.PENDING, Phase.WAITING, Phase.RUNNING, Phase.BACKING_OFF)
_ENDED = (Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED)


def _moves() -> dict[tuple[Phase | None, str], Phase]:
    table: dict[tuple[Phase | None, str], Phase] = {
        (None, "generation.accepted"): Phase.PENDING,
        (None, "generation.requested"): Phase.WAITING,
        (None, "generation.erased"): Phase.ERASED,
        (Phase.PENDING, "generation.uploaded"): Phase.PENDING,
        (Phase.PENDING, "generation.requested"): Phase.WAITING,
        (Phase.WAITING, "generation.started"): Phase.RUNNING,
        (Phase.RUNNING, "generation.started"): Phase.RUNNING,
        (Phase.RUNNING, "generation.submitting"): Phase.RUNNING,
        (Phase.RUNNING, "generation.progressed"): Phase.RUNNING,
        (Phase.RUNNING, "generation.retrying"): Phase.BACKING_OFF,
        (Phase.BACKING_OFF, "generation.started"): Phase.RUNNING,
        # To another provider, whose line it joins.
        (Phase.WAITING, "generation.requested"): Phase.WAITING,
        (Phase.RUNNING, "generation.requested"): Phase.WAITING,
        (Phase.BACKING_OFF, "generation.requested"): Phase.WAITING,
    }
    for live in _LIVE:
        table[live, "generation.completed"] = Phase.COMPLETED
        table[live, "generation.failed"] = Phase.FAILED
        table[live, "generation.timed_out"] = Phase.FAILED
        table[live, "generation.cancelled"] = Phase.CANCELLED
        table[live, "generation.annotated"] = live
        table[live, "generation.erased"] = Phase.ERASED
    for ended in _ENDED:
        table[ended, "generation.annotated"] = ended
        table[ended, "generation.late_result"] = ended
        table[ended, "generation.erased"] = Phase.ERASED
    return table


MOVES: Mapping[tuple[Phase | None, str], Phase] = MappingProxyType(_moves())
"""Every arrow of docs/state-machine.md: (state before, event type) -> state after."""


_ARROWS = frozenset(MOVES)


def evolve(task: Task | None, event: Event, sequence: int, logtime: datetime) -> Task | None:
    """The task after ``event``, which the log holds at ``sequence`` since ``logtime``.

    Returns ``task`` itself when the event changes nothing: applied before, late, or of an older
    attempt. Raises `Unapplicable` for an event of a task that never began.
    """
    # Events are told apart by `type(…) is`, here and below: their classes are final, and this
    # runs for every event of the log. Pydantic's `isinstance` takes five times as long.
    if task is not None and sequence <= task.sequence:
        return task
    if (task.state.phase if task else None, event.type) not in _ARROWS:
        if task is None:
            raise Unapplicable("unknown_task")
        return task
    if type(event) is Requested and task is not None and not _is_asked_anew(task, event):
        return task
    if type(event) is Erased:
        return _tombstone(event, sequence, logtime)
    if task is None:
        # The table leaves only the two beginnings.
        assert type(event) is Requested or type(event) is Accepted
        return _begin(event, sequence, logtime)
    return _advance(task, event, sequence, logtime)


def _begin(event: Requested | Accepted, sequence: int, logtime: datetime) -> Task:
    waiting = type(event) is Requested
    return Task(
        task_id=event.subject,
        owner=event.owner,
        type=event.tasktype,
        request=event.data,
        state=Waiting(ticket=sequence) if waiting else Pending(),
        stage=event.data.stage,
        created_at=event.time,
        updated_at=event.time,
        heard_at=logtime,
        sequence=sequence,
        metadata=event.data.metadata,
    )


def _tombstone(event: Erased, sequence: int, logtime: datetime) -> Task:
    """All that remains of an erased task: made from the event alone, so a rebuild makes it too."""
    return Task(
        task_id=event.subject,
        owner=event.owner,
        type=event.tasktype,
        request=RequestData(lane="", stage=""),
        state=ErasedState(finished_at=event.time),
        stage="",
        created_at=event.time,
        updated_at=event.time,
        heard_at=logtime,
        sequence=sequence,
    )


def _advance(task: Task, event: Event, sequence: int, logtime: datetime) -> Task:
    if (
        type(event) is Progressed
        or type(event) is Started
        or type(event) is Submitting
        or type(event) is Retrying
    ):
        if _is_over(task, event.data.attempt):
            return task
        return _told_by_worker(task, event, sequence, logtime)
    if (
        type(event) is Completed
        or type(event) is Failed
        or type(event) is TimedOut
        or type(event) is Cancelled
    ):
        return _ended(task, event, sequence, logtime)
    changes = _told_by_others(task, event, sequence, logtime)
    changes["sequence"] = sequence
    changes["updated_at"] = max(task.updated_at, event.time)
    return task._replace(**changes)


def _is_asked_anew(task: Task, event: Requested) -> bool:
    """Whether the request puts the task in a line in which it isn't, and no worker is further."""
    if type(task.state) is Pending:
        return True
    return event.data.lane != task.request.lane and event.data.attempt >= task.attempt


def _is_over(task: Task, attempt: int) -> bool:
    """Whether that attempt has ended: a newer one began, or it failed and the task backs off."""
    return attempt < task.attempt or (attempt == task.attempt and type(task.state) is BackingOff)


def _told_by_others(task: Task, event: Event, sequence: int, logtime: datetime) -> dict[str, Any]:
    match event:
        case Requested():
            changes: dict[str, Any] = {
                "request": event.data,
                "state": Waiting(ticket=sequence),
                "stage": _moved(task, event.data.stage) or task.stage,
                "heard_at": logtime,
            }
            substituted_from = event.data.substituted_from
            if substituted_from is not None:
                metadata = {**task.metadata, "substituted_from": substituted_from}
                changes["metadata"] = metadata
            return changes
        case Uploaded():
            told = (*task.request.reference_images, event.data.reference_image)
            references = tuple(dict.fromkeys(told))
            return {"request": task.request.model_copy(update={"reference_images": references})}
        case MetadataAnnotated():
            return {"metadata": merge_patch(task.metadata, event.data.patch)}
        case LateResult():
            return {"late_artifacts": event.data.artifacts}
        case _:  # pragma: no cover - `MOVES` lets no other event come here
            raise AssertionError(event.type)


def _told_by_worker(
    task: Task,
    event: Started | Submitting | Progressed | Retrying,
    sequence: int,
    logtime: datetime,
) -> Task:
    told = event.data
    if type(told) is ProgressedData:
        progress = max(task.progress, min(told.progress, 99))
        return _heard(
            task,
            event.time,
            sequence,
            logtime,
            state=Running(progress),
            stage=_moved(task, told.stage),
            external_task_id=told.external_task_id,
            handle=told.handle,
        )
    if type(told) is StartedData:
        again = told.attempt == task.attempt and type(task.state) is Running
        return _heard(
            task,
            event.time,
            sequence,
            logtime,
            state=task.state if again else Running(),
            stage=_moved(task, told.stage),
            attempt=told.attempt,
            provider=told.provider,
            started_at=task.started_at or event.time,
        )
    if type(told) is RetryingData:
        state = BackingOff(told.retry_at)
        stage = _moved(task, told.stage)
        return _heard(task, event.time, sequence, logtime, state=state, stage=stage)
    if type(told) is SubmittingData:
        return _heard(task, event.time, sequence, logtime)
    assert_never(told)


def _ended(
    task: Task,
    event: Completed | Failed | TimedOut | Cancelled,
    sequence: int,
    logtime: datetime,
) -> Task:
    external_task_id = None
    if type(event) is Completed:
        state: State = CompletedState(event.time, event.data.artifacts)
        stage = event.data.stage
        external_task_id = event.data.external_task_id
    elif type(event) is Failed or type(event) is TimedOut:
        state = FailedState(event.time, event.data.error)
        stage = _failed_in(task, event.data.stage)
    elif type(event) is Cancelled:
        state = CancelledState(event.time)
        stage = task.stage
    else:
        assert_never(event)
    return _heard(
        task,
        event.time,
        sequence,
        logtime,
        state=state,
        stage=stage,
        attempt=max(task.attempt, event.data.attempt),
        external_task_id=external_task_id,
    )


def _heard(
    task: Task,
    time: datetime,
    sequence: int,
    logtime: datetime,
    *,
    state: State | None = None,
    stage: str | None = None,
    attempt: int | None = None,
    started_at: datetime | None = None,
    provider: str | None = None,
    external_task_id: str | None = None,
    handle: Mapping[str, Any] | None = None,
) -> Task:
    """The task after a worker or an end told of it; what is None stays as it was.

    A third of the time of `Task._replace`.
    """
    return Task(
        task.task_id,
        task.owner,
        task.type,
        task.request,
        task.state if state is None else state,
        task.stage if stage is None else stage,
        task.created_at,
        # The writers' clocks may differ; ``updated_at`` never goes back.
        max(task.updated_at, time),
        logtime,
        sequence,
        task.attempt if attempt is None else attempt,
        task.started_at if started_at is None else started_at,
        task.provider if provider is None else provider,
        task.external_task_id if external_task_id is None else external_task_id,
        task.handle if handle is None else handle,
        task.metadata,
        task.late_artifacts,
    )


def _moved(task: Task, told: str | None) -> str | None:
    """The stage that a worker tells, where the type's chart has an arrow to it; else None."""
    if told is None or told == task.stage:
        return None
    kind = GENERATION_TYPES.get(task.type)
    return told if kind is None or kind.allows(task.stage, told) else None


def _failed_in(task: Task, told: str | None) -> str:
    """The stage of a task that failed: the one that was told, unless the chart has another."""
    kind = GENERATION_TYPES.get(task.type)
    if kind is None:
        return told or task.stage
    if told is not None and kind.is_pipeline and kind.allows(task.stage, told):
        return told
    return kind.failure_stage(task.stage)
