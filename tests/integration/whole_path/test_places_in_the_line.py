"""Tasks submitted at once stand in one line: places 1 to n, each once, in the log's order."""

from __future__ import annotations

import asyncio

from contracts.events import decode
from contracts.records import to_record
from integration.whole_path.conftest import Line, places
from servers import eventually


async def tickets(line: Line) -> dict[str, int]:
    """The log's sequence of each request, in log order."""
    events = [(decode(message.payload), message.sequence) for message in await line.system.log()]
    return {
        event.subject: sequence
        for event, sequence in events
        if event.type == "generation.requested" and event.subject in line.waiting
    }


async def test_three_tasks_submitted_at_once_get_places_1_to_3(line: Line) -> None:
    await asyncio.gather(*(line.submit(prompt=f"tree {n}") for n in range(3)))

    assert sorted((await places(line.system)).values()) == [1, 2, 3]


async def test_ten_tasks_submitted_rapidly_get_places_of_their_own(line: Line) -> None:
    await asyncio.gather(*(line.submit(prompt=f"tree {n}") for n in range(10)))

    found = await places(line.system)

    assert found.keys() == set(line.waiting)
    assert sorted(found.values()) == list(range(1, 11))


async def test_places_are_sequential_in_the_order_of_submission(line: Line) -> None:
    for number in range(5):
        await line.submit(prompt=f"tree {number}")
        assert await places(line.system) == {
            task_id: place for place, task_id in enumerate(line.waiting, 1)
        }


async def test_no_place_is_taken_twice_at_any_moment(line: Line) -> None:
    """While ten tasks come in, and while the line moves up until it is empty."""
    seen: list[list[int]] = []

    async def look() -> list[int]:
        seen.append(sorted((await places(line.system)).values()))
        return seen[-1]

    async def keep_looking() -> None:
        while True:
            await look()

    looking = asyncio.create_task(keep_looking())
    try:
        await asyncio.gather(*(line.submit(prompt=f"tree {n}") for n in range(10)))
        longest = await look()
        await line.release()

        async def line_is_empty() -> bool:
            return not await look()

        await eventually(line_is_empty, 60, "the line did not move up")
    finally:
        looking.cancel()
        await asyncio.wait([looking])

    assert longest == list(range(1, 11))
    assert seen == [list(range(1, len(each) + 1)) for each in seen]


async def test_the_tickets_of_the_log_strictly_grow_and_decide_the_places(line: Line) -> None:
    await asyncio.gather(*(line.submit(prompt=f"tree {n}") for n in range(10)))
    await line.submit(prompt="the last tree")

    found = await places(line.system)
    by_ticket = await tickets(line)
    async with line.system.database() as database:
        rows = await database.tasks()

    drawn = list(by_ticket.values())
    assert drawn == sorted(set(drawn))
    assert [found[task_id] for task_id in by_ticket] == list(range(1, 12))
    assert list(by_ticket)[-1] == line.waiting[-1]
    assert {task_id: to_record(rows[task_id])["ticket"] for task_id in by_ticket} == by_ticket


async def test_when_the_first_starts_or_leaves_the_others_move_up(line: Line) -> None:
    slow = {"width": 64, "height": 64, "simulate": {"seconds": 30}}
    first, second, third, fourth = [await line.submit(provider_params=slow) for _ in range(4)]
    await line.cancel(second)
    assert await places(line.system) == {first: 1, third: 2, fourth: 3}

    await line.release()

    async def first_is_at_work() -> bool:
        return bool((await line.system.task(first))["attempt"])

    await eventually(first_is_at_work, 30)
    assert await places(line.system) == {third: 1, fourth: 2}
    assert (await line.system.task(first))["queue_position"] == 0
    new = await line.submit()
    assert await places(line.system) == {third: 1, fourth: 2, new: 3}
