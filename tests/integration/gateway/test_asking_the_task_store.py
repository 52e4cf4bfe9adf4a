"""Questions to the task-store: shared where they can be, patient where it restarts."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from builders import task_id
from contracts import queries
from gateway.refusals import Refusal
from integration.gateway.house import House


class Answers:
    """Answers `task-store.get` with an empty record for each id, after ``hold`` is set."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, message: Any) -> None:
        ids = orjson.loads(message.data)["task_ids"]
        self.asked.append(ids)
        await self.hold.wait()
        await message.respond(
            orjson.dumps({"ok": {"records": {each: {} for each in ids}, "sequence": 1}})
        )

    async def handle(self, message: Any) -> None:
        await self(message)


async def test_those_asked_for_meanwhile_share_the_next_question(house: House) -> None:
    await house.gateway()
    answers = Answers()
    await house.client.subscribe(queries.GET, cb=answers.handle)
    await house.client.flush()
    tasks = house.parts[0].tasks
    answers.hold.clear()
    first = asyncio.create_task(tasks.get(task_id(0)))
    while not answers.asked:  # noqa: ASYNC110
        await asyncio.sleep(0)
    later = [asyncio.create_task(tasks.get(task_id(1 + n % 700))) for n in range(1400)]
    await asyncio.sleep(0)
    answers.hold.set()
    await asyncio.gather(first, *later)

    assert [len(ids) for ids in answers.asked] == [1, 500, 200]


async def test_a_restart_of_the_task_store_is_waited_out(house: House) -> None:
    await house.gateway()
    asking = asyncio.create_task(house.parts[0].tasks.get(task_id(0)))
    await asyncio.sleep(0)
    await house.client.subscribe(queries.GET, cb=Answers().handle)

    assert await asking == ({}, 1)


@pytest.mark.parametrize(
    ("error", "code"), [("behind", "not_caught_up"), ("unavailable", "task_store_unavailable")]
)
async def test_its_errors_are_told_to_the_caller(house: House, error: str, code: str) -> None:
    async def answer(message: Any) -> None:
        await message.respond(orjson.dumps({"error": error}))

    await house.gateway()
    await house.client.subscribe(queries.GET, cb=answer)
    await house.client.flush()

    with pytest.raises(Refusal) as raised:
        await house.parts[0].tasks.get(task_id(0))
    assert (raised.value.code, raised.value.retry_after_s) == (code, 1)
