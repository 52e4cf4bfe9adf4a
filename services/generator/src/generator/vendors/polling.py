"""How often a service is asked for a job that it works on."""

from __future__ import annotations

from collections.abc import Iterator


def pauses(first_s: float = 1.0, longest_s: float = 5.0) -> Iterator[float]:
    """Seconds between polls: short at first, for the jobs that are done soon."""
    pause = first_s
    while True:
        yield pause
        pause = min(pause * 1.25, longest_s)
