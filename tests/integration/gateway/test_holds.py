"""A task whose event can't be applied says so to who follows it, and when it goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from builders import completed, progressed, requested, started, task_id
from contracts import queries
from contracts.subjects import progress_subject
from integration.gateway.house import House, own
from integration.gateway.listening import Listening, Stream, listening

ONE = task_id(1)


@pytest.fixture
async def door(task_store: House) -> AsyncIterator[Listening]:
    async with listening(task_store) as opened:
        yield opened


async def _followed(door: Listening, what: str) -> Stream:
    """A stream that has told of the running task."""
    stream = await (door.task(ONE) if what == "task" else door.events())
    told = await stream.next("task")
    assert (told.id, told.data["metadata"]) == (2, {})
    return stream


async def _put_aside(house: House) -> int:
    stray = await house.client.jetstream().publish(progress_subject("CREATE", ONE), b"{")
    return stray.seq


@pytest.mark.parametrize("what", ["task", "owner"])
async def test_followers_hear_that_a_task_is_on_hold_and_that_it_goes_on(
    task_store: House, door: Listening, what: str
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    await house.projected()
    stream = await _followed(door, what)

    stray = await _put_aside(house)
    held = await stream.next("task")
    await house.tell(progressed(40, **own(ONE)))
    await house.projected()
    order = {"who": "ops", "sequences": [stray], "note": "a stray"}
    await house.ask(queries.DROP_DEAD_LETTERS, **order)
    goes_on = await stream.next("task")
    end = await house.tell(completed(**own(ONE)))
    ended = await stream.next("task")

    assert held.data["metadata"]["parked"]["since"].endswith("Z")
    assert (held.id, held.data["sequence"]) == (None, 2)
    assert (goes_on.id, goes_on.data["progress"], goes_on.data["metadata"]) == (None, 40, {})
    assert (ended.id, ended.data["status"]) == (end, "completed")


async def test_who_comes_while_a_task_is_on_hold_is_told_so_and_who_comes_later_is_not(
    task_store: House, door: Listening
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    stray = await _put_aside(house)
    await house.tell(progressed(40, **own(ONE)))
    await house.projected()

    meanwhile = await (await door.task(ONE)).next("task")
    order = {"who": "ops", "sequences": [stray], "note": "a stray"}
    await house.ask(queries.DROP_DEAD_LETTERS, **order)
    later = await (await door.task(ONE)).next("task")
    resumed = await (await door.task(ONE, after=2)).next("task")

    assert "parked" in meanwhile.data["metadata"]
    assert (later.data["progress"], later.data["metadata"]) == (40, {})
    assert (resumed.id, resumed.data["progress"]) == (4, 40)


async def test_the_end_that_was_on_hold_ends_the_stream_of_its_task(
    task_store: House, door: Listening
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    await house.projected()
    stream = await _followed(door, "task")
    stray = await _put_aside(house)
    await house.tell(completed(**own(ONE)))
    await house.projected()
    await stream.next("task")

    order = {"who": "ops", "sequences": [stray], "note": "a stray"}
    await house.ask(queries.DROP_DEAD_LETTERS, **order)

    assert [each.data["status"] for each in await stream.rest()] == ["completed"]
