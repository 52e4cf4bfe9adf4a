"""What users send before a task: kept for a while, described by a sidecar, swept when expired.

The content is written first and its sidecar second; it is removed the other way round. So an
upload that a crash cut in two is never visible, and the sweep finds what is left of it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Final

from artifacts.intake import MAX_BYTES, MAX_PIXELS, inspect_async
from artifacts.keys import InvalidKey, content_key, kind, sidecar_key, upload_key
from artifacts.store import ArtifactStore, NotFound

BATCH: Final = 500
"""Most keys in one question to `referenced`, and in one removal."""

LEFTOVER_AGE: Final = timedelta(days=1)
"""Content without a sidecar, or half-written, for this long was left behind by a crash."""

SWEEP_GRACE: Final = timedelta(minutes=2)
"""How long an upload stays after its end, for a submit that found it just before."""

_READERS: Final = 16
_FILENAME_LIMIT: Final = 200
_TIMES: Final = ("created_at", "expires_at")

Referenced = Callable[[list[str]], Awaitable[set[str]]]
"""Of these upload keys (≤ `BATCH`), the ones that some task still refers to."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `bytes` is its size, `sha256` hex, width and height in pixels or None.

    Times are aware.
    """

    upload_id: str
    owner: str
    content_type: str
    bytes: int
    sha256: str
    width: int | None
    height: int | None
    filename: str
    created_at: datetime
    expires_at: datetime

    @property
    def key(self) -> str:
        """Where the content is."""
        return upload_key(self.owner, self.upload_id)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What one sweep did: uploads removed, and kept for a task that needs them; leftovers removed.

    `orphans` are contents without a sidecar, `unfinished` half-written files of a local folder.
    """

    removed: int
    still_referenced: int
    orphans: int
    unfinished: int


class Uploads:
    """The uploads in a store. `ttl` is how long one lives; `new_id` makes their ids (UUIDv7)."""

    def __init__(
        self,
        store: ArtifactStore,
        ttl: timedelta,
        new_id: Callable[[], str],
        *,
        max_bytes: int = MAX_BYTES,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self._store = store
        self._ttl = ttl
        self._new_id = new_id
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels

    async def save(self, owner: str, content: bytes, filename: str | None, now: datetime) -> Upload:
        """Inspect and keep the bytes. `Unusable` when they are no picture or video we take."""
        inspected = await inspect_async(
            content, max_bytes=self._max_bytes, max_pixels=self._max_pixels
        )
        upload = Upload(
            upload_id=self._new_id(),
            owner=owner,
            content_type=inspected.content_type,
            bytes=inspected.bytes,
            sha256=inspected.sha256,
            width=inspected.width,
            height=inspected.height,
            filename=sanitised_filename(filename, inspected.ext),
            created_at=now,
            expires_at=now + self._ttl,
        )
        await self._store.put(upload.key, content, upload.content_type)
        await self._store.put(sidecar_key(upload.key), _to_sidecar(upload), "application/json")
        return upload

    async def find(self, owner: str, upload_id: str, now: datetime) -> Upload | None:
        """The owner's upload; None when it is unknown, someone else's, or expired."""
        try:
            sidecar = sidecar_key(upload_key(owner, upload_id))
        except InvalidKey:
            return None
        upload = await self._read(sidecar)
        return upload if upload and upload.owner == owner and now < upload.expires_at else None

    async def expire(self, upload: Upload, now: datetime) -> None:
        """End its life now: no new task may refer to it, and the sweep takes it unless one does."""
        expired = replace(upload, expires_at=min(now, upload.expires_at))
        await self._store.put(sidecar_key(upload.key), _to_sidecar(expired), "application/json")

    async def delete(self, upload: Upload) -> None:
        """Forget the upload. One that is gone already is no error."""
        await self._store.delete([sidecar_key(upload.key)])
        await self._store.delete([upload.key])

    async def expired(self, now: datetime) -> AsyncIterator[Upload]:
        """Every owner's uploads whose expiry is not after `now`. Reads every sidecar."""
        async for sidecars in self._sidecar_batches():
            for upload in await asyncio.gather(*(self._read(key) for key in sidecars)):
                if upload and upload.expires_at <= now:
                    yield upload

    async def sweep(self, now: datetime, referenced: Referenced, grace: timedelta) -> SweepResult:
        """Remove what expired more than `grace` ago and no task refers to, and what crashes left.

        `grace` covers tasks on their way into whatever `referenced` asks. Safe to run twice at
        once, and to break off.
        """
        removed = kept = 0
        batch: list[Upload] = []
        async for upload in self.expired(now - grace):
            batch.append(upload)
            if len(batch) == BATCH:
                gone = await self._remove_unreferenced(batch, referenced)
                removed, kept = removed + gone, kept + len(batch) - gone
                batch = []
        gone = await self._remove_unreferenced(batch, referenced)
        removed, kept = removed + gone, kept + len(batch) - gone
        orphans = await self._remove_orphans(now)
        unfinished = await self._store.discard_leftovers(now - LEFTOVER_AGE)
        return SweepResult(removed, kept, orphans, unfinished)

    async def _remove_unreferenced(self, batch: list[Upload], referenced: Referenced) -> int:
        needed = await referenced([upload.key for upload in batch]) if batch else set()
        keys = [upload.key for upload in batch if upload.key not in needed]
        await self._store.delete([sidecar_key(key) for key in keys])
        await self._store.delete(keys)
        return len(keys)

    async def _remove_orphans(self, now: datetime) -> int:
        """By the store's own clock, and asking for each sidecar again right before."""
        contents: set[str] = set()
        sidecars: set[str] = set()
        async for stored in self._store.list("uploads"):
            match kind(stored.key):
                case "upload" if stored.last_modified < now - LEFTOVER_AGE:
                    contents.add(stored.key)
                case "sidecar":
                    sidecars.add(content_key(stored.key))
        orphans = [
            key
            for key in sorted(contents - sidecars)
            if await self._store.head(sidecar_key(key)) is None
        ]
        for at in range(0, len(orphans), BATCH):
            await self._store.delete(orphans[at : at + BATCH])
        return len(orphans)

    async def _sidecar_batches(self) -> AsyncIterator[list[str]]:
        batch: list[str] = []
        async for stored in self._store.list("uploads"):
            if kind(stored.key) == "sidecar":
                batch.append(stored.key)
            if len(batch) == _READERS:
                yield batch
                batch = []
        if batch:
            yield batch

    async def _read(self, sidecar: str) -> Upload | None:
        try:
            return _from_sidecar(await self._store.get(sidecar))
        except (NotFound, ValueError):
            return None


def sanitised_filename(filename: str | None, ext: str) -> str:
    """A name fit for a header and a file dialog: no folders, no control characters, not too long.

    The real extension replaces a missing or misleading one: `evil.html` holding a PNG is
    `evil.png`.
    """
    name = (filename or "").replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in name if letter.isprintable() and letter not in '<>:"|?*')
    stem = name.rpartition(".")[0] or name
    return f"{stem.strip(' .')[:_FILENAME_LIMIT] or 'upload'}.{ext}"


def _to_sidecar(upload: Upload) -> bytes:
    times = {at: getattr(upload, at).isoformat() for at in _TIMES}
    return json.dumps(asdict(upload) | times).encode()


def _from_sidecar(content: bytes) -> Upload:
    """The upload that a sidecar describes; `ValueError` when it describes none."""
    try:
        told = json.loads(content)
        known = {field.name: told[field.name] for field in fields(Upload)}
        return Upload(**known | {at: datetime.fromisoformat(known[at]) for at in _TIMES})
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a sidecar: {error!r}") from error
