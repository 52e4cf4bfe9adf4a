"""Events of tasks that no provider works on, as the services would tell them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from contracts.events import Event, Started, StartedData, envelope
from delivery.connection import connect
from delivery.publisher import Publisher
from delivery.requests import Requests
from measuring import absent


async def tell(nats_url: str, events: Iterator[Event], pause_s: float) -> None:
    """Publish events, one every ``pause_s`` by the clock; each is dated when it is made."""
    client = await connect(nats_url, "bench")
    try:
        requests = Requests(client)
        await requests.start()
        publisher = Publisher(requests)
        loop = asyncio.get_running_loop()
        due = loop.time()
        for event in events:
            await publisher.publish(event)
            due += pause_s
            await asyncio.sleep(max(0.0, due - loop.time()))
    finally:
        await client.close()


def started(name: str) -> Event:
    data = StartedData(attempt=1, stage="generating", provider=absent.NAME, worker="bench")
    return Started(**attributes(name, 0), data=data)


def attributes(name: str, number: int) -> dict[str, Any]:
    """What every event of this task has; ``number`` tells two of the same instant apart."""
    now = datetime.now(UTC)
    return envelope(
        event_id=f"{name}:{number}:{now.timestamp()}",
        source="bench",
        task_id=name,
        owner="local",
        tasktype="CREATE",
        time=now,
    )
