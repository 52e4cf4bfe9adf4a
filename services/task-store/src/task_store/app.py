"""The composition root: settings in, a FastStream application out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import timedelta

import asyncpg
from faststream import FastStream
from faststream.nats import NatsBroker

from artifacts.store import ArtifactStore
from delivery.connection import check_server, connection_options, reached
from delivery.log import LogReader
from delivery.loops import end_loop
from delivery.requests import Requests
from task_store.archiving import keep_archiving
from task_store.dead_letters import Orders
from task_store.exhausted import noted
from task_store.gauges import keep_gauges
from task_store.projector import Projector
from task_store.queries import Queries
from task_store.settings import Settings
from task_store.store import open_pool
from task_store.watch import Watch
from telemetry.health import Check, Checks, serve_health
from telemetry.logs import get_logger

_log = get_logger(__name__)

_STUCK_S = 30.0
_CONNECT_PAUSE_S = 0.5


def create_app(settings: Settings, files: ArtifactStore) -> FastStream:
    """The task-store: one projector that waits its turn, and the answers to queries."""
    stopped = asyncio.Event()

    async def on_closed() -> None:
        # The connection is gone for good; whoever restarts processes does the rest.
        if not stopped.is_set():
            app.exit()

    broker = NatsBroker(
        settings.nats_url, logger=None, **connection_options("task-store", on_closed=on_closed)
    )
    app = FastStream(broker, logger=None)
    stack = contextlib.AsyncExitStack()

    @app.on_startup
    async def start() -> None:
        client = await reached(broker.connect)
        check_server(client)
        requests = Requests(client)
        await requests.start()
        pool = await _pool(settings.database_url)
        stack.push_async_callback(pool.close)
        projector = Projector(client, requests, settings.database_url)
        projector.while_active = Orders(client, projector).taken
        projecting = asyncio.create_task(projector.run())
        stack.push_async_callback(end_loop, projecting)
        counting = asyncio.create_task(keep_gauges(pool, projector))
        stack.push_async_callback(end_loop, counting)
        log = LogReader(requests)
        watch = Watch(pool, log, projector, settings.nats_monitor_url)
        watching = asyncio.create_task(watch.run())
        stack.push_async_callback(end_loop, watching)
        after = timedelta(seconds=settings.archive_after_s)
        archiving = asyncio.create_task(
            keep_archiving(settings.database_url, log, files, projector, after)
        )
        stack.push_async_callback(end_loop, archiving)
        await stack.enter_async_context(noted(client, pool))
        answers = Queries(client, pool, projector, files)
        await answers.start()
        stack.push_async_callback(answers.stop)
        checks = readiness(broker, pool, projector)
        await stack.enter_async_context(
            serve_health(settings.health_port, checks, settings.health_host, watch.warnings)
        )

    @app.on_shutdown
    async def stop() -> None:
        stopped.set()
        await stack.aclose()

    return app


def readiness(broker: NatsBroker, pool: asyncpg.Pool, projector: Projector) -> Checks:
    """Ready: the log and the database answer, and the projector turns or waits its turn."""

    async def log() -> Check:
        return Check(ok=await broker.ping(timeout=1.0))

    async def database() -> Check:
        await pool.fetchval("SELECT 1")
        return Check(ok=True)

    async def projection() -> Check:
        if projector.halted is not None:
            return Check(ok=False, detail=projector.halted)
        still_s = time.monotonic() - projector.turned_at
        role = "standby" if projector.sequence is None else f"at {projector.sequence}"
        return Check(ok=still_s < _STUCK_S, detail=f"{role}, {projector.pending} events behind")

    return {"log": log, "database": database, "projection": projection}


async def _pool(database_url: str) -> asyncpg.Pool:
    while True:
        try:
            return await open_pool(database_url)
        except (OSError, asyncpg.PostgresError, TimeoutError) as problem:
            _log.warning("the database is not there yet", reason=repr(problem))
            await asyncio.sleep(_CONNECT_PAUSE_S)
