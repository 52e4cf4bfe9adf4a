"""Servers in containers, by testcontainers: on loopback only, on ports that survive a restart."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# Read when testcontainers is imported. Its reaper isn't needed: a context ends each container.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
os.environ.setdefault("TC_HOST", "127.0.0.1")
os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")

from testcontainers.core.container import DockerContainer

from darkroom.stack.nats import NatsServer
from darkroom.stack.ports import free_port
from servers import eventually, is_up

NATS_IMAGE = "nats:2.12-alpine"
POSTGRES_IMAGE = "postgres:17-alpine"
START_TIMEOUT_S = 60.0


class ContainerServer:
    """A server in a container that a test may end and bring back."""

    def __init__(
        self, container: DockerContainer, url: str, is_ready: Callable[[], Awaitable[bool]]
    ) -> None:
        self.url = url
        self._container = container
        self._is_ready = is_ready

    async def start(self) -> None:
        await asyncio.to_thread(self._container.start)
        await self._ready()

    async def remove(self) -> None:
        await asyncio.to_thread(self._container.stop, force=True, delete_volume=True)

    async def kill(self) -> None:
        await asyncio.to_thread(self._wrapped().kill)

    async def stop(self) -> None:
        await asyncio.to_thread(self._wrapped().stop, timeout=5)

    async def restart(self) -> None:
        await asyncio.to_thread(self._wrapped().restart, timeout=5)
        await self._ready()

    def _wrapped(self) -> Any:
        return self._container.get_wrapped_container()

    async def _ready(self) -> None:
        await eventually(self._is_ready, START_TIMEOUT_S)


@asynccontextmanager
async def nats_container() -> AsyncIterator[ContainerServer]:
    """NATS with JetStream that syncs before it acknowledges, as the safest test needs it."""
    port = free_port()
    with TemporaryDirectory() as directory:
        config = _config(Path(directory))
        container = _on_loopback(DockerContainer(NATS_IMAGE), 4222, port)
        container.with_volume_mapping(str(config), "/etc/nats/test.conf", "ro")
        container.with_command("-c /etc/nats/test.conf")
        probe = NatsServer(config=Path(), store=Path(), port=port)
        async with _running(ContainerServer(container, probe.url, probe.is_ready)) as server:
            yield server


def _config(directory: Path) -> Path:
    directory.chmod(0o755)  # the server in the container is another user
    config = directory / "nats.conf"
    config.write_text('jetstream { store_dir: "/data", sync_interval: always }\n')
    return config


@asynccontextmanager
async def postgres_container() -> AsyncIterator[ContainerServer]:
    """Postgres with the role and the database ``darkroom``."""
    port = free_port()
    url = f"postgresql://darkroom:darkroom@127.0.0.1:{port}/darkroom"
    container = _on_loopback(DockerContainer(POSTGRES_IMAGE), 5432, port)
    for variable in ("USER", "PASSWORD", "DB"):
        container.with_env(f"POSTGRES_{variable}", "darkroom")

    async with _running(ContainerServer(container, url, lambda: is_up(url))) as server:
        yield server


@asynccontextmanager
async def _running(server: ContainerServer) -> AsyncIterator[ContainerServer]:
    try:
        await server.start()
        yield server
    finally:
        await server.remove()


def _on_loopback(container: DockerContainer, inside: int, outside: int) -> DockerContainer:
    ports: Any = {inside: ("127.0.0.1", outside)}  # testcontainers types less than docker takes
    container.ports = ports
    return container
