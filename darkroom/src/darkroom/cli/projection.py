"""``darkroom projection``: how far the rows are, and whether they are what the log tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from nats.aio.client import Client

from darkroom.cli.failures import FOUND_SOMETHING, Refused
from darkroom.cli.health import ProjectionState, projection_state
from darkroom.cli.invocation import Invocation, group, pass_invocation
from darkroom.cli.screen import console, pairs, progress_bar, when
from darkroom.cli.servers import database_connection, log_connection, log_requests, run
from darkroom.cli.settings import server_addresses
from delivery.ordered import Interrupted
from delivery.requests import Requests
from task_store import store
from task_store.rebuild import Busy, LogUnfit, Rebuilt, Tell, rebuild
from task_store.verify import Verified, verify

_WATCHED_S = 1.0


@group()
def projection() -> None:
    """Look at, rebuild and verify the projection: the rows made from the log."""


@projection.command()
@pass_invocation
def status(invocation: Invocation) -> None:
    """How far it is, how fast it gets on, and what was put aside. Watches it for a second."""
    state, rate = run(_watched())
    if invocation.as_json:
        invocation.print_json(state.as_json() | {"events_per_second": rate})
        return
    checkpoint = state.checkpoint
    lag = "none" if not state.lag else f"{state.lag:,} events, {state.lag_s:,.1f} s"
    parked = "none"
    if state.parked_events:
        parked = f"{state.parked_events} events of {state.parked_tasks} tasks"
    console().print(
        pairs(
            [
                ("build", checkpoint.build),
                ("at sequence", checkpoint.sequence),
                ("the log ends at", state.last_sequence),
                ("lag", lag),
                ("rate", f"{rate:,.0f} events/s"),
                ("last event applied", when(checkpoint.logtime) if checkpoint.sequence else None),
                ("parked", parked),
                ("projector", state.projector),
            ]
        )
    )


@projection.command("rebuild")
@click.option("--keep-old", is_flag=True, help="Keep the old rows, in a schema of their own.")
@click.option("--fresh", is_flag=True, help="Begin anew, also where one was broken off.")
@pass_invocation
def rebuild_(invocation: Invocation, keep_old: bool, fresh: bool) -> None:
    """Make all rows anew from the log, without a pause, and put them in the old ones' place.

    One that was broken off is gone on with, unless the version, the generation types or what was
    dropped have changed since.
    """
    with progress_bar("rebuilding") as tell:
        rebuilt = run(_rebuild(keep_old, fresh, tell))
    if invocation.as_json:
        invocation.print_json(asdict(rebuilt))
        return
    if rebuilt.resumed_at:
        click.echo(f"Went on at {rebuilt.resumed_at:,}, where an earlier run was broken off.")
    for schema in rebuilt.dropped:
        click.echo(f"Dropped {schema}, which an earlier run had left behind.")
    click.echo(f"Build {rebuilt.build} is live, made from the log up to {rebuilt.sequence:,}.")
    if rebuilt.retired is not None:
        click.echo(
            f"The old rows are in schema {rebuilt.retired}: DROP SCHEMA {rebuilt.retired} CASCADE."
        )


@projection.command("verify")
@pass_invocation
@click.pass_context
def verify_(ctx: click.Context, invocation: Invocation) -> None:
    """Compare all rows with what the log tells; exit 1 if any differs."""
    with progress_bar("verifying") as tell:
        verified = run(_verify(tell))
    if invocation.as_json:
        invocation.print_json(_verified_json(verified))
    elif not verified.different:
        click.echo(f"{verified.rows:,} rows are as the log tells, at {verified.sequence:,}.")
    else:
        for each in verified.differences:
            click.echo(str(each))
        click.echo(
            f"{verified.different:,} rows are not as the log tells, at {verified.sequence:,} "
            f"({len(verified.differences)} shown). Mend them with `darkroom projection rebuild`.",
            err=True,
        )
    if verified.different:
        ctx.exit(FOUND_SOMETHING)


async def _watched() -> tuple[ProjectionState, float]:
    """How it stands, and how many sequences it gets on in a second."""
    addresses = server_addresses()
    async with (
        log_connection(addresses.nats_url) as client,
        log_requests(client) as requests,
        database_connection(addresses.database_url) as connection,
    ):
        await store.check_schema(connection)
        before = (await store.load_checkpoint(connection)).sequence
        began = time.monotonic()
        await asyncio.sleep(_WATCHED_S)
        state = await projection_state(requests, connection)
        moved = state.checkpoint.sequence - before
        return state, round(moved / (time.monotonic() - began), 1)


async def _rebuild(keep_old: bool, fresh: bool, tell: Tell) -> Rebuilt:
    async with _servers() as (url, client, requests):
        return await rebuild(url, client, requests, keep_old=keep_old, fresh=fresh, tell=tell)


async def _verify(tell: Tell) -> Verified:
    async with _servers() as (url, client, requests):
        return await verify(url, client, requests, tell=tell)


@asynccontextmanager
async def _servers() -> AsyncIterator[tuple[str, Client, Requests]]:
    """The database's address and the log, and what is said when they won't do."""
    addresses = server_addresses()
    try:
        async with (
            log_connection(addresses.nats_url) as client,
            log_requests(client) as requests,
            database_connection(addresses.database_url),
        ):
            yield addresses.database_url, client, requests
    except Busy:
        raise Refused(
            "Another rebuild or verification is at work on this database. Wait for it to end."
        ) from None
    except LogUnfit as problem:
        raise Refused(
            f"Not possible: {problem}. `darkroom doctor` tells what to do; nothing was changed."
        ) from None
    except Interrupted as problem:
        raise Refused(
            f"The log could not be read to its end ({problem.reason}); nothing was changed. "
            "Try again: a rebuild goes on where it was."
        ) from None


def _verified_json(verified: Verified) -> dict[str, Any]:
    return {
        "sequence": verified.sequence,
        "rows": verified.rows,
        "different": verified.different,
        "differences": [
            {
                "table": each.table,
                "key": each.key,
                "columns": list(each.columns),
                "in_projection": each.is_live,
                "in_log": each.is_rebuilt,
            }
            for each in verified.differences
        ],
        "verified_at": datetime.now(UTC).isoformat(),
    }
