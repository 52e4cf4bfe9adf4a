"""Wait for a condition, not for a time."""

import asyncio
import time
from collections.abc import Callable, Coroutine

POLL_S = 0.01


async def until(
    condition: Callable[[], Coroutine[object, object, bool]],
    timeout_s: float,
    poll_s: float = POLL_S,
) -> bool:
    """Ask again and again until the condition holds; False when it didn't within the time."""
    deadline = time.monotonic() + timeout_s
    while not await condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(poll_s)
    return True
