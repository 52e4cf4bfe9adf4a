"""Events, tables and artifacts of a running system, into one place.

What the events refer to must be in it, so artifacts are copied last. Events that left the log and
the tables are of one moment, that of a snapshot of the database; the log is read up to where it
ended right after. Segments of the archive that come later than that are left out: no table tells of
them, so no erasure would reach them, and their events are in the snapshot.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from nats.aio.client import Client

from artifacts.keys import ARCHIVE, InvalidKey, check_key, kind
from artifacts.store import ArtifactStore, Content, NotFound, StoreUnavailable
from artifacts.store import Stored as Found
from contracts.subjects import HOOK_BUCKET
from darkroom.cli.backup_files import (
    JSON,
    MANIFEST,
    MARK,
    OBJECTS,
    RUNS,
    Events,
    Listing,
    Manifest,
    Parts,
    Stored,
    TableRows,
    listed,
    manifest_of,
    open_place,
    url_of,
)
from darkroom.cli.failures import Refused, Unreachable
from darkroom.cli.servers import database_connection, log_connection, log_requests
from darkroom.cli.settings import CommandLineSettings, server_addresses
from delivery.bucket import read_bucket
from delivery.lines import line_of
from delivery.log import LogReader, StreamState
from delivery.requests import Requests
from task_store import backup as database
from task_store import store
from task_store.history import History
from task_store.rebuild import LogUnfit, fit_checkpoint

_TOGETHER = 16
_REMEMBERED_AT_ONCE = 1000
_CLOCKS_DIFFER = timedelta(hours=1)
_PRUNED_AT_ONCE = 500

Tell = Callable[[int, int], None]
Bar = Callable[[str, str], AbstractContextManager[Tell]]


@dataclass(frozen=True)
class BackedUp:
    """What is in a backup now, and how much of it was copied this time."""

    where: str
    sequence: int
    events: int
    rows: int
    objects: int
    object_bytes: int
    copied: int
    left_out: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def back_up(settings: CommandLineSettings, where: str, bar: Bar) -> BackedUp:
    began = time.monotonic()
    addresses = server_addresses(settings)
    source_url = artifacts_url(settings)
    _keep_apart(url_of(where), source_url)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(log_connection(addresses.nats_url))
        requests = await stack.enter_async_context(log_requests(client))
        connection = await stack.enter_async_context(database_connection(addresses.database_url))
        await store.check_schema(connection)
        if not await database.alone(connection, f"backup into {url_of(where)}"):
            raise Refused(f"Another backup into {where} is at work. Wait until it has ended.")
        place, source = open_place(where), ArtifactStore.open(source_url)
        known = stack.enter_context(_Known.opened())
        try:
            before = await _begin(place, where)
            work = _Backup(client, requests, connection, place, _run_name())
            if before is not None:
                async for batch in listed(place, before.objects.files, _REMEMBERED_AT_ONCE):
                    known.remember(batch)
            settled = None if before is None else before.made_at - _CLOCKS_DIFFER
            manifest, copied, left_out = await work.run(source, known, settled, bar)
            await _is_as_it_was(place, before, where)
            # From here on it is the backup, and what only the one before had goes.
            await place.put(MANIFEST, manifest.model_dump_json(indent=1).encode(), JSON)
            await _prune(place, manifest.run, known)
        except StoreUnavailable as problem:
            raise Unreachable(
                f"Not everything could be copied ({problem}). Run it again: it goes on."
            ) from None
    return BackedUp(
        where,
        manifest.sequence,
        manifest.events.count,
        sum(table.rows for table in manifest.tables),
        manifest.objects.count,
        manifest.objects.bytes,
        copied,
        left_out,
        round(time.monotonic() - began, 3),
    )


def artifacts_url(settings: CommandLineSettings) -> str:
    return settings.artifacts_url or (settings.data_dir.resolve() / "artifacts").as_uri()


def _run_name() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _keep_apart(where: str, source: str) -> None:
    one, other = (f"{url.rstrip('/')}/" for url in (where, source))
    if one.startswith(other) or other.startswith(one):
        raise Refused(f"{where} is where the artifacts are. Name a place apart from {source}.")


async def _begin(place: ArtifactStore, where: str) -> Manifest | None:
    """The backup that is there. What else there may be in that place is not for us to sweep."""
    before = await manifest_of(place)
    if before is None and await place.head(MARK) is None:
        async for found in place.list():
            raise Refused(f"{where} has other things in it ({found.key} …). Name an empty place.")
        await place.put(MARK, b'{"what": "a backup of Darkroom", "format": 1}\n', JSON)
    return before


async def _is_as_it_was(place: ArtifactStore, before: Manifest | None, where: str) -> None:
    """One of another system swept what it did not know, and with it what this one wrote."""
    now = await manifest_of(place)
    if (now and now.run) != (before and before.run):
        raise Refused(
            f"Another backup was made into {where} meanwhile. One place is for one system."
        )


class _Backup:
    def __init__(
        self,
        client: Client,
        requests: Requests,
        connection: asyncpg.Connection,
        place: ArtifactStore,
        run: str,
    ) -> None:
        self._client = client
        self._requests = requests
        self._connection = connection
        self._place = place
        self._run = run

    async def run(
        self, source: ArtifactStore, known: _Known, settled: datetime | None, bar: Bar
    ) -> tuple[Manifest, int, int]:
        made_at = datetime.now(UTC)
        # Not within: `setup` would have to wait for the end of it.
        step = await store.schema_version(self._connection)
        segments = {found.key async for found in source.list(ARCHIVE)}
        async with database.snapshot(self._connection):
            try:
                await fit_checkpoint(self._connection, self._requests)
            except LogUnfit as problem:
                raise Refused(f"{problem}. Mend that first: `darkroom doctor`.") from None
            state = await LogReader(self._requests).state()
            with bar("events", "events") as tell:
                events = await self._events(state, tell)
            segments |= await database.segments(self._connection)
            tables = [await self._table(table) for table in await database.tables(self._connection)]
        callbacks = await self._callbacks()
        listing = self._parts("objects", "jsonl.gz")
        copies = _Copies(source, self._place, known, settled, segments, listing)
        with bar("artifacts", "artifacts") as tell:
            objects = await copies.run(tell)
        manifest = Manifest(
            format=1,
            run=self._run,
            made_at=made_at,
            version=version("darkroom"),
            schema_step=step,
            stream_created=state.created,
            sequence=state.last_sequence,
            events=events,
            tables=tuple(tables),
            callbacks=callbacks,
            objects=objects,
        )
        return manifest, copies.copied, copies.left_out

    def _parts(self, name: str, ending: str) -> Parts:
        return Parts(self._place, f"{RUNS}/{self._run}/{name}", ending)

    async def _events(self, state: StreamState, tell: Tell) -> Events:
        parts, digest = self._parts("events", "jsonl.gz"), database.ContentDigest()
        first = last = on_log = 0
        logtime = datetime.fromtimestamp(0, UTC)
        async with History(self._client, self._requests, self._connection) as history:
            while batch := await history.take(state.last_sequence):
                await parts.write(b"".join(map(line_of, batch)))
                digest.add(batch)
                first = first or batch[0].sequence
                last, logtime = batch[-1].sequence, batch[-1].logtime
                on_log += sum(each.sequence >= state.first_sequence for each in batch)
                tell(digest.events, digest.events + state.last_sequence - last)
        # A log must have something to begin with.
        log_first = min(state.first_sequence, last)
        return Events(
            count=digest.events,
            first=first,
            last=last,
            last_logtime=logtime,
            log_first=log_first,
            on_log=on_log or min(1, digest.events),
            content_sha256=digest.hex,
            files=await parts.close(),
        )

    async def _table(self, table: database.Table) -> TableRows:
        parts = self._parts(f"tables/{table}", "copy.gz")
        rows = await database.read_table(self._connection, table, parts.write)
        files = await parts.close()
        return TableRows(
            table_schema=table.schema,
            name=table.name,
            columns=table.columns,
            rows=rows,
            files=files,
        )

    async def _callbacks(self) -> Listing:
        """A provider calls once: of a job whose submit is unknown it may be all that is known."""
        parts = self._parts("callbacks", "jsonl.gz")
        called = await read_bucket(self._requests, HOOK_BUCKET)
        for key, value in called.items():
            told = {"key": key, "value": value.decode("latin-1")}
            await parts.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        return Listing(count=len(called), bytes=parts.bytes, files=await parts.close())


class _Copies:
    """The artifacts, copied where they are not there yet, and listed.

    What was last written before ``settled`` is in the backup before as it is now. Of the archive's
    segments ``segments`` are copied.
    """

    def __init__(
        self,
        source: ArtifactStore,
        place: ArtifactStore,
        known: _Known,
        settled: datetime | None,
        segments: Collection[str],
        listing: Parts,
    ) -> None:
        self.copied = 0
        self.left_out = 0
        self._source = source
        self._place = place
        self._known = known
        self._settled = settled
        self._segments = segments
        self._listing = listing

    async def run(self, tell: Tell) -> Listing:
        count = size = 0
        async for batch in _batches(self._source.list()):
            kept = [each for each in await asyncio.gather(*map(self._keep, batch)) if each]
            self._known.keep(kept)
            for each in kept:
                await self._listing.write(each.model_dump_json().encode() + b"\n")
                count, size = count + 1, size + each.bytes
            tell(count, count)
        return Listing(count=count, bytes=size, files=await self._listing.close())

    async def _keep(self, found: Found) -> Stored | None:
        """None for what was removed, a segment that came meanwhile, and a name none of ours has."""
        if found.key.startswith(f"{ARCHIVE}/") and found.key not in self._segments:
            return None
        to = f"{OBJECTS}/{found.key}"
        try:
            check_key(to)
        except InvalidKey:
            self.left_out += 1
            return None
        try:
            content = await self._content(found, to)
        except NotFound:
            return None
        return Stored(key=found.key, bytes=content.bytes, sha256=content.sha256)

    async def _content(self, found: Found, to: str) -> Content:
        # An artifact or an upload is written once under its name, everything else may change.
        is_fixed = kind(found.key) in ("artifact", "upload")
        if is_fixed or (self._settled is not None and found.last_modified < self._settled):
            there = await self._place.head(to)
            if there is not None and there.bytes == found.bytes:
                content = self._known.find(found.key)
                if content is not None and content.bytes == found.bytes:
                    return content
                if is_fixed:
                    return await self._place.content(to)
        self.copied += 1
        return await self._place.copy_from(self._source, found.key, to)


async def _batches(found: AsyncIterator[Found]) -> AsyncIterator[list[Found]]:
    batch: list[Found] = []
    async for each in found:
        batch.append(each)
        if len(batch) == _TOGETHER:
            yield batch
            batch = []
    yield batch


class _Known:
    """The digests of the artifacts of the last backup, and which are in this one: on disk."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute(
            "CREATE TABLE objects (key TEXT PRIMARY KEY, bytes INTEGER, sha256 TEXT, kept INTEGER)"
            " WITHOUT ROWID"
        )

    @classmethod
    def opened(cls) -> AbstractContextManager[_Known]:
        return _KnownOnDisk()

    def remember(self, listed: Sequence[Stored]) -> None:
        self._put(listed, kept=0)

    def keep(self, listed: Sequence[Stored]) -> None:
        self._put(listed, kept=1)

    def _put(self, listed: Sequence[Stored], *, kept: int) -> None:
        rows = [(each.key, each.bytes, each.sha256, kept) for each in listed]
        self._database.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", rows)

    def find(self, key: str) -> Content | None:
        query = "SELECT bytes, sha256 FROM objects WHERE key = ?"
        row = self._database.execute(query, (key,)).fetchone()
        return None if row is None else Content(*row)

    def is_kept(self, key: str) -> bool:
        query = "SELECT 1 FROM objects WHERE key = ? AND kept = 1"
        return self._database.execute(query, (key,)).fetchone() is not None


class _KnownOnDisk(AbstractContextManager["_Known"]):
    def __enter__(self) -> _Known:
        self._folder = tempfile.TemporaryDirectory(prefix="darkroom-backup-")
        self._database = sqlite3.connect(Path(self._folder.name) / "objects.sqlite")
        return _Known(self._database)

    def __exit__(self, *_: object) -> None:
        with closing(self._database):
            self._folder.cleanup()


async def _prune(place: ArtifactStore, run: str, known: _Known) -> None:
    """What no backup needs: runs before this one, and artifacts that are gone from the store."""
    gone = [
        found.key async for found in place.list(RUNS) if not found.key.startswith(f"{RUNS}/{run}/")
    ]
    gone += [
        found.key
        async for found in place.list(OBJECTS)
        if not known.is_kept(found.key.removeprefix(f"{OBJECTS}/"))
    ]
    for start in range(0, len(gone), _PRUNED_AT_ONCE):
        await place.delete(gone[start : start + _PRUNED_AT_ONCE])
