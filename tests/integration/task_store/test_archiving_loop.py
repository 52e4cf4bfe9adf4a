"""The task-store that projects archives by itself what is old enough."""

from __future__ import annotations

import asyncpg
from prometheus_client import REGISTRY

from artifacts.store import ArtifactStore
from builders import completed, requested, started, task_id
from contracts.subjects import STREAM
from integration.task_store.conftest import Bus, Starter
from servers import eventually


async def test_what_is_due_is_archived_and_pruned_and_counted(
    bus: Bus, database: asyncpg.Connection, files: ArtifactStore, start_task_store: Starter
) -> None:
    before = _counted()
    told = [
        event
        for of in ({"task": task_id(number)} for number in (1, 2))
        for event in (requested(**of), started(**of), completed(**of))
    ]
    await bus.tell(*told, requested(task=task_id(3)))
    await start_task_store(archive_after_s=0.001)
    await bus.projected(len(told) + 1)
    await bus.client.jetstream().purge_stream(STREAM)

    async def pruned() -> bool:
        return await database.fetchval("SELECT count(*) FROM archive.tasks WHERE pruned") == 2

    await eventually(pruned, 60)
    # A round is counted when its transactions are over.
    await eventually(lambda: _since(before) == [2, 6, 2])
    await eventually(lambda: REGISTRY.get_sample_value("darkroom_archive_segments") == 1)

    assert await database.fetchval("SELECT count(*) FROM live.tasks") == 1
    assert len([stored async for stored in files.list("archive")]) == 1


def _since(before: list[float]) -> list[float]:
    return [after - was for was, after in zip(before, _counted(), strict=True)]


def _counted() -> list[float]:
    names = ("written_tasks", "written_events", "pruned_tasks")
    return [REGISTRY.get_sample_value(f"darkroom_archive_{name}_total") or 0 for name in names]
