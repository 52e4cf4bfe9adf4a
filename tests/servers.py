"""Real servers for tests: one interface, three sources.

``DARKROOM_TEST_BACKEND`` chooses: ``embedded`` (the default: child processes from wheels),
``containers`` (testcontainers), ``external`` (``DARKROOM_NATS_URL`` and ``DARKROOM_DATABASE_URL``,
which must be expendable: their streams are deleted). A server that can't be had is a failure, never
a skip.
"""

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import nats
from nats.errors import Error as NatsError

from darkroom.stack.nats import NatsServer
from darkroom.stack.ports import free_port
from darkroom.stack.postgres import PostgresServer
from darkroom.stack.processes import Child, ProcessSpec, spawn

START_TIMEOUT_S = 60.0
POLL_S = 0.01

Backend = Literal["embedded", "containers", "external"]
Sync = Literal["always", "default"]


class Server(Protocol):
    """A server that a test may treat badly."""

    @property
    def url(self) -> str:
        """What a client connects to; stays the same over restarts."""

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""

    async def stop(self) -> None:
        """End it as an operator would."""

    async def restart(self) -> None:
        """Bring it back on the same address with the same data; a running one is stopped first."""


async def eventually(
    condition: Callable[[], Awaitable[object]] | Callable[[], object],
    timeout_s: float = 10.0,
    message: str = "",
) -> Any:
    """Wait until the condition (a function, async or not) gives something true, and return that."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if isinstance(answer, Awaitable):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(message or f"not within {timeout_s} s: {condition}")
        await asyncio.sleep(POLL_S)


def backend() -> Backend:
    """Where this run's servers come from."""
    chosen = os.environ.get("DARKROOM_TEST_BACKEND") or "embedded"
    if chosen not in ("embedded", "containers", "external"):
        raise ValueError(f"DARKROOM_TEST_BACKEND={chosen}: use embedded, containers or external")
    return chosen  # type: ignore[return-value]


class EmbeddedServer:
    """A server as a child process of this test run; it dies with it, however that ends."""

    def __init__(
        self,
        url: Callable[[], str],
        spec: Callable[[], Awaitable[ProcessSpec]],
        is_ready: Callable[[Child], Awaitable[bool]],
    ) -> None:
        self._url = url
        self._spec = spec
        self._is_ready = is_ready
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return self._url()

    @property
    def pid(self) -> int:
        """The server's process id, for tests that pause it."""
        assert self._child is not None, "not started"
        return self._child.pid

    async def start(self) -> None:
        child = await spawn(await self._spec())
        self._child = child

        async def ready_or_gone() -> bool:
            return child.returncode is not None or await self._is_ready(child)

        await eventually(ready_or_gone, START_TIMEOUT_S)
        if child.returncode is not None:
            log = child.spec.log.read_text(errors="replace")
            raise RuntimeError(f"{child.spec.name} ended with {child.returncode}:\n{log}")

    async def kill(self) -> None:
        if self._child is not None:
            await self._child.kill()

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    async def restart(self) -> None:
        await self.stop()
        await self.start()


def embedded_nats(directory: Path, sync: Sync = "default") -> EmbeddedServer:
    """A nats-server that keeps its files in ``directory``; not yet started."""
    server = NatsServer(
        config=directory / "nats.conf", store=directory / "store", port=free_port(), sync=sync
    )
    log = directory / "nats.log"
    return EmbeddedServer(
        url=lambda: server.url,
        spec=lambda: server.spec(log, None, os.environ),
        is_ready=lambda _: server.is_ready(),
    )


def embedded_postgres(directory: Path) -> EmbeddedServer:
    """A Postgres that keeps its files in ``directory``; not yet started."""
    server = PostgresServer(
        directory=directory / "data",
        password_file=directory / "password",
        port=free_port(),
        durable=False,
    )
    log = directory / "postgres.log"

    async def is_ready(child: Child) -> bool:
        return server.is_ready(child.pid)

    return EmbeddedServer(
        url=lambda: server.url,
        spec=lambda: server.spec(log, None, os.environ),
        is_ready=is_ready,
    )


class ExternalServer:
    """A server that somebody else runs: a test can't end it."""

    def __init__(self, variable: str) -> None:
        self.url = os.environ.get(variable, "")
        if not self.url:
            raise RuntimeError(f"DARKROOM_TEST_BACKEND=external needs {variable}")

    async def kill(self) -> None:
        raise RuntimeError("this test ends a server: run it with DARKROOM_TEST_BACKEND=embedded")

    stop = kill
    restart = kill


@asynccontextmanager
async def nats_for_session(directory: Path) -> AsyncIterator[Server | None]:
    """The NATS server that all tests share; None when each test gets its own."""
    if backend() == "external":
        yield ExternalServer("DARKROOM_NATS_URL")
    elif backend() == "containers":
        from containers import nats_container

        async with nats_container() as server:
            yield server
    else:
        yield None


@asynccontextmanager
async def nats_for_test(
    shared: Server | None, directory: Path, sync: Sync
) -> AsyncIterator[Server]:
    """A NATS server without streams: one of its own, or the shared one swept."""
    if shared is not None:
        try:
            await delete_streams(shared.url)
        except (NatsError, OSError):
            # A test has ended it.
            await shared.restart()
            await delete_streams(shared.url)
        yield shared
        return
    server = embedded_nats(directory, sync)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
        shutil.rmtree(directory)


@asynccontextmanager
async def postgres_for_session(directory: Path) -> AsyncIterator[Server]:
    """The Postgres server of this run (with xdist: of this worker)."""
    if backend() == "external":
        yield ExternalServer("DARKROOM_DATABASE_URL")
    elif backend() == "containers":
        from containers import postgres_container

        async with postgres_container() as server:
            yield server
    else:
        embedded = embedded_postgres(directory)
        await embedded.start()
        try:
            yield embedded
        finally:
            await embedded.stop()
            shutil.rmtree(directory)  # 40 MB, which pytest would keep for three runs


@asynccontextmanager
async def fresh_database(server_url: str) -> AsyncIterator[str]:
    """A new empty database on the server; dropped afterwards, whoever is still connected."""
    name = f"test_{secrets.token_hex(8)}"
    await _administer(server_url, f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with suppress(OSError, asyncpg.PostgresError):  # the test may have ended the server
            await _administer(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def empty(database_url: str) -> None:
    """Have a database be as it was made, with nobody connected."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        schemas = await connection.fetch(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'"
        )
        for row in schemas:
            await connection.execute(f'DROP SCHEMA "{row["nspname"]}" CASCADE')
        await connection.execute("CREATE SCHEMA public")
    finally:
        await connection.close()


async def delete_streams(url: str) -> None:
    """Leave nothing on the server that a test before this one made."""
    client = await nats.connect(url, allow_reconnect=False, max_reconnect_attempts=1)
    try:
        jetstream = client.jetstream()
        for stream in await jetstream.streams_info():
            if stream.config.name is not None:
                await jetstream.delete_stream(stream.config.name)
    finally:
        await client.close()


async def is_up(server_url: str) -> bool:
    """Whether the Postgres server answers."""
    try:
        connection = await asyncpg.connect(server_url, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


async def _administer(server_url: str, statement: str) -> None:
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
