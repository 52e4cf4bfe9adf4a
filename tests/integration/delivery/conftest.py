"""A broker with the log on it, and connections to it."""

from collections.abc import AsyncIterator

import pytest

from delivery import publisher
from integration.delivery.bus import Bus, connected, set_up
from integration.delivery.line import Line, line_to
from servers import Server


@pytest.fixture
async def empty_bus(nats_server: Server) -> AsyncIterator[Bus]:
    """A connection to a broker on which there is nothing yet."""
    async with connected(nats_server.url) as bus:
        yield bus


@pytest.fixture
async def bus(empty_bus: Bus) -> Bus:
    """A connection to a broker that has the log."""
    await set_up(empty_bus)
    return empty_bus


@pytest.fixture
async def line(nats_server: Server) -> AsyncIterator[Line]:
    """A line to the broker that a test may hold, make deaf or cut."""
    async with line_to(nats_server.url) as made:
        yield made


@pytest.fixture
async def far_bus(line: Line, bus: Bus) -> AsyncIterator[Bus]:
    """A second connection to the broker, over ``line``."""
    async with connected(line.url) as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publish that has no answer is repeated after a tenth of a second."""
    monkeypatch.setattr(publisher, "_FIRST_TRY_S", 0.1)
