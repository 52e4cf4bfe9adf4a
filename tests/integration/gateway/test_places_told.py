"""Places in the line, pushed as it moves: to whom they belong, changed ones only, not too many."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from builders import cancelled, completed, requested, started, task_id
from integration.gateway.house import BOB, House
from integration.gateway.listening import Listening, Stream, frame, listening
from servers import eventually


@pytest.fixture
async def door(task_store: House) -> AsyncIterator[Listening]:
    async with listening(task_store) as opened:
        yield opened


def own(number: int, **told: object) -> dict[str, object]:
    return {"task": task_id(number), "owner": "ann", **told}


async def places(stream: Stream, expected: dict[int, int]) -> list[tuple[str, int]]:
    """What is told until these tasks have these places; in the order in which it was."""
    told: list[tuple[str, int]] = []
    known: dict[str, int] = {}
    wanted = {task_id(number): place for number, place in expected.items()}
    while known != wanted:
        data = (await stream.next("position")).data
        assert data.keys() == {"task_id", "queue_position", "eta_seconds"}
        known[data["task_id"]] = data["queue_position"]
        told.append((data["task_id"], data["queue_position"]))
    return told


async def test_places_move_up_as_the_line_does(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(*(requested(**own(n)) for n in (1, 2, 3)))
    await house.projected()
    stream = await door.events()
    snapshot = await stream.ready()
    await house.tell(started(**own(1)))
    told = await places(stream, {2: 1, 3: 2})
    await house.tell(completed(**own(1)), started(**own(2)))
    more = await places(stream, {3: 1})

    assert [each.data["queue_position"] for each in snapshot] == [1, 2, 3]
    assert told == [(task_id(2), 1), (task_id(3), 2)]
    assert more == [(task_id(3), 1)]


async def test_a_new_task_is_told_its_place(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(requested(task=task_id(1), owner="bob"))
    stream = await door.events()
    await stream.ready()
    await house.tell(requested(**own(2)))

    assert (await stream.next("task")).data["queue_position"] is None
    assert await places(stream, {2: 2}) == [(task_id(2), 2)]


async def test_others_in_the_line_move_ones_own_tasks_and_stay_unnamed(
    task_store: House, door: Listening
) -> None:
    house = task_store
    await house.tell(requested(task=task_id(1), owner="bob"), requested(**own(2)))
    await house.projected()
    anns, bobs = await door.events(), await door.stream("/events", headers=BOB)
    await anns.ready()
    await bobs.ready()
    await house.tell(requested(task=task_id(3), owner="bob"))
    assert await places(bobs, {3: 3}) == [(task_id(3), 3)]
    await house.tell(cancelled(task=task_id(1), owner="bob"))

    assert await places(anns, {2: 1}) == [(task_id(2), 1)]
    assert await places(bobs, {3: 2}) == [(task_id(3), 2)]


async def test_who_resumes_hears_the_places_of_tasks_that_have_not_changed(
    task_store: House, door: Listening
) -> None:
    house = task_store
    last = await house.tell(requested(**own(1)), requested(**own(2)))
    await house.projected()
    of_all = await door.events(after=last)
    of_one = await door.task(task_id(2), after=last)

    assert await places(of_all, {1: 1, 2: 2})
    assert await places(of_one, {2: 2}) == [(task_id(2), 2)]


async def test_a_socket_is_told_as_well(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(requested(**own(1)), requested(**own(2)))
    await house.projected()
    connection = await door.socket()
    await connection.send(f'{{"subscribe": {{"task_id": "{task_id(2)}"}}}}')
    assert (await frame(connection, "task")).data["queue_position"] == 2
    await house.tell(started(**own(1)))
    told = await frame(connection, "position")

    assert (told.id, told.data["queue_position"]) == (None, 1)


async def test_a_long_line_is_told_nearest_first_and_a_few_at_once(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.places.MOST_A_TICK", 10)
    house = task_store
    await house.tell(*(requested(**own(n)) for n in range(1, 61)))
    stream = await door.events()
    await stream.ready()
    await house.tell(started(**own(1)))
    told = await places(stream, {n: n - 1 for n in range(2, 61)})

    assert [place for _, place in told] == list(range(1, 60))


async def test_a_line_longer_than_one_look_is_looked_at_in_parts(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("task_store.queries._PLACES_IN_PART", 7)
    house = task_store
    await house.tell(*(requested(**own(n)) for n in range(1, 31)))
    stream = await door.events()
    await stream.ready()
    await house.tell(started(**own(1)))
    told = await places(stream, {n: n - 1 for n in range(2, 31)})

    assert sorted(told) == sorted((task_id(n), n - 1) for n in range(2, 31))


async def test_nobody_is_asked_while_nothing_waits(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = task_store
    asked: list[Any] = []
    tasks = door.parts.tasks
    real = tasks.places

    async def counted(*question: Any) -> Any:
        asked.append(question)
        return await real(*question)

    monkeypatch.setattr(tasks, "places", counted)
    await house.tell(requested(**own(1)), started(**own(1)), requested(task=task_id(2), owner="z"))
    await house.projected()
    stream = await door.events()
    await stream.ready()
    await eventually(lambda: asked)
    places = door.parts.places
    await eventually(lambda: places._nobody_waits and not places._stirred.is_set())  # noqa: SLF001
    before = len(asked)
    end = await house.tell(started(task=task_id(2), owner="z"), completed(**own(1)))
    assert (await stream.next("task")).id == end
    assert not places._stirred.is_set()  # noqa: SLF001

    assert len(asked) == before
    await house.tell(requested(**own(3)))
    assert (await stream.next("position")).data["queue_position"] == 1
