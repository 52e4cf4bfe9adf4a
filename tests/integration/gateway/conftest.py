"""A provisioned log with a provider announced, and the real task-store on it when asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import nats
import pytest

from artifacts.store import ArtifactStore
from contracts.subjects import StreamSpec
from delivery import provision
from delivery.connection import connection_options
from integration.gateway.house import House, open_house
from servers import Server, nats_for_test
from task_store import store
from task_store.app import create_app as create_task_store
from task_store.settings import Settings as TaskStoreSettings

SPEC = StreamSpec(max_age=timedelta(days=1), max_bytes=1 << 30)


@asynccontextmanager
async def provisioned(nats_url: str, directory: Path) -> AsyncIterator[House]:
    """A log and an announced provider; no task-store answers."""
    client = await nats.connect(nats_url, **connection_options("test"))
    await provision.ensure_stream(client, SPEC)
    await provision.ensure_buckets(client)
    try:
        async with open_house(nats_url, client, directory) as opened:
            await opened.announce()
            yield opened
    finally:
        await client.close()


@pytest.fixture
async def house(nats_server: Server, tmp_path: Path) -> AsyncIterator[House]:
    """A log and an announced provider; no task-store answers."""
    async with provisioned(nats_server.url, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
async def kept_house(
    shared_nats: Server | None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """One for all tests of a module, which leave nothing behind that others would see."""
    async with (
        nats_for_test(shared_nats, tmp_path_factory.mktemp("nats"), "default") as server,
        provisioned(server.url, tmp_path_factory.mktemp("house")) as opened,
    ):
        yield opened


@asynccontextmanager
async def running_task_store(house: House, database_url: str) -> AsyncIterator[None]:
    """The real task-store at work, once it has what is in the log now."""
    connection = await store.open_connection(database_url)
    await store.migrate(connection)
    settings = TaskStoreSettings(nats_url=house.nats_url, database_url=database_url)
    app = create_task_store(settings, ArtifactStore.open("memory://"))
    running = asyncio.create_task(app.run())
    try:
        await house.projected()
        yield
    finally:
        app.exit()
        await asyncio.wait_for(running, 10)
        connection.terminate()


@pytest.fixture
async def task_store(house: House, database_url: str) -> AsyncIterator[House]:
    """The house, with the real task-store at work."""
    async with running_task_store(house, database_url):
        yield house


@pytest.fixture
async def http(task_store: House) -> httpx2.AsyncClient:
    """A client of a gateway on a whole system, as Ann."""
    return await task_store.gateway()


@pytest.fixture
async def door(house: House) -> httpx2.AsyncClient:
    """A client of a gateway that has the log, and no task-store, as Ann."""
    return await house.gateway()
