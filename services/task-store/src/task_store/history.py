"""Every event up to a sequence, in order: from the log, and from the raw copy what left the log."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import asyncpg
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from contracts.subjects import ALL_EVENTS, STREAM
from delivery.log import LogReader
from delivery.ordered import Delivered, Interrupted, OrderedLog
from delivery.requests import Requests
from task_store.sql import REBUILD
from task_store.store import RAW_SCHEMA

BATCH = 1000
_PATIENCE_S = 0.2
_MOST_INTERRUPTIONS = 10


class History:
    """Hands out what follows `position`. Use as an async context manager."""

    def __init__(
        self,
        client: Client,
        requests: Requests,
        connection: asyncpg.Connection,
        raw: str = RAW_SCHEMA,
        *,
        after: int = 0,
    ) -> None:
        self.position = after
        """Everything up to this sequence was handed out."""
        self._client = client
        self._requests = requests
        self._connection = connection
        self._read_raw = REBUILD["read_raw_between"].format(raw=raw)
        self._first = 0
        self._log: OrderedLog | None = None
        self._ahead: list[Delivered] = []
        self._interruptions = 0

    async def __aenter__(self) -> Self:
        await self._look()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._close()

    async def take(self, until: int) -> list[Delivered]:
        """The next messages, at most `BATCH`, none after ``until``; empty when there are none.

        ``until`` must have been stored before. Raises `Interrupted` when the log can't be read.
        """
        while self.position < until:
            if self.position + 1 < self._first:
                batch = await self._from_raw_copy(until)
            else:
                batch = await self._from_log(until)
            if batch:
                return batch
        return []

    async def _from_raw_copy(self, until: int) -> list[Delivered]:
        end = min(until, self._first - 1)
        rows = await self._connection.fetch(self._read_raw, self.position + 1, end, BATCH)
        self.position = rows[-1]["sequence"] if len(rows) == BATCH else end
        return [Delivered(**dict(row)) for row in rows]

    async def _from_log(self, until: int) -> list[Delivered]:
        """Some of what the log has; empty when it had to look elsewhere, or has no more."""
        if not self._ahead:
            self._ahead = await self._arrived()
            if not self._ahead:
                await self._skip_what_is_gone(until)
                return []
        if self._has_gap(self._ahead) and await self._look():
            return []
        batch = [message for message in self._ahead if message.sequence <= until]
        self._ahead = self._ahead[len(batch) :]
        self.position = until if self._ahead else batch[-1].sequence
        return batch

    async def _arrived(self) -> list[Delivered]:
        try:
            if self._log is None:
                log = OrderedLog(
                    self._client, self._requests, start=self.position + 1, name="rebuild"
                )
                self._log = await log.__aenter__()
            arrived = await self._log.batch(BATCH, wait_s=_PATIENCE_S)
        except Interrupted:
            self._interruptions += 1
            if self._interruptions > _MOST_INTERRUPTIONS:
                raise
            await self._close()
            return []
        if arrived:
            self._interruptions = 0
        return arrived

    async def _skip_what_is_gone(self, until: int) -> None:
        """Nothing came: either it is slow, or the log has nothing left up to ``until``."""
        if await self._look():
            return
        try:
            message = await self._client.jetstream().get_msg(
                STREAM, self.position + 1, subject=ALL_EVENTS, next=True
            )
        except NotFoundError:
            self.position = until
            return
        if message.seq is None or message.seq > until:
            self.position = until

    async def _look(self) -> bool:
        """Look where the log begins; whether it now begins after what comes next."""
        self._first = (await LogReader(self._requests).state()).first_sequence
        if self.position + 1 >= self._first:
            return False
        await self._close()
        return True

    def _has_gap(self, messages: Sequence[Delivered]) -> bool:
        """Whether sequences are missing: erased, or aged out of the log while it was read."""
        return messages[-1].sequence - self.position != len(messages)

    async def _close(self) -> None:
        log, self._log = self._log, None
        self._ahead = []
        if log is not None:
            await log.__aexit__(None, None, None)
