"""What only segments have comes back after the database was lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from builders import (
    annotated,
    erased,
    requested,
    task_id,
)
from integration.task_store.archive_by_hand import Store, life, lives
from servers import Server, fresh_database
from task_store import store
from task_store.archive import Held
from task_store.history import History
from task_store.importing import Behind, Imported, OtherLog, import_segments
from task_store.writer import Projection


async def test_rows_come_back_from_the_archive_after_the_database_was_lost(
    kept: Store, postgres: Server
) -> None:
    await kept.pruned(*lives(1, 2), *life(3, prompt="secret"))
    await kept.pruned(annotated({"note": 1}, task=task_id(1), at=20), *lives(4))
    await kept.tell(*lives(5), annotated({"note": 2}, task=task_id(2), at=30))
    await kept.tell(requested(task=task_id(6)))
    before = await kept.rows()
    await kept.tell(erased(task=task_id(3), at=40))
    del before[task_id(3)]

    async with fresh_database(postgres.url) as url:
        again = await _after_the_loss(kept, url)
        async with again.archive() as archive:
            imported = await import_segments(archive, again.bus.log, lambda _done, _of: None)
            repeated = await import_segments(archive, again.bus.log, lambda _done, _of: None)
            with pytest.raises(Held):
                await archive.run_once(datetime.now(UTC) + timedelta(hours=1))
        await again.rebuild()
        rows = await again.rows()
        checked = await again.differences()
        archived = [await again.round() for _ in range(3)]
        left = await again.hot()
        text = await again.segment_text()
        again.database.terminate()

    assert imported == Imported(segments=2, events=13, tasks=4, left_alone=1)
    assert repeated.events == 0
    del rows[task_id(3)]
    assert rows == before
    assert checked == []
    # Only what no segment had is written: the rest is known to be there.
    assert [done.written.events for done in archived] == [5, 0, 0]
    assert sum(done.pruned for done in archived) == 2
    assert b"secret" not in text
    assert len(left) == 4


async def _after_the_loss(kept: Store, url: str) -> Store:
    """A new database that the log was projected into, as far as it goes back."""
    again = await _emptied(kept, url)
    await _catch_up(again)
    return again


async def _emptied(kept: Store, url: str) -> Store:
    """A new database in which nothing is yet."""
    database = await store.open_connection(url)
    await store.migrate(database)
    return Store(kept.bus, url, database, kept.files)


async def _catch_up(again: Store) -> None:
    projection = Projection(again.database)
    await projection.load()
    await projection.adopt(await again.bus.log.state())
    last = (await again.bus.log.state()).last_sequence
    async with History(again.bus.client, again.bus.requests, again.database) as history:
        while batch := await history.take(last):
            await projection.apply(batch)


async def test_nothing_is_imported_beyond_what_the_task_store_has_yet_to_read(
    kept: Store, postgres: Server
) -> None:
    await kept.tell(*lives(1), requested(task=task_id(3)), *lives(2))
    await kept.round()

    async with fresh_database(postgres.url) as url:
        again = await _emptied(kept, url)
        told = await _import(again)
        before = await again.raw()
        await _catch_up(again)
        raw = await again.raw()
        told_later = await _import(again)
        again.database.terminate()

    assert (told, before) == ("the task-store is still at 0 of 9", 0)
    assert raw == 9
    assert told_later == "0 events of 2 tasks are back"


async def test_a_log_that_was_emptied_leaves_nothing_to_wait_for(
    kept: Store, postgres: Server
) -> None:
    await kept.pruned(*lives(1))
    before = await kept.rows()

    async with fresh_database(postgres.url) as url:
        again = await _emptied(kept, url)
        told = await _import(again)
        await again.rebuild()
        rows = await again.rows()
        again.database.terminate()

    assert told == "4 events of 1 tasks are back"
    assert rows == before


async def _import(again: Store) -> str:
    async with again.archive() as archive:
        try:
            done = await import_segments(archive, again.bus.log, lambda _done, _of: None)
        except Behind as problem:
            return str(problem)
    return f"{done.events} events of {done.tasks} tasks are back"


async def test_segments_of_another_log_are_refused(kept: Store, database_url: str) -> None:
    await kept.tell(*lives(1))
    await kept.round()
    await kept.database.execute("TRUNCATE archive.tasks, archive.contents, archive.segments")
    await kept.database.execute("UPDATE log.events SET event_id = 'another' WHERE sequence = 2")

    async with kept.archive() as archive:
        with pytest.raises(OtherLog, match="another event at 2"):
            await import_segments(archive, kept.bus.log, lambda _done, _of: None)

    assert await kept.database.fetchval("SELECT count(*) FROM archive.segments") == 0
