"""Tells the steps of an attempt, in order, beside the work: a provider never waits for the log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from generator.pace import Step


class Telling:
    """``tell`` tells one step and doesn't raise."""

    __slots__ = ("_task", "_tell", "_untold")

    def __init__(self, tell: Callable[[Step], Awaitable[None]]) -> None:
        self._tell = tell
        self._untold: deque[Step] = deque()
        self._task: asyncio.Task[None] | None = None

    def say(self, step: Step) -> None:
        """Have it told after what was said before."""
        self._untold.append(step)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def all_told(self, patience_s: float) -> None:
        """Wait until everything is told, not for ever; what isn't told by then never is."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=patience_s)
            self._task.cancel()

    def stop(self) -> None:
        """Tell no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while self._untold:
            await self._tell(self._untold.popleft())
