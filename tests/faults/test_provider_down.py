"""A dead provider costs no task: they wait, say what for, and complete when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from faults.outage import Street, street
from servers import eventually

COOLDOWN_S = 2
DOWN_S = 5


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    directory = tmp_path_factory.mktemp("system")
    async with street(directory, BREAKER_COOLDOWN_S=str(COOLDOWN_S), LEASE_S="2") as made:
        yield made


async def test_tasks_wait_for_a_provider_that_is_down_and_all_complete(place: Street) -> None:
    told = await place.outage(DOWN_S, every_s=0.25)

    assert told.statuses == {"completed": told.tasks}, told
    assert told.ended_once == told.tasks
    assert told.waited > 0
    assert told.calls_while_down < told.tasks, told


@pytest.mark.parametrize("number", [3, 10])
async def test_those_who_wait_together_for_a_provider_have_places_of_their_own(
    place: Street, number: int
) -> None:
    await place.go_down()
    first = [await place.submit(f"first-{number}-{each}") for each in range(6)]
    await eventually(place.is_open, 60, "the breaker does not open")

    together = await asyncio.gather(
        *(place.submit(f"together-{number}-{each}") for each in range(number))
    )

    async def all_in_line() -> dict[str, int] | None:
        """Their places, as one answer has them."""
        tasks = {task["task_id"]: task for task in await place.unfinished()}
        waiting = {
            task_id: task["queue_position"]
            for task_id, task in tasks.items()
            if task["queue_position"]
        }
        return waiting if waiting.keys() >= set(together) else None

    places = await eventually(all_in_line, 30, "not all of them wait in line")
    await place.come_back()
    ended = [await place.system.ended(task_id, 60) for task_id in (*first, *together)]

    assert sorted(places.values()) == list(range(1, len(places) + 1))
    mine = sorted(places[task_id] for task_id in together)
    assert mine == list(range(mine[0], mine[0] + number))
    assert {task["status"] for task in ended} == {"completed"}
