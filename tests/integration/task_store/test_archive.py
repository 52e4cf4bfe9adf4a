"""Finished tasks leave the hot tables for segments in the object store, and are told as before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from artifacts.keys import kind
from artifacts.store import ArtifactStore
from builders import (
    annotated,
    progressed,
    requested,
    started,
    task_id,
)
from contracts import queries
from contracts.events import decode
from contracts.lifecycle import Phase
from contracts.subjects import STREAM, progress_subject
from darkroom.cli import eventfile
from integration.task_store.archive_by_hand import UPLOAD, Store, lives
from integration.task_store.conftest import Bus
from task_store import archive as archive_module
from task_store.history import History
from task_store.raw_copy import known_tasks
from task_store.sql import ARCHIVE, STATEMENTS
from task_store.writer import Projection


async def test_a_pruned_task_is_told_as_before(kept: Store, bus: Bus) -> None:
    await kept.tell(*lives(1, 2, 3, 4), requested(task=task_id(5), at=5))
    before, told, history = await kept.rows(), await kept.record(2), await kept.history()
    events = await kept.events(2)
    await kept.age_log()

    done = await kept.round()
    await kept.tell(*lives(6))

    assert (done.written.tasks, done.written.events, done.pruned) == (4, 16, 4)
    assert await kept.hot() == [task_id(5), task_id(6)]
    assert await kept.raw() == 5
    after = await kept.rows()
    assert {number: after[number] for number in before} == before
    assert await kept.record(2) == told
    assert await kept.history() == [task_id(6), *history]
    assert await kept.history(prompt_id="p") == [task_id(n) for n in (6, 4, 3, 2, 1)]
    assert await kept.history(status="processing") == [task_id(5)]
    assert await kept.events(2) == events
    assert await kept.events(77) == []
    assert await known_tasks(kept.database, [task_id(2)]) == {task_id(2): Phase.COMPLETED}
    referenced = await bus.ask(queries.REFERENCED, keys=[UPLOAD, "uploads/x"], sequence=0)
    assert referenced["ok"]["keys"] == [UPLOAD]


@pytest.mark.parametrize("known", ["SELECT", "ANALYZE", "VACUUM ANALYZE"])
async def test_a_reference_is_looked_for_by_its_index(
    database: asyncpg.Connection, known: str
) -> None:
    """A key that no task refers to would cost a scan of all tasks, whatever is known of them."""
    await database.execute(_MANY.format(table="archive.tasks", more="through", value="n"))
    await database.execute(_MANY.format(table="live.tasks", more="prompt", value="NULL"))
    await database.execute(known)

    rows = await database.fetch(f"EXPLAIN {STATEMENTS['read_referenced']}", ["uploads/none", "up"])
    plan = "\n".join(row[0] for row in rows)

    assert "Bitmap Index Scan on tasks_references" in plan
    assert "Bitmap Index Scan on archive_references" in plan
    assert "Seq Scan" not in plan


_MANY = """
INSERT INTO {table} (task_id, owner, type, phase, status, stage, progress, attempt, lane,
    reference_images, provider_params, body_sha256, metadata, artifacts, late_artifacts, created_at,
    updated_at, heard_at, sequence, {more})
SELECT gen_random_uuid(), 'ann', 'CREATE', 'completed', 'completed', 'done', 100, 1, 'studio',
    CASE WHEN n % 10 < 3 THEN jsonb_build_array('uploads/' || n) ELSE '[]' END,
    '{{}}', '', '{{}}', '[]', '[]', now(), now(), now(), n, {value}
FROM generate_series(1, 10000) n
"""


async def test_many_tasks_are_told_by_what_the_last_vacuum_found(
    database: asyncpg.Connection,
) -> None:
    await database.execute(_MANY.format(table="archive.tasks", more="through", value="n"))
    await database.execute("UPDATE archive.tasks SET pruned = true WHERE sequence <= 7000")

    async def told(counted: int) -> tuple[int, int, bool]:
        row = await database.fetchrow(ARCHIVE["kept"], counted)
        assert row is not None
        return row["tasks"], row["pruned"], row["about"]

    exact = [await told(10_000), await told(7_000)]
    unknown = await told(5_000)
    await database.execute("VACUUM ANALYZE archive.tasks")
    known = [await told(5_000), await told(100)]
    plan = await database.fetch(f"EXPLAIN {ARCHIVE['kept']}", 100)

    assert exact == [(10_000, 7_000, False)] * 2
    assert unknown >= (8_001, 5_001, True)
    assert known == [(10_000, 7_000, True)] * 2
    assert not [row[0] for row in plan if "Seq Scan on tasks" in row[0]]


async def test_what_is_young_or_has_not_ended_is_left_alone(kept: Store) -> None:
    await kept.tell(*lives(1), requested(task=task_id(2)), started(task=task_id(2)))
    await kept.age_log()

    async with kept.archive() as archive:
        early = await archive.run_once(datetime.now(UTC) - timedelta(hours=1))
        late = await archive.run_once(datetime.now(UTC) + timedelta(hours=1))
        again = await archive.run_once(datetime.now(UTC) + timedelta(hours=1))

    assert early.nothing
    assert (late.written.tasks, late.pruned) == (1, 1)
    assert again.nothing
    assert await kept.hot() == [task_id(2)]


async def test_nothing_is_pruned_of_what_the_log_still_tells(kept: Store) -> None:
    last = await kept.tell(*lives(1, 2))

    kept_by_log = await kept.round()
    await kept.bus.client.jetstream().purge_stream(STREAM, seq=last)
    kept_by_last = await kept.round()
    await kept.bus.client.jetstream().purge_stream(STREAM)
    gone = await kept.round()

    assert (kept_by_log.written.tasks, kept_by_log.pruned) == (2, 0)
    assert (kept_by_last.written.tasks, kept_by_last.pruned) == (0, 1)
    assert gone.pruned == 1
    assert await kept.raw() == 0


async def test_rows_that_are_newer_than_the_archive_do_not_keep_others_from_being_pruned(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a log was restored nearly all of them are: they are passed by, a few in a round."""
    monkeypatch.setattr(archive_module, "PRUNED_AT_ONCE", 1)
    monkeypatch.setattr(archive_module, "LOOKED_AT_ONCE", 2)
    await kept.tell(*lives(1, 2, 3, 4, 5, 6, 7))
    await kept.round()
    await kept.age_log()
    newer = "UPDATE live.tasks SET sequence = sequence + 1000 WHERE task_id < $1"
    await kept.database.execute(newer, task_id(5))

    async with kept.archive() as archive:
        pruned = [await archive.prune() for _ in range(6)]
        async with kept.database.transaction():
            # What finds nothing to prune waits for no projector, and keeps none waiting.
            await kept.database.fetch("SELECT FROM live.checkpoint FOR UPDATE")
            nothing = await archive.prune()

    assert sum(map(int, pruned)) == 3
    assert nothing == 0
    assert await kept.hot() == [task_id(number) for number in (1, 2, 3, 4)]


async def test_a_segment_is_a_file_of_events(kept: Store, tmp_path: Path) -> None:
    await kept.tell(*lives(1, 2))
    await kept.round()
    [key] = await kept.segments()
    file = tmp_path / "exported.jsonl.gz"
    file.write_bytes(await kept.files.get(key))

    found = list(eventfile.messages_in(file))

    assert kind(key) == "segment"
    assert [decode(message.payload) for message in found] == lives(1, 2)
    assert [message.sequence for message in found] == list(range(1, 9))


async def test_segments_are_small_and_nothing_is_left_between_them(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "MOST_TASKS", 2)
    monkeypatch.setattr(archive_module, "SPAN_EVENTS", 15)
    await kept.tell(*lives(1, 2, 3, 4, 5))

    rounds = [await kept.round() for _ in range(5)]
    monkeypatch.setattr(archive_module, "MOST_BYTES", 1)
    await kept.tell(*lives(6, 7))
    one_by_one = [await kept.round() for _ in range(3)]

    assert [done.written.tasks for done in rounds] == [2, 2, 1, 0, 0]
    assert [done.written.tasks for done in one_by_one] == [1, 1, 0]
    assert len(await kept.segments()) == 5


async def test_a_later_event_brings_a_pruned_task_back_until_it_is_archived_again(
    kept: Store,
) -> None:
    await kept.pruned(*lives(1, 2))

    patched = await kept.tell(annotated({"note": 1}, task=task_id(1), at=20))
    told, thawed, events = await kept.record(1), await kept.hot(), await kept.events(1)
    checked = await kept.differences()
    await kept.rebuild()
    rebuilt, checked_again = await kept.record(1), await kept.differences()
    await kept.age_log()
    done = await kept.round()

    assert told is not None
    assert (told["metadata"], told["sequence"], told["status"]) == (
        {"note": 1},
        patched,
        "completed",
    )
    assert thawed == [task_id(1)]
    assert [each["event"]["type"] for each in events][-2:] == [
        "generation.completed",
        "generation.annotated",
    ]
    assert rebuilt == told
    assert checked == checked_again == []
    assert (done.written.tasks, done.written.events, done.pruned) == (1, 1, 1)
    assert await kept.hot() == []
    assert await kept.record(1) == told
    assert await kept.events(1) == events
    assert len(await kept.segments()) == 2
    assert await kept.differences() == []


async def test_what_changes_nothing_is_archived_too(kept: Store) -> None:
    await kept.pruned(*lives(1))
    before = await kept.record(1)

    await kept.tell(progressed(60, task=task_id(1), at=30))
    late = await kept.hot()
    await kept.age_log()
    done = await kept.round()

    assert late == [task_id(1)]
    assert await kept.record(1) == before
    assert (done.written.events, done.pruned, await kept.raw()) == (1, 1, 0)


async def test_a_task_that_the_projector_remembers_can_be_pruned(kept: Store) -> None:
    """It has read the row for a late event, and writes the next one to a row that is gone."""
    await kept.tell(*lives(1))
    await kept.tell(progressed(60, task=task_id(1), at=30))
    await kept.age_log()
    assert (await kept.round()).pruned == 1

    await kept.tell(annotated({"note": 1}, task=task_id(1), at=40))

    told = await kept.record(1)
    assert told is not None
    assert told["metadata"] == {"note": 1}
    assert await kept.differences() == []


async def test_what_changes_nothing_brings_back_a_task_that_the_projector_knew(
    kept: Store,
) -> None:
    """It has read the row for one such event; the task is pruned, and the next one comes."""
    await kept.tell(*lives(1))
    await kept.tell(progressed(60, task=task_id(1), at=30))
    await kept.age_log()
    assert (await kept.round()).pruned == 1
    before = await kept.record(1)

    await kept.tell(progressed(70, task=task_id(1), at=40))

    assert await kept.hot() == [task_id(1)]
    assert await kept.record(1) == before is not None
    assert await kept.differences() == []


async def test_a_task_that_is_pruned_while_something_is_told_of_it_comes_back(
    bus: Bus, database: asyncpg.Connection, database_url: str, files: ArtifactStore
) -> None:
    """Its row was read, went, and then the event is written, which changes nothing."""
    by_hand = Store(bus, database_url, database, files)
    projection = Projection(database)
    await projection.load()
    async with History(bus.client, bus.requests, database) as history:
        batch = await history.take(await bus.tell(*lives(1)))
        await projection.adopt(await bus.log.state())
        await projection.apply(batch)
        await by_hand.age_log()
        late = await bus.tell(progressed(60, task=task_id(1), at=30))
        folded = await projection.fold(await history.take(late))

    assert (await by_hand.round()).pruned == 1
    await projection.write(folded)

    assert await by_hand.hot() == [task_id(1)]
    assert await by_hand.differences() == []


async def test_a_verification_changes_nothing_in_the_archive(kept: Store) -> None:
    """Not even where it finds something that was told of a pruned task, and the rows lack it."""
    await kept.pruned(*lives(1))
    await kept.tell(progressed(70, task=task_id(1), at=40))
    await kept.database.execute("DELETE FROM live.tasks")
    await kept.database.execute("UPDATE archive.tasks SET pruned = true")

    found = await kept.differences()
    told = await kept.history()
    await kept.rebuild()

    assert found == [f"tasks {task_id(1)}: missing from the projection"]
    assert told == [task_id(1)]
    assert await kept.hot() == [task_id(1)]
    assert await kept.differences() == []


async def test_a_pruned_task_does_not_begin_again(kept: Store) -> None:
    await kept.pruned(*lives(1))
    before = await kept.record(1)

    again = {"task": task_id(1), "at": 50}
    await kept.tell(requested(**again), requested(task=task_id(2)), started(**again))

    assert await kept.record(1) == before
    assert await kept.hot() == [task_id(1), task_id(2)]
    assert await kept.differences() == []


async def test_a_task_with_parked_events_waits_until_they_are_mended(kept: Store) -> None:
    await kept.tell(*lives(1, 2))
    await kept.bus.client.jetstream().publish(progress_subject("CREATE", task_id(1)), b"not json")
    parked = (await kept.bus.log.state()).last_sequence
    await kept.bus.projected(parked)
    await kept.age_log()

    before = await kept.round()
    dropped = await kept.bus.ask(
        queries.DROP_DEAD_LETTERS, who="test", sequences=[parked], note="no use"
    )
    after = await kept.round()

    assert (before.written.tasks, before.pruned) == (1, 1)
    assert dropped["ok"]["dropped"] == 1
    assert (after.written.tasks, after.written.events, after.pruned) == (1, 5, 1)
    assert len(await kept.events(1)) == 4


async def test_followers_are_told_what_a_task_was_before_it_came_back(kept: Store) -> None:
    await kept.pruned(*lives(1))
    before = await kept.record(1)
    patched = await kept.tell(annotated({"note": 1}, task=task_id(1), at=20))

    async def told() -> Any:
        question = {"owner": "local", "sequence": patched, "after": patched - 1, "limit": 100}
        answer = await kept.bus.ask(queries.CHANGES, **question)
        types = [each["event"]["type"] for each in answer["ok"]["events"]]
        return types, [(each["task_id"], each["sequence"]) for each in answer["ok"]["bases"]]

    thawed = await told()
    await kept.round()
    archived_again = await told()

    assert before is not None
    assert thawed == (["generation.annotated"], [(task_id(1), before["sequence"])])
    assert archived_again == (
        [
            "generation.requested",
            "generation.started",
            "generation.progressed",
            "generation.completed",
            "generation.annotated",
        ],
        [],
    )
