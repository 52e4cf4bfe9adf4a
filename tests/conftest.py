"""Fixtures every test may ask for: a real NATS server, a real Postgres, a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from servers import (
    Server,
    Sync,
    fresh_database,
    is_up,
    nats_for_session,
    nats_for_test,
    postgres_for_session,
)

# No test is about speed, and the machine may be busy.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def nats_sync() -> Sync:
    """When the server syncs; ``parametrize("nats_sync", ["always"])`` asks for the safe way."""
    return "default"


@pytest.fixture(scope="session")
async def shared_nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server | None]:
    """The NATS server that outlives a test, where not each test can have its own."""
    async with nats_for_session(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
async def nats_server(
    shared_nats: Server | None, nats_sync: Sync, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """A NATS server without streams: ``.url``, ``await .kill()``, ``.stop()``, ``.restart()``."""
    directory: Path = tmp_path_factory.mktemp("nats")
    async with nats_for_test(shared_nats, directory, nats_sync) as server:
        yield server


@pytest.fixture(scope="session")
async def postgres_session(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """The Postgres server of the whole run; tests ask for ``postgres`` or ``database_url``."""
    async with postgres_for_session(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
async def postgres(postgres_session: Server) -> AsyncIterator[Server]:
    """The Postgres server; one that the test has ended is back for the next test."""
    yield postgres_session
    if not await is_up(postgres_session.url):
        await postgres_session.restart()


@pytest.fixture
async def database_url(postgres: Server) -> AsyncIterator[str]:
    """An empty database for this test alone."""
    async with fresh_database(postgres.url) as url:
        yield url
