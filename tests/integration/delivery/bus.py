"""One connection to a real broker, with everything that delivery makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import nats
from nats.aio.client import Client

from contracts.events import Event
from contracts.subjects import LaneConsumerSpec, StreamSpec
from delivery import provision
from delivery.connection import connection_options
from delivery.log import LogReader
from delivery.publisher import Publisher, Stored
from delivery.requests import Requests

SPEC = StreamSpec(max_age=timedelta(days=1), max_bytes=256 * 1024 * 1024)
LANE = LaneConsumerSpec("CREATE", "studio", ack_wait=timedelta(seconds=1))


@dataclass(frozen=True)
class Bus:
    """A client, and the ways onto and off the bus that it offers."""

    client: Client
    requests: Requests
    publisher: Publisher
    log: LogReader

    async def tell(self, *events: Event) -> list[Stored]:
        """Publish facts one after the other."""
        return [await self.publisher.publish(event) for event in events]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Bus]:
    """A connection that comes back whatever happens to the server."""
    client = await nats.connect(url, **connection_options("test") | {"reconnect_time_wait": 0.02})
    requests = Requests(client)
    await requests.start()
    try:
        yield Bus(client, requests, Publisher(requests), LogReader(requests, timeout_s=1.0))
    finally:
        with suppress(OSError):  # the test may have ended the server
            await requests.stop()
            await client.close()


async def set_up(bus: Bus, spec: StreamSpec = SPEC) -> None:
    await provision.ensure_stream(bus.client, spec)
