"""The projector's own path, from bytes of the log to committed rows, beside a raw COPY of them."""

from __future__ import annotations

import contextlib
import gc
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import uvloop

from contracts.events import (
    Completed,
    CompletedData,
    Event,
    Progressed,
    ProgressedData,
    RequestData,
    Requested,
    Started,
    StartedData,
    encode,
    envelope,
    schema_urn,
)
from contracts.subjects import subject_of
from delivery.ordered import Delivered
from measuring.context import Context
from measuring.figures import Figure, at_least
from task_store import store
from task_store.writer import BATCH, Projection, folded_ahead

_PART = "projection"
_START = datetime(2026, 1, 1, tzinfo=UTC)
_IN_FLIGHT = 200
EVENTS_OF_A_TASK = 4
_ROUNDS = 3


def measure(run: Context) -> list[Figure]:
    return uvloop.run(_measure(run))


@dataclass(frozen=True, slots=True)
class Spent:
    """On all events: seconds by the clock, and of CPU, here and in Postgres."""

    clock_s: float
    cpu_s: float


async def _measure(run: Context) -> list[Figure]:
    messages = list(log_of(run.sizes.events // EVENTS_OF_A_TASK))
    # Garbage is looked for as seldom as the task-store does it, on both sides.
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    applied, copied = [], []
    for _ in range(_ROUNDS):
        projected = await _make_database(run.system.database_url)
        copy = await _make_database(run.system.database_url)
        try:
            applied.append(await _apply(run, projected, messages))
            copied.append(await _copy(run, projected, copy))
        finally:
            for url in (projected, copy):
                await _drop_database(run.system.database_url, url)

    def rate(spent: list[Spent]) -> float:
        return len(messages) / min(each.clock_s for each in spent)

    def cpu_us(spent: list[Spent]) -> float:
        return min(each.cpu_s for each in spent) / len(messages) * 1e6

    return [
        Figure(
            _PART,
            "events projected",
            rate(applied),
            "/s",
            floor=rate(copied),
            floor_name="by COPY /s",
            target=at_least(0.5),
            details={"µs CPU an event": cpu_us(applied), "by COPY": cpu_us(copied)},
        )
    ]


class _Log:
    """Everything is there already."""

    def __init__(self, messages: list[Delivered]) -> None:
        self._messages = messages
        self._at = 0

    @property
    def pending(self) -> int:
        return len(self._messages) - self._at

    async def batch(self, most: int, *, wait_s: float) -> list[Delivered]:
        taken = self._messages[self._at : self._at + most]
        self._at += len(taken)
        return taken


async def _apply(run: Context, url: str, messages: list[Delivered]) -> Spent:
    """From the first byte to the last commit, decoding included."""
    connection = await store.open_connection(url)
    try:
        projection = Projection(connection)
        await projection.load()
        with _meter(run) as spent:
            async for folded in folded_ahead(projection, _Log(messages)):
                if folded is None:
                    break
                await projection.write(folded)
        return spent()
    finally:
        await connection.close()


async def _copy(run: Context, source: str, target: str) -> Spent:
    """COPY the rows that the projection has made, in transactions of a batch each."""
    reader = await store.open_connection(source)
    raw = [tuple(row) for row in await reader.fetch("SELECT * FROM log.events ORDER BY sequence")]
    tasks = [tuple(row) for row in await reader.fetch("SELECT * FROM tasks ORDER BY sequence")]
    await reader.close()
    writer = await store.open_connection(target)
    share = max(1, BATCH * len(tasks) // len(raw))
    try:
        with _meter(run) as spent:
            for index, start in enumerate(range(0, len(raw), BATCH)):
                async with writer.transaction():
                    await writer.copy_records_to_table(
                        "events", schema_name="log", records=raw[start : start + BATCH]
                    )
                    rows = tasks[index * share : (index + 1) * share]
                    await writer.copy_records_to_table("tasks", schema_name="live", records=rows)
        return spent()
    finally:
        await writer.close()


@contextlib.contextmanager
def _meter(run: Context) -> Iterator[Callable[[], Spent]]:
    """Tells afterwards what was spent inside."""
    postgres = run.system.tree.cpu_s()["postgres"]
    cpu, clock = time.process_time(), time.perf_counter()

    def spent() -> Spent:
        clock_s = time.perf_counter() - clock
        cpu_s = time.process_time() - cpu
        return Spent(clock_s, cpu_s + run.system.tree.cpu_s()["postgres"] - postgres)

    yield spent


async def _make_database(server_url: str) -> str:
    name = f"bench_{secrets.token_hex(6)}"
    server = await asyncpg.connect(server_url)
    await server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    await server.close()
    url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    connection = await asyncpg.connect(url)
    await store.migrate(connection)
    await connection.close()
    return url


async def _drop_database(server_url: str, url: str) -> None:
    server = await asyncpg.connect(server_url)
    await server.execute(f'DROP DATABASE "{urlsplit(url).path[1:]}" WITH (FORCE)')
    await server.close()


def log_of(tasks: int, lane: str = "noop") -> Iterator[Delivered]:
    """A log of whole lives, a few hundred of them at the same time."""
    lives: list[Iterator[Event]] = []
    sequence, begun = 0, 0
    while lives or begun < tasks:
        while len(lives) < _IN_FLIGHT and begun < tasks:
            begun += 1
            lives.append(_life(begun, lane))
        lasting = []
        for life in lives:
            event = next(life, None)
            if event is None:
                continue
            lasting.append(life)
            sequence += 1
            logtime = _START + timedelta(milliseconds=sequence)
            yield Delivered(subject_of(event), sequence, logtime, encode(event), event.id)
        lives = lasting


def _life(number: int, lane: str) -> Iterator[Event]:
    task_id = str(UUID(int=0x0199F0C27E4A70008000_000000000000 + number))

    def told(type_name: str, step: int) -> dict[str, object]:
        name = f"generation.{type_name}"
        shared = envelope(
            event_id=str(UUID(int=(number << 8) + step)),
            source="bench",
            task_id=task_id,
            owner="local",
            tasktype="CREATE",
            time=_START + timedelta(milliseconds=number, seconds=step),
            causationid=f"{task_id}:requested",
        )
        return shared | {"dataschema": schema_urn(name)}

    request = RequestData(
        lane=lane,
        stage="queued",
        prompt="a red bicycle leaning on a yellow wall at noon, long shadows",
        provider_params={"service": "NOOP", "seed": 7},
        prompt_id="prompt-1",
        metadata={"starred": False},
        body_sha256="b" * 64,
        submission="0123456789abcdef",
    )
    started = StartedData(attempt=1, stage="generating", provider="noop", worker="generator-1")
    halfway = ProgressedData(attempt=1, progress=50)
    completed = CompletedData(attempt=1, artifacts=(), stage="saving")
    yield Requested.model_validate(told("requested", 0) | {"data": request})
    yield Started.model_validate(told("started", 1) | {"data": started})
    yield Progressed.model_validate(told("progressed", 2) | {"data": halfway})
    yield Completed.model_validate(told("completed", 3) | {"data": completed})
