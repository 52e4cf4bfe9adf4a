"""How often a service is asked for a job that it works on, and how often in vain."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import TypeVar

from generator.provider import Busy, Unavailable

T = TypeVar("T")

SILENCE_S = 150.0
"""No call to a service is waited for so long, and each poll of a job is told of."""
_UNHEARD = 3


def pauses(first_s: float = 1.0, longest_s: float = 5.0) -> Iterator[float]:
    """Seconds between polls: short at first, for the jobs that are done soon."""
    pause = first_s
    while True:
        yield pause
        pause = min(pause * 1.25, longest_s)


class Patience:
    """A poll that fails says nothing against the job: three in a row are forgiven.

    ``retry_after_s`` is what the service wished at the last one.
    """

    def __init__(self) -> None:
        self.retry_after_s = 0.0
        self._unheard = 0

    async def answer(self, question: Awaitable[T]) -> T | None:
        """What the service says; None where it doesn't, and is forgiven for it."""
        try:
            told = await question
        except Unavailable as trouble:
            self.unheard(trouble)
            self.retry_after_s = trouble.retry_after_s or 0.0
            return None
        self.heard()
        return told

    def heard(self) -> None:
        """The service answered."""
        self.retry_after_s = 0.0
        self._unheard = 0

    def unheard(self, trouble: Unavailable) -> None:
        """It did not; raises ``trouble`` when it is once too often. Being busy doesn't count."""
        if not isinstance(trouble, Busy):
            self._unheard += 1
        if self._unheard > _UNHEARD:
            raise trouble
