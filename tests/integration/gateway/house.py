"""A gateway at work in this process, and everything that its tests say to the bus around it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson
from nats.aio.client import Client

from contracts import queries
from contracts.events import Event
from contracts.subjects import PROVIDER_BUCKET
from delivery.log import LogReader
from delivery.publisher import Publisher
from delivery.requests import Requests
from gateway.app import create_app
from gateway.parts import Parts
from gateway.settings import Settings
from servers import eventually

KEYS = "ann:ann-key,bob:bob-key"
ANN = {"Authorization": "Bearer ann-key"}
BOB = {"Authorization": "Bearer bob-key"}
STUDIO = {
    "type": "object",
    "properties": {
        "seed": {"type": "integer", "minimum": 0},
        "simulate": {"type": "object", "properties": {"seconds": {"type": "number"}}},
    },
    "additionalProperties": False,
}
CREATE = {"type": "CREATE", "prompt": "a red bicycle"}


def own(task: str, **told: Any) -> dict[str, Any]:
    """What an event of one of Ann's tasks is built from."""
    return {"task": task, "owner": "ann", **told}


@dataclass
class House:
    """The log, a client on it, and the gateways started on it."""

    nats_url: str
    client: Client
    directory: Path
    requests: Requests
    publisher: Publisher
    log: LogReader
    stack: AsyncExitStack
    parts: list[Parts] = field(default_factory=list)

    async def announce(self, lane: str = "studio", *types: str, **offer: Any) -> None:
        """Announce a provider as a generator does."""
        types = types or ("CREATE", "WHITE_BACKGROUND", "CLOTHING_CHANGE")
        told = {
            "name": lane,
            "execution": "local",
            "offers": {each: {"title": "", "params_schema": STUDIO} | offer for each in types},
            "announced_at": datetime.now(UTC).isoformat(),
        }
        bucket = await self.client.jetstream().key_value(PROVIDER_BUCKET)
        await bucket.put(lane, json.dumps(told).encode())

    async def gateway(self, *, announced: bool = True, **settings: Any) -> httpx2.AsyncClient:
        """A gateway with settings of its own; a client that speaks to it as Ann."""
        told: dict[str, Any] = {
            "nats_url": self.nats_url,
            "auth": "keys",
            "api_keys": KEYS,
            "data_dir": self.directory,
            "public_url": "http://darkroom.test",
        }
        # Whether the studio page was built on this machine is no matter of these tests.
        app = create_app(Settings(**told | settings), page=self.directory / "no page")
        await self.stack.enter_async_context(app.router.lifespan_context(app))
        parts: Parts = app.state.parts
        self.parts.append(parts)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        headers = ANN if (told | settings)["auth"] == "keys" else {}
        client = httpx2.AsyncClient(
            transport=transport, base_url="http://darkroom.test", headers=headers, timeout=70
        )
        await self.stack.enter_async_context(client)
        if announced:
            await asyncio.wait_for(parts.catalogue.announced.wait(), 10)
        return client

    async def tell(self, *events: Event) -> int:
        """Publish events in order; the sequence of the last."""
        stored = None
        for event in events:
            stored = await self.publisher.publish(event)
        assert stored is not None
        return stored.sequence

    async def ask(self, subject: str, **question: Any) -> Any:
        reply = await self.requests.call(subject, orjson.dumps(question), timeout=5)
        return orjson.loads(reply.data)

    async def last_sequence(self) -> int:
        return (await self.log.state()).last_sequence

    async def projected(self) -> None:
        """Wait until the projection has everything that is in the log now."""
        last = await self.last_sequence()

        async def reached() -> bool:
            try:
                answer = await self.ask(queries.STATUS)
            except Exception:  # noqa: BLE001 - nobody answers yet
                return False
            return bool(answer["ok"]["checkpoint"].get("sequence", -1) >= last)

        await eventually(reached, 15)


@asynccontextmanager
async def open_house(nats_url: str, client: Client, directory: Path) -> AsyncIterator[House]:
    requests = Requests(client)
    await requests.start()
    async with AsyncExitStack() as stack:
        yield House(
            nats_url=nats_url,
            client=client,
            directory=directory,
            requests=requests,
            publisher=Publisher(requests),
            log=LogReader(requests),
            stack=stack,
        )
