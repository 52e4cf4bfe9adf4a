"""The command line as a user runs it: processes, on one running system."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forked import Nursery, Process
from servers import Server
from system import System, running_system

_TIMEOUT_S = 60


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Shell:
    """Runs ``darkroom`` with these settings and none of this machine's."""

    nursery: Nursery
    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("DARKROOM_")}
        return {**own, **{f"DARKROOM_{name}": value for name, value in self.settings.items()}}

    async def start(self, *words: str) -> Process:
        return await self.nursery.start(words, self.environment)

    async def __call__(self, *words: str) -> Ran:
        return await ended(await self.start(*words))

    def having(self, **settings: str) -> Shell:
        return Shell(self.nursery, {**self.settings, **settings})


async def ended(process: Process) -> Ran:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            stdout, stderr = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    assert b"Traceback" not in stderr, stderr.decode()
    return Ran(process.returncode, stdout.decode(), stderr.decode())


@pytest.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running_system(tmp_path_factory.mktemp("system"), RETRY_BASE_S="0.1") as made:
        yield made


@pytest.fixture(scope="session")
async def nursery() -> AsyncIterator[Nursery]:
    async with Nursery.open() as opened:
        yield opened


@pytest.fixture
def darkroom(nursery: Nursery, system: System) -> Shell:
    """The command line beside the running system, which it finds by its data."""
    return Shell(nursery, {"DATA_DIR": str(system.data_dir), "PORT": str(system.port)})


@pytest.fixture
def bare(nursery: Nursery, nats_server: Server, database_url: str, tmp_path: Path) -> Shell:
    """The command line with empty servers and no system."""
    return Shell(
        nursery,
        {"NATS_URL": nats_server.url, "DATABASE_URL": database_url, "DATA_DIR": str(tmp_path)},
    )


Submit = Callable[..., Awaitable[str]]


@pytest.fixture
def submitted(darkroom: Shell) -> Submit:
    """Submit a task and give its id."""

    async def submit(*words: str) -> str:
        ran = await darkroom("submit", *words)
        assert ran.exit_code == 0, ran.stderr
        return ran.stdout.strip()

    return submit
