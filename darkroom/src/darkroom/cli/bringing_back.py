"""A backup brought back into an empty system, before anybody works on it.

The log comes first and last: at first a stream that takes old events and nothing else, which says
which backup is being restored; at last that stream becomes the log (`darkroom.cli.restoring`).
Between the two come tables, artifacts, and a raw copy from which everything else follows, as after
the loss of a log. What was interrupted goes on from there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg
import orjson
from nats.aio.client import Client

from artifacts.store import ArtifactStore, NotFound, StoreUnavailable
from contracts.subjects import HOOK_BUCKET
from darkroom.cli import restoring as log
from darkroom.cli.backing_up import artifacts_url
from darkroom.cli.backup_files import (
    OBJECTS,
    Damaged,
    Manifest,
    Stored,
    lines,
    listed,
    open_place,
    part,
    parts,
    whole_manifest_of,
)
from darkroom.cli.failures import Refused, Unreachable
from darkroom.cli.provisioning import compare_schema
from darkroom.cli.servers import database_connection, log_connection, log_requests
from darkroom.cli.settings import CommandLineSettings, server_addresses
from delivery import provision, restoring
from delivery.lines import Unreadable, message_of
from delivery.log import LogReader
from delivery.requests import Requests
from delivery.restoring import Plan
from task_store import backup as database
from task_store import restore as rows
from task_store import store
from task_store.sql import MIGRATIONS

_TOGETHER = 16

Tell = Callable[[int, int], None]
Bar = Callable[[str, str], AbstractContextManager[Tell]]


@dataclass(frozen=True)
class BroughtBack:
    """What came back, all of it as the manifest says."""

    where: str
    made_at: str
    events: int
    on_log: int
    rows: int
    objects: int
    first: int
    last: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Verified:
    """What of a backup was looked at, and what of it is not as it was written."""

    files: int
    objects: int
    wrong: list[str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def verify(where: str, bar: Bar) -> Verified:
    """Read a whole backup, and compare it with its digests."""
    place = open_place(where)
    try:
        manifest = await whole_manifest_of(place, where)
        wrong: list[str] = []
        for file in manifest.files:
            try:
                await part(place, file)
            except Damaged as problem:
                wrong.append(str(problem))
        with bar("verifying", "artifacts") as tell:
            done = 0
            try:
                async for batch in listed(place, manifest.objects.files, _TOGETHER):
                    found = await asyncio.gather(*(_is_whole(place, each) for each in batch))
                    wrong += [told for told in found if told is not None]
                    done += len(batch)
                    tell(done, manifest.objects.count)
            except Damaged:
                # Said above.
                pass
    except StoreUnavailable as problem:
        raise Unreachable(f"{where} can't be read ({problem}). Try again.") from None
    return Verified(len(manifest.files), manifest.objects.count, wrong)


async def _is_whole(place: ArtifactStore, told: Stored) -> str | None:
    key = f"{OBJECTS}/{told.key}"
    try:
        content = await place.content(key)
    except NotFound:
        return f"{key} is missing"
    return None if content.sha256 == told.sha256 else f"{key} is not what was written"


async def bring_back(settings: CommandLineSettings, where: str, bar: Bar) -> BroughtBack:
    """Raises `Refused` where there is anything, before anything is changed."""
    began = time.monotonic()
    addresses = server_addresses(settings)
    place = open_place(where)
    try:
        manifest = await whole_manifest_of(place, where)
        _check_version(manifest)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(log_connection(addresses.nats_url))
            requests = await stack.enter_async_context(log_requests(client))
            connection = await stack.enter_async_context(
                database_connection(addresses.database_url)
            )
            if not await database.alone(connection, "restore"):
                raise Refused("Another restore into this database is at work.")
            files = ArtifactStore.open(artifacts_url(settings))
            work = _BringBack(settings, manifest, place, files, client, requests, connection)
            await work.prepare()
            await work.fill(bar)
            done = await log.restore(
                settings,
                None,
                unbind=False,
                bar=lambda doing: bar(doing, "events"),
                origin=work.origin,
            )
    except Damaged as problem:
        raise Refused(
            f"The backup is damaged: {problem}. `darkroom backup --verify {where}` tells all of it."
        ) from None
    except database.Misfit as problem:
        raise Refused(
            f"This version has no place for {problem}. Use {manifest.version}, which made the "
            "backup, and bring it up to date afterwards."
        ) from None
    except StoreUnavailable as problem:
        raise Unreachable(
            f"Not everything could be copied ({problem}). Run it again: it goes on."
        ) from None
    return BroughtBack(
        where,
        manifest.made_at.isoformat(),
        manifest.events.count,
        done.events,
        sum(table.rows for table in manifest.tables),
        manifest.objects.count,
        done.first,
        done.last,
        round(time.monotonic() - began, 3),
    )


def _check_version(manifest: Manifest) -> None:
    if manifest.schema_step > max(MIGRATIONS):
        raise Refused(
            f"The backup has schema {manifest.schema_step}, this version knows {max(MIGRATIONS)}. "
            f"Use {manifest.version}, which made it, or a newer one."
        )


class _BringBack:
    def __init__(
        self,
        settings: CommandLineSettings,
        manifest: Manifest,
        place: ArtifactStore,
        files: ArtifactStore,
        client: Client,
        requests: Requests,
        connection: asyncpg.Connection,
    ) -> None:
        self.origin = f"the backup {manifest.run}"
        self._settings = settings
        self._manifest = manifest
        self._place = place
        self._files = files
        self._client = client
        self._requests = requests
        self._connection = connection

    async def prepare(self) -> None:
        """Close the log for whoever would write to it; what was begun before goes on."""
        there = await restoring.look(self._client)
        if there is not None and there.plan is not None:
            if there.plan.origin != self.origin:
                raise Refused(
                    f"A restore from {there.plan.origin} was interrupted. Go on with that one."
                )
            return
        found = await database.there(self._connection)
        if there is not None and there.messages:
            found["events on the log"] = there.messages
        async for stored in self._files.list():
            found[f"artifacts ({stored.key} …)"] = 1
            break
        if not found and there is not None:
            removed = await restoring.remove_empty(self._client, self._settings.stream)
            found |= {} if removed else {"events on the log": 1}
        if found:
            what = ", ".join(f"{name}: {count:,}" for name, count in found.items())
            raise Refused(
                f"The system is not empty ({what}). A backup comes back into an empty one alone: "
                "new directories or volumes, or other servers."
            )
        events = self._manifest.events
        plan = Plan(self.origin, events.on_log, events.log_first, events.last)
        first = self._manifest.sequence + rows.NEVER_TOLD + 1
        await restoring.begin(self._client, self._settings.stream, plan, first)

    async def fill(self, bar: Bar) -> None:
        """Everything but the log, in an order in which nothing refers to what is not there."""
        await compare_schema(self._connection, mend=True)
        if not await self._is_renumbered():
            await self._tables()
            await self._raw_copy(bar)
        await provision.ensure_buckets(
            self._client, replicas=self._settings.stream.replicas, mend=True
        )
        await self._callbacks()
        with bar("artifacts", "artifacts") as tell:
            await self._artifacts(tell)

    async def _is_renumbered(self) -> bool:
        """Whether rows and raw copy are of the new log already, not merely about to follow it."""
        checkpoint = await store.load_checkpoint(self._connection)
        created = (await LogReader(self._requests).state()).created
        is_new = checkpoint.sequence > self._manifest.sequence
        return is_new and checkpoint.stream_created == created

    async def _tables(self) -> None:
        for told in self._manifest.tables:
            table = database.Table(told.table_schema, told.name, told.columns)
            found = await database.fill_table(
                self._connection, table, parts(self._place, told.files)
            )
            if found != told.rows:
                raise Damaged(f"{table} has {found:,} of {told.rows:,} rows")

    async def _raw_copy(self, bar: Bar) -> None:
        events = self._manifest.events
        if not events.count:
            await database.begin_anew(self._connection)
            return
        await database.begin_at(
            self._connection,
            self._manifest.stream_created,
            self._manifest.sequence,
            events.last_logtime,
        )
        done = 0
        with bar("events", "events") as tell:
            after = await database.last_raw(self._connection)
            async for batch in lines(self._place, events.files, rows.BATCH):
                try:
                    messages = [message_of(line) for line in batch]
                except Unreadable as problem:
                    raise Damaged(f"an event: {problem}") from None
                done += len(messages)
                new = [each for each in messages if each.sequence > after]
                if new:
                    await database.add_raw(self._connection, new)
                tell(done, events.count)
        with bar("verifying", "events") as tell:
            digest = await database.digest_of_raw(
                self._connection, lambda read: tell(read, events.count)
            )
        if (digest.events, digest.hex) != (events.count, events.content_sha256):
            raise Damaged(
                f"{digest.events:,} of {events.count:,} events are there, or not the same"
            )

    async def _callbacks(self) -> None:
        js = self._client.jetstream()
        async for batch in lines(self._place, self._manifest.callbacks.files, rows.BATCH):
            for line in batch:
                told = orjson.loads(line)
                value = str(told["value"]).encode("latin-1")
                await js.publish(f"$KV.{HOOK_BUCKET}.{told['key']}", value)

    async def _artifacts(self, tell: Tell) -> None:
        done = 0
        async for batch in listed(self._place, self._manifest.objects.files, _TOGETHER):
            await asyncio.gather(*map(self._artifact, batch))
            done += len(batch)
            tell(done, self._manifest.objects.count)

    async def _artifact(self, told: Stored) -> None:
        there = await self._files.head(told.key)
        if there is not None and there.bytes == told.bytes:
            return
        try:
            content = await self._files.copy_from(self._place, f"{OBJECTS}/{told.key}", told.key)
        except NotFound:
            raise Damaged(f"{OBJECTS}/{told.key} is missing") from None
        if content.sha256 != told.sha256:
            await self._files.delete([told.key])
            raise Damaged(f"{OBJECTS}/{told.key} is not what was written")
