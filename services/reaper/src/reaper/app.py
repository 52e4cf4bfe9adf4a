"""The composition root: settings in, a FastStream application out."""

from __future__ import annotations

import asyncio
import contextlib

from faststream import FastStream
from faststream.nats import NatsBroker

from delivery.connection import check_server, connection_options, reached
from delivery.loops import end_loop
from delivery.requests import Requests
from reaper import metrics
from reaper.loop import Loop, patience_of
from reaper.settings import Settings
from reaper.silence import Limits
from reaper.sweep import Sweeper
from telemetry.health import Check, Checks, serve_health
from telemetry.logs import get_logger

_log = get_logger(__name__)


def create_app(settings: Settings) -> FastStream:
    """The reaper: one loop of sweeps."""
    stopped = asyncio.Event()

    async def on_closed() -> None:
        # The connection is gone for good; whoever restarts processes does the rest.
        if not stopped.is_set():
            app.exit()

    limits = _limits(settings)
    broker = NatsBroker(
        settings.nats_url, logger=None, **connection_options("reaper", on_closed=on_closed)
    )
    app = FastStream(broker, logger=None)
    stack = contextlib.AsyncExitStack()

    @app.on_startup
    async def start() -> None:
        client = await reached(broker.connect)
        check_server(client)
        requests = Requests(client)
        await requests.start()
        stack.push_async_callback(requests.stop)
        loop = _loop(requests, limits, settings)
        metrics.LAST_SWEEP_AGE.set_function(lambda: loop.age_s)
        sweeping = asyncio.create_task(loop.run_forever())
        stack.push_async_callback(end_loop, sweeping)
        checks = readiness(broker, loop, settings.reaper_interval_s)
        await stack.enter_async_context(
            serve_health(settings.health_port, checks, settings.health_host)
        )

    @app.on_shutdown
    async def stop() -> None:
        stopped.set()
        await stack.aclose()

    return app


def readiness(broker: NatsBroker, loop: Loop, interval_s: float) -> Checks:
    """Ready: the log answers, nothing from before the start is stale, and sweeps succeed."""
    patience_s = patience_of(interval_s).total_seconds()

    async def log() -> Check:
        return Check(ok=await broker.ping(timeout=1.0))

    async def sweeps() -> Check:
        if not loop.ready:
            return Check(ok=False, detail="the first sweep is not complete")
        age_s = loop.age_s
        return Check(ok=age_s < patience_s, detail=f"last sweep {age_s:.1f} s ago")

    return {"log": log, "sweeps": sweeps}


def _limits(settings: Settings) -> Limits:
    limits = Limits(
        timeout_s=settings.task_timeout_s,
        deadline_s=settings.task_deadline_s,
        photo_ttl_s=settings.upload_ttl_s,
    )
    hasty = limits.no_longer_than(settings.provider_timeout_s)
    if hasty:
        _log.warning(
            "tasks end before a silent provider's time is up, and those waiting behind with them",
            types=hasty,
            task_timeout_s=settings.task_timeout_s,
            provider_timeout_s=settings.provider_timeout_s,
        )
    return limits


def _loop(requests: Requests, limits: Limits, settings: Settings) -> Loop:
    sweeper = Sweeper(
        requests,
        limits,
        batch=settings.reaper_batch,
        patience=patience_of(settings.reaper_interval_s),
    )
    return Loop(sweeper, interval_s=settings.reaper_interval_s)
