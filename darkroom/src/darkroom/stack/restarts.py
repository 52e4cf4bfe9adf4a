"""When to start again what has died: a decision over values, without clocks or processes."""

from collections.abc import Sequence
from dataclasses import dataclass

FIRST_DELAY_S = 0.1
FACTOR = 2.0
LONGEST_DELAY_S = 10.0
STEADY_AFTER_S = 30.0
"""A process that ran for so long was well; what happened before it no longer counts."""


@dataclass(frozen=True)
class Run:
    """One life of a process, in seconds of one monotonic clock."""

    started_at: float
    ended_at: float

    @property
    def was_steady(self) -> bool:
        """Whether it ran long enough to count as well."""
        return self.ended_at - self.started_at >= STEADY_AFTER_S


def deaths_in_a_row(history: Sequence[Run]) -> int:
    """How often it has died since it last was well; the end of a steady run is the first."""
    count = 0
    for run in reversed(history):
        count += 1
        if run.was_steady:
            break
    return count


def delay_s(history: Sequence[Run], now: float) -> float:
    """How long to wait, from ``now``, before the next start."""
    deaths = deaths_in_a_row(history)
    if deaths == 0:
        return 0.0
    backoff = FIRST_DELAY_S
    for _ in range(deaths - 1):
        backoff = min(LONGEST_DELAY_S, backoff * FACTOR)
    return max(0.0, history[-1].ended_at + backoff - now)
