"""A log with some tasks' lives on it, and what nobody can decode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, DeliverPolicy

from anybytes import publish_bytes
from builders import (
    accepted,
    annotated,
    cancelled,
    completed,
    failed,
    late_result,
    progressed,
    requested,
    retrying,
    started,
    task_id,
    timed_out,
    uploaded,
)
from contracts.events import Event
from contracts.subjects import StreamSpec
from delivery import provision
from delivery.connection import connection_options
from delivery.publisher import Publisher
from delivery.requests import Requests
from servers import Server

SPEC = StreamSpec(max_age=timedelta(days=1), max_bytes=1 << 30)
ODD = (b"\xff\x00no json", b'{"a": 1}', b"", b'"text"')


@dataclass(frozen=True)
class OldLog:
    """A client of the log, and what tests ask of the streams."""

    client: Client
    publisher: Publisher

    async def tell(self, *events: Event) -> None:
        for event in events:
            await self.publisher.publish(event)

    async def tell_odd(self, task: str) -> None:
        """What no service publishes, some of it without an id."""
        for number, payload in enumerate(ODD):
            headers = {"Nats-Msg-Id": f"odd-{number}"} if number % 2 else None
            await self.client.jetstream().publish(
                f"generation.progress.create.{task}", payload, headers=headers
            )

    async def tell_no_text(self, task: str) -> None:
        """What is no text where a subject or an id is, twice under what then reads the same."""
        known = f"generation.progress.create.{task}".encode()
        for subject, headers in (
            (b"generation.progress.create.\xff", b""),
            (known, b"Nats-Msg-Id: \xff\r\n"),
            (known, b"Nats-Msg-Id: \xfe\r\n"),
            (known, b"Nats-Msg-Id: a\nb\r\n"),
            (b"generation.progress.a\x0bb\x00.c", b"Nats-Msg-Id: c\r\n"),
        ):
            await publish_bytes(self.client, subject, headers=headers)

    async def all_of(self, stream: str) -> list[Msg]:
        """Everything in a stream, in order, as a subscriber that knows nothing of ours reads it."""
        js = self.client.jetstream()
        count = (await js.stream_info(stream)).state.messages
        config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
        pull = await js.pull_subscribe("", stream=stream, config=config)
        messages: list[Msg] = []
        while len(messages) < count:
            messages += await pull.fetch(min(1000, count - len(messages)), timeout=5)
            for each in messages[-1000:]:
                await each.ack()
        return messages

    async def exists(self, stream: str) -> bool:
        return stream in [each.config.name for each in await self.client.jetstream().streams_info()]


def life(number: int, **told: str) -> list[Event]:
    """The life of one task, four events."""
    of = {"task": task_id(number), **told}
    return [requested(**of), started(**of), progressed(50, **of), completed(**of)]


@asynccontextmanager
async def old_log(server: Server, spec: StreamSpec = SPEC) -> AsyncIterator[OldLog]:
    client = await nats.connect(server.url, **connection_options("test"))
    await provision.ensure_stream(client, spec)
    requests = Requests(client)
    await requests.start()
    try:
        yield OldLog(client, Publisher(requests))
    finally:
        await client.close()


def lives(count: int) -> list[Event]:
    """Tasks in every state in which one can be, told in turns."""
    told: list[list[Event]] = []
    for number in range(1, count):
        of = {"task": task_id(number)}
        photo = {**of, "tasktype": "PHOTO_TO_3D"}
        told.append(
            [
                [requested(**of), started(**of), progressed(50, **of), completed(**of)],
                [requested(**of), annotated({"n": {"a": 1.5}}, **of), cancelled(**of)],
                [requested(**of), started(**of), retrying(**of)],
                [requested(**of), started(**of), failed(**of), annotated({"x": "é"}, **of)],
                [accepted(**of), uploaded(**of), requested(prompt=None, **photo)],
                [requested(**of), started(**of), progressed(30, **of)],
                [requested(owner="ann", lane="kie", **of)],
                [requested(**of), started(**of), timed_out(**of), late_result(**of)],
            ][number % 8]
        )
    longest = max(map(len, told))
    return [life[turn] for turn in range(longest) for life in told if turn < len(life)]
