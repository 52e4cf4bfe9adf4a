"""Durable consumers of foreign services: made, compared, changed and removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from builders import completed, requested, started, task_id
from contracts.subjects import ALL_FINISHED, STREAM
from delivery.provision import Difference, ensure_lane, lanes_on_the_broker
from delivery.subscribers import (
    DEFAULT_MAX_DELIVER,
    CannotChange,
    Start,
    SubscriberSpec,
    Unsuitable,
    check_filter,
    check_name,
    ensure_subscriber,
    remove_subscriber,
    subscribers,
)
from integration.delivery.bus import LANE, Bus

BILLING = SubscriberSpec("billing", filters=(ALL_FINISHED,), start=Start(DeliverPolicy.ALL))
MISSING = Difference("subscriber billing", "exists", True, None)


async def pulled(bus: Bus, name: str, count: int) -> list[int]:
    """The sequences of the next so many that a consumer is given."""
    subscription = await bus.client.jetstream().pull_subscribe_bind(durable=name, stream=STREAM)
    given: list[int] = []
    while len(given) < count:
        messages = await subscription.fetch(count - len(given), timeout=5)
        given += [each.metadata.sequence.stream for each in messages]
    return given


async def test_a_subscriber_is_made_once_and_then_as_it_should_be(bus: Bus) -> None:
    looked = await ensure_subscriber(bus.client, BILLING, mend=False)
    there = await subscribers(bus.client)
    made = await ensure_subscriber(bus.client, BILLING)
    again = await ensure_subscriber(bus.client, BILLING)
    unsaid = await ensure_subscriber(bus.client, SubscriberSpec("billing"))

    (found,) = await subscribers(bus.client)
    config = (await bus.client.jetstream().consumer_info(STREAM, "billing")).config
    assert (looked, there, made, again, unsaid) == ([MISSING], [], [MISSING], [], [])
    assert (found.filters, found.max_deliver) == ((ALL_FINISHED,), DEFAULT_MAX_DELIVER)
    assert (config.ack_policy, config.ack_wait) == (AckPolicy.EXPLICIT, 30)
    assert config.deliver_subject is None
    assert config.inactive_threshold is None


async def test_it_is_no_lane_and_no_lane_is_a_subscriber(bus: Bus) -> None:
    await ensure_lane(bus.client, LANE)
    await ensure_subscriber(bus.client, BILLING)

    assert await lanes_on_the_broker(bus.client) == [LANE.durable]
    assert [each.name for each in await subscribers(bus.client)] == ["billing"]


async def test_what_is_said_otherwise_is_told_and_changed_and_the_rest_stays(bus: Bus) -> None:
    await ensure_subscriber(bus.client, BILLING)
    other = SubscriberSpec(
        "billing",
        filters=("generation.progress.>", "generation.finished.create.*"),
        max_deliver=5,
    )
    differences = [
        Difference(
            "subscriber billing",
            "filters",
            ("generation.finished.create.*", "generation.progress.>"),
            (ALL_FINISHED,),
        ),
        Difference("subscriber billing", "max_deliver", 5, DEFAULT_MAX_DELIVER),
    ]

    assert await ensure_subscriber(bus.client, other, mend=False) == differences
    assert await ensure_subscriber(bus.client, other) == differences
    assert await ensure_subscriber(bus.client, other) == []
    waits = replace(other, filters=None, max_deliver=None, ack_wait=timedelta(seconds=90))
    assert await ensure_subscriber(bus.client, waits) == [
        Difference("subscriber billing", "ack_wait", 90, 30)
    ]
    (found,) = await subscribers(bus.client)
    assert (len(found.filters), found.max_deliver, found.ack_wait_s) == (2, 5, 90)


async def test_its_place_outlives_a_change(bus: Bus) -> None:
    await bus.tell(requested(), started(), completed())
    everything = SubscriberSpec("all", start=Start(DeliverPolicy.ALL))
    await ensure_subscriber(bus.client, everything)

    before = await pulled(bus, "all", 2)
    await ensure_subscriber(bus.client, SubscriberSpec("all", max_deliver=7))

    assert (before, await pulled(bus, "all", 1)) == ([1, 2], [3])


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (None, [3]),
        (Start(DeliverPolicy.NEW), [3]),
        (Start(DeliverPolicy.ALL), [1, 2, 3]),
        (Start(DeliverPolicy.BY_START_SEQUENCE, sequence=2), [2, 3]),
        (Start(DeliverPolicy.BY_START_TIME, time=datetime(2020, 1, 1, tzinfo=UTC)), [1, 2, 3]),
    ],
)
async def test_it_begins_where_it_is_told_to(
    bus: Bus, start: Start | None, expected: list[int]
) -> None:
    await bus.tell(requested(), started())
    spec = SubscriberSpec("new", start=start)
    await ensure_subscriber(bus.client, spec)
    await bus.tell(requested(task=task_id(9)))

    assert await pulled(bus, "new", len(expected)) == expected
    assert (await bus.client.jetstream().consumer_info(STREAM, "new")).num_pending == 0
    assert await ensure_subscriber(bus.client, spec) == []


async def test_where_it_began_cannot_be_changed(bus: Bus) -> None:
    await ensure_subscriber(bus.client, BILLING)
    anew = replace(BILLING, start=Start(DeliverPolicy.BY_START_SEQUENCE, sequence=7))

    with pytest.raises(CannotChange, match="began elsewhere"):
        await ensure_subscriber(bus.client, anew)


@pytest.mark.parametrize(
    ("config", "told"),
    [({"deliver_subject": "there"}, "pushed"), ({"ack_policy": AckPolicy.ALL}, "acknowledge")],
)
async def test_a_consumer_of_another_kind_is_not_touched(
    bus: Bus, config: dict[str, Any], told: str
) -> None:
    js = bus.client.jetstream()
    await js.add_consumer(STREAM, ConsumerConfig(name="billing", durable_name="billing", **config))

    with pytest.raises(CannotChange, match=told):
        await ensure_subscriber(bus.client, SubscriberSpec("billing"))


async def test_one_that_is_removed_is_gone(bus: Bus) -> None:
    await ensure_subscriber(bus.client, BILLING)
    await remove_subscriber(bus.client, "billing")

    assert await subscribers(bus.client) == []
    with pytest.raises(NotFoundError):
        await remove_subscriber(bus.client, "billing")


@pytest.mark.parametrize("name", ["", "a.b", "a b", "*", ">", "-a", "ä", "a" * 65, "generator-x"])
async def test_a_name_that_no_subscriber_may_have_is_refused(bus: Bus, name: str) -> None:
    with pytest.raises(Unsuitable):
        check_name(name)
    with pytest.raises(Unsuitable):
        await remove_subscriber(bus.client, name)


@pytest.mark.parametrize(
    "subject",
    [
        "generation.>",
        "generation.finished.>",
        "generation.*.create.*",
        "generation.requested.x.a~1.>",
    ],
)
def test_a_filter_is_a_part_of_the_log(subject: str) -> None:
    assert check_filter(subject) == subject


@pytest.mark.parametrize(
    "subject",
    [
        "",
        ">",
        "generation",
        "live.generation.>",
        "generation..x",
        "generation.>.x",
        "generation.a b",
    ],
)
def test_any_other_filter_is_refused(subject: str) -> None:
    with pytest.raises(Unsuitable):
        check_filter(subject)
