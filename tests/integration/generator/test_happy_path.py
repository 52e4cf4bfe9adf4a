"""One request in, progress and one outcome out."""

from __future__ import annotations

import hashlib

from artifacts.keys import artifact_key
from builders import OWNER
from contracts.events import Artifact, Completed, CompletedData, ProgressedData
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
