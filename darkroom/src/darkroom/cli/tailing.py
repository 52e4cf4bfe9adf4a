"""Reading the end of the log in order, and following it through what interrupts a reader."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from nats.aio.client import Client

from contracts.messages import Message
from contracts.subjects import task_id_of
from darkroom.cli.failures import Unreachable
from darkroom.cli.reading import following, stored
from darkroom.cli.selecting import Wanted
from darkroom.cli.servers import log_connection, log_requests
from delivery.log import LogReader
from delivery.ordered import Interrupted
from delivery.requests import Requests

_PAUSE_S = 0.5
_ABSENCE_S = 60.0
_FIRST_WINDOW = 1_000
_WIDER = 10

Show = Callable[[Mapping[str, Any]], None]


async def tail(url: str, wanted: Wanted, lines: int | None, follow: bool, show: Show) -> None:
    """Show what is wanted: all of it, or the last so many ``lines``.

    With ``follow``, for ever, through restarts of the broker.
    """
    after = await _show_past(url, wanted, lines, show)
    away_since: float | None = None
    clock = asyncio.get_running_loop().time
    while follow:
        try:
            async with (
                log_connection(url) as client,
                log_requests(client) as requests,
                aclosing(following(client, requests, wanted, after)) as batches,
            ):
                away_since = None
                async for batch, _ in batches:
                    for message in batch:
                        after = message.sequence
                        if wanted.has(message):
                            show(as_event(message))
                        if wanted.is_past(message):
                            return
        except (Unreachable, Interrupted):
            away_since = clock() if away_since is None else away_since
            if clock() - away_since > _ABSENCE_S:
                raise
            await asyncio.sleep(_PAUSE_S)


async def _show_past(url: str, wanted: Wanted, lines: int | None, show: Show) -> int:
    """Show what is there already; the sequence up to which that was."""
    async with log_connection(url) as client, log_requests(client) as requests:
        state = await LogReader(requests).state()
        last = state.last_sequence
        if lines is None:
            async with aclosing(stored(client, requests, wanted, 0, last)) as batches:
                async for batch in batches:
                    for message in batch:
                        show(as_event(message))
        elif lines:
            for message in await _last(
                client, requests, wanted, lines, state.first_sequence - 1, last
            ):
                show(as_event(message))
    return last


async def _last(
    client: Client, requests: Requests, wanted: Wanted, lines: int, before: int, last: int
) -> Sequence[Message]:
    """The last so many, looked for in ever wider windows at the end of the log."""
    last = min(last, wanted.until_sequence or last)
    window = max(_FIRST_WINDOW, lines) if wanted.task_id is None else last
    while True:
        after = max(before, last - window)
        found: deque[Message] = deque(maxlen=lines)
        async with aclosing(stored(client, requests, wanted, after, last)) as batches:
            async for batch in batches:
                found.extend(batch)
        if len(found) == lines or after <= before:
            return list(found)
        window *= _WIDER


def as_event(message: Message) -> dict[str, Any]:
    """The event with its place in the log; what can't be read, or told again, is shown as it is."""
    place = {"sequence": message.sequence, "logtime": message.logtime.isoformat()}
    try:
        event = json.loads(message.payload)
        # Half a surrogate pair, or what is nested too deeply, can be read and never be written.
        json.dumps(event, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        event = None
    if isinstance(event, dict):
        return {**event, **place}
    text = message.payload.decode("utf-8", "backslashreplace")
    return {"subject": task_id_of(message.subject), "undecodable": text, **place}
