"""A provider that is announced and served by nobody: its tasks are accepted, and wait."""

from __future__ import annotations

import asyncio
import json

from contracts.subjects import PROVIDER_BUCKET
from delivery.connection import connect

NAME = "absent"


def announce(nats_url: str) -> None:
    asyncio.run(_announce(nats_url))


async def _announce(nats_url: str) -> None:
    client = await connect(nats_url, "bench")
    try:
        bucket = await client.jetstream().key_value(PROVIDER_BUCKET)
        offers = {"CREATE": {"title": "Nobody", "params_schema": {"type": "object"}}}
        told = {"name": NAME, "execution": "remote", "offers": offers}
        await bucket.put(NAME, json.dumps(told).encode())
    finally:
        await client.close()
    # The gateway hears of it over the bus; there is nothing to ask when it has.
    await asyncio.sleep(1.0)
