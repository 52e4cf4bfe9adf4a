"""A provider that does nothing, for measuring what everything around it costs.

DARKROOM_EXTRA_PROVIDERS=noop:NoopProvider PYTHONPATH=bench
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

from generator.provider import Execution, Job, Offer, Output, Progress, Submitted


class NoopProvider:
    """Serves ``CREATE`` in no time, without a result."""

    name = "noop"
    execution = Execution.INLINE
    offers: ClassVar = {"CREATE": Offer({"type": "object"}, "Nothing at all")}

    async def submit(self, job: Job, key: str) -> Submitted:
        raise AssertionError("nothing is submitted")

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        for each in ():
            yield each

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        return False

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """There is nothing to stop."""

    async def aclose(self) -> None:
        """Nothing is open."""
