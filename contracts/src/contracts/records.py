"""A task as a flat record of JSON values: how it lies in Postgres and travels between services."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never

from contracts.events import Artifact, RequestData, TaskError
from contracts.lifecycle import (
    BackingOff,
    CancelledState,
    CompletedState,
    ErasedState,
    FailedState,
    Pending,
    Phase,
    Running,
    State,
    Task,
    Waiting,
)

Record = dict[str, Any]


def to_record(task: Task) -> Record:
    """All of a task; times as aware datetimes, everything else JSON values."""
    state = task.state
    request = task.request
    return {
        "task_id": task.task_id,
        "owner": task.owner,
        "type": task.type,
        "phase": state.phase.value,
        "status": task.status.value,
        "stage": task.stage,
        "progress": task.progress,
        "attempt": task.attempt,
        "lane": request.lane,
        "ticket": state.ticket if isinstance(state, Waiting) else None,
        "retry_at": state.retry_at if isinstance(state, BackingOff) else None,
        "prompt": request.prompt,
        "prompt_id": request.prompt_id,
        "reference_images": list(request.reference_images),
        "provider_params": request.provider_params,
        "run_at": request.run_at,
        "body_sha256": request.body_sha256,
        "metadata": dict(task.metadata),
        "provider": task.provider,
        "external_task_id": task.external_task_id,
        "handle": None if task.handle is None else dict(task.handle),
        "artifacts": artifacts_of(state.artifacts) if isinstance(state, CompletedState) else [],
        "late_artifacts": artifacts_of(task.late_artifacts),
        "error": error_of(task),
        "created_at": task.created_at,
        "started_at": task.started_at,
        "updated_at": task.updated_at,
        "finished_at": getattr(state, "finished_at", None),
        "heard_at": task.heard_at,
        "sequence": task.sequence,
    }


def from_record(record: Record) -> Task:
    """The task that has this record; times may be ISO 8601 strings.

    What a record doesn't keep of the request (its first stage and metadata, who submitted it) no
    later event needs: ``to_record(from_record(record)) == record``.
    """
    return Task(
        task_id=record["task_id"],
        owner=record["owner"],
        type=record["type"],
        request=RequestData(
            lane=record["lane"],
            stage=record["stage"],
            prompt=record["prompt"],
            reference_images=tuple(record["reference_images"]),
            provider_params=record["provider_params"],
            prompt_id=record["prompt_id"],
            run_at=_time(record["run_at"]),
            body_sha256=record["body_sha256"],
        ),
        state=_state(record),
        stage=record["stage"],
        created_at=_instant(record["created_at"]),
        updated_at=_instant(record["updated_at"]),
        heard_at=_instant(record["heard_at"]),
        sequence=record["sequence"],
        attempt=record["attempt"],
        started_at=_time(record["started_at"]),
        provider=record["provider"],
        external_task_id=record["external_task_id"],
        handle=record["handle"],
        metadata=record["metadata"],
        late_artifacts=tuple(Artifact(**each) for each in record["late_artifacts"]),
    )


def _state(record: Record) -> State:
    phase = Phase(record["phase"])
    match phase:
        case Phase.PENDING:
            return Pending()
        case Phase.WAITING:
            return Waiting(ticket=record["ticket"])
        case Phase.RUNNING:
            return Running(progress=record["progress"])
        case Phase.BACKING_OFF:
            return BackingOff(retry_at=_instant(record["retry_at"]))
        case Phase.COMPLETED:
            artifacts = tuple(Artifact(**each) for each in record["artifacts"])
            return CompletedState(_instant(record["finished_at"]), artifacts)
        case Phase.FAILED:
            return FailedState(_instant(record["finished_at"]), TaskError(**record["error"]))
        case Phase.CANCELLED:
            return CancelledState(_instant(record["finished_at"]))
        case Phase.ERASED:
            return ErasedState(_instant(record["finished_at"]))
        case _:  # pragma: no cover
            assert_never(phase)


def error_of(task: Task) -> dict[str, Any] | None:
    """Why the task has no result; a cancelled one tells it in the same shape as a failed one."""
    match task.state:
        case FailedState(error=error):
            return error.model_dump()
        case CancelledState():
            return TaskError(
                code="cancelled",
                message="The task was cancelled.",
                retryable=True,
                attempts=task.attempt,
            ).model_dump()
        case _:
            return None


def artifacts_of(artifacts: tuple[Artifact, ...]) -> list[dict[str, Any]]:
    """Artifacts as JSON values."""
    return [artifact.model_dump() for artifact in artifacts]


def _time(value: datetime | str | None) -> datetime | None:
    return None if value is None else _instant(value)


def _instant(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
