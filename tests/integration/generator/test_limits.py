"""What is limited is limited over all generators: jobs at a provider, tasks of an owner."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from contracts.subjects import SHARE_BUCKET
from delivery.loops import end_loop
from delivery.provision import ensure_bucket
from generator import shares
from generator.counts import Counts, Limit
from integration.generator.floor import PATIENCE_S, Floor
from integration.generator.scripted_provider import (
    ScriptedNarrow,
    ScriptedProvider,
    ScriptedRemote,
)
from servers import Server, eventually

NARROW = ScriptedNarrow.name
PROVIDERS = ",".join(
    f"{each.__module__}:{each.__name__}"
    for each in (ScriptedProvider, ScriptedRemote, ScriptedNarrow)
)
ONE = Limit("owner.one", 1)
LEASE = timedelta(seconds=30)


async def completed(floor: Floor, *tasks: str) -> None:
    for task in tasks:
        assert (await floor.ended(task)).type == "generation.completed"


async def submitted(floor: Floor, *tasks: str) -> None:
    for task in tasks:
        await eventually(lambda task=task: ("submit", 1) in floor.stage.calls(task), PATIENCE_S)


async def served(floor: Floor, lane: str, **script: object) -> None:
    """Have the generators serve something else: they would have come to the rest by then."""
    await completed(floor, await floor.ask(lane=lane, owner="somebody", **script))


async def test_no_more_jobs_are_at_a_provider_than_it_takes_from_all_generators(
    floor: Floor,
) -> None:
    narrow = f"{ScriptedNarrow.__module__}:{ScriptedNarrow.__name__}"
    await floor.start_process(extra_providers=narrow, remote_concurrency=1)
    first = await floor.ask(lane=NARROW, until="go")
    await submitted(floor, first)
    await floor.start_process(extra_providers=PROVIDERS)
    second = await floor.ask(lane=NARROW, until="go")
    await submitted(floor, second)
    more = [await floor.ask(lane=NARROW) for _ in range(20)]
    await served(floor, ScriptedRemote.name)

    assert [floor.stage.calls(task) for task in more] == [[]] * 20
    assert floor.stage.pids(first) != floor.stage.pids(second)
    floor.stage.release("go")
    await completed(floor, first, second, *more)
    assert floor.stage.most_at_once([first, second, *more]) == 2
    stories = [await floor.story(task) for task in more]
    assert [story.count("started") for story in stories] == [1] * 20


async def test_what_a_killed_generator_had_is_free_within_its_lease(floor: Floor) -> None:
    killed = await floor.start_process(extra_providers=PROVIDERS, lease_s=1)
    had = [await floor.ask(lane=NARROW, until_1="never") for _ in range(2)]
    await submitted(floor, *had)
    await floor.start_process(extra_providers=PROVIDERS, lease_s=1)
    waiting = await floor.ask(lane=NARROW)
    await served(floor, "scripted")
    await served(floor, "scripted")
    assert floor.stage.calls(waiting) == []

    killed.kill()

    await completed(floor, waiting, *had)
    assert [floor.stage.calls(task).count(("submit", 1)) for task in had] == [1, 1]


async def test_an_owners_limit_holds_over_all_generators_and_holds_up_nobody_else(
    floor: Floor,
) -> None:
    for _ in range(2):
        await floor.start_process(extra_providers=PROVIDERS, owner_running=1)
    running = await floor.ask(lane="scripted", until="go")
    await floor.followed(running)
    more = [
        await floor.ask(lane=lane)
        for lane in ("scripted", ScriptedRemote.name, NARROW)
        for _ in range(6)
    ]
    # Each of them, so that both generators come to them.
    for lane in ("scripted", ScriptedRemote.name, NARROW):
        others = [await floor.ask(lane=lane, owner=f"other-{number}") for number in range(4)]
        await completed(floor, *others)

    assert [floor.stage.calls(task) for task in more] == [[]] * len(more)
    floor.stage.release("go")
    await completed(floor, running, *more)


async def test_no_more_are_let_in_when_the_bus_was_away(floor: Floor, nats_server: Server) -> None:
    for _ in range(2):
        await floor.start([ScriptedNarrow(floor.stage.folder)])
    tasks = [await floor.ask(lane=NARROW, until="go") for _ in range(2)]
    await submitted(floor, *tasks)
    more = [await floor.ask(lane=NARROW) for _ in range(6)]

    await nats_server.kill()
    await nats_server.restart()
    floor.stage.release("go")

    await completed(floor, *tasks, *more)
    assert floor.stage.most_at_once([*tasks, *more]) == 2


async def test_where_nothing_is_limited_no_count_is_kept(floor: Floor) -> None:
    await floor.start()
    await served(floor, "scripted")
    await served(floor, ScriptedRemote.name)

    names = [stream.config.name for stream in await floor.client.jetstream().streams_info()]
    assert f"KV_{SHARE_BUCKET}" not in names


@contextlib.asynccontextmanager
async def generators(
    floor: Floor, *names: str, lease: timedelta = LEASE
) -> AsyncIterator[list[Counts]]:
    """The counts of so many generators, which know each other's."""
    made = [Counts(floor.client, name, lease, [ONE]) for name in names]
    running = [asyncio.create_task(each.run()) for each in made]
    try:
        yield made
    finally:
        for each in running:
            await end_loop(each)


async def told(floor: Floor) -> shares.Shares:
    """What is told of the limit."""
    await ensure_bucket(floor.client, SHARE_BUCKET)
    bucket = await floor.client.jetstream().key_value(SHARE_BUCKET)
    return shares.read((await bucket.get(ONE.key)).value)


async def test_who_waits_in_front_is_let_in_first_whoever_has_the_place(floor: Floor) -> None:
    async with generators(floor, "a", "b") as (a, b):
        assert await a.enter([ONE], "first", (0, 1))
        assert not await b.enter([ONE], "second", (0, 2))
        await eventually(lambda: a.elsewhere(ONE) == 1)
        a.leave([ONE])
        assert not a.may_try(ONE, (0, 3)) or not await a.enter([ONE], "third", (0, 3))
        await eventually(lambda: not b.is_full(ONE, (0, 2)))


async def test_who_is_told_of_a_place_tries_again_and_finds_it(floor: Floor) -> None:
    async with generators(floor, "a", "b") as (a, b):
        entering: list[asyncio.Task[bool]] = []

        def try_again() -> None:
            if not entering and not b.is_full(ONE, (0, 2)) and b.may_try(ONE, (0, 2)):
                b.expect([ONE])
                entering.append(asyncio.create_task(b.enter([ONE], "second", (0, 2))))

        assert await a.enter([ONE], "first", (0, 1))
        assert not await b.enter([ONE], "second", (0, 2))
        b.on_change = try_again
        assert entering == []
        a.leave([ONE])
        await eventually(lambda: entering)
        assert await entering[0]


async def test_who_cannot_take_the_place_that_came_free_lets_others_go_first(
    floor: Floor,
) -> None:
    async with generators(floor, "a", "b") as (a, b):
        assert await a.enter([ONE], "first", (0, 1))
        assert not await b.enter([ONE], "second", (0, 2))
        await eventually(lambda: a.elsewhere(ONE) == 1)
        a.leave([ONE])
        # Nobody tries again for the second: its slot is taken, or its provider is left alone.
        await eventually(lambda: not a.is_full(ONE, (0, 3)))
        assert await a.enter([ONE], "third", (0, 3))


async def test_a_share_is_renewed_while_its_generator_lives_and_runs_out_after(
    floor: Floor,
) -> None:
    lease = timedelta(seconds=0.9)
    async with generators(floor, "b", lease=lease) as (b,):
        async with generators(floor, "a", lease=lease) as (a,):
            assert await a.enter([ONE], "first", (0, 1))
            began = (await told(floor))["a"].until

            async def renewed_twice() -> bool:
                return (await told(floor))["a"].until > began + lease

            await eventually(renewed_twice)
            assert not await b.enter([ONE], "second", (0, 2))
        await eventually(lambda: not b.is_full(ONE, (0, 2)))
        assert await b.enter([ONE], "second", (0, 2))


async def test_a_generator_that_stops_leaves_nothing_behind(floor: Floor) -> None:
    async with generators(floor, "a") as (a,):
        assert await a.enter([ONE], "first", (0, 1))
    assert list(await told(floor)) == ["a"]
    a.leave([ONE])
    await a.close()
    assert await told(floor) == {}


async def test_who_is_refused_by_one_limit_is_in_none(floor: Floor) -> None:
    other = Limit("provider.other", 5)
    async with generators(floor, "a", "b") as (a, b):
        assert await a.enter([ONE], "first", (0, 1))
        assert not await b.enter([other, ONE], "second", (0, 2))
        bucket = await floor.client.jetstream().key_value(SHARE_BUCKET)

        async def given_back() -> bool:
            return shares.read((await bucket.get(other.key)).value) == {}

        await eventually(given_back)


async def test_nobody_is_let_in_unseen_while_the_bus_is_away(
    floor: Floor, nats_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async with generators(floor, "a") as (a,):
        await eventually(lambda: a.may_try(ONE, (0, 1)))
        await nats_server.kill()
        entering = asyncio.create_task(a.enter([ONE], "first", (0, 1)))
        await eventually(lambda: "a limit can't be asked" in caplog.text, PATIENCE_S)
        assert not entering.done()
        await nats_server.restart()
        assert await asyncio.wait_for(entering, PATIENCE_S)
        assert (await told(floor))["a"].inside == 1
