"""One-line facts of a task, for tests: sensible defaults, everything else by keyword.

    fold(requested(), started(), progressed(40))
    given(requested(), started()).when(completed()).then_status("completed")

Keywords that every builder takes: ``task``, ``owner``, ``tasktype``, ``source``, ``event_id`` and
``at``, seconds after `NOON`; all others are fields of the event's data. The same arguments give
the same event, id included: telling a fact twice is a redelivery, another ``at`` another fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, uuid5

from contracts.events import (
    Accepted,
    Artifact,
    Cancelled,
    Completed,
    Envelope,
    Erased,
    Event,
    Failed,
    LateResult,
    MetadataAnnotated,
    Progressed,
    RequestData,
    Requested,
    Retrying,
    Started,
    Submitting,
    TaskError,
    TimedOut,
    Uploaded,
    event_type,
    schema_urn,
)
from contracts.generation_types import GENERATION_TYPES, GenerationType
from contracts.lifecycle import Task, evolve

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TASK_ID = "0199f0c2-7e4a-7000-8000-000000000001"
OWNER = "local"
PROVIDER_ERROR = TaskError(
    code="provider_error", message="The provider could not do it. Please try again.", attempts=1
)
TIMEOUT = TaskError(
    code="timeout",
    message="Nothing was heard of this task for 300 s, so it was stopped. Please try again.",
    retryable=True,
    attempts=1,
    params={"seconds": 300},
)

E = TypeVar("E", bound=Envelope)


def task_id(number: int) -> str:
    """The task id number ``number``: a UUIDv7, later numbers sort later."""
    return f"0199f0c2-7e4a-7000-8000-{number:012x}"


def after(seconds: float) -> datetime:
    """The time ``seconds`` after `NOON`."""
    return NOON + timedelta(seconds=seconds)


def artifact(key: str = "artifacts/local/result.png", **changes: Any) -> Artifact:
    values = {"content_type": "image/png", "bytes": 1024, "sha256": "a" * 64}
    return Artifact(**{"key": key, "width": 512, "height": 512, **values, **changes})


def requested(**told: Any) -> Requested:
    """The task is in line: the first fact of most tasks."""
    event_id = f"{told.get('task', TASK_ID)}:requested"
    return _tell(Requested, {"event_id": event_id, "at": 0, **_request(told), **told})


def accepted(**told: Any) -> Accepted:
    """The task waits for a photo or a start time."""
    told = {"tasktype": "PHOTO_TO_3D", **told}
    event_id = f"{told.get('task', TASK_ID)}:accepted"
    request = _request(told) | {"stage": _kind(told).pending_stage, "prompt": None}
    return _tell(Accepted, {"event_id": event_id, "at": 0, **request, **told})


def started(attempt: int = 1, **told: Any) -> Started:
    kind = _kind(told)
    # A 3D model's first working stage is reached only when the background is removed.
    stage = kind.waiting_stage if kind.waits_for_photo else kind.working_stages[0]
    facts = {"stage": stage, "provider": "studio", "worker": "generator-1"}
    return _tell(Started, {"at": 1, "attempt": attempt, **facts, **told})


def submitting(attempt: int = 1, **told: Any) -> Submitting:
    key = f"{told.get('task', TASK_ID)}:{attempt}"
    facts = {"attempt": attempt, "provider": "studio", "key": key}
    return _tell(Submitting, {"at": 2, **facts, **told})


def progressed(progress: int = 40, attempt: int = 1, **told: Any) -> Progressed:
    return _tell(Progressed, {"at": 3, "progress": progress, "attempt": attempt, **told})


def handed_over(attempt: int = 1, **told: Any) -> Progressed:
    """The worker goes, as planned; another one takes the task up."""
    return progressed(40, attempt, **{"at": 4, "handed_over": True, **told})


def retrying(attempt: int = 1, **told: Any) -> Retrying:
    """The attempt failed; the next starts a second later."""
    told = {"at": 4, **told}
    facts = {"retry_at": after(told["at"] + 1), "stage": _kind(told).waiting_stage}
    return _tell(Retrying, {"attempt": attempt, "error": PROVIDER_ERROR, **facts, **told})


def annotated(patch: dict[str, Any] | None = None, **told: Any) -> MetadataAnnotated:
    patch = {"starred": True} if patch is None else patch
    return _tell(MetadataAnnotated, {"at": 5, "patch": patch, **told})


def uploaded(reference_image: str = "uploads/local/photo.jpg", **told: Any) -> Uploaded:
    facts = {"tasktype": "PHOTO_TO_3D", "reference_image": reference_image}
    return _tell(Uploaded, {"at": 0.5, **facts, **told})


def completed(attempt: int = 1, **told: Any) -> Completed:
    facts = {"artifacts": (artifact(),), "stage": _kind(told).working_stages[-1]}
    return _tell(Completed, {"at": 10, "attempt": attempt, **facts, **told})


def failed(attempt: int = 1, **told: Any) -> Failed:
    return _tell(Failed, {"at": 10, "attempt": attempt, "error": PROVIDER_ERROR, **told})


def timed_out(attempt: int = 1, **told: Any) -> TimedOut:
    return _tell(TimedOut, {"at": 310, "attempt": attempt, "error": TIMEOUT, **told})


def cancelled(attempt: int = 0, **told: Any) -> Cancelled:
    return _tell(Cancelled, {"at": 10, "attempt": attempt, **told})


def late_result(attempt: int = 1, **told: Any) -> LateResult:
    facts = {"artifacts": (artifact("artifacts/local/late.png"),)}
    return _tell(LateResult, {"at": 320, "attempt": attempt, **facts, **told})


def erased(**told: Any) -> Erased:
    return _tell(Erased, {"at": 400, **told})


def fold(*events: Event, start: int = 1, task: Task | None = None) -> Task | None:
    """The task after these facts, stored at ``start``, ``start + 1`` … at their own times."""
    for sequence, event in enumerate(events, start):
        task = evolve(task, event, sequence, event.time)
    return task


def folded(*events: Event, start: int = 1) -> Task:
    """`fold`, where there must be a task."""
    task = fold(*events, start=start)
    assert task is not None
    return task


def given(*events: Event) -> Given:
    """``given(facts).when(facts).then(changes)``."""
    return Given(events)


@dataclass(frozen=True)
class Given:
    """The facts of a task so far."""

    events: tuple[Event, ...]

    def when(self, *events: Event) -> Outcome:
        before = fold(*self.events)
        return Outcome(before, fold(*events, start=len(self.events) + 1, task=before))


@dataclass(frozen=True)
class Outcome:
    """The task before and after the facts of a `Given.when`."""

    before: Task | None
    after: Task | None

    def then(self, **changes: Any) -> Task:
        """These attributes of the task have these values now, and no others changed.

        ``sequence``, ``updated_at`` and ``heard_at``, which most facts move, need not be named.
        """
        assert self.before is not None
        assert self.after is not None
        moving = ("sequence", "updated_at", "heard_at")
        expected = {
            **self.before._asdict(),
            **{name: getattr(self.after, name) for name in moving},
            **changes,
        }
        assert {name: getattr(self.after, name) for name in expected} == expected
        return self.after

    def then_nothing(self) -> None:
        """The facts changed nothing, not even the sequence."""
        assert self.after is self.before

    def then_status(self, status: str) -> Task:
        assert self.after is not None
        assert self.after.status == status
        return self.after


_ENVELOPE = ("task", "owner", "tasktype", "source", "at", "event_id")


def _tell(event_class: type[E], told: dict[str, Any]) -> E:
    """The event: what belongs to the envelope goes there, the rest is its data."""
    make: Any = event_class
    data_class = make.model_fields["data"].annotation
    told = {"task": TASK_ID, "owner": OWNER, "tasktype": "CREATE", "source": "tests", **told}
    facts = {name: value for name, value in told.items() if name not in _ENVELOPE}
    unknown = facts.keys() - data_class.model_fields.keys()
    assert not unknown, f"{event_class.__name__} has no {', '.join(sorted(unknown))}"
    name = event_type(event_class)
    data = data_class(**facts)
    content = f"{told['task']}|{name}|{told['at']}|{data.model_dump_json()}"
    event: E = make(
        id=told.get("event_id") or str(uuid5(NAMESPACE_OID, content)),
        source=told["source"],
        subject=told["task"],
        time=after(told["at"]),
        dataschema=schema_urn(name),
        owner=told["owner"],
        tasktype=told["tasktype"],
        data=data,
    )
    return event


def _kind(told: dict[str, Any]) -> GenerationType:
    """Its type; one that only a deployment knows has the stages of ``CREATE``."""
    return GENERATION_TYPES.get(told.get("tasktype", "CREATE"), GENERATION_TYPES["CREATE"])


def _request(told: dict[str, Any]) -> dict[str, Any]:
    return RequestData(
        lane="studio",
        stage=_kind(told).waiting_stage,
        prompt="a red bicycle",
        body_sha256="b" * 64,
        submission="submission-1",
    ).model_dump()
