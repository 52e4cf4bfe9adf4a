"""A rebuild and a verification of the projection, beside the least that either has to do.

The floor fetches every message of the log, as it comes, and COPYs the rows that result. Rebuild and
verification are the commands, as an operator calls them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from contracts.subjects import ALL_EVENTS, STREAM
from delivery.connection import connection_options
from measuring.client import Order
from measuring.commands import command_of
from measuring.context import Context, task_body
from measuring.figures import Figure, at_least, at_most
from measuring.projection import EVENTS_OF_A_TASK, log_of
from task_store import store
from task_store.writer import BATCH

_PART = "rebuild"
_NOBODY = "nobody"
_UNDER_WAY = 2000
_FETCHED = 500
_PROJECTED_WITHIN_S = 600.0
_LOAD_PAUSE_S = 0.02
_SCHEMA = "bench_floor"


def measure(run: Context) -> list[Figure]:
    tasks = run.sizes.rebuilt // EVENTS_OF_A_TASK
    run.say(f"filling the log with {tasks * EVENTS_OF_A_TASK:,} events")
    asyncio.run(_fill(run.system.nats_url, tasks))
    run.system.wait_until_projected(_PROJECTED_WITHIN_S)
    run.say("fetching them and copying their rows")
    events, floor_s = asyncio.run(_floor(run))
    floor = events / floor_s
    figures = []
    for command in ("rebuild", "verify"):
        run.say(f"projection {command}")
        with _lag_under_load(run) as worst_lag_s:
            took_s, peak_mb = command_of(run, "projection", command)
        figures += [
            Figure(
                _PART,
                f"{command}: events",
                events / took_s,
                "/s",
                floor=floor,
                floor_name="fetch and COPY /s",
                target=at_least(0.5),
                details={"events": events, "seconds": took_s, "floor seconds": floor_s},
            ),
            Figure(_PART, f"{command}: memory at most", peak_mb, "MB", target=at_most(300.0)),
            Figure(
                _PART,
                f"{command}: lag of the live rows meanwhile, at most",
                worst_lag_s(),
                "s",
                target=at_most(1.0),
            ),
        ]
    return figures


async def _fill(nats_url: str, tasks: int) -> None:
    """Publish whole lives, many acknowledgements under way at once. Nobody serves their lane."""
    client = await nats.connect(nats_url, **connection_options("bench"))
    acknowledged = 0
    moved = asyncio.Event()

    async def on_ack(message: Msg) -> None:
        nonlocal acknowledged
        if b'"error"' in message.data:
            raise RuntimeError(message.data.decode())
        acknowledged += 1
        moved.set()

    inbox = client.new_inbox()
    await client.subscribe(inbox, cb=on_ack)
    for sent, message in enumerate(log_of(tasks, _NOBODY)):
        while sent - acknowledged >= _UNDER_WAY:
            moved.clear()
            await moved.wait()
        await client.publish(message.subject, message.payload, inbox)
    while acknowledged < tasks * EVENTS_OF_A_TASK:
        moved.clear()
        await moved.wait()
    await client.close()


async def _floor(run: Context) -> tuple[int, float]:
    """How many events the log has, and the seconds that reading them and writing rows takes."""
    client = await nats.connect(run.system.nats_url, **connection_options("bench"))
    connection = await asyncpg.connect(run.system.database_url)
    rows = [tuple(row) for row in await connection.fetch("SELECT * FROM live.tasks")]
    await store.create_projection(connection, _SCHEMA, build=0)
    try:
        began = time.perf_counter()
        events = await _fetched(client)
        for start in range(0, len(rows), BATCH):
            await connection.copy_records_to_table(
                "tasks", schema_name=_SCHEMA, records=rows[start : start + BATCH]
            )
        return events, time.perf_counter() - began
    finally:
        await connection.execute(f"DROP SCHEMA {_SCHEMA} CASCADE")
        await connection.close()
        await client.close()


async def _fetched(client: Client) -> int:
    """The number of messages, each of which was here."""
    jetstream = client.jetstream(timeout=30)
    subscription = await jetstream.pull_subscribe(
        ALL_EVENTS, stream=STREAM, config=ConsumerConfig(ack_policy=AckPolicy.NONE)
    )
    wanted = (await jetstream.stream_info(STREAM)).state.messages
    fetched = 0
    while fetched < wanted:
        fetched += len(await subscription.fetch(_FETCHED, timeout=10))
    await subscription.unsubscribe()
    return fetched


@contextmanager
def _lag_under_load(run: Context) -> Iterator[Callable[[], float]]:
    """Tasks are submitted meanwhile; tells afterwards how old an applied event was at most."""
    over = threading.Event()
    worst = 0.0

    def watch() -> None:
        nonlocal worst
        while not over.wait(0.2):
            lag = run.system.metric("task-store", "darkroom_projection_lag_seconds")
            worst = max(worst, lag)

    def submit() -> None:
        while not over.is_set():
            order = Order(
                *("repeat", run.system.port, 1, 1.0),
                body=task_body("noop"),
                pause_s=_LOAD_PAUSE_S,
            )
            run.load(run.system.tree, order)

    threads = [threading.Thread(target=each) for each in (submit, watch)]
    for each in threads:
        each.start()
    try:
        yield lambda: worst
    finally:
        over.set()
        for each in threads:
            each.join()
