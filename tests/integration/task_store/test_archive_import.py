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
from task_store.importing import Imported, OtherLog, import_segments
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
    database = await store.open_connection(url)
    await store.migrate(database)
    again = Store(kept.bus, url, database, kept.files)
    projection = Projection(database)
    await projection.load()
    await projection.adopt(await kept.bus.log.state())
    last = (await kept.bus.log.state()).last_sequence
    async with History(kept.bus.client, kept.bus.requests, database) as history:
        while batch := await history.take(last):
            await projection.apply(batch)
    return again


async def test_segments_of_another_log_are_refused(kept: Store, database_url: str) -> None:
    await kept.tell(*lives(1))
    await kept.round()
    await kept.database.execute("TRUNCATE archive.tasks, archive.contents, archive.segments")
    await kept.database.execute("UPDATE log.events SET event_id = 'another' WHERE sequence = 2")

    async with kept.archive() as archive:
        with pytest.raises(OtherLog, match="another event at 2"):
            await import_segments(archive, kept.bus.log, lambda _done, _of: None)

    assert await kept.database.fetchval("SELECT count(*) FROM archive.segments") == 0
