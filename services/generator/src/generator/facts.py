"""The facts that a worker tells of one task, with everything that they have in common filled in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from contracts.events import (
    AnnotatedData,
    Artifact,
    Completed,
    CompletedData,
    Failed,
    FailedData,
    LateResult,
    LateResultData,
    MetadataAnnotated,
    Progressed,
    ProgressedData,
    Requested,
    Retrying,
    RetryingData,
    Started,
    StartedData,
    Submitting,
    SubmittingData,
    TaskError,
    schema_urn,
)
from contracts.ids import uuid7
from contracts.lifecycle import Task
from contracts.subjects import provider_of
from generator.provider import Submitted

SOURCE = "generator"


def now() -> datetime:
    return datetime.now(UTC)


def rerouted(
    request: Requested, task: Task, *, lane: str, params: Mapping[str, Any], stage: str
) -> Requested:
    """The task joins the line of another provider than the one that it was meant for.

    Told twice it is one event: where it goes to is part of its id.
    """
    data = task.request.model_copy(
        update={
            "lane": lane,
            "stage": stage,
            "attempt": task.attempt,
            "provider_params": dict(params),
            "metadata": dict(task.metadata),
            "substituted_from": request.data.substituted_from
            or provider_of(request.data.lane).upper(),
        }
    )
    return Requested(
        id=f"{request.subject}:requested:{lane}",
        source=SOURCE,
        subject=request.subject,
        owner=request.owner,
        tasktype=request.tasktype,
        time=now(),
        dataschema=schema_urn("generation.requested"),
        traceparent=request.traceparent,
        causationid=request.id,
        data=data,
    )


class Facts:
    """Each method makes one event; an event made once keeps its id however often it is sent."""

    __slots__ = ("_common", "_provider", "_worker", "attempt")

    def __init__(
        self,
        request: Requested,
        attempt: int,
        *,
        provider: str,
        worker: str,
        traceparent: str | None = None,
    ) -> None:
        self.attempt = attempt
        self._provider = provider
        self._worker = worker
        self._common = {
            "source": SOURCE,
            "subject": request.subject,
            "owner": request.owner,
            "tasktype": request.tasktype,
            "traceparent": traceparent,
            "causationid": request.id,
        }

    def started(self, stage: str) -> Started:
        data = StartedData(
            attempt=self.attempt, stage=stage, provider=self._provider, worker=self._worker
        )
        return Started(**self._envelope("generation.started"), data=data)

    def submitting(self, key: str) -> Submitting:
        data = SubmittingData(attempt=self.attempt, provider=self._provider, key=key)
        return Submitting(**self._envelope("generation.submitting"), data=data)

    def submitted(self, answer: Submitted) -> Progressed:
        """The job is the provider's: here is how to find it again."""
        handle: Mapping[str, Any] = answer.handle
        data = ProgressedData(
            attempt=self.attempt,
            progress=0,
            external_task_id=answer.external_task_id,
            handle=dict(handle),
        )
        return Progressed(**self._envelope("generation.progressed"), data=data)

    def progressed(
        self, percent: int, stage: str | None, handle: Mapping[str, Any] | None = None
    ) -> Progressed:
        data = ProgressedData(
            attempt=self.attempt,
            progress=percent,
            stage=stage,
            handle=None if handle is None else dict(handle),
        )
        return Progressed(**self._envelope("generation.progressed"), data=data)

    def handed_over(self, percent: int) -> Progressed:
        data = ProgressedData(attempt=self.attempt, progress=percent, handed_over=True)
        return Progressed(**self._envelope("generation.progressed"), data=data)

    def retrying(
        self, retry_at: datetime, error: TaskError, stage: str, *, spared: bool = False
    ) -> Retrying:
        data = RetryingData(
            attempt=self.attempt,
            retry_at=retry_at,
            error=error,
            stage=stage,
            spared=True if spared else None,
        )
        return Retrying(**self._envelope("generation.retrying"), data=data)

    def annotated(self, patch: dict[str, Any]) -> MetadataAnnotated:
        data = AnnotatedData(patch=patch)
        return MetadataAnnotated(**self._envelope("generation.annotated"), data=data)

    def late_result(self, artifacts: tuple[Artifact, ...]) -> LateResult:
        data = LateResultData(attempt=self.attempt, artifacts=artifacts)
        return LateResult(**self._envelope("generation.late_result"), data=data)

    def completed(
        self, artifacts: tuple[Artifact, ...], stage: str, external_task_id: str | None
    ) -> Completed:
        data = CompletedData(
            attempt=self.attempt,
            artifacts=artifacts,
            stage=stage,
            external_task_id=external_task_id,
        )
        return Completed(**self._envelope("generation.completed"), data=data)

    def failed(self, error: TaskError, stage: str | None) -> Failed:
        data = FailedData(attempt=self.attempt, error=error, stage=stage)
        return Failed(**self._envelope("generation.failed"), data=data)

    def _envelope(self, type_name: str) -> dict[str, Any]:
        time = now()
        return {
            **self._common,
            "id": uuid7(time, os.urandom(10)),
            "time": time,
            "dataschema": schema_urn(type_name),
        }
