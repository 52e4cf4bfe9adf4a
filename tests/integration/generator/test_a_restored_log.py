"""A log that was lost and brought back: no task is done anew, and nothing is submitted twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest

from builders import OWNER
from contracts.events import Completed
from contracts.subjects import STREAM, restore_subject
from delivery import copying, restoring
from delivery.ordered import Delivered, OrderedLog
from integration.generator.conftest import SPEC
from integration.generator.floor import Floor
from servers import eventually

LANE = "scripted-remote"
FIRST = 1_000_000


async def everything(floor: Floor) -> list[Delivered]:
    """All that is on the log, as a copy of it would have it."""
    last = (await floor.log.state()).last_sequence
    messages: list[Delivered] = []
    async with OrderedLog(floor.client, floor.requests, start=1) as log:
        while not messages or messages[-1].sequence < last:
            messages += await log.batch(1000)
    return messages


async def bring_back(floor: Floor, messages: list[Delivered]) -> None:
    async def source(after: int) -> AsyncGenerator[Sequence[Delivered], None]:
        yield [each for each in messages if each.sequence > after]

    plan = restoring.Plan("a copy", len(messages), 1, messages[-1].sequence)
    await restoring.begin(floor.client, SPEC, plan, FIRST)
    await copying.copy(floor.client, STREAM, source, restore_subject, lambda _: None)
    await restoring.finish(floor.client, SPEC)


def unbound(floor: Floor) -> list[str]:
    return [lane for each in floor.generators if each.parts for lane in each.parts.lanes.unbound()]


@pytest.mark.parametrize("who", ["the same generator", "another generator"])
async def test_what_is_done_is_dropped_and_what_runs_is_resumed_from_its_handle(
    who: str, floor: Floor
) -> None:
    generator = await floor.start()
    done = [await floor.ask(lane=LANE) for _ in range(5)]
    for task in done:
        await floor.ended(task)
    running = [await floor.ask(lane=LANE, until="go") for _ in range(3)]
    for task in running:
        await floor.followed(task)
        await floor.told(task, "progressed")
    messages = await everything(floor)
    ends = {task: (await floor.events(task))[-1].id for task in done}
    if who == "another generator":
        await floor.stop(generator)
    await floor.client.jetstream().delete_stream(STREAM)
    if who == "the same generator":
        await eventually(lambda: unbound(floor), 30, "the generator does not miss the log")
    await bring_back(floor, messages)
    if who == "another generator":
        await floor.start()
    else:
        await eventually(lambda: not unbound(floor), 30, "the generator does not come back")

    floor.stage.release("go")

    ended = [await floor.ended(task) for task in running]
    await floor.acknowledged(LANE)
    assert {type(end) for end in ended} == {Completed}
    assert floor.stage.count("submit") == len(done) + len(running)
    assert {task: (await floor.events(task))[-1].id for task in done} == ends
    for task, end in zip(running, ended, strict=True):
        assert (end.owner, end.subject) == (OWNER, task)
        assert (await floor.story(task)).count("completed") == 1
    started_at = (await floor.task(done[0])).heard_at
    assert started_at <= messages[-1].logtime
