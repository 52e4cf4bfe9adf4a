"""What happens to a task is in the database at every step, and nobody's word gets lost there."""

from __future__ import annotations

import asyncio
import hashlib

from contracts.events import Event, Progressed, decode
from contracts.lifecycle import Phase, Task
from contracts.records import Record, to_record
from integration.whole_path.conftest import SMALL, Line, recovered, submit
from servers import eventually
from system import Database, System, fold_of_log


async def rows_seen_until_the_end(database: Database, task_id: str) -> list[Task]:
    """The task's row, looked at again and again."""
    seen: list[Task] = []

    async def over() -> bool:
        task = (await database.tasks()).get(task_id)
        if task is not None:
            seen.append(task)
        return task is not None and task.status.is_terminal

    await eventually(over, 60, f"{task_id} did not end")
    return seen


async def facts_of(system: System, task_id: str) -> list[tuple[int, Event]]:
    """The task's events with their sequences."""
    told = [(message.sequence, decode(message.payload)) for message in await system.log()]
    return [(sequence, event) for sequence, event in told if event.subject == task_id]


async def records_by_sequence(system: System, task_id: str) -> dict[int, Record]:
    """What the log says of the task after each of its events."""
    messages = [each for each in await system.log() if decode(each.payload).subject == task_id]
    return {
        message.sequence: to_record(fold_of_log(messages[: number + 1])[task_id])
        for number, message in enumerate(messages)
    }


async def test_a_queued_task_is_persisted_with_status_progress_and_place(line: Line) -> None:
    first = await line.submit(metadata={"page": "create"})
    second = await line.submit()

    waiting = await recovered(line.system)
    async with line.system.database() as database:
        rows = await database.tasks()

    told = fold_of_log(await line.system.log())
    for place, task_id in enumerate((first, second), 1):
        shown = waiting[task_id]
        row = to_record(rows[task_id])
        assert row == to_record(told[task_id])
        for kept in (shown, row):
            assert (kept["status"], kept["stage"], kept["progress"]) == ("processing", "queued", 0)
        assert shown["queue_position"] == place


async def test_a_processing_task_is_updated_with_its_progress(system: System) -> None:
    slow = SMALL | {"simulate": {"seconds": 3}}
    task_id = (await submit(system, provider_params=slow))["task_id"]

    async with system.database() as database:
        seen = await rows_seen_until_the_end(database, task_id)

    records = await records_by_sequence(system, task_id)
    assert [to_record(row) for row in seen] == [records[row.sequence] for row in seen]
    assert {Phase.RUNNING, Phase.COMPLETED} <= {row.phase for row in seen}
    facts = await facts_of(system, task_id)
    percents = [event.data.progress for _, event in facts if isinstance(event, Progressed)]
    assert {percent // 10 for percent in percents} == set(range(1, 10))
    assert percents == sorted(percents)


async def test_a_completed_task_is_updated_with_its_picture(system: System) -> None:
    task_id = (await submit(system))["task_id"]

    shown = await system.ended(task_id)
    picture = await system.http.get(shown["image_url"])
    async with system.database() as database:
        (row,) = (await rows_seen_until_the_end(database, task_id))[-1:]

    assert (shown["status"], shown["progress"], shown["error"]) == ("completed", 100, None)
    assert picture.content.startswith(b"\x89PNG")
    digest = hashlib.sha256(picture.content).hexdigest()
    kept = to_record(row)
    assert (kept["status"], kept["progress"], kept["error"]) == ("completed", 100, None)
    (artifact,) = kept["artifacts"]
    assert shown["image_url"].endswith(artifact["key"])
    assert (artifact["sha256"], artifact["bytes"]) == (digest, len(picture.content))


async def test_a_failed_task_is_updated_with_its_error(system: System) -> None:
    doomed = SMALL | {"simulate": {"seconds": 0.5, "fail": "The lamp broke."}}
    task_id = (await submit(system, provider_params=doomed))["task_id"]

    shown = await system.ended(task_id)
    async with system.database() as database:
        (row,) = (await rows_seen_until_the_end(database, task_id))[-1:]

    error = {
        "code": "provider_rejected",
        "message": "The lamp broke.",
        "retryable": False,
        "attempts": 1,
        "params": {},
    }
    for kept in (shown, to_record(row)):
        assert (kept["status"], kept["progress"], kept["error"]) == ("failed", 0, error)
        assert kept["artifacts"] == []
    assert (shown["error_msg"], shown["image_url"]) == ("The lamp broke.", None)


async def test_concurrent_metadata_patches_lose_nothing_while_the_task_runs(
    system: System,
) -> None:
    slow = SMALL | {"simulate": {"seconds": 1}}
    task = await submit(system, provider_params=slow, metadata={"page": {"tab": 1}, "kept": True})
    task_id = task["task_id"]

    answers = await asyncio.gather(
        *(
            system.http.patch(
                f"/tasks/{task_id}/metadata", json={"page": {f"mark{n}": n}, f"{n}": n}
            )
            for n in range(12)
        )
    )
    ended = await system.ended(task_id)
    async with system.database() as database:
        (row,) = (await rows_seen_until_the_end(database, task_id))[-1:]

    assert [answer.status_code for answer in answers] == [200] * 12
    metadata = {
        "page": {"tab": 1} | {f"mark{n}": n for n in range(12)},
        "kept": True,
        **{f"{n}": n for n in range(12)},
    }
    assert ended["metadata"] == metadata
    assert (ended["status"], ended["progress"], ended["attempt"]) == ("completed", 100, 1)
    kept = to_record(row)
    assert kept == to_record(fold_of_log(await system.log())[task_id])
    assert kept["metadata"] == metadata
