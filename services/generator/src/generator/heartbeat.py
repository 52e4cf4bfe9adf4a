"""Two loops over all leases: one extends them, one stops the work on tasks that have ended.

They are apart because only the second waits for answers: a broker that doesn't give any costs no
lease.
"""

from __future__ import annotations

import asyncio
import time

from nats.aio.client import Client
from pydantic import ValidationError

from contracts.events import Erased, decode
from contracts.subjects import finished_subject
from delivery.log import LogMessage, LogReader, LogUnavailable
from generator.lanes import Lanes
from generator.work import Work
from telemetry.logs import get_logger

_log = get_logger(__name__)

_LOOKS_AT_ONCE = 256


class Heartbeat:
    """Beats every ``every_s`` seconds; `beat` does one round."""

    def __init__(self, client: Client, lanes: Lanes, every_s: float) -> None:
        self.every_s = every_s
        self.beaten_at = time.monotonic()
        self._client = client
        self._lanes = lanes
        self._now = asyncio.Event()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            try:
                await self.beat()
            except Exception:  # noqa: BLE001 - the loop outlives any fault
                _log.exception("a heartbeat failed")
            await _pause(self._now, self.every_s)

    def reconnected(self) -> None:
        """Beat at once: leases ran on while nobody could be told."""
        self._now.set()

    async def beat(self) -> None:
        """Extend every lease."""
        if self._client.is_connected:
            for work in list(self._lanes.works.values()):
                if work.lease.open:
                    await work.lease.extend()
        self.beaten_at = time.monotonic()


class Lookout:
    """Looks every ``every_s`` seconds for ends that nobody told this process of."""

    def __init__(self, log: LogReader, lanes: Lanes, every_s: float) -> None:
        self._log = log
        self._lanes = lanes
        self._every_s = every_s
        self._now = asyncio.Event()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await _pause(self._now, self._every_s)
            try:
                await self.look()
            except LogUnavailable as fault:
                _log.warning("ends can't be looked for", reason=str(fault))
            except Exception:  # noqa: BLE001 - the loop outlives any fault
                _log.exception("looking for ends failed")

    def reconnected(self) -> None:
        """Look at once: what was told meanwhile was not heard."""
        self._now.set()

    async def look(self) -> None:
        """Stop the work on every task that has ended, or was erased while its job is followed late.

        Any replica may answer: what it hasn't heard of yet is seen the next time.
        """
        works = {
            _end_of(work): work for work in self._lanes.works.values() if _may_be_stopped(work)
        }
        subjects = list(works)
        for start in range(0, len(subjects), _LOOKS_AT_ONCE):
            for end in await self._log.last_of_each(subjects[start : start + _LOOKS_AT_ONCE]):
                await self._stop(works[end.subject], end)

    async def look_at(self, task_id: str) -> None:
        """Somebody says that this task has ended: see for oneself."""
        work = self._lanes.works.get(task_id)
        if work is None or not _may_be_stopped(work):
            return
        try:
            end = await self._log.last(_end_of(work))
        except LogUnavailable as fault:
            _log.warning("an end can't be looked for", task_id=task_id, reason=str(fault))
            return
        if end is not None:
            await self._stop(work, end)

    async def _stop(self, work: Work, end: LogMessage) -> None:
        if work.is_late and not _is_erasure(end):
            return
        if self._lanes.works.get(work.lease.task_id) is work:
            await self._lanes.end(work)


def _may_be_stopped(work: Work) -> bool:
    return work.lease.open and (work.is_late or not work.ending)


def _is_erasure(end: LogMessage) -> bool:
    try:
        return isinstance(decode(end.payload), Erased)
    except ValidationError:
        return False


def _end_of(work: Work) -> str:
    return finished_subject(work.lane.kind.name, work.lease.task_id)


async def _pause(now: asyncio.Event, seconds: float) -> None:
    """That long, or until it is to be done now."""
    try:
        async with asyncio.timeout(seconds):
            await now.wait()
    except TimeoutError:
        return
    now.clear()
