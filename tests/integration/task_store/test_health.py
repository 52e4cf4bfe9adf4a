"""Health and metrics are where the settings put them."""

from __future__ import annotations

import asyncio

import asyncpg
import httpx2

from artifacts.store import ArtifactStore
from darkroom.stack.ports import free_port
from integration.task_store.conftest import Bus
from servers import Server, eventually
from task_store.app import create_app
from task_store.settings import Settings


async def test_health_is_served_at_the_host_that_was_asked_for(
    bus: Bus,
    nats_server: Server,
    database_url: str,
    database: asyncpg.Connection,
    files: ArtifactStore,
) -> None:
    port = free_port()
    app = create_app(
        Settings(
            nats_url=nats_server.url,
            database_url=database_url,
            health_host="127.0.0.2",
            health_port=port,
        ),
        files,
    )
    running = asyncio.create_task(app.run())
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.2:{port}") as http:

            async def ready() -> bool:
                try:
                    return (await http.get("/readyz")).status_code == 200
                except httpx2.TransportError:
                    return False

            assert await eventually(ready, 15)
    finally:
        app.exit()
        await asyncio.wait_for(running, 10)
