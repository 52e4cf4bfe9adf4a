"""The public HTTP shapes: what the gateway takes and gives.

OpenAPI, and from it the TypeScript types, are generated from these models.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from contracts.records import Record
from contracts.subjects import provider_of

MAX_BODY_BYTES = 1024 * 1024
MAX_PROMPT_CHARACTERS = 16_000
MAX_JSON_FIELD_BYTES = 16 * 1024
MAX_REFERENCES = 16
MAX_WAIT_S = 60


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SubmitTask(_Strict):
    """``POST /tasks``."""

    type: Annotated[str, Field(max_length=64, examples=["CREATE"])]
    prompt: Annotated[
        str | None,
        Field(min_length=1, max_length=MAX_PROMPT_CHARACTERS, examples=["a red bicycle"]),
    ] = None
    reference_images: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=2048)]],
        Field(max_length=MAX_REFERENCES),
    ] = []
    provider_params: dict[str, Any] = {}
    prompt_id: Annotated[str | None, Field(min_length=1, max_length=256)] = None
    metadata: dict[str, Any] = {}
    webhook_url: Annotated[str | None, Field(max_length=2048)] = None
    run_at: AwareDatetime | None = None
    priority: int | None = None


class ArtifactView(BaseModel):
    url: str
    content_type: str
    bytes: int
    sha256: str
    width: int | None
    height: int | None


class ErrorView(BaseModel):
    """Why a task failed; ``message`` is for the user and is repeated in ``error_msg``."""

    code: str
    message: str
    retryable: bool
    attempts: int
    params: dict[str, Any] = {}


class WaitingForView(BaseModel):
    """Why a task in line isn't begun although workers are free.

    ``circuit_open``: the provider has failed, and is left alone until then. ``provider_busy``: it
    takes no more until then.
    """

    code: Literal["circuit_open", "provider_busy"]
    provider: str
    until: datetime | None


class TaskView(BaseModel):
    """A task as its owner sees it.

    ``late_artifacts`` came after the task had ended without a result. ``metadata.parked``, with
    ``since`` and ``reason``, is there while the task is on hold until an operator has looked at it.
    """

    task_id: str
    type: str
    prompt_id: str | None
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    stage: str
    progress: Annotated[int, Field(ge=0, le=100)]
    queue_position: int | None
    eta_seconds: float | None
    waiting_for: WaitingForView | None
    attempt: int
    prompt: str | None
    reference_images: list[str]
    provider_params: dict[str, Any]
    provider: str | None
    external_task_id: str | None
    image_url: str | None
    artifacts: list[ArtifactView]
    late_artifacts: list[ArtifactView]
    error: ErrorView | None
    error_msg: str | None
    metadata: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    finished_at: datetime | None
    sequence: int


class TaskList(BaseModel):
    tasks: list[TaskView]


class TaskPage(BaseModel):
    tasks: list[TaskView]
    next_cursor: str | None


class PromptTaskView(BaseModel):
    """A task of one prompt, in the shape that React Query hooks use."""

    id: str
    taskId: str  # noqa: N815
    promptId: str | None  # noqa: N815
    type: str
    model: str | None
    service: str | None
    externalTaskId: str | None  # noqa: N815
    status: Literal["PENDING", "SUCCESS", "FAILED"]
    stage: str
    progress: int
    resultUrl: str | None  # noqa: N815
    resultUrls: list[str]  # noqa: N815
    errorMessage: str | None  # noqa: N815
    createdAt: datetime  # noqa: N815
    updatedAt: datetime  # noqa: N815
    completedAt: datetime | None  # noqa: N815


class TaskEvent(BaseModel):
    """A CloudEvent with its place in the log and the broker's time."""

    model_config = ConfigDict(extra="allow")

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]
    sequence: int
    logtime: datetime


class TaskEvents(BaseModel):
    events: list[TaskEvent]


class UploadView(BaseModel):
    upload_id: str
    url: str
    content_type: str
    bytes: int
    sha256: str
    expires_at: datetime


class SessionView(BaseModel):
    """Whose session it is; the session itself is in a cookie."""

    owner: str
    expires_at: datetime


class TokenView(BaseModel):
    token: str
    expires_at: datetime


class PlaceView(BaseModel):
    """``event: position``: where a waiting task is in its line."""

    task_id: str
    queue_position: Annotated[int, Field(ge=1)]
    eta_seconds: float | None


class BreakerView(BaseModel):
    """The provider's circuit breaker; ``until`` when it is tried again, where that is known."""

    state: Literal["closed", "open", "half_open"]
    failures: int
    until: datetime | None


class ProviderView(BaseModel):
    """A provider of one type.

    ``healthy``: a generator serves it, and its breaker is closed. The rest is of its last tasks,
    ``finished`` of them: the share that it completed, and seconds from their start to their end.
    """

    name: str
    title: str
    execution: Literal["local", "remote", "inline"]
    params_schema: dict[str, Any]
    healthy: bool
    breaker: BreakerView
    finished: int
    success_rate: Annotated[float | None, Field(ge=0, le=1)]
    p50_s: float | None
    p95_s: float | None


class GenerationTypeView(BaseModel):
    type: str
    title: str
    stages: list[str]
    prompt_required: bool
    min_references: int
    max_references: int
    default_provider: str
    fallbacks: list[str]
    providers: list[ProviderView]


class GenerationTypes(BaseModel):
    types: list[GenerationTypeView]


class LogFigures(BaseModel):
    """``bytes`` of ``max_bytes`` are used; nearly full, it takes no new tasks."""

    first_sequence: int
    last_sequence: int
    bytes: int
    max_bytes: int


class ProjectionFigures(BaseModel):
    """How far the rows are. ``lag_events`` counts sequences, erased ones too; ``halted`` says why
    nothing is projected, if so."""

    build: int
    sequence: int
    lag_events: int
    lag_seconds: float
    halted: str | None


class ParkedFigures(BaseModel):
    """Events that could not be applied, and those that wait behind them."""

    events: int
    tasks: int
    oldest: datetime | None


class QueueFigures(BaseModel):
    """The line of one type at one provider. ``finished`` counts every task that ever ended there;
    ``since`` is how long its first waits; ``mean_s`` a moving mean of how long tasks run."""

    type: str
    provider: str
    waiting: int
    running: int
    finished: int
    mean_s: float | None
    since: datetime | None


class SystemFigures(BaseModel):
    """Everybody's tasks in figures, as of ``at``."""

    at: datetime
    log: LogFigures
    projection: ProjectionFigures
    parked: ParkedFigures
    queues: list[QueueFigures]


class DeadLetterView(BaseModel):
    """An event that could not be applied, or that was dropped by ``who`` with a ``note``.

    ``waiting`` later events of the task wait behind it; ``first_at`` is its time in the log,
    ``last_at`` that of the last try, or of the drop.
    """

    sequence: int
    task_id: str
    type: str | None
    subject: str
    reason: str
    first_at: datetime
    last_at: datetime
    tries: int | None = None
    waiting: int | None = None
    who: str | None = None
    note: str | None = None


class ExhaustedView(BaseModel):
    """An event on which a subscriber's durable gave up after so many deliveries."""

    consumer: str
    sequence: int
    deliveries: int
    first_at: datetime
    last_at: datetime
    task_id: str | None
    type: str | None
    subject: str | None


class DeadLetters(BaseModel):
    """In the order of the log. ``events``, ``tasks``, ``oldest`` are of all that is put aside."""

    dead_letters: list[DeadLetterView]
    exhausted: list[ExhaustedView]
    events: int
    tasks: int
    oldest: datetime | None
    next: int | None


class RetryDeadLetters(_Strict):
    """Which of them to try again, named in one way. ``after`` goes on where an answer has ended."""

    sequences: Annotated[list[int], Field(min_length=1, max_length=1000)] | None = None
    task_id: Annotated[str, Field(max_length=200)] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    all: Literal[True] | None = None
    after: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = (self.sequences, self.task_id, self.reason, self.all)
        if sum(each is not None for each in ways) != 1:
            raise ValueError("name sequences, task_id, reason, or all: one of them")
        return self


class DropDeadLetter(_Strict):
    """Why it is dropped is kept beside it."""

    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class MendedDeadLetters(BaseModel):
    """What came of it: events ``tried``, ``applied``, ``dropped``, and those still ``parked`` with
    what waits behind them; ``absent`` were not put aside, and of ``exhausted`` a subscriber's
    deliveries are used up. With ``following`` there is more."""

    tried: int
    applied: int
    dropped: int
    parked: int
    absent: list[int]
    exhausted: list[int]
    following: int | None


class FieldError(BaseModel):
    loc: list[str | int]
    msg: str


class Problem(BaseModel):
    """RFC 9457 ``application/problem+json``; ``type`` is a link to what ``code`` means."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] | None = None


_TASK_FIELDS = (
    "task_id",
    "type",
    "prompt_id",
    "status",
    "stage",
    "progress",
    "attempt",
    "prompt",
    "provider_params",
    "provider",
    "external_task_id",
    "error",
    "metadata",
    "created_at",
    "started_at",
    "updated_at",
    "finished_at",
    "sequence",
)


def task_view(record: Record, url_of: Callable[[str], str]) -> dict[str, Any]:
    """The public task of a record; ``url_of`` turns a key of the object store into a URL.

    ``queue_position`` and ``eta_seconds`` are taken from the record where it has them: 0 for a
    task that is not waiting, null where the place is not known.
    """
    view = {name: record[name] for name in _TASK_FIELDS}
    artifacts = [_artifact_view(each, url_of) for each in record["artifacts"]]
    error = record["error"]
    view["reference_images"] = [url_of(key) for key in record["reference_images"]]
    view["artifacts"] = artifacts
    view["late_artifacts"] = [_artifact_view(each, url_of) for each in record["late_artifacts"]]
    view["image_url"] = artifacts[0]["url"] if artifacts else None
    view["error_msg"] = None if error is None else error["message"]
    view["queue_position"] = record.get(
        "queue_position", None if record["phase"] == "waiting" else 0
    )
    view["eta_seconds"] = record.get("eta_seconds")
    view["waiting_for"] = None
    view["metadata"] = _metadata(record)
    return view


ON_HOLD = (
    "Something that was recorded of this task could not be read, so it is on hold. An operator has "
    "to look at it; it goes on from there."
)


def _metadata(record: Record) -> dict[str, Any]:
    """The owner's, with ``parked`` while the task is on hold.

    What the owner wrote under that name is shown as long as nobody can take it for that.
    """
    metadata: dict[str, Any] = record["metadata"]
    since = record.get("parked_since")
    if since is not None:
        return {**metadata, "parked": {"since": since, "reason": ON_HOLD}}
    parked = metadata.get("parked")
    if isinstance(parked, dict) and "since" in parked:
        return {name: value for name, value in metadata.items() if name != "parked"}
    return metadata


def _provider(record: Record) -> str:
    """Who serves the task, or is to."""
    provider: str = record["provider"] or provider_of(record["lane"])
    return provider


def _artifact_view(artifact: Record, url_of: Callable[[str], str]) -> dict[str, Any]:
    return {
        "url": url_of(artifact["key"]),
        "content_type": artifact["content_type"],
        "bytes": artifact["bytes"],
        "sha256": artifact["sha256"],
        "width": artifact["width"],
        "height": artifact["height"],
    }


_CAMEL_STATUS = {
    "pending": "PENDING",
    "processing": "PENDING",
    "completed": "SUCCESS",
    "failed": "FAILED",
    "cancelled": "FAILED",
}


def prompt_task_view(record: Record, url_of: Callable[[str], str]) -> dict[str, Any]:
    """The same task in camelCase, for ``GET /api/generation/tasks``."""
    urls = [url_of(each["key"]) for each in record["artifacts"]]
    error = record["error"]
    params = record["provider_params"]
    return {
        "id": record["task_id"],
        "taskId": record["task_id"],
        "promptId": record["prompt_id"],
        "type": record["type"],
        "model": params.get("model"),
        "service": params.get("service") or _provider(record).upper(),
        "externalTaskId": record["external_task_id"],
        "status": _CAMEL_STATUS[record["status"]],
        "stage": record["stage"],
        "progress": record["progress"],
        "resultUrl": urls[0] if urls else None,
        "resultUrls": urls,
        "errorMessage": None if error is None else error["message"],
        "createdAt": record["created_at"],
        "updatedAt": record["updated_at"],
        "completedAt": record["finished_at"],
    }
