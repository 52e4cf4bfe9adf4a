"""Deliveries that are used up: what the broker tells of subscribers' durables with ``max_deliver``.

Our own have no such bound. The broker tells each once, on a subject that it doesn't store: what
happens while no task-store runs is not heard of, which is why this is a hint and no record.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import asyncpg
import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts.queries import QUEUE_GROUP
from contracts.subjects import EXHAUSTED_DELIVERIES
from delivery.incoming import Incoming, leave, listen
from task_store.sql import DEAD_LETTERS
from telemetry.logs import get_logger

_log = get_logger(__name__)


@asynccontextmanager
async def noted(client: Client, pool: asyncpg.Pool) -> AsyncIterator[None]:
    """Write down what the broker tells, one task-store for all."""
    writing: set[asyncio.Task[None]] = set()

    def hear(message: Incoming) -> None:
        task = asyncio.create_task(_note(pool, message.data))
        writing.add(task)
        task.add_done_callback(writing.discard)

    subscription = await listen(client, EXHAUSTED_DELIVERIES, hear, queue=QUEUE_GROUP)
    try:
        yield
    finally:
        with suppress(NatsError):
            await leave(subscription, client)
        await asyncio.gather(*writing)


async def _note(pool: asyncpg.Pool, advisory: bytes) -> None:
    try:
        told = orjson.loads(advisory)
        consumer, sequence = str(told["consumer"]), int(told["stream_seq"])
        deliveries, at = int(told["deliveries"]), datetime.fromisoformat(told["timestamp"])
        await pool.execute(DEAD_LETTERS["note_exhausted"], consumer, sequence, deliveries, at)
    except (ValueError, KeyError, TypeError) as problem:
        _log.warning("advisory not understood", reason=repr(problem))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as problem:
        _log.warning("advisory not written down", reason=repr(problem))
    else:
        _log.error("deliveries exhausted", consumer=consumer, sequence=sequence)
