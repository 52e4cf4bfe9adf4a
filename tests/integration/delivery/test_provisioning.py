"""The broker is made to match what the contracts describe, and what differed is told."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import NotFoundError

from builders import requested
from contracts.subjects import LIVE_EVENTS, PROVIDER_BUCKET, STREAM, LaneConsumerSpec
from delivery import connection
from delivery.connection import ServerTooOld, check_server, server_version
from delivery.provision import (
    Difference,
    ensure_buckets,
    ensure_lane,
    ensure_stream,
    lanes_on_the_broker,
)
from integration.delivery.bus import LANE, SPEC, Bus

MISSING_STREAM = Difference("stream GENERATION", "exists", True, None)
MISSING_LANE = Difference("consumer generator-create-studio", "exists", True, None)
MISSING_BUCKETS = [
    Difference("bucket PROVIDERS", "exists", True, None),
    Difference("bucket BREAKERS", "exists", True, None),
    Difference("bucket RATES", "exists", True, None),
    Difference("bucket SHARES", "exists", True, None),
    Difference("bucket HOOKS", "exists", True, None),
]


async def test_what_is_missing_is_made_and_then_nothing_differs(empty_bus: Bus) -> None:
    client = empty_bus.client

    assert await ensure_stream(client, SPEC) == [MISSING_STREAM]
    assert await ensure_lane(client, LANE) == [MISSING_LANE]
    assert await ensure_buckets(client) == MISSING_BUCKETS

    assert await ensure_stream(client, SPEC) == []
    assert await ensure_lane(client, LANE) == []
    assert await ensure_buckets(client) == []


async def test_looking_makes_nothing(empty_bus: Bus) -> None:
    client = empty_bus.client

    for _ in range(2):
        assert await ensure_stream(client, SPEC, mend=False) == [MISSING_STREAM]
        assert await ensure_buckets(client, mend=False) == MISSING_BUCKETS
    await ensure_stream(client, SPEC)
    for _ in range(2):
        assert await ensure_lane(client, LANE, mend=False) == [MISSING_LANE]

    js = client.jetstream()
    with pytest.raises(NotFoundError):
        await js.stream_info(f"KV_{PROVIDER_BUCKET}")
    assert await js.consumers_info(STREAM) == []


async def test_the_stream_is_kept_as_promised(bus: Bus) -> None:
    config = (await bus.client.jetstream().stream_info(STREAM)).config

    assert config.subjects == ["generation.>"]
    assert (config.storage, config.retention, config.discard) == ("file", "limits", "new")
    assert (config.max_age, config.max_bytes) == (86_400, SPEC.max_bytes)
    assert config.duplicate_window == 120
    assert config.allow_direct
    assert config.republish is not None
    assert (config.republish.src, config.republish.dest) == ("generation.>", LIVE_EVENTS)


async def test_a_lane_is_kept_as_promised(bus: Bus) -> None:
    await ensure_lane(bus.client, replace(LANE, ack_wait=timedelta(seconds=30)))

    info = await bus.client.jetstream().consumer_info(STREAM, LANE.durable)

    assert info.config.filter_subject == "generation.requested.create.studio.>"
    assert (info.config.ack_policy, info.config.deliver_policy) == ("explicit", "all")
    assert (info.config.ack_wait, info.config.max_deliver) == (30, -1)
    assert info.config.max_ack_pending == 100_000
    assert not info.config.backoff


async def test_what_has_drifted_is_told_and_mended(empty_bus: Bus) -> None:
    client = empty_bus.client
    js = client.jetstream()
    await js.add_stream(
        StreamConfig(
            name=STREAM,
            subjects=["generation.>"],
            max_age=60,
            max_bytes=1_000_000,
            discard="old",
            duplicate_window=30,
            allow_direct=False,
        )
    )
    await empty_bus.tell(requested())
    drifted = [
        Difference("stream GENERATION", "discard", "new", "old"),
        Difference("stream GENERATION", "max_age", 86_400.0, 60.0),
        Difference("stream GENERATION", "max_bytes", SPEC.max_bytes, 1_000_000),
        Difference("stream GENERATION", "duplicate_window", 120.0, 30.0),
        Difference("stream GENERATION", "allow_direct", True, False),
        Difference("stream GENERATION", "republish", LIVE_EVENTS, None),
    ]

    assert await ensure_stream(client, SPEC, mend=False) == drifted
    assert await ensure_stream(client, SPEC) == drifted
    assert await ensure_stream(client, SPEC) == []
    assert (await empty_bus.log.state()).last_sequence == 1


async def test_a_lane_that_has_drifted_is_told_and_mended(bus: Bus) -> None:
    js = bus.client.jetstream()
    await js.add_consumer(
        STREAM,
        ConsumerConfig(
            durable_name=LANE.durable,
            filter_subject=LANE.filter_subject,
            ack_policy="explicit",
            ack_wait=7,
            max_deliver=3,
            max_ack_pending=10,
        ),
    )
    drifted = [
        Difference("consumer generator-create-studio", "ack_wait", 1.0, 7.0),
        Difference("consumer generator-create-studio", "max_deliver", -1, 3),
        Difference("consumer generator-create-studio", "max_ack_pending", 100_000, 10),
    ]

    assert await ensure_lane(bus.client, LANE, mend=False) == drifted
    assert await ensure_lane(bus.client, LANE) == drifted
    assert await ensure_lane(bus.client, LANE) == []


async def test_the_lanes_on_the_broker_are_known(bus: Bus) -> None:
    for lane in ("studio", "kie"):
        for tasktype in ("CREATE", "VIDEO"):
            await ensure_lane(bus.client, LaneConsumerSpec(tasktype, lane))
    await bus.client.jetstream().add_consumer(STREAM, ConsumerConfig(durable_name="somebody"))

    assert sorted(await lanes_on_the_broker(bus.client)) == [
        "generator-create-kie",
        "generator-create-studio",
        "generator-video-kie",
        "generator-video-studio",
    ]


async def test_more_lanes_than_a_page_holds_are_all_known(bus: Bus) -> None:
    lanes = [LaneConsumerSpec("CREATE", f"p{number}") for number in range(260)]
    await asyncio.gather(*(ensure_lane(bus.client, lane) for lane in lanes))

    assert len(await lanes_on_the_broker(bus.client)) == 260


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        (MISSING_LANE, "consumer generator-create-studio does not exist"),
        (
            Difference("stream GENERATION", "max_age", 60.0, 30.0),
            "stream GENERATION: max_age is 30.0, should be 60.0",
        ),
        (
            Difference("stream GENERATION", "republish", LIVE_EVENTS, None),
            "stream GENERATION: republish is None, should be 'live.generation.>'",
        ),
    ],
)
def test_a_difference_reads_as_a_sentence(difference: Difference, sentence: str) -> None:
    assert str(difference) == sentence


async def test_a_broker_that_keeps_its_promises_is_accepted(empty_bus: Bus) -> None:
    check_server(empty_bus.client)

    assert server_version(empty_bus.client) >= (2, 12, 4)


async def test_a_broker_that_is_too_old_is_refused(
    empty_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MINIMUM_SERVER", (99, 1, 2))

    with pytest.raises(ServerTooOld, match=r"nats-server .* is too old: 99\.1\.2 or newer"):
        check_server(empty_bus.client)
