"""Removing expired uploads that no task refers to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from artifacts.store import StoreUnavailable
from artifacts.uploads import SWEEP_GRACE, SweepResult, Uploads
from delivery.log import LogUnavailable
from delivery.publisher import LogUnreachable
from gateway.bus import Bus
from gateway.metrics import UPLOADS_SWEPT
from gateway.refusals import Refusal
from gateway.tasks import TaskStore
from telemetry.logs import get_logger

_log = get_logger(__name__)

EVERY_S = 600.0
AFTER_FAILURE_S = 30.0


class Sweep:
    """One bounded sweep in `run_once`; `run` repeats it."""

    def __init__(self, bus: Bus, tasks: TaskStore, uploads: Uploads) -> None:
        self._bus = bus
        self._tasks = tasks
        self._uploads = uploads

    async def run_once(self, now: datetime) -> SweepResult:
        result = await self._uploads.sweep(now, self._referenced, SWEEP_GRACE)
        UPLOADS_SWEPT.inc(result.removed)
        return result

    async def run(self) -> None:
        """Sweep at the start and every 10 minutes, until cancelled."""
        await self._bus.connected.wait()
        while True:
            try:
                result = await self.run_once(datetime.now(UTC))
            except (Refusal, StoreUnavailable, LogUnavailable, LogUnreachable) as problem:
                _log.warning("uploads could not be swept", reason=str(problem))
                await asyncio.sleep(AFTER_FAILURE_S)
                continue
            if result.removed or result.orphans:
                _log.info("uploads swept", removed=result.removed, orphans=result.orphans)
            await asyncio.sleep(EVERY_S)

    async def _referenced(self, keys: list[str]) -> set[str]:
        """Asked as of the log's end, so that a task just accepted keeps its uploads."""
        return await self._tasks.referenced(keys, await self._bus.link.log.state())
