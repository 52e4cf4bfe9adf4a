"""A whole system to back up and bring back: its servers and artifacts, and what is in them."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from artifacts.keys import artifact_key, upload_key
from artifacts.store import ArtifactStore
from builders import completed, erased, progressed, requested, started, task_id
from contracts.subjects import HOOK_BUCKET, STREAM
from darkroom.cli.backing_up import BackedUp, artifacts_url, back_up
from darkroom.cli.bringing_back import BroughtBack, bring_back
from darkroom.cli.failures import Refused
from darkroom.cli.screen import progress_bar
from darkroom.cli.servers import database_connection
from darkroom.cli.settings import CommandLineSettings
from delivery.erasure import erase_from_bus
from delivery.log import LogReader
from delivery.requests import Requests
from integration.cli.oldlog import OldLog, lives
from servers import eventually
from task_store import store
from task_store.app import create_app
from task_store.rebuild import rebuild
from task_store.settings import Settings as TaskStoreSettings
from task_store.verify import verify

OTHER_SEQUENCES = ("sequence", "ticket", "behind", "bucket")
PICTURE = artifact_key("local", task_id(1), 1, 0, "a" * 64, "png")


@dataclass(frozen=True)
class Place:
    """A directory with a backup in it."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def manifest(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.path / "manifest.json").read_text())
        return told

    def files(self) -> set[str]:
        found = (each.relative_to(self.path) for each in self.path.rglob("*") if each.is_file())
        return {each.as_posix() for each in found}

    def events(self) -> bytes:
        return b"".join(
            gzip.decompress((self.path / file["key"]).read_bytes())
            for file in self.manifest()["events"]["files"]
        )


@dataclass(frozen=True)
class Plane:
    """Servers and artifacts that make a system, looked after in this process."""

    settings: CommandLineSettings

    @property
    def files(self) -> ArtifactStore:
        return ArtifactStore.open(artifacts_url(self.settings))

    async def back_up(self, place: Place | str) -> BackedUp:
        return await back_up(self.settings, str(place), progress_bar)

    async def bring_back(self, place: Place | str) -> BroughtBack:
        return await bring_back(self.settings, str(place), progress_bar)

    async def refused(self, place: Place | str) -> str:
        with pytest.raises(Refused) as refused:
            await self.bring_back(place)
        return refused.value.message

    def connection(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        return database_connection(str(self.settings.database_url))


@asynccontextmanager
async def projecting(plane: Plane) -> AsyncIterator[None]:
    settings = plane.settings
    told = {"nats_url": settings.nats_url, "database_url": settings.database_url}
    app = create_app(TaskStoreSettings.model_validate(told), plane.files)
    running = asyncio.create_task(app.run())
    try:
        yield
    finally:
        app.exit()
        await asyncio.wait_for(running, 10)


async def caught_up(plane: Plane, log: OldLog) -> None:
    last = (await log.client.jetstream().stream_info(STREAM)).state.last_seq
    async with plane.connection() as connection:

        async def there() -> bool:
            return (await store.load_checkpoint(connection)).sequence >= last

        await eventually(there, 30, "the projection does not come to the end of the log")


async def contents(plane: Plane, leave_out: tuple[str, ...] = OTHER_SEQUENCES) -> Any:
    """All rows with all their columns, but for those left out. Places depend on sequences alone."""
    tables = ("live.tasks", "live.lanes", "live.parked", "log.events")
    async with plane.connection() as connection:
        return {
            table: sorted(
                str([(name, value) for name, value in row.items() if name not in leave_out])
                for row in await connection.fetch(f"SELECT * FROM {table}")
            )
            for table in tables
        }


async def table(plane: Plane, name: str) -> list[str]:
    async with plane.connection() as connection:
        return [str(row) for row in await connection.fetch(f"SELECT * FROM {name} ORDER BY 1")]


async def everything_in(files: ArtifactStore) -> dict[str, bytes]:
    return {found.key: await files.get(found.key) async for found in files.list()}


async def lose(log: OldLog) -> None:
    await log.client.jetstream().delete_stream(STREAM)


async def same_as_rebuilt(plane: Plane, log: OldLog) -> bool:
    requests = Requests(log.client)
    await requests.start()
    try:
        found = await verify(str(plane.settings.database_url), log.client, requests)
    finally:
        await requests.stop()
    return found.rows > 0 and not found.different


async def filled(system: Plane, log: OldLog) -> None:
    """Tasks in every state, some older than the log, some parked, one dropped, one erased."""
    odd, gone = task_id(900), task_id(902)
    async with projecting(system):
        await log.tell(*lives(40))
        await caught_up(system, log)
        # Their time is over: Postgres alone has them.
        await log.client.jetstream().purge_stream(STREAM, seq=30)
        await log.tell(requested(task=odd), started(task=odd))
        await log.tell_odd(odd)
        await log.tell(progressed(50, task=odd), requested(task=task_id(901)))
        await log.tell(requested(task=gone), started(task=gone), completed(task=gone))
        requests = Requests(log.client)
        await requests.start()
        await erase_from_bus(log.publisher, LogReader(requests), requests, erased(task=gone))
        await requests.stop()
        await caught_up(system, log)
    async with system.connection() as connection:
        await connection.execute(
            "INSERT INTO log.dead_letters (who, action, note, outcome, sequence, task_id, reason,"
            " logtime, subject) SELECT 'ann', 'dropped', 'nonsense', 'dropped', sequence, task_id,"
            " reason, logtime, subject FROM parked ORDER BY sequence LIMIT 1"
        )
    await system.files.put(PICTURE, b"a picture", "image/png")
    await system.files.put(upload_key("local", "u-1"), b"a photo" * 2_000_000, "image/png")
    await system.files.put(f"{upload_key('local', 'u-1')}.json", b'{"about": "it"}', "x")
    await log.client.jetstream().publish(f"$KV.{HOOK_BUCKET}.kie.{odd}", b"\xffcalled")
    # As the projection is once the drop is taken in.
    await rebuilt(system, log)


async def rebuilt(plane: Plane, log: OldLog) -> None:
    requests = Requests(log.client)
    await requests.start()
    await rebuild(str(plane.settings.database_url), log.client, requests)
    await requests.stop()
