"""The one way onto and off the object store, whichever one it is.

A local folder, S3 (and what speaks it), Google Cloud Storage, Azure or memory: the same ten
methods, the same errors. Writes are atomic everywhere: a reader sees the old bytes or the new.
"""

import asyncio
import hashlib
import mimetypes
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from artifacts.keys import check_key, kind

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

UNKNOWN_TYPE: Final = "application/octet-stream"
CHUNK_BYTES: Final = 256 * 1024
"""Least size of a streamed chunk; the last one may be smaller."""

_AT_ONCE_BYTES: Final = 8 * 1024 * 1024
"""What is larger is copied in parts, so that memory stays bounded."""
_TYPES: Final = {
    ".glb": "model/gltf-binary",
    ".gz": "application/gzip",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".webm": "video/webm",
    ".webp": "image/webp",
}
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_HTTP_SETTINGS: Final[dict[str, tuple[str, ...]]] = {
    "s3": ("AWS_ALLOW_HTTP", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "az": ("AZURE_ALLOW_HTTP", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
"""For each scheme the variable that permits plain http, and those that may name an endpoint."""

_THREADS: Final = ThreadPoolExecutor(max_workers=32, thread_name_prefix="store")

T = TypeVar("T")


class NotFound(LookupError):
    """Nothing is stored under this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"nothing is stored under {key}")
        self.key = key


class StoreUnavailable(Exception):
    """The object store didn't do what it was asked: unreachable, full, forbidden, no bucket."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store knows of one object.

    `bytes` is its size; `etag` is quoted, as HTTP wants it; `last_modified` is aware. In listings,
    and in a local folder always, `content_type` is what the key's extension says.
    """

    key: str
    bytes: int
    etag: str
    content_type: str
    last_modified: datetime


def content_type_of(key: str) -> str:
    """The media type that the key's extension stands for; `UNKNOWN_TYPE` without one."""
    suffix = Path(key).suffix.lower()
    return _TYPES.get(suffix) or mimetypes.types_map.get(suffix, UNKNOWN_TYPE)


@dataclass(frozen=True, slots=True)
class Content:
    """How many bytes there are under a key, and their SHA-256 in hex."""

    bytes: int
    sha256: str


class ArtifactStore:
    """Bytes under keys. Every key is checked; every fault of the store is `StoreUnavailable`."""

    def __init__(self, store: "ObjectStore") -> None:
        self._store = store

    @classmethod
    def open(cls, url: str) -> Self:
        """The store at `file:///folder` (made if missing), `s3://`, `gs://`, `az://`, `memory://`.

        Credentials, region and endpoint come from the environment (`AWS_*`, `GOOGLE_*`,
        `AZURE_*`). Plain http is allowed for a loopback endpoint, or with `AWS_ALLOW_HTTP=true`.
        Asks nothing of the network. A URL that makes no store is a `ValueError`.
        """
        match urlsplit(url).scheme:
            case "file":
                return cls(_folder(url))
            case "memory":
                return cls(MemoryStore())
            case "s3" | "gs" | "az":
                return cls(_cloud(url))
            case _:
                raise ValueError(
                    f"ARTIFACTS_URL {url!r} is not an object store: "
                    "use file:///folder, s3://bucket, gs://bucket or az://container"
                )

    async def put(self, key: str, content: bytes, content_type: str) -> str:
        """Write the bytes, whole or not at all, over what was there. Returns the new etag.

        They are on disk then, as an object store has them: a power cut after that loses nothing.
        A local folder keeps no content type: give the key an extension that tells it.
        """
        folder = self._store.prefix if isinstance(self._store, LocalStore) else None
        attributes: Attributes | None = {"Content-Type": content_type} if folder is None else None

        def put() -> str:
            # One request, never a multipart upload: nothing half-sent can stay behind.
            written = obstore.put(
                self._store, key, content, attributes=attributes, use_multipart=False
            )
            if folder is not None:
                _sync(folder, key)
            return written["e_tag"] or ""

        with _faults(check_key(key), missing_is_fault=True):
            return await _threaded(put)

    async def get(self, key: str) -> bytes:
        """All the bytes under the key; `NotFound` when there are none."""
        with _faults(check_key(key)):
            return await _threaded(lambda: bytes(obstore.get(self._store, key).bytes()))

    async def copy_from(self, other: "ArtifactStore", key: str, to: str) -> Content:
        """Write under ``to`` what another store has under ``key``, whole or not at all.

        In chunks, however much it is. `NotFound` when there is nothing.
        """
        folder = self._store.prefix if isinstance(self._store, LocalStore) else None

        def copy() -> Content:
            found = obstore.get(other._store, key)  # noqa: SLF001 - a store like this one
            content_type = found.attributes.get("Content-Type") or content_type_of(key)
            attributes: Attributes | None = None if folder else {"Content-Type": content_type}
            size, digest = found.meta["size"], hashlib.sha256()
            chunks = map(bytes, found.stream(min_chunk_size=CHUNK_BYTES))
            if size <= _AT_ONCE_BYTES:
                content = b"".join(chunks)
                digest.update(content)
                obstore.put(self._store, to, content, attributes=attributes, use_multipart=False)
            else:
                # Closed only when all is written: till then there is nothing under that name.
                writer = obstore.open_writer(self._store, to, attributes=attributes)
                for chunk in chunks:
                    digest.update(chunk)
                    writer.write(chunk)
                writer.close()
            if folder is not None:
                _sync(folder, to)
            return Content(size, digest.hexdigest())

        check_key(to)
        with _faults(check_key(key)):
            return await _threaded(copy)

    async def content(self, key: str) -> Content:
        """Size and digest of all that is under the key. `NotFound` when there is nothing."""
        size, digest = 0, hashlib.sha256()
        async for chunk in self.stream(key):
            size += len(chunk)
            digest.update(chunk)
        return Content(size, digest.hexdigest())

    async def head(self, key: str) -> Stored | None:
        """What is stored under the key, without its bytes; None when nothing is."""
        try:
            with _faults(check_key(key)):
                result = await _threaded(
                    lambda: obstore.get(self._store, key, options={"head": True})
                )
        except NotFound:
            return None
        return _stored(result.meta, result.attributes.get("Content-Type"))

    async def stream(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` up to, not including, `end`, in chunks.

        Without `end` to the last one; a range past the last one yields nothing. `NotFound` and
        `StoreUnavailable` may come before any chunk and, when the store dies, between two.
        """
        check_key(key)
        if start < 0 or (end is not None and end < start):
            raise ValueError(f"no such range: {start} to {end}")
        if start == end:
            return
        # Asked for as a range, the whole of an empty object is an error to most stores.
        options: GetOptions = {}
        if start or end is not None:
            options["range"] = {"offset": start} if end is None else (start, end)
        try:
            with _faults(key):
                result = await _threaded(lambda: obstore.get(self._store, key, options=options))
        except StoreUnavailable:
            stored = await self.head(key)
            if stored and start >= stored.bytes:
                return
            raise
        chunks = result.stream(min_chunk_size=CHUNK_BYTES)
        while True:
            with _faults(key):
                chunk = await _threaded(lambda: next(chunks, None))
            if chunk is None:
                return
            yield bytes(chunk)

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove what is stored under the keys; those that are gone already are no error."""
        checked = [check_key(key) for key in keys]
        if not checked:
            return
        try:
            with _faults(checked[0]):
                await _threaded(lambda: obstore.delete(self._store, checked))
        except NotFound:
            # Folders, Google and Azure stop at the first missing key: go on one by one.
            for key in checked:
                await self._delete_one(key)

    async def _delete_one(self, key: str) -> None:
        with suppress(NotFound), _faults(key):
            await _threaded(lambda: obstore.delete(self._store, key))

    async def list(self, prefix: str = "") -> AsyncGenerator[Stored, None]:
        """Everything under a folder, in no promised order; the empty prefix is the whole store.

        `a/b` lists `a/b/c`, not `a/bc`. What others put there is listed too: ask `keys.kind`.
        """
        if prefix:
            check_key(prefix)
        batches = obstore.list(self._store, prefix or None, chunk_size=500)
        while True:
            with _faults(prefix, missing_is_fault=True):
                batch = await _threaded(lambda: next(batches, None))
            if batch is None:
                return
            for meta in batch:
                yield _stored(meta, None)

    async def discard_leftovers(self, before: datetime) -> int:
        """Remove files that killed processes left half-written, and folders that stood empty.

        Only what wasn't touched since `before`, and only in a local folder: other stores have
        neither. Half-written files are named `<key>#<number>` and never listed. Returns how many
        there were.
        """
        if not isinstance(self._store, LocalStore) or self._store.prefix is None:
            return 0
        with _faults("", missing_is_fault=True):
            root = self._store.prefix
            return await _threaded(lambda: _discard_leftovers(root, before))


async def _threaded(call: Callable[[], T]) -> T:
    """obstore's blocking calls in a thread, never its async ones.

    Those finish on threads of their own, which the interpreter doesn't wait for: a process that
    ends soon after one aborts every few times (SIGABRT, seen with 0.12.1).
    """
    return await asyncio.get_running_loop().run_in_executor(_THREADS, call)


def _sync(root: Path, key: str) -> None:
    """Bring a file to disk, and its name, in every folder that may be new."""
    name = Path(key)
    for path in (name, *name.parents):
        descriptor = os.open(root / path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _discard_leftovers(root: Path, before: datetime) -> int:
    discarded = 0
    for top in ("uploads", "artifacts", "archive"):
        for folder, _, names in os.walk(root / top, topdown=False):
            for path in (Path(folder, name) for name in names if "#" in name):
                key, _, number = path.relative_to(root).as_posix().partition("#")
                # What someone else put into this folder is theirs, whatever its name.
                if kind(key) and number.isdecimal() and _untouched_since(before, path):
                    path.unlink(missing_ok=True)
                    discarded += 1
            if _untouched_since(before, Path(folder)):
                with suppress(OSError):  # not empty, or gone
                    Path(folder).rmdir()
    return discarded


def _untouched_since(before: datetime, path: Path) -> bool:
    try:
        return path.stat().st_mtime < before.timestamp()
    except FileNotFoundError:  # finished, or removed, meanwhile
        return False


def _folder(url: str) -> LocalStore:
    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"} or parts.path in {"", "/"}:
        raise ValueError(f"ARTIFACTS_URL {url!r} names no folder: write file:///absolute/folder")
    folder = Path(unquote(parts.path))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Not `automatic_cleanup`: it takes a folder from under a writer that has just made it.
        return LocalStore(folder)
    except (OSError, BaseError) as error:
        raise StoreUnavailable(f"no artifacts can be kept in {folder}: {error}") from error


def _cloud(url: str) -> "ObjectStore":
    client: ClientConfig = {
        "allow_http": _plain_http(urlsplit(url).scheme),
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=30),
        "timeout": timedelta(minutes=10),  # of a whole download, whose reader may be slow
    }
    retry: RetryConfig = {
        "max_retries": 3,
        "retry_timeout": timedelta(seconds=15),
        "backoff": {
            "init_backoff": timedelta(milliseconds=100),
            "max_backoff": timedelta(seconds=2),
            "base": 2,
        },
    }
    try:
        return from_url(url, client_options=client, retry_config=retry)
    except BaseError as error:
        why = _first_line(error)
        raise ValueError(f"ARTIFACTS_URL {url!r} makes no store: {why}") from error


def _plain_http(scheme: str) -> bool:
    """Whether http without TLS may be spoken. Options given in code hide obstore's own setting."""
    consent, *endpoints = _HTTP_SETTINGS.get(scheme, ("",))
    if os.environ.get(consent, "").lower() in {"1", "true"}:
        return True
    plain = False
    for name in endpoints:
        endpoint = urlsplit(os.environ.get(name, ""))
        if endpoint.scheme == "http":
            if endpoint.hostname not in _LOOPBACK:
                raise ValueError(
                    f"{name} is http, not https: set {consent}=true if the way to "
                    f"{endpoint.hostname} is safe"
                )
            plain = True
    return plain


def _stored(meta: "ObjectMeta", content_type: str | None) -> Stored:
    key, modified, size = meta["path"], meta["last_modified"], meta["size"]
    etag = meta["e_tag"] or f'"{modified.timestamp():.6f}-{size}"'
    return Stored(key, size, etag, content_type or content_type_of(key), modified)


@contextmanager
def _faults(key: str, *, missing_is_fault: bool = False) -> Iterator[None]:
    """Turn what obstore raises into `NotFound` or `StoreUnavailable`."""
    try:
        yield
    except FileNotFoundError as error:
        if missing_is_fault or "NoSuchBucket" in str(error):
            raise StoreUnavailable(_first_line(error)) from error
        raise NotFound(key) from error
    except (BaseError, OSError, NotImplementedError) as error:
        raise StoreUnavailable(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
