"""Making the broker match what `contracts` describes: the stream, the lanes, the buckets.

``darkroom setup`` runs all of it. A generator runs `ensure_lane` for its own lanes when it binds,
because only it knows the lanes of the providers installed with it
(docs/decisions/0006-who-declares.md).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    ConsumerInfo,
    DeliverPolicy,
    DiscardPolicy,
    KeyValueConfig,
    RePublish,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, BucketNotFoundError, NotFoundError, ServerError

from contracts.subjects import (
    ALL_EVENTS,
    BUCKETS,
    LANE_PREFIX,
    LIVE_EVENTS,
    RESTORING,
    STREAM,
    LaneConsumerSpec,
    StreamSpec,
)

UNLIMITED_DELIVERIES = -1
_STORE_IN_THE_WAY = 10049
_OVER_THE_LIMIT = 10121
"""A lane may have more messages in work than any consumer of a log that is being restored."""
_CREATE_TRIES = 20
_CREATE_PAUSE_S = 0.1


class BeingRestored(NatsError):
    """The log is being brought back; until that is done nothing is made on it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something on the broker that is not as described; ``found`` is None when it is missing."""

    thing: str
    setting: str
    wanted: Any
    found: Any

    def __str__(self) -> str:
        if self.found is None and self.setting == "exists":
            return f"{self.thing} does not exist"
        return f"{self.thing}: {self.setting} is {self.found!r}, should be {self.wanted!r}"


def stream_config(spec: StreamSpec) -> StreamConfig:
    return StreamConfig(
        name=spec.name,
        subjects=list(spec.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=spec.max_age.total_seconds(),
        max_bytes=spec.max_bytes,
        duplicate_window=spec.duplicate_window.total_seconds(),
        num_replicas=spec.replicas,
        allow_direct=True,
        republish=RePublish(src=ALL_EVENTS, dest=LIVE_EVENTS),
    )


def consumer_config(spec: LaneConsumerSpec) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=spec.durable,
        name=spec.durable,
        filter_subject=spec.filter_subject,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=spec.ack_wait.total_seconds(),
        max_deliver=UNLIMITED_DELIVERIES,
        max_ack_pending=spec.max_ack_pending,
    )


_STREAM_SETTINGS = (
    "subjects",
    "retention",
    "storage",
    "discard",
    "max_age",
    "max_bytes",
    "duplicate_window",
    "num_replicas",
    "allow_direct",
)
_CONSUMER_SETTINGS = ("filter_subject", "ack_policy", "ack_wait", "max_deliver", "max_ack_pending")


async def ensure_stream(client: Client, spec: StreamSpec, *, mend: bool = True) -> list[Difference]:
    """Create or reconcile the stream; returns what differed before. ``mend=False`` only looks.

    Raises `BeingRestored`.
    """
    js = client.jetstream()
    wanted = stream_config(spec)
    try:
        found = (await js.stream_info(spec.name)).config
    except NotFoundError:
        if mend:
            await create_stream(client, wanted)
        return [Difference(f"stream {spec.name}", "exists", True, None)]
    if RESTORING in (found.metadata or {}):
        raise BeingRestored("the log is being restored")
    differences = _differences(f"stream {spec.name}", _STREAM_SETTINGS, wanted, found)
    republished = None if found.republish is None else found.republish.dest
    if republished != LIVE_EVENTS:
        differences.append(Difference(f"stream {spec.name}", "republish", LIVE_EVENTS, republished))
    if differences and mend:
        await js.update_stream(wanted)
    return differences


async def create_stream(client: Client, wanted: StreamConfig) -> None:
    """Right after a stream of that name was deleted, its files can still be in the way."""
    js = client.jetstream()
    for _ in range(_CREATE_TRIES):
        try:
            await js.add_stream(wanted)
        except ServerError as error:
            if error.err_code != _STORE_IN_THE_WAY:
                raise
            await asyncio.sleep(_CREATE_PAUSE_S)
        else:
            return
    await js.add_stream(wanted)


async def ensure_lane(
    client: Client, spec: LaneConsumerSpec, *, mend: bool = True, keep_lease: bool = False
) -> list[Difference]:
    """Create or reconcile a lane's durable consumer; returns what differed before.

    With ``keep_lease`` the lease of one that exists stays as it is, and is no difference.
    Raises `BeingRestored`: what is not whole yet would make tasks look as if nobody had begun them.
    """
    js = client.jetstream()
    wanted = consumer_config(spec)
    try:
        found = (await js.consumer_info(STREAM, spec.durable)).config
    except NotFoundError:
        if mend:
            await _add_consumer(js, wanted)
        return [Difference(f"consumer {spec.durable}", "exists", True, None)]
    if keep_lease:
        wanted.ack_wait = found.ack_wait
    differences = _differences(f"consumer {spec.durable}", _CONSUMER_SETTINGS, wanted, found)
    if differences and mend:
        await js.add_consumer(STREAM, wanted)
    return differences


async def _add_consumer(js: JetStreamContext, wanted: ConsumerConfig) -> None:
    try:
        await js.add_consumer(STREAM, wanted)
    except APIError as error:
        if error.err_code == _OVER_THE_LIMIT:
            raise BeingRestored("the log is being restored") from None
        raise


async def ensure_bucket(
    client: Client, bucket: str, *, replicas: int = 1, mend: bool = True
) -> list[Difference]:
    """Create one of `BUCKETS` when it is missing."""
    js = client.jetstream()
    try:
        await js.key_value(bucket)
    except (BucketNotFoundError, NotFoundError):
        if mend:
            lasts = BUCKETS[bucket]
            await js.create_key_value(
                KeyValueConfig(
                    bucket=bucket,
                    history=1,
                    ttl=None if lasts is None else lasts.total_seconds(),
                    storage=StorageType.FILE,
                    replicas=replicas,
                )
            )
        return [Difference(f"bucket {bucket}", "exists", True, None)]
    return []


async def ensure_buckets(
    client: Client, *, replicas: int = 1, mend: bool = True
) -> list[Difference]:
    """Create those of `BUCKETS` that are missing; returns which."""
    found: list[Difference] = []
    for bucket in BUCKETS:
        found += await ensure_bucket(client, bucket, replicas=replicas, mend=mend)
    return found


async def lanes_on_the_broker(client: Client) -> list[str]:
    """The durable names of all lane consumers."""
    names = [info.name for info in await consumers(client)]
    return [name for name in names if name.startswith(LANE_PREFIX)]


async def consumers(client: Client) -> list[ConsumerInfo]:
    """All consumers of the log, whoever's."""
    js: JetStreamContext = client.jetstream()
    found: list[ConsumerInfo] = []
    while page := await js.consumers_info(STREAM, offset=len(found)):
        found += page
    return found


def _differences(
    thing: str, settings: tuple[str, ...], wanted: Any, found: Any
) -> list[Difference]:
    return [
        Difference(thing, setting, getattr(wanted, setting), getattr(found, setting))
        for setting in settings
        if getattr(wanted, setting) != getattr(found, setting)
    ]
