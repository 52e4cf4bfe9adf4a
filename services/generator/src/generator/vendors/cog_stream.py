"""The stream of a prediction by Cog: server-sent events, and the comments between them.

Libraries for such streams swallow the comments. Here they are signs of life: Cog sends one every
15 s while a model says nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2


@dataclass(frozen=True, slots=True)
class Event:
    """One event; a comment has no name."""

    name: str = ""
    told: dict[str, Any] = field(default_factory=dict)


async def events(response: httpx2.Response) -> AsyncIterator[Event]:
    """The events of a stream, until it ends or breaks off. Raises `httpx2.HTTPError`."""
    name, told = "", b""
    async for line in _lines(response):
        word, _, rest = line.partition(b":")
        rest = rest.removeprefix(b" ")
        if line.startswith(b":"):
            yield Event()
        elif word == b"event":
            name = rest.decode()
        elif word == b"data":
            told += rest
        elif not line and name:
            yield Event(name, _object(told))
            name, told = "", b""


async def _lines(response: httpx2.Response) -> AsyncIterator[bytes]:
    """Split at newlines alone: a text in an event may have other breaks."""
    begun: list[bytes] = []
    async for chunk in response.aiter_bytes():
        *ended, rest = chunk.split(b"\n")
        for each in ended:
            yield (b"".join(begun) + each).rstrip(b"\r")
            begun.clear()
        begun.append(rest)


def _object(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
