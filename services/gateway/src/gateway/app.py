"""The composition root: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route

from artifacts.store import ArtifactStore
from artifacts.uploads import Uploads
from contracts.ids import uuid7
from delivery.loops import end_loop
from gateway import openapi, problems, studio
from gateway.auth import authenticator
from gateway.backlog import Backlog
from gateway.breakers import Breakers
from gateway.bus import Bus
from gateway.catalogue import Catalogue
from gateway.changes import Changes
from gateway.counting import CountResponses
from gateway.feed import Feed
from gateway.histories import Histories
from gateway.holds import Holds
from gateway.lanes import Lanes
from gateway.live import Live
from gateway.parts import Parts
from gateway.photos import Photos
from gateway.places import Places
from gateway.pressure import Pressure
from gateway.providers import Providers
from gateway.reading import Reader
from gateway.references import References
from gateway.routes import (
    changes,
    dead_letters,
    files,
    history,
    hooks,
    operations,
    sessions,
    sockets,
    streams,
    tasks,
)
from gateway.settings import BadSettings, Settings
from gateway.streams import Streams
from gateway.submissions import Submissions
from gateway.sweep import Sweep
from gateway.tasks import TaskStore
from gateway.tracing import TraceRequests
from gateway.views import Views
from telemetry import tracing
from telemetry.logs import get_logger

_log = get_logger(__name__)

_EXPOSED = (
    "Location",
    "ETag",
    "Retry-After",
    "Idempotency-Replayed",
    "Preference-Applied",
    "Content-Range",
)


def build(settings: Settings, on_lost: Callable[[], None]) -> Parts:
    """Every part, connected to the others and to nothing outside yet. Raises `BadSettings`."""
    bus = Bus(settings.nats_url, on_lost)
    task_store = TaskStore(bus)
    live = Live(bus)
    breakers = Breakers(bus)
    views = Views(settings.root_url, breakers.waiting_for)
    histories = Histories(bus, task_store)
    feed = Feed(bus, live, histories, views.told)
    reader = Reader(bus, task_store, feed.known.told)
    places = Places(task_store, feed)
    catalogue = Catalogue(bus)
    pressure = Pressure(
        bus,
        task_store,
        settings.queue_limit,
        share=settings.fair_share,
        owner_limit=settings.owner_waiting,
    )
    store = _store(settings)
    uploads = Uploads(
        store,
        timedelta(seconds=settings.upload_ttl_s),
        lambda: uuid7(datetime.now(UTC), os.urandom(10)),
        max_bytes=settings.upload_max_bytes,
    )
    return Parts(
        settings=settings,
        auth=authenticator(settings),
        views=views,
        bus=bus,
        tasks=task_store,
        reader=reader,
        live=live,
        catalogue=catalogue,
        breakers=breakers,
        providers=Providers(catalogue, breakers, Lanes(bus), task_store),
        pressure=pressure,
        submissions=Submissions(
            bus=bus,
            tasks=task_store,
            reader=reader,
            catalogue=catalogue,
            pressure=pressure,
            references=References(store, uploads),
            live=live,
        ),
        streams=Streams(
            bus=bus,
            tasks=task_store,
            histories=histories,
            feed=feed,
            places=places,
            views=views,
            limit=settings.streams_limit,
        ),
        places=places,
        holds=Holds(bus, task_store, feed, views.told),
        changes=Changes(bus, task_store, reader, store, uploads),
        photos=Photos(bus, task_store, reader, uploads),
        store=store,
        uploads=uploads,
        backlog=Backlog(settings.upload_backlog_bytes),
        sweep=Sweep(bus, task_store, uploads),
    )


def create_app(
    settings: Settings, on_lost: Callable[[], None] = lambda: None, page: Path = studio.BUILT
) -> FastAPI:
    """The application. ``on_lost`` is called when the log can never be reached again.

    ``page`` is the folder of the built studio; what it has never comes before the API.
    """
    settings.check()
    parts = build(settings, on_lost)
    app = FastAPI(
        title=openapi.TITLE,
        version=openapi.VERSION,
        docs_url=None,
        redoc_url=None,
        middleware=_middleware(settings),
        lifespan=_lifespan,
        redirect_slashes=False,
        # `TraceRequests` does it: a query, which FastAPI tells, may hold a key. And FastAPI asks
        # the environment at every request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.parts = parts
    # The routes themselves, in the order in which they are tried, the hot ones first: routers
    # nested in routers cost every request a walk through all of them.
    app.router.routes[:0] = [
        tasks.SUBMIT,
        tasks.SHOW,
        streams.FOLLOW_OWNER,
        streams.FOLLOW_TASK,
        sockets.FOLLOW,
        *map(
            with_head,
            (
                *history.router.routes,
                *changes.router.routes,
                *files.router.routes,
                *hooks.router.routes,
                *operations.router.routes,
                *dead_letters.router.routes,
                *sessions.router.routes,
            ),
        ),
        *studio.routes(page),
    ]
    app.openapi = openapi.document  # type: ignore[method-assign]
    problems.install(app)
    return app


def with_head(route: BaseRoute) -> BaseRoute:
    """The route, which answers HEAD where it answers GET: what FastAPI leaves out of its own."""
    if not isinstance(route, Route) or "GET" not in (route.methods or ()):
        return route
    made = copy.copy(route)
    made.methods = {*(route.methods or ()), "HEAD"}
    return made


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Starts what runs beside the requests; nothing of it is waited for."""
    parts: Parts = app.state.parts
    running = [
        asyncio.create_task(_kept_running(run))
        for run in (
            parts.bus.run,
            parts.catalogue.run,
            parts.breakers.run,
            parts.pressure.run,
            parts.sweep.run,
            parts.places.run,
            parts.holds.run,
        )
    ]
    try:
        yield
    finally:
        parts.streams.stop()
        parts.live.stop()
        await asyncio.gather(*map(end_loop, running))
        await parts.bus.stop()


async def _kept_running(run: Callable[[], Awaitable[None]]) -> None:
    """A part of the background: what it didn't foresee is logged, and it begins anew."""
    while True:
        try:
            await run()
        except Exception:  # noqa: BLE001 - whatever it was, the part must go on
            _log.exception("a background part failed and begins anew", part=repr(run))
            await asyncio.sleep(1)
        else:
            return


def _middleware(settings: Settings) -> Sequence[Middleware]:
    layers = [Middleware(CountResponses)]
    if tracing.provider() is not None:
        layers.append(Middleware(TraceRequests))
    if settings.origins:
        layers.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.origins,
                allow_methods=["*"],
                allow_headers=["*"],
                expose_headers=_EXPOSED,
            )
        )
    return layers


def _store(settings: Settings) -> ArtifactStore:
    try:
        return ArtifactStore.open(settings.store_url)
    except ValueError as error:
        raise BadSettings(str(error)) from None
