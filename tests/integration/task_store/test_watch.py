"""What is wrong is told by metrics and under ``warnings`` of ``/readyz``; work goes on."""

from __future__ import annotations

import asyncio

import asyncpg
import httpx2
import pytest

from anybytes import publish_bytes
from artifacts.store import ArtifactStore
from builders import requested
from contracts.subjects import STREAM, LaneConsumerSpec
from darkroom.stack.ports import free_port
from delivery.loops import end_loop
from delivery.provision import ensure_lane
from integration.task_store.conftest import Bus
from servers import Server, eventually
from task_store import watch as watching
from task_store.app import create_app
from task_store.examining import examine
from task_store.projector import Projector
from task_store.settings import Settings
from task_store.store import open_pool
from task_store.watch import Watch
from telemetry.health import health_app

LANE = LaneConsumerSpec("CREATE", "studio")
CHECKS = {"log", "room", "lanes", "leases", "subscribers", "copy", "clocks", "postgres"}
"""Nobody tells here whether what is acknowledged is on disk: that is not said at all."""


async def told(http: httpx2.AsyncClient) -> dict[str, bool]:
    """`darkroom_check_ok`, by check."""
    lines = (await http.get("/metrics")).text.splitlines()
    samples = [line.split() for line in lines if line.startswith("darkroom_check_ok{")]
    return {name.split('"')[1]: float(value) == 1 for name, value in samples}


async def test_checks_are_told_and_do_not_make_the_service_unready(
    bus: Bus,
    nats_server: Server,
    database_url: str,
    database: asyncpg.Connection,
    files: ArtifactStore,
) -> None:
    await ensure_lane(bus.client, LANE)
    port = free_port()
    app = create_app(
        Settings(nats_url=nats_server.url, database_url=database_url, health_port=port), files
    )
    running = asyncio.create_task(app.run())
    pool = await open_pool(database_url)
    try:
        await bus.projected(await bus.tell(requested()))
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            fine = await eventually(lambda: told(http), 15)
            ready = await http.get("/readyz")
            assert fine == dict.fromkeys(CHECKS, True)
            assert (ready.status_code, ready.json()["warnings"]) == (200, {})

            # The next look is the test's: the service's own comes in a minute.
            projector = Projector(bus.client, bus.requests, database_url)
            watch = Watch(pool, bus.log, projector)
            js = bus.client.jetstream()
            config = (await js.stream_info(STREAM)).config
            await js.update_stream(config.evolve(allow_direct=False))
            await js.delete_consumer(STREAM, LANE.durable)
            await database.execute("DELETE FROM log.events")
            await watch.run_once()
            assert watch.warnings() == {
                "log": "allow_direct is False, should be True",
                "lanes": "generator-create-studio has tasks and no consumer",
                "copy": "1 events (1) of the log are not in the raw copy",
            }
            assert await told(http) == fine | {"log": False, "lanes": False, "copy": False}
    finally:
        await pool.close()
        app.exit()
        await asyncio.wait_for(running, 10)

    transport = httpx2.ASGITransport(app=health_app({}, watch.warnings))
    async with httpx2.AsyncClient(transport=transport, base_url="http://task-store") as http:
        answer = await http.get("/readyz")
    assert (answer.status_code, set(answer.json()["warnings"])) == (200, {"log", "lanes", "copy"})


async def test_what_is_no_text_on_the_log_is_no_hindrance(
    bus: Bus, database_url: str, task_store: None
) -> None:
    await publish_bytes(bus.client, b"generation.progress.\xff.x", headers=b"Nats-Msg-Id: \xff\r\n")
    await bus.projected(await bus.tell(requested()))
    pool = await open_pool(database_url)
    try:
        found = {each.name: each.ok for each in await examine(pool, bus.log)}
    finally:
        await pool.close()

    assert found["copy"] is True


async def test_a_look_that_fails_is_told_and_the_next_one_is_taken(
    bus: Bus, database_url: str, task_store: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "EVERY_S", 0.0)
    monkeypatch.setattr(watching, "_POLL_S", 0.0)
    pool = await open_pool(database_url)
    projector = Projector(bus.client, bus.requests, database_url)
    projector.sequence = 0
    watch = Watch(pool, bus.log, projector)
    real = bus.log.state
    monkeypatch.setattr(bus.log, "state", lambda: 1 // 0)
    running = asyncio.create_task(watch.run())
    try:
        await eventually(watch.warnings)
        assert watch.warnings() == {
            "checks": "failed with ZeroDivisionError: see the task-store's log"
        }
        monkeypatch.setattr(bus.log, "state", real)
        await eventually(lambda: not watch.warnings())
    finally:
        await end_loop(running)
        await pool.close()


async def test_a_log_that_is_away_tells_nothing(
    bus: Bus, nats_server: Server, database_url: str, database: asyncpg.Connection
) -> None:
    pool = await open_pool(database_url)
    try:
        watch = Watch(pool, bus.log, Projector(bus.client, bus.requests, database_url))
        await bus.client.jetstream().delete_stream(STREAM)
        await watch.run_once()
    finally:
        await pool.close()

    assert watch.warnings() == {}
    transport = httpx2.ASGITransport(app=health_app({}))
    async with httpx2.AsyncClient(transport=transport, base_url="http://task-store") as http:
        assert await told(http) == {}
