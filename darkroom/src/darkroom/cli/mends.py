"""What ``darkroom doctor --fix`` does. Nothing that could run or pay for a task twice, and nothing
that takes what somebody may miss."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
import click
from nats.aio.client import Client
from nats.js.errors import APIError

from artifacts.store import StoreUnavailable
from contracts.subjects import STREAM
from darkroom.cli import leftovers, strays
from darkroom.cli.checks import servers
from darkroom.cli.contents import Contents, opened
from darkroom.cli.provisioning import reconcile
from darkroom.cli.servers import log_connection
from darkroom.cli.settings import CommandLineSettings, server_addresses
from delivery.log import LogUnavailable
from task_store.raw_copy import OtherLog, TooManyDeleted, complete

Fixed = dict[str, list[str]]
"""What was done, line by line, by the name of the finding."""


async def mend(settings: CommandLineSettings, wrong: Collection[str]) -> Fixed:
    """Mend what is safe of the findings with these names. What can't be mended stays found."""
    fixed: Fixed = {}
    if {"log", "postgres"} & set(wrong):
        try:
            keeping = await _keeping_limits(settings)
            # Leases stay as they are, too: generators that beat less often would lose theirs.
            fixed["log"] = await reconcile(
                keeping, server_addresses(settings), mend=True, keep_leases=True
            )
        except click.ClickException:
            # A lost log, another version's database: what the finding says is to be done.
            pass
    async with servers(settings) as found:
        if found.connection is not None and "leftovers" in wrong:
            fixed["leftovers"] = await leftovers.drop(found.connection)
        if found.client is not None and found.connection is not None:
            fixed |= await _contents(found.client, found.connection, settings, wrong)
    return {name: lines for name, lines in fixed.items() if lines}


async def _keeping_limits(settings: CommandLineSettings) -> CommandLineSettings:
    """The settings, but for what the log keeps: that stays as it is.

    Whoever calls the doctor may not have the deployment's settings at hand, and a log that is made
    to keep less forgets at once.
    """
    async with log_connection(server_addresses(settings).nats_url) as client:
        try:
            found = (await client.jetstream().stream_info(STREAM)).config
        except APIError:
            return settings
    kept = {
        "stream_max_age_s": found.max_age or 0,
        "stream_max_bytes": found.max_bytes,
        "stream_replicas": found.num_replicas or 1,
    }
    return settings.model_copy(update=kept)


async def _contents(
    client: Client,
    connection: asyncpg.Connection,
    settings: CommandLineSettings,
    wrong: Collection[str],
) -> Fixed:
    fixed: Fixed = {}
    if not {"copy", "uploads", "orphans"} & set(wrong):
        return fixed
    async with opened(client, connection) as contents:
        if contents is None:
            return fixed
        if "copy" in wrong:
            fixed["copy"] = await _complete(contents)
        if {"uploads", "orphans"} & set(wrong):
            fixed |= await _files(contents, settings, wrong)
    return fixed


async def _complete(contents: Contents) -> list[str]:
    try:
        copied = await complete(contents.connection, contents.log, contents.state.created)
    except (OtherLog, TooManyDeleted, LogUnavailable):
        return []
    return [f"copied {copied:,} events from the log"] if copied else []


async def _files(
    contents: Contents, settings: CommandLineSettings, wrong: Collection[str]
) -> Fixed:
    fixed: Fixed = {}
    try:
        files = strays.open_store(settings)
        if files is None:
            return fixed
        if "uploads" in wrong:
            fixed["uploads"] = await strays.sweep_uploads(files, contents.requests, contents.state)
        if "orphans" in wrong:
            fixed["orphans"] = await strays.remove_orphans(
                files, contents.connection, contents.log, contents.remembered_since
            )
    except (StoreUnavailable, strays.NotAnswered):
        return fixed
    return fixed
