"""The sweep, again and again: ticking, backing off, logging, and telling whether it goes well."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta

from nats.errors import Error as NatsError

from delivery.log import LogUnavailable
from delivery.publisher import LogFull, LogUnreachable, OutcomeUnknown
from delivery.requests import NoReply, NoResponders, Unreachable
from reaper import metrics
from reaper.sweep import CheckpointAhead, NoAnswer, Sweeper, Swept
from telemetry.logs import get_logger

_log = get_logger(__name__)

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
_PATIENCE_S = 30.0
_PATIENCE_INTERVALS = 3
_TROUBLES = (
    CheckpointAhead,
    LogFull,
    LogUnavailable,
    LogUnreachable,
    NatsError,
    NoAnswer,
    NoReply,
    NoResponders,
    OutcomeUnknown,
    Unreachable,
)
"""What others' downtime looks like from here: told without a traceback."""


def patience_of(interval_s: float) -> timedelta:
    """For how long no sweep may succeed until something is wrong."""
    return timedelta(seconds=max(_PATIENCE_S, _PATIENCE_INTERVALS * interval_s))


class Loop:
    """Sweeps until nothing is stale, then every ``interval_s``; a full batch is followed at once.

    ``ready`` from the moment when nothing was left of what fell silent before the start.
    """

    def __init__(self, sweeper: Sweeper, *, interval_s: float) -> None:
        self.ready = False
        self._sweeper = sweeper
        self._interval_s = interval_s
        self._pause_s = _FIRST_PAUSE_S
        self._swept_at = time.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since the last sweep that was carried through."""
        return time.monotonic() - self._swept_at

    async def run_forever(self) -> None:
        """Sweep until cancelled. Whatever goes wrong is counted, logged and tried again."""
        while True:
            try:
                with metrics.SWEEP_SECONDS.time():
                    swept = await self._sweeper.run_once()
            except Exception as problem:  # noqa: BLE001 - a reaper that gave up would be missed
                metrics.ERRORS.labels(type(problem).__name__).inc()
                unexpected = None if isinstance(problem, _TROUBLES) else problem
                _log.warning("sweep failed", reason=repr(problem), exc_info=unexpected)
                pause_s = self._growing_pause()
            else:
                metrics.SWEEPS.inc()
                self._swept_at = time.monotonic()
                pause_s = self._pause_after(swept)
            await asyncio.sleep(pause_s)

    def _pause_after(self, swept: Swept) -> float:
        if swept.nothing_is_stale:
            if not self.ready:
                _log.info("nothing is stale; ready", now=swept.now.isoformat())
            self.ready = True
            self._pause_s = _FIRST_PAUSE_S
            return self._interval_s
        if swept.did_something:
            self._pause_s = _FIRST_PAUSE_S
        return self._growing_pause()

    def _growing_pause(self) -> float:
        pause_s = self._pause_s
        self._pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        return min(pause_s * random.uniform(0.5, 1.0), self._interval_s)
