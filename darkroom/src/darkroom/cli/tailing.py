"""Reading the end of the log in order, and following it through what interrupts a reader."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client

from contracts.subjects import ALL_EVENTS, task_id_of
from darkroom.cli.failures import Unreachable
from darkroom.cli.servers import log_connection, log_requests
from delivery.log import LogReader
from delivery.ordered import Delivered, Interrupted, OrderedLog
from delivery.requests import Requests

_BATCH = 500
_IDLE_S = 0.3
_PAUSE_S = 0.5
_ABSENCE_S = 60.0
_FIRST_WINDOW = 1_000
_WIDER = 10

Show = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Wanted:
    """Which events: of a type, of a task, from a sequence on or else the last so many ``lines``."""

    tasktype: str | None = None
    task_id: str | None = None
    since: int | None = None
    lines: int = 20
    follow: bool = False

    @property
    def subject(self) -> str:
        """What the broker can filter by."""
        return ALL_EVENTS if self.tasktype is None else f"generation.*.{self.tasktype.lower()}.>"

    def has(self, message: Delivered) -> bool:
        return self.task_id is None or task_id_of(message.subject) == self.task_id


async def tail(url: str, wanted: Wanted, show: Show) -> None:
    """Show what is wanted; with ``follow``, for ever, through restarts of the broker."""
    position = await _show_past(url, wanted, show)
    away_since: float | None = None
    clock = asyncio.get_running_loop().time
    while wanted.follow:
        try:
            async with log_connection(url) as client, log_requests(client) as requests:
                away_since = None
                async for message in _messages(client, requests, wanted, position + 1, None):
                    position = message.sequence
                    if wanted.has(message):
                        show(as_event(message))
        except (Unreachable, Interrupted):
            away_since = clock() if away_since is None else away_since
            if clock() - away_since > _ABSENCE_S:
                raise
            await asyncio.sleep(_PAUSE_S)


async def _show_past(url: str, wanted: Wanted, show: Show) -> int:
    """Show what is there already; the sequence up to which that was."""
    async with log_connection(url) as client, log_requests(client) as requests:
        state = await LogReader(requests).state()
        last = state.last_sequence
        if wanted.since is not None:
            async for message in _messages(client, requests, wanted, max(1, wanted.since), last):
                if wanted.has(message):
                    show(as_event(message))
        elif wanted.lines:
            for message in await _last(client, requests, wanted, state.first_sequence, last):
                show(as_event(message))
    return last


async def _last(
    client: Client, requests: Requests, wanted: Wanted, first: int, last: int
) -> list[Delivered]:
    """The last so many, looked for in ever wider windows at the end of the log."""
    window = max(_FIRST_WINDOW, wanted.lines)
    while True:
        start = max(first, last - window + 1, 1)
        found: deque[Delivered] = deque(maxlen=wanted.lines)
        async for message in _messages(client, requests, wanted, start, last):
            if wanted.has(message):
                found.append(message)
        if len(found) == wanted.lines or start <= max(first, 1):
            return list(found)
        window *= _WIDER


async def _messages(
    client: Client, requests: Requests, wanted: Wanted, start: int, until: int | None
) -> AsyncGenerator[Delivered, None]:
    """Messages in order from ``start``; to ``until``, or for ever. Raises `Interrupted`."""
    if until is not None and start > until:
        return
    async with OrderedLog(
        client, requests, start=start, filter_subject=wanted.subject, name="tail"
    ) as log:
        while True:
            batch = await log.batch(_BATCH, wait_s=_IDLE_S)
            for message in batch:
                if until is not None and message.sequence > until:
                    return
                yield message
                if message.sequence == until:
                    return
            if until is not None and not batch and log.pending == 0:
                return


def as_event(message: Delivered) -> dict[str, Any]:
    """The event with its place in the log; what can't be decoded is shown as it is."""
    place = {"sequence": message.sequence, "logtime": message.logtime.isoformat()}
    try:
        event = json.loads(message.payload)
    except ValueError:
        event = None
    if isinstance(event, dict):
        return {**event, **place}
    text = message.payload.decode("utf-8", "backslashreplace")
    return {"subject": task_id_of(message.subject), "undecodable": text, **place}
