"""Every fact that can be told of a task: CloudEvents 1.0, one frozen model each.

A fact's ``data`` never changes meaning; new fields are optional, unknown ones are ignored, an
incompatible change is a new type. Bytes never travel in events: they carry keys of the object
store. See docs/decisions/0005-cloudevents.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

MAX_EVENT_BYTES = 64 * 1024
"""An event larger than this is refused before it is published."""

Attempt = Annotated[int, Field(ge=0, le=2**31 - 1)]
Percent = Annotated[int, Field(ge=0, le=100)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Artifact(_Frozen):
    """One result file in the object store; ``key`` is where."""

    key: str
    content_type: str
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None


class TaskError(_Frozen):
    """Why a task failed. ``message`` is for the user; its values are in ``params`` as well."""

    code: str
    message: str
    retryable: bool = False
    attempts: Attempt = 0
    params: dict[str, Any] = Field(default_factory=dict)


class RequestData(_Frozen):
    """What was asked for. ``lane`` is the provider that is to serve it.

    ``body_sha256`` is the hash of the canonical request: the same idempotency key with another
    body is told apart by it. ``submission`` names the HTTP request that told this fact.
    ``substituted_from`` is the provider that was to serve the task, when another one does.
    """

    lane: str
    stage: str
    prompt: str | None = None
    reference_images: tuple[str, ...] = ()
    provider_params: dict[str, Any] = Field(default_factory=dict)
    prompt_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    run_at: AwareDatetime | None = None
    body_sha256: str = ""
    submission: str = ""
    substituted_from: str | None = None
    attempt: Attempt = 0
    progress: Percent = 0


@final
class StartedData(_Frozen):
    """An attempt began. ``worker`` is unique to a process start."""

    attempt: Attempt
    stage: str
    provider: str
    worker: str
    progress: Percent = 0


@final
class ProgressedData(_Frozen):
    """A sign of life; ``external_task_id`` and ``handle`` once the provider has given them.

    ``handed_over`` in the last one of a worker that goes: another takes the task up, and this
    attempt is none that failed.
    """

    attempt: Attempt
    progress: Percent
    stage: str | None = None
    external_task_id: str | None = None
    handle: dict[str, Any] | None = None
    handed_over: Literal[True] | None = None


@final
class SubmittingData(_Frozen):
    """A paid call is about to be made, under ``key``."""

    attempt: Attempt
    provider: str
    key: str


@final
class RetryingData(_Frozen):
    """An attempt failed; the next one starts at ``retry_at``.

    ``spared`` where that counts as none: the provider was busy, or it was only tried whether it is
    there again.
    """

    attempt: Attempt
    retry_at: AwareDatetime
    error: TaskError
    stage: str
    progress: Percent = 0
    spared: Literal[True] | None = None


class AnnotatedData(_Frozen):
    """A merge patch (RFC 7396) of the metadata."""

    patch: dict[str, Any]


class UploadedData(_Frozen):
    """The photo that a pending task waited for."""

    reference_image: str


class LateResultData(_Frozen):
    """What a provider delivered after the task had ended."""

    attempt: Attempt
    artifacts: tuple[Artifact, ...]


class CompletedData(_Frozen):
    """The results are in the object store."""

    attempt: Attempt
    artifacts: tuple[Artifact, ...]
    stage: str
    progress: Literal[100] = 100
    external_task_id: str | None = None


class FailedData(_Frozen):
    """The task ended without a result."""

    attempt: Attempt
    error: TaskError
    stage: str | None = None
    progress: Literal[0] = 0


class CancelledData(_Frozen):
    """The owner ended the task."""

    attempt: Attempt = 0


class ErasedData(_Frozen):
    """Everything personal about the task is gone; only its id remains."""


class Envelope(_Frozen):
    """The attributes that all events share (CloudEvents 1.0, JSON structured mode).

    ``id`` is also ``Nats-Msg-Id``. ``subject`` is the task's id.
    """

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[str, Field(min_length=1)]
    source: str
    subject: Annotated[str, Field(min_length=1)]
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = None
    owner: str
    tasktype: str
    traceparent: str | None = None
    causationid: str | None = None

    @property
    def task_id(self) -> str:
        return self.subject

    @property
    def correlation_id(self) -> str | None:
        """The trace that it belongs to: the same for everything that one request has led to."""
        return None if self.traceparent is None else self.traceparent[3:35]


@final
class Requested(Envelope):
    type: Literal["generation.requested"] = "generation.requested"
    data: RequestData


@final
class Accepted(Envelope):
    type: Literal["generation.accepted"] = "generation.accepted"
    data: RequestData


@final
class Started(Envelope):
    type: Literal["generation.started"] = "generation.started"
    data: StartedData


@final
class Progressed(Envelope):
    type: Literal["generation.progressed"] = "generation.progressed"
    data: ProgressedData


@final
class Submitting(Envelope):
    type: Literal["generation.submitting"] = "generation.submitting"
    data: SubmittingData


@final
class Retrying(Envelope):
    type: Literal["generation.retrying"] = "generation.retrying"
    data: RetryingData


@final
class MetadataAnnotated(Envelope):
    type: Literal["generation.annotated"] = "generation.annotated"
    data: AnnotatedData


@final
class Uploaded(Envelope):
    type: Literal["generation.uploaded"] = "generation.uploaded"
    data: UploadedData


@final
class LateResult(Envelope):
    type: Literal["generation.late_result"] = "generation.late_result"
    data: LateResultData


@final
class Completed(Envelope):
    type: Literal["generation.completed"] = "generation.completed"
    data: CompletedData


@final
class Failed(Envelope):
    type: Literal["generation.failed"] = "generation.failed"
    data: FailedData


@final
class TimedOut(Envelope):
    type: Literal["generation.timed_out"] = "generation.timed_out"
    data: FailedData


@final
class Cancelled(Envelope):
    type: Literal["generation.cancelled"] = "generation.cancelled"
    data: CancelledData


@final
class Erased(Envelope):
    type: Literal["generation.erased"] = "generation.erased"
    data: ErasedData = ErasedData()


End = Completed | Failed | TimedOut | Cancelled
"""What ends a task: exactly one of these is ever on a task's finished subject."""

ProgressEvent = (
    Accepted
    | Started
    | Progressed
    | Submitting
    | Retrying
    | MetadataAnnotated
    | Uploaded
    | LateResult
)

Event = Requested | ProgressEvent | End | Erased

EVENT_CLASSES: tuple[type[Envelope], ...] = (
    Requested,
    Accepted,
    Started,
    Progressed,
    Submitting,
    Retrying,
    MetadataAnnotated,
    Uploaded,
    LateResult,
    Completed,
    Failed,
    TimedOut,
    Cancelled,
    Erased,
)

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
_validate_json = _ADAPTER.validator.validate_json


def event_type(event_class: type[Envelope]) -> str:
    """The CloudEvents ``type`` of a class of events."""
    return str(event_class.model_fields["type"].default)


def schema_urn(type_name: str) -> str:
    """``dataschema`` of an event: the name of its JSON Schema in ``contracts/schemas``."""
    return f"urn:darkroom:schema:{type_name}:1"


def decode(payload: bytes) -> Event:
    """The event in a message's payload. Raises `pydantic.ValidationError`."""
    event: Event = _validate_json(payload)
    return event


def encode(event: Event) -> bytes:
    """The payload of an event: JSON without the attributes that are null."""
    return event.__pydantic_serializer__.to_json(event, exclude_none=True)


def envelope(
    *,
    event_id: str,
    source: str,
    task_id: str,
    owner: str,
    tasktype: str,
    time: datetime,
    traceparent: str | None = None,
    causationid: str | None = None,
) -> dict[str, Any]:
    """The shared attributes, as keyword arguments for an event's class."""
    return {
        "id": event_id,
        "source": source,
        "subject": task_id,
        "time": time,
        "owner": owner,
        "tasktype": tasktype,
        "traceparent": traceparent,
        "causationid": causationid,
    }
