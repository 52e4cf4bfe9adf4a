"""A task-store at work: a provisioned log, a migrated database, and the service's parts on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import nats
import orjson
import pytest
from nats.aio.client import Client

from artifacts.store import ArtifactStore
from contracts.events import Event
from contracts.queries import STATUS
from contracts.subjects import StreamSpec
from delivery import provision
from delivery.connection import connection_options
from delivery.log import LogReader
from delivery.publisher import Publisher
from delivery.requests import Requests
from integration.task_store.archive_by_hand import Store
from servers import Server
from task_store import archiving, store
from task_store.app import create_app
from task_store.settings import Settings

SPEC = StreamSpec(max_age=timedelta(days=1), max_bytes=1 << 30)


@dataclass
class Bus:
    """A client of the log, with everything tests say and ask through it."""

    client: Client
    requests: Requests
    publisher: Publisher
    log: LogReader

    async def tell(self, *events: Event) -> int:
        """Publish events in order; the sequence of the last."""
        stored = None
        for event in events:
            stored = await self.publisher.publish(event)
        assert stored is not None
        return stored.sequence

    async def ask(self, subject: str, **question: Any) -> Any:
        reply = await self.requests.call(subject, orjson.dumps(question), timeout=5)
        return orjson.loads(reply.data)

    async def projected(self, sequence: int) -> None:
        """Wait until the projection has passed ``sequence``."""
        async with asyncio.timeout(15):
            while True:
                try:
                    answer = await self.ask(STATUS)
                except Exception:  # noqa: BLE001 - nobody answers yet
                    answer = {}
                if answer.get("ok", {}).get("checkpoint", {}).get("sequence", -1) >= sequence:
                    return
                await asyncio.sleep(0.005)


@pytest.fixture
async def bus(nats_server: Server) -> AsyncIterator[Bus]:
    client = await nats.connect(nats_server.url, **connection_options("test"))
    await provision.ensure_stream(client, SPEC)
    requests = Requests(client)
    await requests.start()
    yield Bus(client, requests, Publisher(requests), LogReader(requests))
    await client.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to this test's migrated database."""
    connection = await store.open_connection(database_url)
    await store.migrate(connection)
    yield connection
    connection.terminate()


@pytest.fixture
def files(tmp_path: Path) -> ArtifactStore:
    """An object store of this test's own."""
    return ArtifactStore.open((tmp_path / "artifacts").as_uri())


Starter = Callable[..., Awaitable[None]]


@pytest.fixture
async def start_task_store(
    nats_server: Server,
    database_url: str,
    database: asyncpg.Connection,
    files: ArtifactStore,
) -> AsyncIterator[Starter]:
    """Starts task-stores in this process, as many as are asked for; settings by keyword.

    Unless told otherwise they don't archive.
    """
    running: list[asyncio.Task[None]] = []
    apps = []

    async def start(**settings: Any) -> None:
        told = {"nats_url": nats_server.url, "database_url": database_url, "archive_after_s": 0}
        app = create_app(Settings(**told | settings), files)
        apps.append(app)
        running.append(asyncio.create_task(app.run()))

    yield start
    for app in apps:
        app.exit()
    await asyncio.wait_for(asyncio.gather(*running), 10)


@pytest.fixture
async def task_store(start_task_store: Starter, bus: Bus) -> None:
    await start_task_store()
    await bus.projected(0)


@pytest.fixture
def nobody_archives(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task-stores leave the archive to the test."""
    monkeypatch.setattr(archiving, "STANDBY_S", 3600.0)


@pytest.fixture
def kept(
    nobody_archives: None,
    task_store: None,
    bus: Bus,
    database_url: str,
    database: asyncpg.Connection,
    files: ArtifactStore,
) -> Store:
    """A task-store at work, and its archive."""
    return Store(bus, database_url, database, files)
