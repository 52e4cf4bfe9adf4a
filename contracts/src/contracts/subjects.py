"""The stream, its subjects and its consumers: spelled here and nowhere else.

These are descriptions; `delivery.provision` makes the broker match them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from contracts.events import Cancelled as CancelledEvent
from contracts.events import Completed, Envelope, Erased, Failed, Requested, TimedOut
from contracts.generation_types import subject_token

STREAM = "GENERATION"
ALL_EVENTS = "generation.>"
ALL_FINISHED = "generation.finished.>"
LIVE_PREFIX = "live"
LIVE_EVENTS = f"{LIVE_PREFIX}.{ALL_EVENTS}"
"""What the broker republishes of every event that it stored (core NATS, at most once)."""
PROJECTED = f"{LIVE_PREFIX}.projected"
"""How far the projection is, told after each of its transactions: ``{"sequence": checkpoint,
"holds"?: [task_id]}`` (core NATS, at most once). ``holds`` are tasks that wait from now on behind
an event that could not be applied, and those whose such events were retried or dropped."""
PROVIDER_BUCKET = "PROVIDERS"
"""The key-value bucket in which generators announce what they offer."""
BREAKER_BUCKET = "BREAKERS"
"""The key-value bucket with the circuit breaker of each provider (`contracts.breaker`)."""
RATE_BUCKET = "RATES"
"""The key-value bucket with the last submits to each provider that bounds their rate."""
SHARE_BUCKET = "SHARES"
"""The key-value bucket with what each generator has inside of a limit that holds over all."""
HOOK_BUCKET = "HOOKS"
"""The key-value bucket with the last callback for each task, under ``<provider>.<task_id>``."""
BUCKETS: Mapping[str, timedelta | None] = MappingProxyType(
    {
        PROVIDER_BUCKET: None,
        BREAKER_BUCKET: None,
        RATE_BUCKET: None,
        SHARE_BUCKET: timedelta(days=1),
        HOOK_BUCKET: timedelta(days=1),
    }
)
"""Every key-value bucket, and how long a value in it lives; None for ever."""
CANCEL_SUBJECTS = "cancel.*"
EXHAUSTED_DELIVERIES = f"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{STREAM}.*"
"""What the broker tells of a durable that gives up on an event (core NATS, at most once)."""
REPLAY_PREFIX = "replay"
"""Old events, told again to a new subscriber: ``replay.<name>.<original subject>``."""
RESTORE_PREFIX = "restore"
"""Where the events of a lost log are published to bring it back; the broker stores them under
their own subjects. See docs/decisions/0019-restoring-the-log.md."""
RESTORING = "darkroom.restoring"
"""In a stream's metadata: the log is being brought back, and from where. Nobody else makes or
changes anything on it until that is done."""
ORIGINAL_SEQUENCE = "Darkroom-Sequence"
"""The header with the sequence that a message had where it was copied from."""
ORIGINAL_LOGTIME = "Darkroom-Logtime"
"""The header with the time at which the log first stored it. In a log that was restored it is the
message's logtime."""
ORIGINAL_ID = "Darkroom-Event-Id"
"""The header with the event's id, where ``Nats-Msg-Id`` would make the broker drop the copy of an
event that the log has twice."""
LANE_PREFIX = "generator-"
"""What the names of all lanes' consumers begin with; no subscriber's does."""
MINIMUM_SERVER = (2, 12, 4)

BANDS = 3
"""The lanes of one type at one provider. See docs/decisions/0017-fair-lanes.md."""

_FINISHING = (Completed, Failed, TimedOut, CancelledEvent, Erased)


def requested_subject(tasktype: str, lane: str, task_id: str) -> str:
    return f"generation.requested.{subject_token(tasktype)}.{lane}.{task_id}"


def lane_of(provider: str, band: int = 0) -> str:
    """The lane of a provider in which tasks of a band wait: those of band 0 are served first."""
    return provider if band == 0 else f"{provider}~{band}"


def provider_of(lane: str) -> str:
    """Who serves a lane."""
    return lane.partition("~")[0]


def band_of(lane: str) -> int:
    """How far back a lane's tasks wait; 0 is the front."""
    return int(lane.partition("~")[2] or 0)


def progress_subject(tasktype: str, task_id: str) -> str:
    return f"generation.progress.{subject_token(tasktype)}.{task_id}"


def finished_subject(tasktype: str, task_id: str) -> str:
    """The one literal subject that all ends of a task share; the broker lets one of them in."""
    return f"generation.finished.{subject_token(tasktype)}.{task_id}"


def subject_of(event: Envelope) -> str:
    """Where an event is published."""
    if isinstance(event, Requested):
        return requested_subject(event.tasktype, event.data.lane, event.subject)
    if isinstance(event, _FINISHING):
        return finished_subject(event.tasktype, event.subject)
    return progress_subject(event.tasktype, event.subject)


def begins_task(subject: str) -> bool:
    """Whether an event on this subject is a task's `requested`, with which most tasks begin."""
    return subject.startswith("generation.requested.")


def requests_of(task_id: str) -> str:
    """A wildcard over the subjects on which a task's ``requested`` can be."""
    return f"generation.requested.*.*.{task_id}"


def beginnings_of(task_id: str) -> str:
    """A wildcard over a task's progress subject, whatever its type."""
    return f"generation.progress.*.{task_id}"


def facts_after_request(tasktype: str, task_id: str) -> str:
    """A wildcard over all that can be told of a task, but for its request."""
    return f"generation.*.{subject_token(tasktype)}.{task_id}"


def replay_stream(name: str) -> str:
    """The stream that keeps what is replayed to ``name``."""
    return f"REPLAY_{name}"


def replay_subject(name: str, subject: str) -> str:
    """Where an event of the log is told again: never on the live tree."""
    return f"{REPLAY_PREFIX}.{name}.{subject}"


def restore_subject(subject: str) -> str:
    return f"{RESTORE_PREFIX}.{subject}"


def callbacks_of(task_id: str) -> str:
    """A wildcard over the keys of `HOOK_BUCKET` that belong to a task, as subjects."""
    return f"$KV.{HOOK_BUCKET}.*.{task_id}"


def cancel_subject(task_id: str) -> str:
    return f"cancel.{task_id}"


def task_id_of(subject: str) -> str:
    """The task's id is the last token of each of its subjects."""
    return subject.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """How the log is kept. ``max_bytes`` in bytes."""

    max_age: timedelta
    max_bytes: int
    replicas: int = 1
    duplicate_window: timedelta = timedelta(minutes=2)
    name: str = STREAM
    subjects: tuple[str, ...] = (ALL_EVENTS,)


@dataclass(frozen=True, slots=True)
class LaneConsumerSpec:
    """The durable pull consumer that the generators of one lane (`lane_of`) share.

    There is no ``max_deliver``: attempts, read from the log, are the bound. There is no
    ``backoff``: it would replace ``ack_wait`` and does not apply to a nak.
    """

    tasktype: str
    lane: str
    ack_wait: timedelta = timedelta(seconds=30)
    max_ack_pending: int = 100_000

    @property
    def durable(self) -> str:
        return f"{LANE_PREFIX}{subject_token(self.tasktype)}-{self.lane}"

    @property
    def filter_subject(self) -> str:
        return f"generation.requested.{subject_token(self.tasktype)}.{self.lane}.>"
