"""Durable consumers of foreign services: each has its own place in the log, and is nobody's lane.

``darkroom setup --subscriber`` makes them (docs/subscribing.md); no service of ours uses one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from nats.js.errors import NotFoundError

from contracts.subjects import ALL_EVENTS, LANE_PREFIX, STREAM
from delivery.provision import Difference, consumers
from telemetry.findings import Finding

FAR_BEHIND = 10_000
DEFAULT_MAX_DELIVER = 20
DEFAULT_ACK_WAIT = timedelta(seconds=30)
_MAX_ACK_PENDING = 1_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9_~-]+|\*")


class Unsuitable(ValueError):
    """A name or a filter that no subscriber can have; says why."""


class BeyondTheEnd(Exception):
    """A new one can't begin there: the log ends before it, at ``last``."""

    def __init__(self, last: int) -> None:
        super().__init__(f"the log ends at {last}")
        self.last = last


class CannotChange(Exception):
    """The consumer is there and can't be made so; says what differs."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a new subscriber begins: what comes, all there is, from a sequence or a time on."""

    policy: DeliverPolicy
    sequence: int | None = None
    time: datetime | None = None


NEW = Start(DeliverPolicy.NEW)


@dataclass(frozen=True, slots=True)
class SubscriberSpec:
    """What is None stays as it is; a new subscriber gets the default.

    ``max_deliver`` bounds how often an event is given out that is never acknowledged.
    """

    name: str
    filters: tuple[str, ...] | None = None
    start: Start | None = None
    max_deliver: int | None = None
    ack_wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscriber as the broker tells it. ``seen`` is the sequence of the last event that it was
    given, ``behind`` how many of its events come after, ``unacknowledged`` how many it has in hand,
    ``asking`` how many of its pulls wait."""

    name: str
    filters: tuple[str, ...]
    seen: int
    acknowledged: int
    behind: int
    unacknowledged: int
    redelivered: int
    asking: int
    max_deliver: int
    ack_wait_s: float

    @property
    def has_all(self) -> bool:
        """Whether each event of the log is one of its own."""
        return ALL_EVENTS in self.filters

    def missed(self, first_sequence: int) -> int:
        """How many sequences left the log after the last event that it was given.

        Each was one of its own if it `has_all`; else nobody can tell.
        """
        return max(0, first_sequence - self.seen - 1)


def check_name(name: str) -> str:
    """Raises `Unsuitable`."""
    if not _NAME.fullmatch(name):
        raise Unsuitable(f"{name!r} is no name: use letters, digits, _ and -, at most 64")
    if name.startswith(LANE_PREFIX):
        raise Unsuitable(f"{name!r} is the name of a lane: it must not begin with {LANE_PREFIX}")
    return name


def check_filter(subject: str) -> str:
    """Raises `Unsuitable` for what isn't a subject below ``generation``."""
    first, *rest = subject.split(".")
    if rest and rest[-1] == ">":
        rest = [*rest[:-1], "x"]
    if first != "generation" or not rest or not all(_TOKEN.fullmatch(each) for each in rest):
        raise Unsuitable(f"{subject!r} is no part of the log: its subjects are {ALL_EVENTS}")
    return subject


async def ensure_subscriber(
    client: Client, spec: SubscriberSpec, *, mend: bool = True
) -> list[Difference]:
    """Create or reconcile the consumer; returns what differed before. ``mend=False`` only looks.

    Raises `CannotChange` and `BeyondTheEnd`.
    """
    js = client.jetstream()
    thing = f"subscriber {spec.name}"
    try:
        found = (await js.consumer_info(STREAM, spec.name)).config
    except NotFoundError:
        await _check_start(js, spec.start)
        if mend:
            await js.add_consumer(STREAM, _new(spec))
        return [Difference(thing, "exists", True, None)]
    _check_changeable(spec, found)
    differences = [
        Difference(thing, setting, wanted, there)
        for setting, wanted, there in _settings(spec, found)
        if wanted != there
    ]
    if differences and mend:
        await js.add_consumer(STREAM, _changed(spec, found))
    return differences


async def _check_start(js: JetStreamContext, start: Start | None) -> None:
    """One past the end is what comes; further on, events would be left out that nobody knows."""
    if start is not None and start.sequence is not None:
        last = (await js.stream_info(STREAM)).state.last_seq
        if start.sequence > last + 1:
            raise BeyondTheEnd(last)


async def subscribers(client: Client) -> list[Subscriber]:
    """All durable consumers of the log that are no lanes, by name."""
    return subscribers_among(await consumers(client))


def subscribers_among(infos: Iterable[ConsumerInfo]) -> list[Subscriber]:
    """The same, of consumers that are there."""
    found = [
        _subscriber(info)
        for info in infos
        if info.config.durable_name and not info.name.startswith(LANE_PREFIX)
    ]
    return sorted(found, key=lambda each: each.name)


def judge(found: Sequence[Subscriber], first_sequence: int) -> Finding:
    """What is to be said of them, when the log begins at ``first_sequence``. Pure."""
    mend = "start them and see docs/subscribing.md; or darkroom setup --remove NAME"

    def places(those: Sequence[Subscriber]) -> str:
        told = (f"{each.name} (at {each.seen:,})" for each in those)
        return f"{', '.join(told)}; the log begins at {first_sequence:,}"

    missing = [each for each in found if each.has_all and each.missed(first_sequence)]
    if missing:
        detail = f"events left the log unread by {places(missing)}"
        return Finding("subscribers", ok=False, detail=detail, mend=mend)
    late = [each for each in found if each.behind >= FAR_BEHIND]
    if late:
        told = ", ".join(f"{each.name} ({each.behind:,} events)" for each in late)
        return Finding(
            "subscribers",
            ok=None,
            detail=f"far behind: {told}",
            mend="start them before their next event leaves the log; darkroom setup --subscribers",
        )
    unsure = [
        each
        for each in found
        if not each.has_all and not each.asking and each.missed(first_sequence)
    ]
    if unsure:
        detail = f"away, and events that left the log may have been theirs: {places(unsure)}"
        return Finding("subscribers", ok=None, detail=detail, mend=mend)
    most = max((each.behind for each in found), default=0)
    detail = f"{len(found)}, at most {most:,} events behind" if found else "none"
    return Finding("subscribers", ok=True, detail=detail)


async def remove_subscriber(client: Client, name: str) -> None:
    """Raises `nats.js.errors.NotFoundError` when there is none."""
    await client.jetstream().delete_consumer(STREAM, check_name(name))


def _new(spec: SubscriberSpec) -> ConsumerConfig:
    start = spec.start or NEW
    return ConsumerConfig(
        name=spec.name,
        durable_name=spec.name,
        **_filtered(spec.filters or (ALL_EVENTS,)),
        deliver_policy=start.policy,
        opt_start_seq=start.sequence,
        opt_start_time=start.time,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=(spec.ack_wait or DEFAULT_ACK_WAIT).total_seconds(),
        max_deliver=spec.max_deliver or DEFAULT_MAX_DELIVER,
        max_ack_pending=_MAX_ACK_PENDING,
    )


def _changed(spec: SubscriberSpec, found: ConsumerConfig) -> ConsumerConfig:
    wanted = {setting: value for setting, value, _ in _settings(spec, found)}
    filters = wanted.pop("filters")
    return found.evolve(name=spec.name, **_filtered(filters), **wanted)


def _filtered(filters: tuple[str, ...]) -> dict[str, Any]:
    if len(filters) == 1:
        return {"filter_subject": filters[0], "filter_subjects": None}
    return {"filter_subject": None, "filter_subjects": list(filters)}


def _settings(spec: SubscriberSpec, found: ConsumerConfig) -> list[tuple[str, Any, Any]]:
    """Each setting that can be changed: as it should be, and as it is."""
    filters = _filters(found)
    wanted = filters if spec.filters is None else tuple(sorted(spec.filters))
    max_deliver = found.max_deliver or -1
    bound = max_deliver if max_deliver > 0 else DEFAULT_MAX_DELIVER
    ack_wait = found.ack_wait if spec.ack_wait is None else spec.ack_wait.total_seconds()
    return [
        ("filters", wanted, filters),
        ("max_deliver", spec.max_deliver or bound, max_deliver),
        ("ack_wait", ack_wait, found.ack_wait),
    ]


def _check_changeable(spec: SubscriberSpec, found: ConsumerConfig) -> None:
    differing = []
    if found.ack_policy != AckPolicy.EXPLICIT:
        differing.append("it does not acknowledge each event")
    if found.deliver_subject:
        differing.append("events are pushed to it")
    begun = Start(
        found.deliver_policy or DeliverPolicy.ALL,
        found.opt_start_seq or None,
        found.opt_start_time,
    )
    if spec.start is not None and spec.start != begun:
        differing.append("it began elsewhere in the log")
    if differing:
        raise CannotChange("; ".join(differing))


def _filters(config: ConsumerConfig) -> tuple[str, ...]:
    several = config.filter_subjects or ([config.filter_subject] if config.filter_subject else [])
    return tuple(sorted(several)) or (ALL_EVENTS,)


def _subscriber(info: ConsumerInfo) -> Subscriber:
    return Subscriber(
        name=info.name,
        filters=_filters(info.config),
        seen=0 if info.delivered is None else info.delivered.stream_seq,
        acknowledged=0 if info.ack_floor is None else info.ack_floor.stream_seq,
        behind=info.num_pending or 0,
        unacknowledged=info.num_ack_pending or 0,
        redelivered=info.num_redelivered or 0,
        asking=info.num_waiting or 0,
        max_deliver=info.config.max_deliver or -1,
        ack_wait_s=info.config.ack_wait or 0.0,
    )
