"""What a generator says of itself: to the gateways, and to whoever asks whether it is ready."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nats.js.errors import NotFoundError

from contracts.subjects import PROVIDER_BUCKET
from generator.app import Generator
from integration.generator.floor import Floor
from servers import Server, eventually
from telemetry.health import run_checks

READY = {"log", "lanes", "heartbeat", "announced", "artifacts"}


ALL = {"scripted", "scripted-remote", "scripted-keyed", "scripted-finding"}


async def report(generator: Generator) -> set[str]:
    """The checks that pass."""
    _, checks = await run_checks(generator.checks)
    return {name for name, check in checks.items() if check["ok"]}


async def announced(floor: Floor) -> dict[str, Any] | None:
    """What the bucket has of each provider; None without a bucket."""
    try:
        bucket = await floor.client.jetstream().key_value(PROVIDER_BUCKET)
        values = [await bucket.get(key) for key in await bucket.keys()]
    except NotFoundError:
        return None
    return {str(entry.key): json.loads(entry.value or b"") for entry in values}


async def all_announced(floor: Floor) -> dict[str, Any]:
    """The same, once the bucket, which is filled one by one, has all of them."""

    async def whole() -> dict[str, Any] | None:
        told = await announced(floor)
        return told if told is not None and told.keys() == ALL else None

    found: dict[str, Any] = await eventually(whole)
    return found


async def test_the_offers_of_all_providers_are_on_the_bus(floor: Floor) -> None:
    await floor.start()

    told = await all_announced(floor)

    assert told["scripted-remote"]["execution"] == "remote"
    offer = {"title": "What the script says", "params_schema": {"type": "object"}}
    assert told["scripted"]["offers"] == {"CREATE": offer}


async def test_offers_are_announced_again_to_a_broker_that_came_back(
    floor: Floor, nats_server: Server
) -> None:
    await floor.start()
    before = await all_announced(floor)

    await nats_server.stop()
    await nats_server.restart()

    async def later() -> bool:
        now = await announced(floor)
        # The bucket is made anew, and filled one by one.
        return (
            now is not None
            and before.keys() == now.keys()
            and all(now[name]["announced_at"] > before[name]["announced_at"] for name in before)
        )

    await eventually(later)


async def test_a_generator_at_work_is_ready(floor: Floor) -> None:
    generator = await floor.start()

    async def all_pass() -> bool:
        return await report(generator) == READY

    await eventually(all_pass)


async def test_a_generator_without_its_broker_is_not_ready(
    floor: Floor, nats_server: Server
) -> None:
    generator = await floor.start()
    await nats_server.stop()

    async def told() -> bool:
        return "log" not in await report(generator)

    await eventually(told)


async def test_a_generator_whose_lane_can_not_be_bound_is_not_ready(floor: Floor) -> None:
    generator = await floor.start()
    await floor.client.jetstream().delete_stream("GENERATION")

    async def told() -> bool:
        return "lanes" not in await report(generator)

    await eventually(told)


async def test_a_generator_that_leaves_is_not_ready(floor: Floor) -> None:
    generator = await floor.start()
    await floor.stop(generator)

    assert "lanes" not in await report(generator)


async def test_a_generator_warns_of_providers_that_may_be_silent_for_longer_than_the_reaper_waits(
    floor: Floor, caplog: pytest.LogCaptureFixture
) -> None:
    await floor.start(provider_timeout_s=300, task_timeout_s=300)

    (warned,) = [vars(each)["fields"] for each in caplog.records if each.name == "generator.app"]
    names = ("scripted", "scripted-remote", "scripted-keyed", "scripted-finding")
    assert warned["lanes"] == [f"CREATE/{name}" for name in names]
