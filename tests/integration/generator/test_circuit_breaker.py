"""A provider that fails again and again is left alone, by all generators, and then tried by one."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nats.js.errors import KeyNotFoundError

from builders import requested
from contracts.breaker import Breaker, BreakerPolicy, BreakerState
from contracts.events import decode
from contracts.subjects import BREAKER_BUCKET, PROVIDER_BUCKET
from delivery.loops import end_loop
from delivery.provision import ensure_bucket
from generator.breakers import Breakers
from generator.catalogue import announcement
from generator.facts import now
from generator.provider import Offer
from generator.work import Work
from integration.generator.floor import Floor
from integration.generator.scripted_provider import (
    ScriptedNarrow,
    ScriptedPaced,
    ScriptedProvider,
    ScriptedRemote,
)
from servers import eventually

REMOTE = "scripted-remote"
DOWN = {"lane": REMOTE, "down": "down"}


async def breaker(floor: Floor, provider: str = "scripted-remote") -> Breaker:
    await ensure_bucket(floor.client, BREAKER_BUCKET)
    bucket = await floor.client.jetstream().key_value(BREAKER_BUCKET)
    try:
        found = await bucket.get(provider)
    except KeyNotFoundError:
        return Breaker()
    return Breaker.model_validate_json(found.value or b"{}")


async def barrier(floor: Floor) -> None:
    """Have the generators work off something else: they would have come to the rest by then."""
    await completed(floor, await floor.ask())


async def completed(floor: Floor, *tasks: str) -> None:
    for task in tasks:
        assert (await floor.ended(task)).type == "generation.completed"


async def at_rest(floor: Floor) -> None:
    """Wait until no call is under way."""
    await eventually(lambda: all(each.task is None for each in works(floor)))


def works(floor: Floor) -> list[Work]:
    return [
        work for each in floor.generators if each.parts for work in each.parts.lanes.works.values()
    ]


async def failures(floor: Floor) -> list[str]:
    """The tasks that have failed."""
    last = await floor.log.last_of_each(["generation.finished.>"])
    return [each.subject for each in last if decode(each.payload).type == "generation.failed"]


async def opened(floor: Floor, **settings: Any) -> None:
    """Have five tasks fail at a provider that is down, so that its breaker opens."""
    floor.stage.release("down")
    await floor.start(**{"provider_attempts": 3, "retry_base_s": 0.05, **settings})
    for _ in range(5):
        await floor.ask(**DOWN)

    async def is_open() -> bool:
        return (await breaker(floor)).state is BreakerState.OPEN

    await eventually(is_open, 20)


async def test_five_failed_calls_open_it_and_tasks_wait_without_using_up_attempts(
    floor: Floor,
) -> None:
    await opened(floor)
    await at_rest(floor)
    calls = floor.stage.count("submit")
    late = await floor.ask(**DOWN)
    await barrier(floor)

    assert floor.stage.count("submit") == calls >= 5
    assert await floor.story(late) == ["requested"]
    assert await failures(floor) == []


async def test_when_the_provider_is_back_one_call_tries_it_and_all_tasks_complete(
    floor: Floor,
) -> None:
    await opened(floor, breaker_cooldown_s=0.5)
    waiting = [await floor.ask(**DOWN) for _ in range(3)]

    async def was_tried() -> bool:
        return floor.stage.count("submit") > 5

    await eventually(was_tried, 20)
    floor.stage.withdraw("down")
    await completed(floor, *waiting)

    closed = await breaker(floor)
    assert (closed.state, closed.failures) == (BreakerState.CLOSED, 0)
    assert closed.freed_at is not None
    assert await failures(floor) == []


async def test_a_probe_that_fails_costs_its_task_no_attempt(floor: Floor) -> None:
    await opened(floor, breaker_cooldown_s=0.1)

    async def tried_often() -> bool:
        return (await breaker(floor)).failures >= 9

    await eventually(tried_often, 30)
    assert await failures(floor) == []


class ScriptedSlow(ScriptedRemote):
    """Its jobs take longer than a probe has time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.offers = {"CREATE": Offer({"type": "object"}, "Slowly", timeout_s=600)}


async def test_a_job_that_takes_longer_than_a_probe_has_time_closes_it(floor: Floor) -> None:
    floor.stage.release("down")
    for _ in range(2):
        await floor.start(
            [ScriptedSlow(floor.stage.folder)],
            provider_timeout_s=0.1,
            breaker_threshold=1,
            breaker_cooldown_s=0.1,
        )
    first = await floor.ask(**DOWN, until="go")
    await floor.told(first, "retrying")
    floor.stage.withdraw("down")
    await eventually(lambda: "follow" in dict(floor.stage.calls(first)))
    second = await floor.ask(lane=REMOTE, until="never")
    await floor.followed(second)
    assert (await breaker(floor)).state is BreakerState.HALF_OPEN

    floor.stage.release("go")
    await completed(floor, first)

    async def is_closed() -> bool:
        return (await breaker(floor)).state is BreakerState.CLOSED

    await eventually(is_closed)
    await completed(floor, await floor.ask(lane=REMOTE))


async def test_what_a_provider_refuses_does_not_open_it(floor: Floor) -> None:
    await floor.start()
    tasks = [await floor.ask(lane=REMOTE, reject="No.") for _ in range(8)]
    for task in tasks:
        assert (await floor.ended(task)).data.error.code == "provider_rejected"
    await completed(floor, await floor.ask(lane=REMOTE))


async def test_a_success_begins_the_count_anew(floor: Floor) -> None:
    await floor.start(provider_attempts=5, retry_base_s=0.01)
    for _ in range(3):
        await completed(floor, await floor.ask(lane=REMOTE, fail_first=3))
    assert (await breaker(floor)).state is BreakerState.CLOSED


async def test_one_breaker_serves_all_generators(floor: Floor) -> None:
    await opened(floor)
    await at_rest(floor)
    await floor.start()
    calls = floor.stage.count("submit")
    await floor.ask(**DOWN)
    await barrier(floor)
    assert floor.stage.count("submit") == calls


async def test_with_the_policy_reject_a_task_fails_at_once(floor: Floor) -> None:
    await opened(floor, breaker_policy="reject")
    end = await floor.ended(await floor.ask(**DOWN))

    assert end.data.error.code == "circuit_open"
    assert end.data.error.retryable
    assert end.data.attempt == 0
    assert end.data.error.params["provider"] == "scripted-remote"


async def test_with_the_policy_fallback_another_provider_serves(floor: Floor) -> None:
    local = ScriptedProvider(floor.stage.folder)
    await ensure_bucket(floor.client, PROVIDER_BUCKET)
    bucket = await floor.client.jetstream().key_value(PROVIDER_BUCKET)
    await bucket.put(local.name, announcement(local, now()))
    await opened(
        floor,
        breaker_policy="fallback",
        fallbacks={"CREATE": ["nobody", "scripted"]},
        providers=[ScriptedRemote(floor.stage.folder), local],
    )
    task = await floor.ask(lane=REMOTE, steps=[10])
    end = await floor.ended(task)
    row = await floor.task(task)

    assert end.type == "generation.completed"
    assert row.provider == "scripted"
    assert row.metadata["substituted_from"] == "SCRIPTED-REMOTE"
    assert row.request.lane == "scripted"


async def test_a_task_that_waits_in_another_line_is_not_begun_where_it_came_from(
    floor: Floor,
) -> None:
    """As after a durable, or the whole log, was made anew: its first request comes again."""
    task = await floor.ask(lane=REMOTE)
    again = {"event_id": f"{task}:requested:other", "substituted_from": "SCRIPTED-REMOTE"}
    await floor.tell(requested(task=task, lane="other", **again))
    await floor.start(fallbacks={"CREATE": ["other"]})
    await completed(floor, await floor.ask(lane=REMOTE))
    await floor.acknowledged(REMOTE)

    assert await floor.story(task) == ["requested", "requested"]
    assert floor.stage.calls(task) == []


async def test_without_a_fallback_that_can_serve_tasks_wait(floor: Floor) -> None:
    await opened(floor, breaker_policy="fallback", fallbacks={"CREATE": ["nobody"]})
    task = await floor.ask(**DOWN)
    await barrier(floor)
    assert await floor.story(task) == ["requested"]


@pytest.mark.parametrize("generators", [1, 2])
async def test_a_rate_is_kept_over_all_generators(floor: Floor, generators: int) -> None:
    for _ in range(generators):
        await floor.start([ScriptedPaced(floor.stage.folder)])
    began = time.time()
    tasks = [await floor.ask(lane="scripted-paced") for _ in range(8)]
    await completed(floor, *tasks)
    times = floor.stage.times("submit")

    assert len(times) == 8
    assert all(at - began >= turn // 3 * 0.6 for turn, at in enumerate(sorted(times)))


async def test_a_provider_that_is_busy_is_asked_again_and_no_attempt_is_used_up(
    floor: Floor,
) -> None:
    await floor.start(provider_attempts=1, retry_base_s=0.01)
    task = await floor.ask(lane=REMOTE, busy_first=3)
    end = await floor.ended(task)

    assert (end.type, end.data.attempt) == ("generation.completed", 4)
    assert (await breaker(floor)).state is BreakerState.CLOSED


async def test_no_more_jobs_are_at_a_provider_than_it_takes_at_once(floor: Floor) -> None:
    await floor.start([ScriptedNarrow(floor.stage.folder), ScriptedProvider(floor.stage.folder)])
    tasks = [await floor.ask(lane="scripted-narrow", until="go") for _ in range(5)]
    await eventually(lambda: floor.stage.count("submit") == 2)
    await barrier(floor)
    assert floor.stage.count("submit") == 2
    floor.stage.release("go")
    await completed(floor, *tasks)


async def test_one_owners_many_tasks_do_not_take_all_places(floor: Floor) -> None:
    await floor.start(owner_running=1)
    many = [await floor.ask(lane=REMOTE, until="go") for _ in range(4)]
    other = await floor.ask(lane=REMOTE, owner="bob")
    await completed(floor, other)
    assert floor.stage.count("follow") == 2
    floor.stage.release("go")
    await completed(floor, *many)


async def test_one_owners_thousand_tasks_do_not_hold_up_anothers_one(floor: Floor) -> None:
    """As the gateway puts them in line: what one owner has too much of waits behind."""
    await floor.start(generator_concurrency=1)
    held = await floor.ask(until="go")
    await floor.followed(held)
    crowd = [await floor.ask(lane="scripted~2") for _ in range(1000)]
    other = await floor.ask(owner="bob")
    floor.stage.release("go")
    await completed(floor, other)
    before_it = [task for task in crowd if floor.stage.calls(task)]

    # One of each lane may have been asked for while the slot was taken.
    assert len(before_it) <= 2


class LateBucket:
    """Tells of an open breaker; from the second question on when its cooldown is over."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._asked = 0

    async def value(self, _: str) -> Breaker:
        self._asked += 1
        if self._asked > 1:
            await eventually(lambda: self._breaker.wants_probe(now()))
        return self._breaker


async def test_a_cooldown_that_ends_while_the_bus_is_asked_is_noticed(floor: Floor) -> None:
    until = now() + timedelta(seconds=0.2)
    resting = Breaker(state=BreakerState.OPEN, failures=5, until=until)
    policy = BreakerPolicy(5, timedelta(seconds=0.2), timedelta(seconds=60))
    noticed: list[bool] = []
    breakers = Breakers(floor.client, [REMOTE], policy)
    breakers.on_change = lambda: noticed.append(breakers.of(REMOTE).wants_probe(now()))
    late: Any = LateBucket(resting)
    breakers._cells = late  # noqa: SLF001 - its answers come when the test wants them

    watching = asyncio.create_task(breakers.run())
    try:
        await eventually(lambda: any(noticed), 5, "the end of the cooldown is not noticed")
    finally:
        await end_loop(watching)
