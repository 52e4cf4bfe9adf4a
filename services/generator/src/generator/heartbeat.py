"""One loop for all leases: it extends each, and stops the work on tasks that have ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from nats.aio.client import Client

from contracts.subjects import finished_subject
from delivery.log import LogReader, LogUnavailable
from generator.lanes import Lanes
from generator.work import Work
from telemetry.logs import get_logger

_log = get_logger(__name__)

_LOOKS_AT_ONCE = 64


class Heartbeat:
    """Beats every ``every_s`` seconds; `beat` does one round."""

    def __init__(self, client: Client, log: LogReader, lanes: Lanes, every_s: float) -> None:
        self.every_s = every_s
        self.beaten_at = time.monotonic()
        self._client = client
        self._log = log
        self._lanes = lanes
        self._now = asyncio.Event()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            try:
                await self.beat()
            except Exception:  # noqa: BLE001 - the loop outlives any fault
                _log.exception("a heartbeat failed")
            self._now.clear()
            try:
                async with asyncio.timeout(self.every_s):
                    await self._now.wait()
            except TimeoutError:
                continue

    def reconnected(self) -> None:
        """Beat at once: leases ran on while nobody could be told."""
        self._now.set()

    async def beat(self) -> None:
        """Extend every lease, then look at the end of every task."""
        works = list(self._lanes.works.values())
        if self._client.is_connected:
            for work in works:
                if work.lease.open:
                    await work.lease.extend()
            for start in range(0, len(works), _LOOKS_AT_ONCE):
                await self._look(works[start : start + _LOOKS_AT_ONCE])
        self.beaten_at = time.monotonic()

    async def look_at(self, task_id: str) -> None:
        """Somebody says that this task has ended: see for oneself."""
        work = self._lanes.works.get(task_id)
        if work is not None:
            await self._look([work])

    async def _look(self, works: Sequence[Work]) -> None:
        await asyncio.gather(*(self._stop_if_ended(work) for work in works))

    async def _stop_if_ended(self, work: Work) -> None:
        lease = work.lease
        if work.ending or not lease.open:
            return
        try:
            end = await self._log.last(finished_subject(work.lane.kind.name, lease.task_id))
        except LogUnavailable as fault:
            _log.warning("an end can't be looked for", task_id=lease.task_id, reason=str(fault))
            return
        if end is not None and self._lanes.works.get(lease.task_id) is work:
            await self._lanes.end(work)
