"""The parts of a running system: in which order they start, what each is told, how all ends."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from contracts.exits import UNUSABLE_SETTINGS
from darkroom.stack import addresses
from darkroom.stack.console import Console
from darkroom.stack.data_directory import DataDirectory
from darkroom.stack.errors import StackError
from darkroom.stack.files import last_lines, read_text, write_atomically
from darkroom.stack.guardian import Guardian
from darkroom.stack.keeper import Keeper
from darkroom.stack.nats import NatsServer
from darkroom.stack.ports import free_port
from darkroom.stack.postgres import PostgresServer
from darkroom.stack.processes import Child, ProcessSpec, spawn
from darkroom.stack.programs import LOG_IS_LOST, Programs, Service
from darkroom.stack.settings import StackSettings

SERVER_TIMEOUT_S = 60.0
BOUND_LOGS_EVERY_S = 60.0
QUOTED_LINES = 15

Result = TypeVar("Result")
MakeSpec = Callable[[Path, Path, Mapping[str, str]], Awaitable[ProcessSpec]]
"""Prepares a server's files and tells how to run it: log, pid file and environment in."""


class Assembly:
    """Embedded servers, set-up, services: one running system."""

    def __init__(
        self,
        settings: StackSettings,
        directory: DataDirectory,
        programs: Programs,
        lock: int,
        console: Console,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._programs = programs
        self._lock = lock
        self._console = console
        self._guardian = Guardian(lock)
        self._refusals: asyncio.Queue[str] = asyncio.Queue()
        self._ports: set[int] = {settings.port}
        self._servers: list[Keeper] = []
        self._services: list[Keeper] = []
        self._setup: Child | None = None
        self._told: dict[str, str] = {}

    async def start(self) -> None:
        """Servers together, then the set-up beside the services, which wait for it themselves."""
        await self._guardian.start()
        environment = self._environment(
            *await _together(self._start_nats(), self._start_postgres())
        )
        self._services = [self._service(each, environment) for each in self._programs.services]
        await _together(
            self._run_setup(self._programs.setup, environment),
            *(keeper.start() for keeper in self._services),
        )

    async def refused(self) -> None:
        """Raises `StackError` when a service can't run as it was told to."""
        raise StackError(await self._refusals.get())

    async def stop(self) -> None:
        """Services first, so that they still reach the servers; then those."""
        if self._setup is not None:
            await self._setup.kill()
        await asyncio.gather(*(keeper.stop() for keeper in self._services))
        await asyncio.gather(*(keeper.stop() for keeper in self._servers))
        addresses.forget(self._directory)
        await self._guardian.close()

    def hurry(self) -> None:
        """End everything now; who is in :meth:`stop` will find it gone."""
        for keeper in (*self._services, *self._servers):
            keeper.kill()

    async def bound_logs(self) -> None:
        """For ever: keep the logs of what runs from growing without end."""
        while True:
            await asyncio.sleep(BOUND_LOGS_EVERY_S)
            for keeper in (*self._services, *self._servers):
                keeper.bound_log()

    async def _start_nats(self) -> str:
        if self._settings.nats_url is not None:
            return self._settings.nats_url
        password_file = self._directory.run / "nats.password"
        password = read_text(password_file) or secrets.token_urlsafe(24)
        write_atomically(password_file, password, mode=0o600)
        server = NatsServer(
            config=self._directory.run / "nats.conf",
            store=self._directory.nats_store,
            port=self._port("nats"),
            password=password,
            monitor_port=self._port("nats-monitor"),
        )

        await self._start_server("nats", server.spec, lambda _: server.is_ready())
        addresses.record(self._directory, "nats", server.url)
        addresses.record(self._directory, "nats-monitor", server.monitor_url)
        self._told["DARKROOM_NATS_MONITOR_URL"] = server.monitor_url
        return server.url

    async def _start_postgres(self) -> str:
        if self._settings.database_url is not None:
            return self._settings.database_url
        server = PostgresServer(
            directory=self._directory.postgres,
            password_file=self._directory.run / "postgres.password",
            port=self._port("postgres"),
        )

        async def is_ready(keeper: Keeper) -> bool:
            return keeper.pid is not None and server.is_ready(keeper.pid)

        await self._start_server("postgres", server.spec, is_ready)
        addresses.record(self._directory, "postgres", server.url)
        return server.url

    async def _start_server(
        self,
        name: str,
        make_spec: MakeSpec,
        is_ready: Callable[[Keeper], Awaitable[bool]],
    ) -> None:
        async def prepare() -> ProcessSpec:
            log, pid_file = self._directory.log(name), self._directory.pid_file(name)
            spec = await make_spec(log, pid_file, os.environ)
            return replace(spec, keeps_open=(self._lock,))

        keeper = Keeper(name, prepare, self._guardian, self._console, self._refusals)
        self._servers.append(keeper)
        await keeper.start()
        await keeper.ready(lambda: is_ready(keeper), SERVER_TIMEOUT_S)

    async def _run_setup(self, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
        log = self._directory.log("setup")
        log.unlink(missing_ok=True)
        spec = ProcessSpec(name="setup", command=command, log=log, environment=environment)
        self._setup = await spawn(spec)
        self._guardian.watch(self._setup)
        code = await self._setup.wait()
        self._guardian.forget(self._setup)
        self._setup = None
        for line in last_lines(log, QUOTED_LINES):
            if line.startswith(LOG_IS_LOST):
                self._console.complain(line.removeprefix(LOG_IS_LOST))
        if code != 0:
            *before, last = last_lines(log, QUOTED_LINES) or ["it gave no reason"]
            reason = last.removeprefix("Error: ")
            if code == UNUSABLE_SETTINGS:
                raise StackError(reason)
            self._console.quote(before)
            raise StackError(f"Setting up streams and schema failed: {reason}")

    def _service(self, service: Service, environment: Mapping[str, str]) -> Keeper:
        told = dict(environment)
        if service.has_health_port:
            told["DARKROOM_HEALTH_PORT"] = str(self._port(service.name))
        spec = ProcessSpec(
            name=service.name,
            command=service.command,
            log=self._directory.log(service.name),
            pid_file=self._directory.pid_file(service.name),
            environment=told,
        )

        async def prepare() -> ProcessSpec:
            return spec

        return Keeper(service.name, prepare, self._guardian, self._console, self._refusals)

    def _port(self, name: str) -> int:
        """The port it had last time where that is free, and no other's in any case."""
        file = self._directory.port_file(name)
        recorded = read_text(file) or ""
        preferred = int(recorded) if recorded.isdecimal() else None
        port = free_port(preferred, frozenset(self._ports))
        self._ports.add(port)
        write_atomically(file, f"{port}\n")
        return port

    def _environment(self, nats_url: str, database_url: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "DARKROOM_HOST": self._settings.host,
            "DARKROOM_PORT": str(self._settings.port),
            "DARKROOM_DATA_DIR": str(self._directory.path),
            "DARKROOM_NATS_URL": nats_url,
            "DARKROOM_DATABASE_URL": database_url,
            **self._told,
        }


async def _together(*work: Coroutine[Any, Any, Result]) -> list[Result]:
    """Do all of it at once; the first failure ends the rest and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
