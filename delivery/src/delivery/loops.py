"""How a service and its loops end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from nats.errors import Error as NatsError

_log = logging.getLogger(__name__)

_AGAIN_S = 0.5


async def end_loop(loop: asyncio.Task[None]) -> None:
    """Cancel it, again if need be: `asyncio.wait_for` of Python 3.11 may swallow a cancellation."""
    while not loop.done():
        loop.cancel()
        await asyncio.wait({loop}, timeout=_AGAIN_S)


async def until_stopped(running: Awaitable[None]) -> None:
    """Await an application that takes its leave of the broker; one that is gone is no error."""
    try:
        await running
    except* NatsError as faults:
        _log.warning("stopped without the log: %r", faults.exceptions)
