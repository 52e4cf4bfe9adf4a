"""The projector's own path, from bytes of the log to committed rows, beside a raw COPY of them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
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
from task_store.projector import BATCH, Projection, decoded_ahead

_PART = "projection"
_START = datetime(2026, 1, 1, tzinfo=UTC)
_IN_FLIGHT = 200
_EVENTS_OF_A_TASK = 4
_ROUNDS = 3


def measure(run: Context) -> list[Figure]:
    return uvloop.run(_measure(run))


async def _measure(run: Context) -> list[Figure]:
    messages = list(_log(run.sizes.events // _EVENTS_OF_A_TASK))
    best_apply, best_copy = 0.0, 0.0
    for _ in range(_ROUNDS):
        projected = await _make_database(run.system.database_url)
        copied = await _make_database(run.system.database_url)
        try:
            applied_s = await _apply(projected, messages)
            copied_s = await _copy(projected, copied)
        finally:
            for url in (projected, copied):
                await _drop_database(run.system.database_url, url)
        best_apply = max(best_apply, len(messages) / applied_s)
        best_copy = max(best_copy, len(messages) / copied_s)
    return [
        Figure(
            _PART,
            "events projected",
            best_apply,
            "/s",
            floor=best_copy,
            floor_name="by COPY /s",
            target=at_least(0.5),
        )
    ]


class _Log:
    """Everything is there already."""

    def __init__(self, messages: list[Delivered]) -> None:
        self._messages = messages
        self._at = 0

    async def batch(self, most: int, *, wait_s: float) -> list[Delivered]:
        taken = self._messages[self._at : self._at + most]
        self._at += len(taken)
        return taken


async def _apply(url: str, messages: list[Delivered]) -> float:
    """Seconds from the first byte to the last commit, decoding included."""
    connection = await store.open_connection(url)
    try:
        projection = Projection(connection)
        await projection.load()
        began = time.perf_counter()
        async for reads in decoded_ahead(_Log(messages)):
            if not reads:
                break
            await projection.apply(reads)
        return time.perf_counter() - began
    finally:
        await connection.close()


async def _copy(source: str, target: str) -> float:
    """Seconds to COPY the rows that the projection has made, in transactions of a batch each."""
    reader = await store.open_connection(source)
    raw = [tuple(row) for row in await reader.fetch("SELECT * FROM log.events ORDER BY sequence")]
    tasks = [tuple(row) for row in await reader.fetch("SELECT * FROM tasks ORDER BY sequence")]
    await reader.close()
    writer = await store.open_connection(target)
    share = max(1, BATCH * len(tasks) // len(raw))
    try:
        began = time.perf_counter()
        for index, start in enumerate(range(0, len(raw), BATCH)):
            async with writer.transaction():
                await writer.copy_records_to_table(
                    "events", schema_name="log", records=raw[start : start + BATCH]
                )
                rows = tasks[index * share : (index + 1) * share]
                await writer.copy_records_to_table("tasks", schema_name="live", records=rows)
        return time.perf_counter() - began
    finally:
        await writer.close()


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


def _log(tasks: int) -> Iterator[Delivered]:
    """A log of whole lives, a few hundred of them at the same time."""
    lives: list[Iterator[Event]] = []
    sequence, begun = 0, 0
    while lives or begun < tasks:
        while len(lives) < _IN_FLIGHT and begun < tasks:
            begun += 1
            lives.append(_life(begun))
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


def _life(number: int) -> Iterator[Event]:
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
        lane="noop",
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
