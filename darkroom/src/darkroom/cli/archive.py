"""``darkroom archive``: what finished tasks became, and bringing them back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import click
from rich import box
from rich.table import Table

from artifacts.store import ArtifactStore
from darkroom.cli.archives import archive_alone
from darkroom.cli.failures import FOUND_SOMETHING, Refused
from darkroom.cli.invocation import Invocation, group, pass_invocation
from darkroom.cli.objects import object_store
from darkroom.cli.screen import console, pairs, progress_bar, when
from darkroom.cli.servers import database_connection, log_connection, log_requests, run
from darkroom.cli.settings import load_settings, server_addresses
from delivery.lines import Unreadable
from delivery.log import LogReader
from task_store import store
from task_store.archive import Held
from task_store.importing import Behind, Imported, OtherLog, import_segments
from task_store.sql import ARCHIVE

_COUNTED = 10_000
"""Tasks that are counted one by one; of more it is told about how many."""


@group()
def archive() -> None:
    """Finished tasks in the object store: see, write and import them."""


@archive.command()
@pass_invocation
def status(invocation: Invocation) -> None:
    """What the archive has, how far it is, and what it waits for."""
    found = run(_status())
    if invocation.as_json:
        invocation.print_json(found)
        return
    about = "about " if found["about"] else ""
    console().print(
        pairs(
            [
                ("segments", f"{found['segments']:,}"),
                ("events", f"{found['events']:,}"),
                ("bytes", f"{found['bytes']:,}"),
                ("tasks", f"{about}{found['tasks']:,}"),
                ("of those, pruned", f"{about}{found['pruned']:,}"),
                ("looked at up to", f"{found['sequence']:,}"),
                ("next event of", when(found["next_logtime"])),
                ("with parked events", found["postponed"] or None),
                ("erased, to be scrubbed", found["to_scrub"] or None),
                ("waits for", "darkroom projection rebuild" if found["held"] else None),
            ]
        )
    )


@archive.command("list")
@click.option("--after", type=click.IntRange(0), default=0, help="Beyond this segment.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@pass_invocation
def list_(invocation: Invocation, after: int, limit: int) -> None:
    """The segments, in the order in which they were written."""
    found = run(_list(after, limit))
    if invocation.as_json:
        invocation.print_json(found)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("segment", "first", "last", "tasks", "events", "bytes"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("written", no_wrap=True)
    table.add_column("key", no_wrap=True)
    for each in found:
        numbers = (each[name] for name in ("segment", "first", "last", "tasks", "events", "bytes"))
        table.add_row(*map("{:,}".format, numbers), when(each["written_at"]), each["key"])
    console().print(table)


@archive.command("run")
@click.option(
    "--older-than",
    "older_than_s",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Tasks of which nothing was told for so long.  [default: ARCHIVE_AFTER_S]",
)
@pass_invocation
@click.pass_context
def run_(ctx: click.Context, invocation: Invocation, older_than_s: float | None) -> None:
    """Archive, scrub and prune all that is due, as the task-store does by itself."""
    with progress_bar("archiving", "tasks") as tell:
        worked = run(_run(older_than_s, lambda tasks: tell(tasks, tasks)))
    if invocation.as_json:
        invocation.print_json(asdict(worked))
    else:
        _say(worked)
    if worked.unreadable:
        ctx.exit(FOUND_SOMETHING)


def _say(worked: Worked) -> None:
    click.echo(
        f"{worked.tasks:,} tasks with {worked.events:,} events were archived in "
        f"{worked.segments:,} segments, {worked.pruned:,} pruned, {worked.scrubbed:,} scrubbed."
    )
    if worked.busy:
        click.echo("A rebuild or a verification is at work: nothing was pruned.", err=True)
    for problem in worked.unreadable:
        click.echo(f"{problem}: what was erased of it stays to be scrubbed.", err=True)


@archive.command("import")
@pass_invocation
def import_(invocation: Invocation) -> None:
    """Bring the events of all segments back into Postgres, after it was lost.

    Tasks that it has are left as they are, and erased ones stay so. Then make the rows from it:
    darkroom projection rebuild.
    """
    with progress_bar("importing", "segments") as tell:
        imported = run(_import(tell))
    if invocation.as_json:
        invocation.print_json(asdict(imported))
        return
    click.echo(
        f"{imported.events:,} events of {imported.tasks:,} tasks are back, from "
        f"{imported.segments:,} segments; {imported.left_alone:,} tasks were left as they are."
    )
    if imported.events:
        click.echo("Make the rows from them: darkroom projection rebuild")


@dataclass
class Worked:
    """What all rounds did together."""

    segments: int = 0
    tasks: int = 0
    events: int = 0
    bytes: int = 0
    pruned: int = 0
    scrubbed: int = 0
    busy: bool = False
    unreadable: list[str] = field(default_factory=list)


async def _status() -> dict[str, Any]:
    async with _database() as database:
        totals = dict(await database.fetchrow(ARCHIVE["totals"]) or {})
        kept = await database.fetchrow(ARCHIVE["kept"], _COUNTED)
        state = dict(await database.fetchrow(ARCHIVE["state"]) or {})
        sequence = state.get("sequence", 0)
        build = (await store.load_checkpoint(database)).build
        return {
            **totals,
            **dict(kept or {}),
            "sequence": sequence,
            "next_logtime": await database.fetchval(ARCHIVE["next_logtime"], sequence),
            "held": state.get("held_at_build") == build,
        }


async def _list(after: int, limit: int) -> list[dict[str, Any]]:
    async with _database() as database:
        return [dict(row) for row in await database.fetch(ARCHIVE["list_segments"], after, limit)]


async def _run(older_than_s: float | None, tell: Callable[[int], None]) -> Worked:
    age_s = load_settings().archive_after_s if older_than_s is None else older_than_s
    if not age_s and older_than_s is None:
        raise Refused("DARKROOM_ARCHIVE_AFTER_S is 0: nothing is archived. Give --older-than.")
    worked = Worked()
    async with _servers() as (url, log, files), archive_alone(url, log, files) as at_work:
        while True:
            try:
                done = await at_work.run_once(datetime.now(UTC) - timedelta(seconds=age_s))
            except Held:
                raise Refused(
                    "Events were imported: make the rows from them first, with "
                    "`darkroom projection rebuild`."
                ) from None
            written = done.written
            worked.segments += bool(written.events)
            worked.tasks += written.tasks
            worked.events += written.events
            worked.bytes += written.bytes
            worked.pruned += done.pruned
            worked.scrubbed += done.scrubbed
            worked.busy = worked.busy or done.busy
            tell(worked.tasks)
            if done.nothing and not done.more:
                worked.unreadable = list(at_work.unreadable.values())
                return worked


async def _import(tell: Callable[[int, int], None]) -> Imported:
    async with _servers() as (url, log, files), archive_alone(url, log, files) as at_work:
        try:
            return await import_segments(at_work, log, tell)
        except Behind as problem:
            raise Refused(f"{problem}: run this again when it has caught up.") from None
        except (OtherLog, Unreadable) as problem:
            raise Refused(f"{problem}. What came before it is imported; nothing else is.") from None


@asynccontextmanager
async def _servers() -> AsyncIterator[tuple[str, LogReader, ArtifactStore]]:
    settings = load_settings()
    addresses = server_addresses(settings)
    async with (
        log_connection(addresses.nats_url) as client,
        log_requests(client) as requests,
        database_connection(addresses.database_url) as database,
    ):
        await store.check_schema(database)
        with object_store(settings) as files:
            yield addresses.database_url, LogReader(requests), files


@asynccontextmanager
async def _database() -> AsyncIterator[asyncpg.Connection]:
    async with database_connection(server_addresses().database_url) as database:
        await store.check_schema(database)
        yield database
