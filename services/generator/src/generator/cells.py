"""Values that all generators share: cells of a bucket on the bus, changed by compare and set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from nats.aio.client import Client
from nats.js.errors import (
    BucketNotFoundError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
    NotFoundError,
)
from nats.js.kv import KeyValue

from delivery.provision import ensure_bucket
from generator.metrics import CELL_CONFLICTS

_TRIES = 50

T = TypeVar("T")


class Contended(Exception):
    """Others changed the value each time that it was to be changed."""


class Cells(Generic[T]):
    """The cells of one bucket. ``read`` and ``written`` convert; None is a cell that is empty."""

    def __init__(
        self,
        client: Client,
        bucket: str,
        read: Callable[[bytes | None], T],
        written: Callable[[T], bytes],
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._read = read
        self._written = written
        self._opened: KeyValue | None = None

    async def value(self, key: str) -> T:
        """What is there now. Raises what the connection raises."""
        try:
            found, _ = await self._found(await self._open(), key)
        except (BucketNotFoundError, NotFoundError):
            self._opened = None
            raise
        return found

    async def change(self, key: str, change: Callable[[T], T]) -> T:
        """Make the value what ``change`` makes of it; the value that is there then.

        ``change`` is called again when somebody else was faster. Raises `Contended`, or what the
        connection raises.
        """
        for _ in range(_TRIES):
            try:
                bucket = await self._open()
                before, revision = await self._found(bucket, key)
                after = change(before)
                if after != before:
                    await bucket.update(key, self._written(after), last=revision)
            except KeyWrongLastSequenceError:
                CELL_CONFLICTS.labels(self._bucket).inc()
            except (BucketNotFoundError, NotFoundError):
                # The broker may be another one: the bucket is made anew.
                self._opened = None
            else:
                return after
        raise Contended(f"{self._bucket}.{key}")

    async def _found(self, bucket: KeyValue, key: str) -> tuple[T, int]:
        try:
            entry = await bucket.get(key)
        except KeyNotFoundError as missing:
            deleted = missing.entry
            return self._read(None), 0 if deleted is None else deleted.revision or 0
        return self._read(entry.value), entry.revision or 0

    async def _open(self) -> KeyValue:
        if self._opened is None:
            await ensure_bucket(self._client, self._bucket)
            self._opened = await self._client.jetstream().key_value(self._bucket)
        return self._opened
