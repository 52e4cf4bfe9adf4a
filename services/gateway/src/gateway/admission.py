"""May this request become a task, and which event says so? Read this first. Pure.

`read_submission` takes the shape, `want` the meaning, `begin` makes the event. Time, ids and what
the world looks like are arguments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from artifacts.keys import key_of
from contracts.api import SubmitTask
from contracts.events import (
    MAX_EVENT_BYTES,
    Accepted,
    RequestData,
    Requested,
    encode,
    envelope,
    schema_urn,
)
from contracts.generation_types import GENERATION_TYPES, GenerationType
from contracts.records import Record
from contracts.subjects import BANDS, lane_of, provider_of
from gateway.refusals import Refusal, request_too_large
from gateway.wellformed import NUL_IN_JSON, check_json, invalid, refuse_nul, shape_refusal

SOURCE = "gateway"
MAX_IDEMPOTENCY_KEY = 255
ROOM_TO_BE_REQUESTED = 2048
"""What the later request of a waiting task may have more: its photo, another writer's envelope."""
_NEXT_BAND = 16
_EXACT_FLOAT = 2.0**53
_SUBMISSION: TypeAdapter[SubmitTask] = TypeAdapter(SubmitTask)
_IDEMPOTENCY_KEY = re.compile(rf"[!-~]{{1,{MAX_IDEMPOTENCY_KEY}}}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_TASK_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SERVICE = re.compile(r"[A-Z0-9_-]{1,64}")


@dataclass(frozen=True)
class Wanted:
    """A request in its canonical form: references as keys, the lane chosen."""

    kind: GenerationType
    lane: str
    prompt: str | None
    references: tuple[str, ...]
    provider_params: Mapping[str, Any]
    prompt_id: str | None
    metadata: Mapping[str, Any]
    run_at: datetime | None

    @cached_property
    def body_sha256(self) -> str:
        """The same however the request's JSON was written."""
        return body_hash(self)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who asks, when, and the ids of what will come of it. ``band``: how far back it waits."""

    owner: str
    task_id: str
    submission: str
    now: datetime
    band: int = 0
    traceparent: str | None = None


def read_submission(body: bytes) -> SubmitTask:
    """The body of ``POST /tasks``, its shape checked."""
    try:
        submission = _SUBMISSION.validate_json(body)
    except ValidationError as error:
        raise shape_refusal(error) from None
    if NUL_IN_JSON in body:
        refuse_nul(submission.model_dump())
    return submission


def want(submission: SubmitTask, owner: str, public_url: str) -> Wanted:
    """What a well-formed request means. Raises `Refusal`."""
    kind = generation_type(submission.type)
    for name in ("webhook_url", "priority"):
        if getattr(submission, name) is not None:
            raise Refusal(
                "not_supported",
                f"{name} is not supported yet. Leave it out.",
                errors=[((name,), "not supported yet")],
            )
    if kind.prompt_required and not (submission.prompt or "").strip():
        raise invalid([(("prompt",), f"{kind.name} needs a prompt")])
    check_json(submission.provider_params, ("provider_params",))
    check_json(submission.metadata, ("metadata",))
    references = tuple(
        canonical_reference(text, owner, public_url, ("reference_images", at))
        for at, text in enumerate(submission.reference_images)
    )
    _check_reference_count(kind, len(references))
    return Wanted(
        kind=kind,
        lane=choose_lane(kind, submission.provider_params),
        prompt=submission.prompt,
        references=references,
        provider_params=submission.provider_params,
        prompt_id=submission.prompt_id,
        metadata=submission.metadata,
        run_at=_in_utc(submission.run_at),
    )


def want_again(record: Record) -> Wanted:
    """The request of a task that has ended, asked for once more."""
    return Wanted(
        kind=generation_type(record["type"]),
        lane=provider_of(record["lane"]),
        prompt=record["prompt"],
        references=tuple(record["reference_images"]),
        provider_params=record["provider_params"],
        prompt_id=record["prompt_id"],
        metadata={**record["metadata"], "retry_of": record["task_id"]},
        run_at=None,
    )


def begin(wanted: Wanted, at: Circumstances) -> Requested | Accepted:
    """The first event of the task: in line at once, or accepted to wait for a time or a photo.

    Raises `Refusal` for one that could wait, but not be put in line when its time has come.
    """
    kind = wanted.kind
    later = wanted.run_at is not None and wanted.run_at > at.now
    waits = later or (kind.waits_for_photo and not wanted.references)
    data = RequestData(
        lane=lane_of(wanted.lane, at.band),
        stage=kind.pending_stage if waits else kind.waiting_stage,
        prompt=wanted.prompt,
        reference_images=wanted.references,
        provider_params=dict(wanted.provider_params),
        prompt_id=wanted.prompt_id,
        metadata=dict(wanted.metadata),
        run_at=wanted.run_at,
        body_sha256=wanted.body_sha256,
        submission=at.submission,
    )
    told = "accepted" if waits else "requested"
    attributes = envelope(
        event_id=f"{at.task_id}:{told}",
        source=SOURCE,
        task_id=at.task_id,
        owner=at.owner,
        tasktype=kind.name,
        time=at.now,
        traceparent=at.traceparent,
    )
    schema = schema_urn(f"generation.{told}")
    if waits:
        accepted = Accepted(**attributes, dataschema=schema, data=data)
        if len(encode(accepted)) > MAX_EVENT_BYTES - ROOM_TO_BE_REQUESTED:
            raise request_too_large()
        return accepted
    return Requested(**attributes, dataschema=schema, data=data)


def check_replay(stored_sha256: str, wanted_sha256: str) -> None:
    """The same key may only mean the same request; an erased task's request is known no more."""
    if stored_sha256 != wanted_sha256:
        raise Refusal(
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request. Use a new key for a new request.",
        )


def generation_type(name: str) -> GenerationType:
    kind = GENERATION_TYPES.get(name)
    if kind is None:
        known = ", ".join(GENERATION_TYPES)
        raise Refusal(
            "unknown_type",
            f"{name[:64]!r} is not a type of task. Known types: {known}.",
            errors=[(("type",), f"one of {known}")],
        )
    return kind


def band_for(waiting: int, share: int) -> int:
    """How far back the next task of an owner waits who has so many waiting already.

    The first ``share`` of each owner's tasks wait in front, sixteen times as many behind them.
    """
    if waiting < share:
        return 0
    return 1 if waiting < share * _NEXT_BAND else BANDS - 1


def choose_lane(kind: GenerationType, provider_params: Mapping[str, Any]) -> str:
    """The provider that is to serve the task: the one named, else the type's default."""
    service = provider_params.get("service")
    if service is None:
        return kind.default_provider
    if not isinstance(service, str) or not _SERVICE.fullmatch(service):
        raise invalid(
            [(("provider_params", "service"), "the name of a provider in upper case, like STUDIO")]
        )
    return service.lower()


def canonical_reference(
    text: str, owner: str, public_url: str, loc: tuple[str | int, ...] = ("reference_images",)
) -> str:
    """The key behind an address of ours, or a public http(s) URL as it is."""
    key = key_of(text, owner, public_url)
    if key is not None:
        return key
    if text.startswith(("http://", "https://")):
        return text
    if text.startswith(("/uploads/", "/artifacts/")):
        raise reference_not_found(text, loc)
    raise Refusal(
        "reference_unsupported",
        f"{text[:200]!r} is not a reference that can be used. Give the URL or path of an upload "
        "or artifact of yours, or a public http(s) URL.",
        errors=[(loc, "not an own upload or artifact, nor a public http(s) URL")],
    )


def reference_not_found(text: str, loc: tuple[str | int, ...]) -> Refusal:
    return Refusal(
        "reference_not_found",
        f"There is nothing at {text[:200]!r}. Upload the file and use the URL of the answer.",
        errors=[(loc, "not found")],
    )


def check_idempotency_key(key: str) -> str:
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise Refusal(
            "idempotency_key_invalid",
            f"An Idempotency-Key has 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters.",
        )
    return key


def is_task_id(text: str) -> bool:
    """Whether this can be a task's id: a UUID as this system writes them."""
    return _TASK_ID.fullmatch(text) is not None


def usable_traceparent(header: str | None) -> str | None:
    """The W3C trace context of a request, where it is well formed."""
    return header if header and _TRACEPARENT.fullmatch(header) else None


def untraced(noise: bytes) -> str:
    """A context that nobody records: what it leads to has one id nevertheless. 24 random bytes."""
    return f"00-{noise[:16].hex()}-{noise[16:].hex()}-00"


def body_hash(wanted: Wanted) -> str:
    """SHA-256 of what the request means."""
    meaning = {
        "type": wanted.kind.name,
        "prompt": wanted.prompt,
        "reference_images": list(wanted.references),
        "provider_params": _plain(wanted.provider_params),
        "prompt_id": wanted.prompt_id,
        "metadata": _plain(wanted.metadata),
        "run_at": wanted.run_at,
    }
    written = orjson.dumps(meaning, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(written).hexdigest()


def _plain(value: Any) -> Any:
    """JSON knows one kind of number: 1.0 is 1."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_FLOAT:
        return int(value)
    return value


def _check_reference_count(kind: GenerationType, count: int) -> None:
    fewest, most = kind.references
    if not fewest <= count <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        message = f"{kind.name} takes {wanted} reference images, {count} were given"
        raise invalid([(("reference_images",), message)])


def _in_utc(moment: datetime | None) -> datetime | None:
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError:
        raise invalid([(("run_at",), "outside the years 1 to 9999")]) from None
