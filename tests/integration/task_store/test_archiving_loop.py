"""The task-store that projects archives by itself what is old enough."""

from __future__ import annotations

import asyncpg
import pytest
from prometheus_client import REGISTRY

from artifacts.store import ArtifactStore, StoreUnavailable
from builders import completed, erased, requested, started, task_id
from contracts.subjects import STREAM
from integration.task_store.conftest import Bus, Starter
from servers import eventually
from task_store import archiving


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


async def test_what_fails_for_long_is_seen_by_what_is_due(
    bus: Bus,
    database: asyncpg.Connection,
    files: ArtifactStore,
    start_task_store: Starter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A segment that can't be read, and a store that takes nothing."""
    monkeypatch.setattr(archiving, "EVERY_S", 0.05)
    before = _failures("Unreadable"), _failures("StoreUnavailable")
    told = [requested(), started(), completed(), requested(task=task_id(2))]
    await bus.tell(*told)
    await start_task_store(archive_after_s=0.001)
    segment: str = await eventually(
        lambda: database.fetchval("SELECT key FROM archive.segments"), 30
    )
    await files.put(segment, b"no segment", "application/gzip")

    await bus.tell(erased(at=30))
    await eventually(lambda: REGISTRY.get_sample_value("darkroom_archive_erased_tasks") == 1, 30)
    await eventually(lambda: _failures("Unreadable") > before[0])

    async def refuses(*_: object) -> str:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(files, "put", refuses)
    monkeypatch.setattr(files, "delete", refuses)
    of = {"task": task_id(3)}
    await bus.tell(requested(**of), started(**of), completed(**of))
    await eventually(lambda: _failures("StoreUnavailable") > before[1], 30)
    failed = _failures("StoreUnavailable")
    overdue = REGISTRY.get_sample_value("darkroom_archive_overdue_seconds") or 0.0

    # What it had in hand can't be taken back either: no later round gets any further.
    await eventually(lambda: _failures("StoreUnavailable") > failed + 1, 30)
    await eventually(
        lambda: (REGISTRY.get_sample_value("darkroom_archive_overdue_seconds") or 0.0) > overdue
    )


def _failures(reason: str) -> float:
    name = "darkroom_archive_failures_total"
    return REGISTRY.get_sample_value(name, {"reason": reason}) or 0.0


def _since(before: list[float]) -> list[float]:
    return [after - was for was, after in zip(before, _counted(), strict=True)]


def _counted() -> list[float]:
    names = ("written_tasks", "written_events", "pruned_tasks")
    return [REGISTRY.get_sample_value(f"darkroom_archive_{name}_total") or 0 for name in names]
