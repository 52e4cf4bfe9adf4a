"""Fixtures every test may ask for: a real NATS server, a real Postgres, a database of its own."""

import logging
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from servers import (
    Server,
    Sync,
    backend,
    empty,
    fresh_database,
    is_up,
    nats_for_session,
    nats_for_test,
    postgres_for_session,
)

# No test is about speed, and the machine may be busy.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    # Where the run itself is in a shell's background, Ctrl-C is ignored: not by what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if backend() == "containers":
        # The proxy before a container accepts connections, and then cuts them. nats-py leaves the
        # stream of one that was cut in its handshake to the garbage collector.
        config.addinivalue_line(
            "filterwarnings",
            "ignore:Exception ignored in. <function StreamWriter.__del__"
            ":pytest.PytestUnraisableExceptionWarning",
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Examples cover every branch; laws draw at random, and would take twice as long watched."""
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """What is logged, and where to, is configured for one test alone: a command run in it does."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


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


@pytest.fixture(scope="session")
async def kept_database(postgres_session: Server) -> AsyncIterator[str]:
    """A database that one test after the other has: emptying it takes a fifth of making one."""
    async with fresh_database(postgres_session.url) as url:
        yield url


@pytest.fixture
async def database_url(postgres: Server, kept_database: str) -> str:
    """An empty database for this test alone."""
    # Before, not after: the test may have ended the server.
    await empty(kept_database)
    return kept_database
