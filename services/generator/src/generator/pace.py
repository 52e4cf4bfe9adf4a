"""When progress is worth telling: every tenth, every stage, and that there is life. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.generation_types import GenerationType

STEP = 10
"""Percent between two told steps: nine of them in an attempt, however fast it is."""
HIGHEST = 99
_SIGNS_OF_LIFE = 5


def starting_stage(kind: GenerationType) -> str:
    """The stage in which an attempt begins.

    Where stages say what *is done* (those have a failure stage for what comes next), nothing is
    done at the start: the task keeps the stage in which it waited.
    """
    if kind.waiting_stage in kind.failure_stages:
        return kind.waiting_stage
    return kind.working_stages[0]


def saving_stage(kind: GenerationType) -> str | None:
    """The stage shown while results are saved; None where the last stage says that they are."""
    return None if kind.failure_stages else kind.working_stages[-1]


def sign_of_life_s(kind: GenerationType, timeout_s: float) -> float:
    """Seconds after which a living provider is told of: five times in the reaper's patience.

    ``timeout_s`` is the deployment's, for types that have none of their own.
    """
    return (timeout_s if kind.timeout_s is None else kind.timeout_s) / _SIGNS_OF_LIFE


@dataclass(frozen=True, slots=True)
class Step:
    """Progress to be told; ``stage`` only when it moved."""

    percent: int
    stage: str | None


class Pace:
    """Decides for one attempt. Times are seconds of any clock that doesn't go back."""

    __slots__ = ("_percent", "_said", "_silence_s", "_stage", "_stages", "_told_at")

    def __init__(self, stages: Sequence[str], stage: str, silence_s: float, now: float) -> None:
        self._stages = stages
        self._stage = stage
        self._silence_s = silence_s
        self._percent = 0
        self._said = 0
        self._told_at = now

    @property
    def percent(self) -> int:
        """The furthest that was heard, told or not."""
        return self._percent

    def step(self, percent: int, stage: str | None, now: float) -> Step | None:
        """What is to be told now of a sign of life; None when it would be chatter.

        A stage is told at once, and once: one that lies behind, or that the type doesn't have, is
        left out. Percents never fall.
        """
        self._percent = max(self._percent, min(int(percent), HIGHEST))
        moved = stage if stage is not None and self._is_ahead(stage) else None
        if moved is None:
            stepped = self._percent // STEP > self._said // STEP
            if not stepped and now - self._told_at < self._silence_s:
                return None
        else:
            self._stage = moved
        self._said = self._percent
        self._told_at = now
        return Step(self._percent, moved)

    def _is_ahead(self, stage: str) -> bool:
        if stage not in self._stages:
            return False
        if self._stage not in self._stages:
            return True
        return self._stages.index(stage) > self._stages.index(self._stage)
