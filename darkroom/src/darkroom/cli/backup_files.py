"""What a backup looks like, wherever it lies: a folder or an object store.

    darkroom-backup.json        what this place is
    manifest.json               the backup: written last; without it there is none
    runs/<run>/events/…         every event, as `darkroom events export` writes them, in parts
    runs/<run>/tables/…         tables that no log makes, as Postgres copies them
    runs/<run>/callbacks…       what providers called back lately
    runs/<run>/objects/…        the names, sizes and digests of the artifacts
    objects/<key>               the artifacts, which the backups of a place share

The parts of a file are compressed each by itself, so that all of them one after the other are a
compressed file as well.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import click
from pydantic import BaseModel, ConfigDict, ValidationError

from artifacts.store import ArtifactStore, NotFound, StoreUnavailable
from darkroom.cli.failures import Refused, Unreachable

MANIFEST = "manifest.json"
MARK = "darkroom-backup.json"
OBJECTS = "objects"
RUNS = "runs"
JSON = "application/json"
_PART_BYTES = 8 * 1024 * 1024
_QUICK = 3


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class File(_Frozen):
    """One part, as it lies there."""

    key: str
    bytes: int
    sha256: str


class Events(_Frozen):
    """The events. ``on_log`` of them were on the log, from ``log_first`` on.

    ``content_sha256`` is of all but their sequences.
    """

    count: int
    first: int
    last: int
    last_logtime: datetime
    log_first: int
    on_log: int
    content_sha256: str
    files: tuple[File, ...]


class TableRows(_Frozen):
    """The rows of one table."""

    table_schema: str
    name: str
    columns: tuple[str, ...]
    rows: int
    files: tuple[File, ...]


class Listing(_Frozen):
    """Lines that tell of ``count`` things, and how many bytes these have."""

    count: int
    bytes: int
    files: tuple[File, ...]


class Manifest(_Frozen):
    """What is in a backup, and of which moment it is."""

    format: Literal[1]
    run: str
    made_at: datetime
    version: str
    schema_step: int
    stream_created: datetime
    sequence: int
    events: Events
    tables: tuple[TableRows, ...]
    callbacks: Listing
    objects: Listing

    @property
    def files(self) -> list[File]:
        """Every part but the artifacts themselves."""
        rows = [file for table in self.tables for file in table.files]
        return [*self.events.files, *rows, *self.callbacks.files, *self.objects.files]


class Stored(_Frozen):
    """One artifact in the listing."""

    key: str
    bytes: int
    sha256: str


def open_place(where: str) -> ArtifactStore:
    """The folder, or the object store, that a backup is in or comes into."""
    try:
        return ArtifactStore.open(url_of(where))
    except ValueError:
        raise click.UsageError(
            f"{where} is no place for a backup: name a folder, or s3://, gs://, az:// …"
        ) from None
    except StoreUnavailable as problem:
        raise Unreachable(f"{where} can't be used ({problem}). Name another place.") from None


def url_of(where: str) -> str:
    return where if "://" in where else Path(where).expanduser().resolve().as_uri()


async def manifest_of(place: ArtifactStore) -> Manifest | None:
    """The manifest, or None where no backup was ever finished."""
    try:
        return Manifest.model_validate_json(await place.get(MANIFEST))
    except NotFound:
        return None
    except ValidationError:
        raise Refused(
            f"{MANIFEST} is none that this version can read. Use the version that wrote it."
        ) from None


async def whole_manifest_of(place: ArtifactStore, where: str) -> Manifest:
    manifest = await manifest_of(place)
    if manifest is None:
        raise Refused(f"{where} has no finished backup: there is no {MANIFEST} in it.")
    return manifest


class Damaged(Exception):
    """A part is not as it was written; the text says which, and how it differs."""


async def part(place: ArtifactStore, file: File) -> bytes:
    """A part as it was written, unpacked. Raises `Damaged`."""
    try:
        packed = await place.get(file.key)
    except NotFound:
        raise Damaged(f"{file.key} is missing") from None
    if hashlib.sha256(packed).hexdigest() != file.sha256:
        raise Damaged(f"{file.key} is not what was written")
    return await asyncio.to_thread(gzip.decompress, packed)


async def parts(place: ArtifactStore, files: tuple[File, ...]) -> AsyncIterator[bytes]:
    for file in files:
        yield await part(place, file)


async def lines(
    place: ArtifactStore, files: tuple[File, ...], at_once: int
) -> AsyncIterator[list[bytes]]:
    """The lines of a file, so many at once: none is cut by the end of a part."""
    async for content in parts(place, files):
        found = content.splitlines()
        for start in range(0, len(found), at_once):
            yield found[start : start + at_once]


async def listed(
    place: ArtifactStore, files: tuple[File, ...], at_once: int
) -> AsyncIterator[list[Stored]]:
    """The artifacts that a listing names, so many at once."""
    async for batch in lines(place, files, at_once):
        yield [Stored.model_validate_json(line) for line in batch]


class Parts:
    """Writes one file in parts of a bounded size; `files` are those written."""

    def __init__(self, place: ArtifactStore, folder: str, ending: str) -> None:
        self.files: list[File] = []
        self.bytes = 0
        self._place = place
        self._folder = folder
        self._ending = ending
        self._held = bytearray()

    async def write(self, content: bytes) -> None:
        """What is written at once is not cut."""
        self._held += content
        self.bytes += len(content)
        if len(self._held) >= _PART_BYTES:
            await self._flush()

    async def close(self) -> tuple[File, ...]:
        if self._held:
            await self._flush()
        return tuple(self.files)

    async def _flush(self) -> None:
        key = f"{self._folder}/{len(self.files) + 1:06}.{self._ending}"
        packed = await asyncio.to_thread(gzip.compress, self._held, _QUICK, mtime=0)
        await self._place.put(key, packed, "application/gzip")
        self.files.append(File(key=key, bytes=len(packed), sha256=_sha256(packed)))
        self._held.clear()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
