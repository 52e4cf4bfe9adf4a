"""When progress is worth telling: every tenth, every stage, and that there is life. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.generation_types import GenerationType

STEP = 10
"""Percent between two told steps: nine of them in an attempt, however fast it is."""
HIGHEST = 99
_SIGNS_OF_LIFE = 5


def starting_stage(kind: GenerationType, reached: str | None = None) -> str:
    """The stage in which an attempt begins, at a task that had ``reached`` that one.

    The stages of a pipeline say what *is done*, and what is done stays so: the task keeps the one
    that it has, at first the one in which it waited.
    """
    if kind.is_pipeline:
        return kind.waiting_stage if reached is None else reached
    return kind.working_stages[0]


def resting_stage(kind: GenerationType, reached: str) -> str:
    """The stage of a task between two attempts."""
    return reached if kind.is_pipeline else kind.waiting_stage


def saving_stages(kind: GenerationType, reached: str) -> tuple[str, ...]:
    """The stages to be told before results are saved.

    That of other types says that they are being saved; a pipeline's last one, that they are: what
    lies before it has been passed.
    """
    last = kind.working_stages[-1]
    steps = kind.steps_to(reached, last)
    return steps[:-1] if kind.is_pipeline else steps


def sign_of_life_s(kind: GenerationType, timeout_s: float) -> float:
    """Seconds after which a living provider is told of: five times in the reaper's patience.

    ``timeout_s`` is the deployment's, for types that have none of their own.
    """
    return (timeout_s if kind.timeout_s is None else kind.timeout_s) / _SIGNS_OF_LIFE


@dataclass(frozen=True, slots=True)
class Step:
    """Progress to be told; ``stage`` only when it moved.

    ``handle`` where a later attempt can go on from here: that is to be on the log, not just told.
    """

    percent: int
    stage: str | None = None
    handle: Mapping[str, Any] | None = None


class Pace:
    """Decides for one attempt that begins in ``stage``.

    Times are seconds of any clock that doesn't go back.
    """

    __slots__ = ("_kind", "_percent", "_said", "_silence_s", "_stage", "_told_at")

    def __init__(self, kind: GenerationType, stage: str, silence_s: float, now: float) -> None:
        self._kind = kind
        self._stage = stage
        self._silence_s = silence_s
        self._percent = 0
        self._said = 0
        self._told_at = now

    @property
    def percent(self) -> int:
        """The furthest that was heard, told or not."""
        return self._percent

    @property
    def stage(self) -> str:
        """The furthest that was reached."""
        return self._stage

    def steps(
        self, percent: int, stage: str | None, handle: Mapping[str, Any] | None, now: float
    ) -> tuple[Step, ...]:
        """What is to be told now of a sign of life; nothing when it would be chatter.

        A stage is told at once, and once, after those before it: the chart has no shortcuts. One
        that lies behind, or that the type doesn't have, is left out, and so is the last one, which
        is told when the results are there. Percents never fall.
        """
        self._percent = max(self._percent, min(int(percent), HIGHEST))
        passed = () if stage is None else self._kind.steps_to(self._stage, stage)
        if passed and passed[-1] == self._kind.working_stages[-1]:
            passed = passed[:-1]
        if not passed and handle is None:
            stepped = self._percent // STEP > self._said // STEP
            if not stepped and now - self._told_at < self._silence_s:
                return ()
        self._said = self._percent
        self._told_at = now
        if not passed:
            return (Step(self._percent, None, handle),)
        self._stage = passed[-1]
        before = tuple(Step(self._percent, each) for each in passed[:-1])
        return (*before, Step(self._percent, passed[-1], handle))
