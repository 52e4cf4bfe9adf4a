"""The whole system as a user runs it: `darkroom up`, real processes, one data directory."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import nats

from contracts.events import decode
from contracts.lifecycle import Task, evolve
from darkroom.stack.addresses import discover
from darkroom.stack.ports import free_port
from delivery.connection import connection_options
from delivery.log import LogReader
from delivery.ordered import Delivered, OrderedLog
from delivery.requests import Requests
from servers import eventually
from task_store.rows import task_of_row
from task_store.store import open_connection

TERMINAL = ("completed", "failed", "cancelled")
_ENDS = (
    "generation.completed",
    "generation.failed",
    "generation.timed_out",
    "generation.cancelled",
)


@dataclass
class System:
    """A running `darkroom up`, its processes, and what tests ask of it."""

    data_dir: Path
    port: int
    http: httpx2.AsyncClient
    settings: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("DARKROOM_")
        }
        environment |= self.settings | {
            "DARKROOM_DATA_DIR": str(self.data_dir),
            "DARKROOM_PORT": str(self.port),
        }
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "darkroom", "up", env=environment
        )
        await eventually(self.ready, 90, "the system did not get ready")

    async def stop(self) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 20)

    async def ready(self) -> bool:
        try:
            return (await self.http.get("/readyz")).status_code == 200
        except httpx2.HTTPError:
            return False

    def pid(self, name: str) -> int | None:
        try:
            return int((self.data_dir / "run" / f"{name}.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    async def kill(self, name: str) -> None:
        """SIGKILL one process, and wait until another one is in its place."""
        pid = self.pid(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: self.pid(name) not in (None, pid), 15, f"{name} is not back")

    @asynccontextmanager
    async def generator(self, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """One more generator, ready; one that is killed stays away. Settings without prefix."""
        health = free_port()
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("DARKROOM_")},
            **{f"DARKROOM_{name}": value for name, value in settings.items()},
            "DARKROOM_NATS_URL": str(discover(self.data_dir).nats_url),
            "DARKROOM_DATA_DIR": str(self.data_dir),
            "DARKROOM_HEALTH_PORT": str(health),
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "generator"),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

        async def ready() -> bool:
            assert process.returncode is None, "the generator ended by itself"
            try:
                return (await self.http.get(f"http://127.0.0.1:{health}/readyz")).is_success
            except httpx2.HTTPError:
                return False

        try:
            await eventually(ready, 60, "the generator is not ready")
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def submit(self, key: str, **body: Any) -> str:
        """A client that does not give up: the same key until the task is accepted."""

        async def accepted() -> str | None:
            try:
                answer = await self.http.post("/tasks", json=body, headers={"Idempotency-Key": key})
            except httpx2.TransportError:
                return None
            if answer.status_code in (200, 202):
                task_id: str = answer.json()["task_id"]
                return task_id
            assert answer.status_code == 503, answer.text
            return None

        return str(await eventually(accepted, 60, f"{key} was not accepted"))

    async def task(self, task_id: str) -> dict[str, Any]:
        async def answered() -> dict[str, Any] | None:
            try:
                answer = await self.http.get(f"/tasks/{task_id}")
            except httpx2.TransportError:
                return None
            assert answer.status_code in (200, 503), answer.text
            return answer.json() if answer.status_code == 200 else None

        found: dict[str, Any] = await eventually(answered, 30)
        return found

    async def ended(self, task_id: str, timeout_s: float = 60) -> dict[str, Any]:
        async def over() -> dict[str, Any] | None:
            task = await self.task(task_id)
            return task if task["status"] in TERMINAL else None

        found: dict[str, Any] = await eventually(over, timeout_s, f"{task_id} did not end")
        return found

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The rows, read without any service in between."""
        url = discover(self.data_dir).database_url
        assert url is not None
        connection = await open_connection(url)
        try:
            yield Database(connection)
        finally:
            await connection.close()

    async def log(self) -> list[Delivered]:
        """Everything on the log, in order."""
        url = discover(self.data_dir).nats_url
        assert url is not None
        return await events_on(url)


async def events_on(nats_url: str) -> list[Delivered]:
    """Everything on the log of a broker, in order."""
    client = await nats.connect(nats_url, **connection_options("test"))
    try:
        requests = Requests(client)
        await requests.start()
        last = (await LogReader(requests).state()).last_sequence
        messages: list[Delivered] = []
        async with OrderedLog(client, requests, start=1) as reader:
            while not messages or messages[-1].sequence < last:
                messages += await reader.batch(1000)
        return messages
    finally:
        await client.close()


@dataclass(frozen=True)
class Database:
    """The task-store's tables, as an operator would look at them."""

    connection: asyncpg.Connection

    async def tasks(self) -> dict[str, Task]:
        """Every row of the tasks, as the task it holds."""
        rows = await self.connection.fetch("SELECT * FROM tasks")
        return {str(row["task_id"]): task_of_row(row) for row in rows}


@asynccontextmanager
async def running_system(
    data_dir: Path, port: int | None = None, **settings: str
) -> AsyncIterator[System]:
    """A system on a port of its own, from ready to ended. Settings without their prefix."""
    port = port or free_port()
    variables = {f"DARKROOM_{name}": value for name, value in settings.items()}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
        system = System(data_dir=data_dir, port=port, http=http, settings=variables)
        try:
            await system.start()
            yield system
        finally:
            await system.stop()


def ends_by_task(messages: list[Delivered]) -> Counter[str]:
    """How many ends the log has of each task."""
    events = (decode(message.payload) for message in messages)
    return Counter(event.subject for event in events if event.type in _ENDS)


def fold_of_log(messages: list[Delivered]) -> dict[str, Task]:
    """What the log says of each task, folded from nothing."""
    tasks: dict[str, Task] = {}
    for message in messages:
        event = decode(message.payload)
        task = evolve(tasks.get(event.subject), event, message.sequence, message.logtime)
        assert task is not None
        tasks[event.subject] = task
    return tasks
