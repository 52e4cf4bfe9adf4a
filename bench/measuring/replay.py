"""Events told again on subjects of their own, beside bare acknowledged publishes of the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from functools import partial

import nats
import uvloop
from nats.aio.client import Client
from nats.js.api import StreamConfig

from contracts.subjects import replay_stream, replay_subject
from delivery.connection import connection_options
from delivery.copying import copy
from delivery.incoming import Incoming, leave, listen
from delivery.ordered import Delivered
from measuring.context import Context
from measuring.figures import Figure, at_least
from measuring.projection import EVENTS_OF_A_TASK, log_of

_PART = "replay"
_NAME = "bench"
_RAW = "BENCH_RAW"
_ROUNDS = 2
_BATCH = 1000
_SHARE = 6
"""Of the events that are projected so many fewer are replayed: the disk syncs each."""


def measure(run: Context) -> list[Figure]:
    return uvloop.run(_measure(run))


async def _measure(run: Context) -> list[Figure]:
    messages = list(log_of(run.sizes.events // EVENTS_OF_A_TASK // _SHARE))
    client = await nats.connect(run.system.nats_url, **connection_options("bench"))
    replayed, published = [], []
    try:
        for _ in range(_ROUNDS):
            published.append(await _publish(client, messages, run.sizes.in_flight))
            replayed.append(await _replay(client, messages))
    finally:
        await client.close()
    return [
        Figure(
            _PART,
            "events replayed",
            max(replayed),
            "/s",
            floor=max(published),
            floor_name="published /s",
            target=at_least(0.5),
        )
    ]


async def _replay(client: Client, messages: Sequence[Delivered]) -> float:
    """Events a second, into a stream of their own."""

    async def source(after: int) -> AsyncGenerator[Sequence[Delivered], None]:
        for start in range(after, len(messages), _BATCH):
            yield messages[start : start + _BATCH]

    js, stream = client.jetstream(), replay_stream(_NAME)
    await js.add_stream(StreamConfig(name=stream, subjects=[replay_subject(_NAME, ">")]))
    try:
        began = time.perf_counter()
        await copy(client, stream, source, partial(replay_subject, _NAME), lambda _: None)
        return len(messages) / (time.perf_counter() - began)
    finally:
        await js.delete_stream(stream)


async def _publish(client: Client, messages: Sequence[Delivered], in_flight: int) -> float:
    """The same by nats-py, without headers, and all acknowledgements counted."""
    js, flying, moved = client.jetstream(), 0, asyncio.Event()

    def on_ack(_: Incoming) -> None:
        nonlocal flying
        flying -= 1
        moved.set()

    async def until(most: int) -> None:
        while flying > most:
            moved.clear()
            await moved.wait()

    await js.add_stream(StreamConfig(name=_RAW, subjects=[f"{_RAW}.>"]))
    inbox = client.new_inbox()
    subscription = await listen(client, inbox, on_ack)
    try:
        began = time.perf_counter()
        for message in messages:
            await until(in_flight - 1)
            flying += 1
            await client.publish(f"{_RAW}.{message.subject}", message.payload, inbox)
        await until(0)
        return len(messages) / (time.perf_counter() - began)
    finally:
        await leave(subscription, client)
        await js.delete_stream(_RAW)
