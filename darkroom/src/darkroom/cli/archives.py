"""The archive for one command, and what is said when somebody else works on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from artifacts.store import ArtifactStore
from darkroom.cli.failures import Refused
from delivery.log import LogReader
from task_store.archive import Archive, Busy, opened
from task_store.store import Superseded

_PATIENCE_S = 30.0
_PAUSE_S = 0.2


@asynccontextmanager
async def archive_alone(
    database_url: str, log: LogReader, files: ArtifactStore
) -> AsyncIterator[Archive]:
    """Waits for its turn, which is soon, unless the task-store has much to do.

    Raises `Refused` when it doesn't come, or when a rebuild puts other rows in place meanwhile.
    """
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    async with AsyncExitStack() as stack:
        while True:
            try:
                archive = await stack.enter_async_context(opened(database_url, log, files))
                break
            except Busy:
                if asyncio.get_running_loop().time() > deadline:
                    raise Refused(
                        "The task-store, or another command, works on the archive. "
                        "Run this again when it is done."
                    ) from None
                await asyncio.sleep(_PAUSE_S)
        try:
            await archive.tidy()
            yield archive
        except Superseded:
            raise Refused(
                "A rebuild has just put other rows in place. Run this again: it goes on from here."
            ) from None
