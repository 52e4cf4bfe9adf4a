"""Rounds that break off, and others at work: nothing is lost, and nothing is left."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from artifacts.store import StoreUnavailable
from builders import (
    requested,
    task_id,
)
from integration.task_store.archive_by_hand import Store, Watched, lives
from servers import Server, eventually
from task_store.archive import Busy, Done
from task_store.rebuild import alone, rebuild


async def test_nothing_is_pruned_while_rows_are_made_anew(kept: Store, database_url: str) -> None:
    await kept.tell(*lives(1))
    await kept.age_log()

    async with alone(database_url):
        meanwhile = await kept.round()
    afterwards = await kept.round()

    assert (meanwhile.written.tasks, meanwhile.pruned, meanwhile.busy) == (1, 0, True)
    assert (afterwards.pruned, afterwards.busy) == (1, False)


async def test_a_rebuild_that_broke_off_before_a_task_was_pruned_begins_anew(kept: Store) -> None:
    await kept.tell(*lives(1, 2), requested(task=task_id(3)))

    def breaks_off(_done: int, _of: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await rebuild(kept.url, kept.bus.client, kept.bus.requests, tell=breaks_off)
    await kept.age_log()
    await kept.round()

    assert await kept.rebuild() == 0
    assert await kept.hot() == [task_id(3)]
    assert await kept.differences() == []


async def test_only_one_works_on_the_archive(kept: Store) -> None:
    async with kept.archive():
        with pytest.raises(Busy):
            await kept.round()
    assert (await kept.round()).nothing


async def test_a_store_that_fails_leaves_all_as_it_was(kept: Store, tmp_path: Path) -> None:
    await kept.tell(*lives(1))
    working, broken = kept.files, Watched.open((tmp_path / "artifacts").as_uri())

    async def fails() -> None:
        raise StoreUnavailable("the disk is full")

    broken.after_put = fails
    kept.files = broken
    with pytest.raises(StoreUnavailable):
        await kept.round()
    kept.files = working
    left = await kept.segments()
    done = await kept.round()

    assert len(left) == 1
    assert done.written.tasks == 1
    assert len(await kept.segments()) == 1
    assert left != await kept.segments()


_DIES = """
import asyncio, os, signal, sys
from datetime import UTC, datetime, timedelta
import nats
from artifacts.store import ArtifactStore
from delivery.log import LogReader
from delivery.requests import Requests
from task_store import archive

nats_url, database_url, folder, where = sys.argv[1:]

class Store(ArtifactStore):
    async def put(self, key, content, content_type):
        await super().put(key, content, content_type)
        if where == "after the object":
            os.kill(os.getpid(), signal.SIGKILL)

class Prunes(archive.Archive):
    async def prune(self):
        self.connection = Dying(self.connection)
        return await super().prune()

class Dying:
    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(self._connection, name)

    async def execute(self, statement, *arguments):
        await self._connection.execute(statement, *arguments)
        if statement == archive.ARCHIVE["prune"]:
            os.kill(os.getpid(), signal.SIGKILL)

async def main():
    client = await nats.connect(nats_url)
    requests = Requests(client)
    await requests.start()
    if where == "in a pruning":
        archive.Archive = Prunes
    async with archive.opened(database_url, LogReader(requests), Store.open(folder)) as work:
        await work.run_once(datetime.now(UTC) + timedelta(hours=1))

asyncio.run(main())
"""


@pytest.mark.parametrize("where", ["after the object", "in a pruning"])
async def test_a_round_that_is_killed_loses_nothing_and_leaves_nothing(
    kept: Store, nats_server: Server, database_url: str, tmp_path: Path, where: str
) -> None:
    await kept.tell(*lives(1, 2))
    before = await kept.rows()
    await kept.age_log()

    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _DIES, nats_server.url, database_url),
        *((tmp_path / "artifacts").as_uri(), where),
    )
    assert await killed.wait() == -signal.SIGKILL
    between = (await kept.hot(), await kept.raw(), len(await kept.segments()))
    done: Done = await eventually(lambda: _when_free(kept))

    assert between == ([task_id(1), task_id(2)], 8, 1)
    assert done.pruned == 2
    assert len(await kept.segments()) == 1
    assert await kept.rows() == before


async def _when_free(kept: Store) -> Done | None:
    """The database takes a moment to notice that a session is gone."""
    try:
        return await kept.round()
    except Busy:
        return None
