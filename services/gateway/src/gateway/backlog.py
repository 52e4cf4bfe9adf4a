"""How much may be on its way in at once: uploads wait on disk, and few of them are in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from gateway.refusals import Refusal

IN_HAND = 4
"""Uploads whose bytes are in memory, to be looked at and stored; the others wait on disk."""
RETRY_AFTER_S = 2
TRANSFER_S = 600.0
"""In which an upload must have come: room is not held for those who send next to nothing."""


class Backlog:
    """Room for ``most_bytes`` of uploads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._hands = asyncio.Semaphore(IN_HAND)

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Holds room for an upload of up to ``size`` bytes; one alone always has room.

        Raises `Refusal` ``uploads_busy`` before any of it is read.
        """
        if self._bytes and self._bytes + size > self._most_bytes:
            raise Refusal(
                "uploads_busy",
                "Too much is being uploaded at this moment. Send the file again in a moment.",
                retry_after_s=RETRY_AFTER_S,
            )
        self._bytes += size
        try:
            yield
        finally:
            self._bytes -= size

    @asynccontextmanager
    async def in_hand(self) -> AsyncIterator[None]:
        """Waits until the upload's bytes may be read into memory."""
        async with self._hands:
            yield
