"""Hearing how a job moves, over ComfyUI's WebSocket."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from generator.vendors.comfyui.messages import GraphProgress

_CONNECT_S = 10.0
_AGAIN_S = 3.0
_PONG_S = 60.0
"""A server that loads a model answers nothing for long."""
_MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Previews come in frames of their own; they are dropped, but must fit."""

# Below a warning, the library tells the headers that it sends: the login is among them.
_wire = logging.getLogger(f"{__name__}.wire")
_wire.setLevel(logging.WARNING)


class Hearing:
    """``percents`` are put here as they are told; one more item is put when the job has ended."""

    def __init__(self, progress: GraphProgress) -> None:
        self.progress = progress
        self._told: asyncio.Queue[int] = asyncio.Queue()

    async def next(self, within_s: float) -> int | None:
        """The next percent; None if there is no news in this time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, within_s)):
                return await self._told.get()
        return None

    def take(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            return
        try:
            message = json.loads(frame)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        before = self.progress.percent, self.progress.ended
        self.progress.hear(message.get("type", ""), message.get("data") or {})
        if before != (self.progress.percent, self.progress.ended):
            self._told.put_nowait(self.progress.percent)


@asynccontextmanager
async def hearing(
    url: httpx2.URL, login: str | None, progress: GraphProgress
) -> AsyncIterator[Hearing]:
    """Listen at ``url`` until the block is left; a connection that breaks is made anew.

    Nothing depends on what is heard, nor on anything being heard at all: the truth is in the
    server's history.
    """
    heard = Hearing(progress)
    listening = asyncio.create_task(_listen(url, login, heard))
    try:
        yield heard
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _listen(url: httpx2.URL, login: str | None, heard: Hearing) -> None:
    headers = {} if login is None else {"Authorization": login}
    while True:
        with suppress(OSError, WebSocketException):
            async with connect(
                str(url),
                additional_headers=headers,
                # Its buffers would take more memory than everything else of a task that waits.
                compression=None,
                max_size=_MAX_FRAME_BYTES,
                open_timeout=_CONNECT_S,
                ping_timeout=_PONG_S,
                logger=_wire,
            ) as socket:
                async for frame in socket:
                    heard.take(frame)
        await asyncio.sleep(_AGAIN_S)
