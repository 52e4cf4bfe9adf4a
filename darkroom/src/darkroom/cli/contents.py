"""What is in log, rows and object store, held against each other, for ``darkroom doctor``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from nats.aio.client import Client

from artifacts.store import StoreUnavailable
from darkroom.cli import strays
from darkroom.cli.servers import log_requests
from darkroom.cli.settings import CommandLineSettings
from delivery.log import LogReader, LogUnavailable, StreamState
from delivery.requests import Requests
from task_store import checks, store
from task_store.checks import Clock, Compared
from task_store.examining import caught_up, look_at_clocks, look_at_lines
from task_store.raw_copy import TooManyDeleted, compare_all, compare_recent
from telemetry.findings import Finding

_CATCH_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class Contents:
    """A log, the rows that are of it, and where both stood when they were opened."""

    connection: asyncpg.Connection
    requests: Requests
    log: LogReader
    state: StreamState
    is_current: bool
    """Whether the rows are as of the log's end, or were a moment ago."""

    @property
    def remembered_since(self) -> datetime | None:
        """Since when a task of which the log and the rows know nothing never was."""
        return self.state.complete_since if self.is_current else None


@asynccontextmanager
async def opened(client: Client, connection: asyncpg.Connection) -> AsyncIterator[Contents | None]:
    """None where log and rows can't be held against each other: other checks say why."""
    async with log_requests(client) as requests:
        log = LogReader(requests)
        try:
            await store.check_schema(connection)
            state = await log.state()
            checkpoint = await store.load_checkpoint(connection)
        except (LogUnavailable, store.SchemaMissing):
            yield None
            return
        if (
            checkpoint.stream_created not in (None, state.created)
            or checkpoint.sequence > state.last_sequence
        ):
            yield None
            return
        is_current = await caught_up(connection, state.last_sequence, _CATCH_UP_S)
        yield Contents(connection, requests, log, state, is_current)


async def examine(
    client: Client, connection: asyncpg.Connection, settings: CommandLineSettings, *, quick: bool
) -> list[Finding]:
    async with opened(client, connection) as contents:
        if contents is None:
            return []
        findings = []
        try:
            findings.append(await _leases(contents))
            findings.append(await _copy(contents, quick=quick))
            if not quick:
                findings += await _files(contents, settings)
        except LogUnavailable as problem:
            unread = f"the log does not tell all that was asked of it ({problem})"
            findings.append(Finding("copy", ok=None, detail=unread, mend="try again"))
    return findings


async def clocks(
    client: Client | None, connection: asyncpg.Connection | None, gateway: Clock | None
) -> Finding:
    """This machine's clock against those of the servers that answer."""
    found = [] if gateway is None else [gateway]
    if client is not None and connection is not None:
        async with log_requests(client) as requests:
            try:
                _, told, _ = await look_at_clocks(connection, LogReader(requests))
                found += told
            except LogUnavailable:
                # Without a log the broker tells no time.
                pass
    return checks.judge_clocks(found)


async def _leases(contents: Contents) -> Finding:
    if not contents.is_current:
        return checks.judge_leases(None)
    lines = await look_at_lines(contents.connection, contents.log, contents.state)
    return checks.judge_leases(lines)


async def _copy(contents: Contents, *, quick: bool) -> Finding:
    """What is wrong twice: erasures take from the log and from the copy one after the other."""
    try:
        compared = await _compared(contents, quick=quick)
        if compared.missing or compared.foreign:
            last = (await contents.log.state()).last_sequence
            await caught_up(contents.connection, last, _CATCH_UP_S)
            again = await _compared(contents, quick=quick)
            compared = Compared(
                again.first,
                again.last,
                sorted(set(compared.missing) & set(again.missing)),
                sorted(set(compared.foreign) & set(again.foreign)),
                again.is_all,
            )
    except TooManyDeleted:
        return Finding(
            "copy",
            ok=None,
            detail="so much was erased from the log that the broker can't be asked for all of it",
            mend="darkroom projection verify compares what the rows say",
        )
    return checks.judge_copy(compared)


async def _compared(contents: Contents, *, quick: bool) -> Compared:
    connection, log = contents.connection, contents.log
    first = (await log.state()).first_sequence
    checkpoint = (await store.load_checkpoint(connection)).sequence
    compare = compare_recent if quick else compare_all
    return await compare(connection, log, first, checkpoint)


async def _files(contents: Contents, settings: CommandLineSettings) -> list[Finding]:
    try:
        files = strays.open_store(settings)
        if files is None:
            return []
        return [
            await strays.examine_uploads(files, contents.requests, contents.state),
            await strays.examine_orphans(
                files, contents.connection, contents.log, contents.remembered_since
            ),
        ]
    except StoreUnavailable as problem:
        return [
            Finding(
                "orphans",
                ok=None,
                detail=f"the object store can't be listed ({problem})",
                mend="look at DARKROOM_ARTIFACTS_URL and its credentials",
            )
        ]
