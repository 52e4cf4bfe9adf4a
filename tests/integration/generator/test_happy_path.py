"""One request in, progress and one outcome out."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from artifacts.keys import artifact_key
from builders import OWNER
from contracts.events import Artifact, Completed, CompletedData, Progressed, ProgressedData
from contracts.generation_types import GENERATION_TYPES
from generator import catalogue
from integration.generator.floor import Floor


async def test_a_request_becomes_a_completed_task_with_its_artifact(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(steps=[5, 20, 21, 55])

    end = await floor.ended(task)

    content = b"a red bicycle 0"
    sha256 = hashlib.sha256(content).hexdigest()
    key = artifact_key(OWNER, task, 1, 0, sha256, "png")
    artifact = Artifact(
        key=key, content_type="image/png", bytes=15, sha256=sha256, width=3, height=2
    )
    assert isinstance(end, Completed)
    assert end.data == CompletedData(attempt=1, artifacts=(artifact,), stage="saving")
    assert await floor.store.get(key) == content
    await floor.acknowledged()


async def test_the_story_of_a_task_is_told_in_order(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask()

    await floor.ended(task)

    events = await floor.events(task)
    assert [event.type for event in events] == [
        "generation.requested",
        "generation.started",
        "generation.progressed",
        "generation.completed",
    ]
    assert events[2].data == ProgressedData(attempt=1, progress=0, stage="saving")
    assert {event.causationid for event in events[1:]} == {events[0].id}


@pytest.mark.parametrize("lane", ["scripted", "scripted-remote"])
async def test_on_a_cluster_the_log_is_read_before_a_task_starts(floor: Floor, lane: str) -> None:
    generator = await floor.start()
    assert generator.parts is not None
    # Nothing but the broker's own word tells: there is one server here.
    assert generator.parts.lanes.single_broker
    generator.parts.lanes.single_broker = False

    task = await floor.ask(lane=lane)

    assert isinstance(await floor.ended(task), Completed)
    assert (await floor.story(task)).count("started") == 1


async def test_every_tenth_of_a_quick_picture_is_told_before_it_is_saved(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(steps=list(range(100)))

    await floor.ended(task)

    told = [event.data for event in await floor.events(task) if isinstance(event, Progressed)]
    assert [(each.progress, each.stage) for each in told] == [
        *((percent, None) for percent in range(10, 100, 10)),
        (99, "saving"),
    ]


async def test_a_type_with_a_timeout_of_its_own_is_told_of_five_times_in_it(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = replace(GENERATION_TYPES["CREATE"], timeout_s=0.5)
    monkeypatch.setattr(catalogue, "GENERATION_TYPES", {"CREATE": hasty})
    await floor.start(task_timeout_s=3600)
    task = await floor.ask(until="done")

    # One step to 50 %; all that is told after it is that there is life.
    await floor.told(task, "progressed", times=4)

    floor.stage.release("done")
    assert isinstance(await floor.ended(task), Completed)
