"""What services call back is handed to who follows the task, whenever it came."""

from __future__ import annotations

import base64
import json

from contracts.events import Completed
from contracts.subjects import HOOK_BUCKET
from delivery.provision import ensure_bucket
from integration.generator.floor import Floor
from servers import eventually

LANE = "scripted-remote"
NEVER_S = 3600
"""Between two polls: longer than any test."""


async def call_back(floor: Floor, task: str, lane: str = LANE) -> None:
    """Keep a call as the gateway does."""
    await ensure_bucket(floor.client, HOOK_BUCKET)
    bucket = await floor.client.jetstream().key_value(HOOK_BUCKET)
    body = base64.b64encode(b"{}").decode()
    await bucket.put(f"{lane}.{task}", json.dumps({"headers": {}, "body": body}).encode())


def count(floor: Floor, task: str, call: str) -> int:
    return sum(name == call for name, _ in floor.stage.calls(task))


async def test_a_call_ends_the_pause_between_two_polls(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE, until="done", poll_s=NEVER_S)
    await eventually(lambda: count(floor, task, "polls") == 1)
    floor.stage.release("done")
    await call_back(floor, task)

    assert isinstance(await floor.ended(task), Completed)
    assert count(floor, task, "called back") == 1


async def test_every_call_is_handed_on(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE, until="done", poll_s=NEVER_S)
    await eventually(lambda: count(floor, task, "polls") == 1)
    for number in (1, 2, 3):
        await call_back(floor, task)
        await eventually(lambda number=number: count(floor, task, "called back") >= number)
    floor.stage.release("done")
    await call_back(floor, task)

    assert isinstance(await floor.ended(task), Completed)


async def test_a_call_for_another_task_or_provider_wakes_nobody(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=LANE, until="done", poll_s=NEVER_S)
    other = await floor.ask(lane=LANE, until="done too", poll_s=NEVER_S)
    await eventually(lambda: floor.stage.count("polls") == 2)
    await call_back(floor, other)
    await eventually(lambda: count(floor, other, "called back") == 1)

    assert count(floor, task, "called back") == 0
    for name in ("done", "done too"):
        floor.stage.release(name)
    await call_back(floor, task)
    await call_back(floor, other)
    await floor.ended(task)
    await floor.ended(other)


async def test_a_call_that_came_while_no_generator_ran_is_found_afterwards(floor: Floor) -> None:
    process = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=LANE, until="done", poll_s=NEVER_S)
    await eventually(lambda: count(floor, task, "polls") == 1, 60)
    process.kill()
    await process.wait()
    await call_back(floor, task)

    await floor.start(lease_s=1)
    await eventually(lambda: count(floor, task, "called back") == 1, 30)
    floor.stage.release("done")
    await call_back(floor, task)

    assert isinstance(await floor.ended(task), Completed)
    assert count(floor, task, "submit") == 1
