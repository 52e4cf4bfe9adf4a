"""What the rows say of lanes and of what is parked, counted anew every few seconds for metrics."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg

from task_store import metrics
from task_store.projector import Projector
from task_store.sql import STATEMENTS
from telemetry.logs import get_logger

_log = get_logger(__name__)

EVERY_S = 5.0


async def keep_gauges(pool: asyncpg.Pool, projector: Projector) -> None:
    """Count until cancelled, in the process that projects.

    While the database is away the last figures stand.
    """
    while True:
        try:
            if projector.sequence is not None:
                await set_gauges(pool, datetime.now(UTC))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as problem:
            _log.warning("lanes can't be counted", reason=repr(problem))
        await asyncio.sleep(EVERY_S)


async def set_gauges(pool: asyncpg.Pool, now: datetime) -> None:
    """Lanes that are gone from the rows stand at 0: nobody waits there."""
    lanes = await pool.fetch(STATEMENTS["read_queues"])
    parked = await pool.fetchrow(STATEMENTS["count_parked"])
    for gauge in (metrics.QUEUE_TASKS, metrics.QUEUE_AGE, metrics.RUNNING_TASKS):
        for told in gauge.collect():
            for sample in told.samples:
                gauge.labels(**sample.labels).set(0)
    for each in lanes:
        lane = (each["type"], each["lane"])
        metrics.QUEUE_TASKS.labels(*lane).set(each["waiting"])
        metrics.RUNNING_TASKS.labels(*lane).set(each["running"])
        metrics.QUEUE_AGE.labels(*lane).set(_age_s(each["since"], now))
    assert parked is not None
    metrics.PARKED_EVENTS.set(parked["events"])
    metrics.PARKED_AGE.set(_age_s(parked["oldest"], now))


def _age_s(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
