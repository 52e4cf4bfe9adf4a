"""Reapers at work beside a real task-store, with limits of tenths of a second."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from faststream import FastStream
from prometheus_client import REGISTRY

from artifacts.store import ArtifactStore
from builders import NOON, requested, started, task_id
from contracts.events import Envelope, decode
from contracts.queries import GET
from darkroom.stack.ports import free_port
from darkroom.stack.processes import Child, ProcessSpec, spawn
from delivery.requests import NoReply, NoResponders, Unreachable
from integration.task_store.conftest import (  # noqa: F401 - fixtures
    Bus,
    bus,
    database,
    files,
    start_task_store,
    task_store,
)
from reaper.app import create_app
from reaper.settings import Settings
from reaper.silence import Limits
from reaper.sweep import Sweeper
from servers import Server, eventually
from task_store.app import create_app as create_task_store
from task_store.settings import Settings as TaskStoreSettings

TIMEOUT_S = 0.3
NEVER = 1e9


@dataclass(frozen=True)
class Running:
    """A service in this process, with its readiness where it was asked to serve it."""

    app: FastStream
    running: asyncio.Task[None]
    health_port: int | None = None

    async def stop(self) -> None:
        self.app.exit()
        await asyncio.wait_for(self.running, 10)

    async def is_ready(self) -> bool:
        return await answers_ready(self.health_port)


async def answers_ready(port: int | None) -> bool:
    async with httpx2.AsyncClient() as http:
        try:
            return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        except httpx2.TransportError:
            return False


def limits(
    timeout_s: float = TIMEOUT_S, deadline_s: float = NEVER, photo_ttl_s: float = NEVER
) -> Limits:
    return Limits(timeout_s=timeout_s, deadline_s=deadline_s, photo_ttl_s=photo_ttl_s)


def sweeper(
    bus: Bus,  # noqa: F811
    limits: Limits,
    *,
    batch: int = 100,
    patience_s: float = 30,
) -> Sweeper:
    return Sweeper(bus.requests, limits, batch=batch, patience=timedelta(seconds=patience_s))


async def broker_s(bus: Bus) -> float:  # noqa: F811
    """The broker's clock as the builders take it: seconds after noon."""
    return ((await bus.log.state()).now - NOON).total_seconds()


async def pass_time(bus: Bus, seconds: float) -> None:  # noqa: F811
    """Wait until the broker's clock has moved on by so much."""
    end = await broker_s(bus) + seconds

    async def has_passed() -> bool:
        return await broker_s(bus) >= end

    await eventually(has_passed)


async def silent_as_of_the_checkpoint(bus: Bus, *tasks: str) -> None:  # noqa: F811
    """Started tasks, silent for 0.1 s already when the last event that was projected came."""
    for task in tasks:
        await bus.tell(requested(task=task), started(task=task))
    await pass_time(bus, 0.1)
    await bus.projected(await bus.tell(requested(task=task_id(999), lane="elsewhere")))


async def record(bus: Bus, task: str) -> dict[str, Any]:  # noqa: F811
    """The task as the task-store knows it; empty while it doesn't."""
    try:
        question = json.dumps({"task_ids": [task]}).encode()
        reply = await bus.requests.call(GET, question, timeout=0.5)
    except (NoReply, NoResponders, Unreachable):
        return {}
    found: dict[str, Any] = json.loads(reply.data).get("ok", {}).get("records", {}).get(task, {})
    return found


async def until_status(bus: Bus, task: str, status: str) -> dict[str, Any]:  # noqa: F811
    """The task as soon as it has that status."""

    async def there() -> dict[str, Any] | None:
        found = await record(bus, task)
        return found if found.get("status") == status else None

    found: dict[str, Any] = await eventually(there, 15, f"{task} is never {status}")
    return found


async def told(bus: Bus, task: str, name: str) -> list[Envelope]:  # noqa: F811
    """What the log has of that type about the task."""
    messages = await bus.log.history(task)
    return [event for each in messages if (event := decode(each.payload)).type == name]


async def count_finished(bus: Bus) -> dict[str, int]:  # noqa: F811
    """How many messages there are on each task's finished subject."""
    info = await bus.client.jetstream().stream_info(
        "GENERATION", subjects_filter="generation.finished.>"
    )
    return dict(info.state.subjects or {})


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


StartReaper = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start_reaper(nats_server: Server) -> AsyncIterator[StartReaper]:
    """Starts reapers in this process; settings by name."""
    started: list[Running] = []

    async def start(**settings: Any) -> Running:
        port = free_port()
        told = {
            "task_timeout_s": TIMEOUT_S,
            "task_deadline_s": NEVER,
            "upload_ttl_s": NEVER,
            "reaper_interval_s": 0.05,
            **settings,
        }
        app = create_app(Settings(nats_url=nats_server.url, health_port=port, **told))
        service = Running(app, asyncio.create_task(app.run()), port)
        started.append(service)
        return service

    yield start
    for service in started:
        await service.stop()


@pytest.fixture
async def start_stoppable_task_store(
    nats_server: Server,
    database_url: str,
    database: asyncpg.Connection,  # noqa: F811
) -> AsyncIterator[Callable[[], Running]]:
    """Starts task-stores that the test stops when it likes."""
    started: list[Running] = []

    def start() -> Running:
        settings = TaskStoreSettings(nats_url=nats_server.url, database_url=database_url)
        app = create_task_store(settings, ArtifactStore.open("memory://"))
        service = Running(app, asyncio.create_task(app.run()))
        started.append(service)
        return service

    yield start
    for service in started:
        if not service.running.done():
            await service.stop()


@dataclass(frozen=True)
class ReaperProcess:
    child: Child
    health_port: int

    async def is_ready(self) -> bool:
        assert self.child.returncode is None, self.child.spec.log.read_text()
        return await answers_ready(self.health_port)


@pytest.fixture
async def spawn_reaper(
    nats_server: Server, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[ReaperProcess]]]:
    """Starts reapers as processes of their own, as an operator would."""
    children: list[Child] = []

    async def start(**settings: Any) -> ReaperProcess:
        port = free_port()
        told = {"nats_url": nats_server.url, "health_port": port, **settings}
        environment = {f"DARKROOM_{name.upper()}": str(value) for name, value in told.items()}
        child = await spawn(
            ProcessSpec(
                name="reaper",
                command=(sys.executable, "-m", "reaper"),
                log=tmp_path / f"reaper-{len(children)}.log",
                environment={**os.environ, **environment},
            )
        )
        children.append(child)
        return ReaperProcess(child, port)

    yield start
    for child in children:
        await child.kill()
