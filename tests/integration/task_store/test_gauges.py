"""How long lines are, and for how long somebody has waited in them, is there to be scraped."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from prometheus_client import REGISTRY

from builders import requested, started
from integration.task_store.conftest import Bus
from servers import eventually
from task_store import metrics
from task_store.gauges import set_gauges
from task_store.store import open_pool


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"darkroom_{name}", labels)


FIRST, SECOND = "0199f0c2-7e4a-7000-8000-0000000000a1", "0199f0c2-7e4a-7000-8000-0000000000a2"
LANE = {"type": "CREATE", "lane": "studio"}


async def test_lines_and_what_is_parked_are_counted(
    task_store: None, bus: Bus, database_url: str, database: asyncpg.Connection
) -> None:
    await bus.tell(requested(task=FIRST), requested(task=SECOND))
    # An attempt at what never began can't be applied.
    unheard_of = "0199f0c2-7e4a-7000-8000-0000000000a3"
    await bus.projected(await bus.tell(started(task=unheard_of)))
    since = await database.fetchval("SELECT min(heard_at) FROM tasks")
    parked_at = await database.fetchval("SELECT logtime FROM parked")
    pool = await open_pool(database_url)
    try:
        await set_gauges(pool, since + timedelta(seconds=90))
        assert gauge("queue_tasks", **LANE) == 2
        assert gauge("queue_oldest_age_seconds", **LANE) == 90
        assert gauge("running_tasks", **LANE) == 0
        assert gauge("parked_events") == 1

        await bus.projected(await bus.tell(started(task=FIRST), started(task=SECOND)))
        await database.execute("DELETE FROM parked")
        await set_gauges(pool, parked_at + timedelta(seconds=90))
        assert gauge("queue_tasks", **LANE) == 0
        assert gauge("queue_oldest_age_seconds", **LANE) == 0
        assert gauge("running_tasks", **LANE) == 2
        assert (gauge("parked_events"), gauge("parked_oldest_age_seconds")) == (0, 0)

        await database.execute("DELETE FROM lanes")
        await set_gauges(pool, since)
        assert gauge("running_tasks", **LANE) == 0
    finally:
        await pool.close()


async def test_rows_that_have_all_are_not_behind_whatever_the_last_batch_was(
    task_store: None, bus: Bus
) -> None:
    await bus.projected(await bus.tell(requested(task=FIRST)))
    metrics.LAG_SECONDS.set(7)

    await eventually(lambda: gauge("projection_lag_seconds") == 0)
