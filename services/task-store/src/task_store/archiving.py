"""The loop that archives, in the process that projects, and what it counts."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import asyncpg

from artifacts.store import ArtifactStore, StoreUnavailable
from delivery.lines import Unreadable
from delivery.log import LogReader, LogUnavailable
from task_store import metrics, store
from task_store.archive import Archive, Busy, Done, Held, Walk, opened
from task_store.projector import Projector
from task_store.sql import ARCHIVE
from telemetry.logs import get_logger

_log = get_logger(__name__)

_LATER = (
    Held,
    Unreadable,
    LogUnavailable,
    StoreUnavailable,
    store.SchemaMissing,
    store.Superseded,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
EVERY_S = 30.0
STANDBY_S = 1.0


async def keep_archiving(
    database_url: str,
    log: LogReader,
    files: ArtifactStore,
    projector: Projector,
    after: timedelta,
) -> None:
    """Archive until cancelled. Whatever fails is as it was, and is tried again later.

    ``after`` no time at all nothing is archived or pruned; what is erased is scrubbed all the same.
    """
    walk = Walk()
    while True:
        try:
            if projector.sequence is not None:
                async with opened(database_url, log, files, walk) as archive:
                    await _catch_up(archive, projector, after)
        except Busy:
            _log.info("somebody else archives")
        except _LATER as problem:
            metrics.ARCHIVE_FAILURES.labels(type(problem).__name__).inc()
            _log.warning("archiving goes on later", reason=repr(problem))
        await asyncio.sleep(STANDBY_S if projector.sequence is None else EVERY_S)


async def _catch_up(archive: Archive, projector: Projector, after: timedelta) -> None:
    """Round after round while there is something to do, at most half of the time.

    Raises what `Archive.run_once` raises, and `Unreadable` where segments could not be scrubbed.
    """
    while projector.sequence is not None:
        began = time.monotonic()
        try:
            done = await archive.run_once(datetime.now(UTC) - after if after else None)
        except _LATER:
            # What fails for long is seen by how much is due.
            with suppress(*_LATER):
                await set_gauges(archive, after)
            raise
        tell(done)
        await set_gauges(archive, after)
        if done.nothing:
            break
        await asyncio.sleep(time.monotonic() - began)
    if archive.unreadable:
        raise Unreadable("; ".join(archive.unreadable.values()))


def tell(done: Done) -> None:
    """Count what a round did."""
    written = done.written
    metrics.ARCHIVED_TASKS.inc(written.tasks)
    metrics.ARCHIVED_EVENTS.inc(written.events)
    metrics.ARCHIVED_BYTES.inc(written.bytes)
    metrics.PRUNED_TASKS.inc(done.pruned)
    metrics.SCRUBBED_TASKS.inc(done.scrubbed)
    if not done.nothing:
        _log.info(
            "archived",
            tasks=written.tasks,
            events=written.events,
            bytes=written.bytes,
            pruned=done.pruned,
            scrubbed=done.scrubbed,
        )


async def set_gauges(archive: Archive, after: timedelta) -> None:
    """What the archive has, and for how long something is due."""
    connection = archive.connection
    totals = await connection.fetchrow(ARCHIVE["totals"])
    assert totals is not None
    metrics.ARCHIVE_SEGMENTS.set(totals["segments"])
    metrics.ARCHIVE_BYTES.set(totals["bytes"])
    metrics.ARCHIVE_TO_SCRUB.set(totals["to_scrub"])
    state = await archive.state()
    since = await connection.fetchval(ARCHIVE["next_logtime"], state["sequence"])
    overdue = datetime.now(UTC) - since - after if since and after else timedelta()
    metrics.ARCHIVE_OVERDUE.set(max(0.0, overdue.total_seconds()))
