"""A disk that is lost under load, and what an operator then does.

Everything is `darkroom up`. A data directory is renamed away while its server runs, and the server
killed: the next one finds nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2

from servers import eventually
from system import System
from task_store import store

SERVICES = ("gateway", "generator", "task-store", "reaper")
SMALL = {"width": 64, "height": 64}


@dataclass
class House:
    """The system, and the tasks that were accepted on it."""

    system: System
    accepted: list[str] = field(default_factory=list)

    async def darkroom(self, *words: str) -> tuple[int, str]:
        """A command of the operator: its exit code, and what it printed."""
        settings = {"DARKROOM_DATA_DIR": str(self.system.data_dir)}
        settings |= {"DARKROOM_PORT": str(self.system.port)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "darkroom", *words),
            env={**os.environ, **self.system.settings, **settings},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, out.decode()

    async def submit(self, seconds: float = 0) -> httpx2.Response:
        """One try, as a client without patience makes it."""
        params: dict[str, Any] = dict(SMALL)
        if seconds:
            params["simulate"] = {"seconds": seconds}
        body = {"type": "CREATE", "prompt": "a lake", "provider_params": params}
        answer = await self.system.http.post("/tasks", json=body)
        if answer.status_code == 202:
            self.accepted.append(answer.json()["task_id"])
        return answer

    async def load(self, over: asyncio.Event) -> list[httpx2.Response]:
        """Submit one task after the other; the answers."""
        answers = []
        while not over.is_set():
            answers.append(await self.submit(0.5 if len(self.accepted) % 3 == 0 else 0))
        return answers

    async def lose(self, server: str) -> None:
        """Its data are gone, and it with them; another one is in its place."""
        pid = self.system.pid(server)
        assert pid is not None
        directory = self.system.data_dir / server
        directory.rename(directory.with_name(f"{server}.lost"))
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: self.system.pid(server) not in (None, pid), 20)

    def pids(self) -> Sequence[int | None]:
        return [self.system.pid(each) for each in SERVICES]

    async def rows(self) -> dict[str, list[str]]:
        """Everything in Postgres but the checkpoint, whole."""
        tables = ("live.tasks", "live.lanes", "live.parked", "live.waiting_counts", "log.events")
        async with self.system.database() as database:
            return {
                table: sorted(map(str, await database.connection.fetch(f"SELECT * FROM {table}")))
                for table in tables
            }

    async def known(self) -> set[str]:
        """The tasks that Postgres knows."""
        async with self.system.database() as database:
            return set(await database.tasks())

    async def caught_up(self) -> None:
        """Wait until Postgres has all that is on the log."""
        last = (await self.system.log())[-1].sequence

        async def nothing_left() -> bool:
            with suppress(OSError, asyncpg.PostgresError):
                async with self.system.database() as database:
                    checkpoint = await store.load_checkpoint(database.connection)
                    return checkpoint.sequence >= last
            return False

        await eventually(nothing_left, 40, "the projection does not catch up")
