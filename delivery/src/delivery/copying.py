"""Messages copied onto a stream in order, none left out and none twice, many in flight at once.

Where a copy stands is told by the last message of its stream alone, so whoever died goes on there.
Each publish says which sequence it must get: what was lost on the way lets nothing after it in,
and of two who copy at once only one gets on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import orjson
from nats.aio.client import Client

from contracts.messages import Message
from contracts.subjects import ORIGINAL_ID, ORIGINAL_LOGTIME, ORIGINAL_SEQUENCE
from delivery.incoming import Incoming, leave, listen
from delivery.log import LogUnavailable, write_time
from delivery.publisher import LOG_FULL, WRONG_LAST_SEQUENCE

_IN_FLIGHT = 2000
_TOGETHER = 100
_PATIENCE_S = 10.0
_MOST_RESTARTS = 5


Source = Callable[[int], AsyncGenerator[Sequence[Message], None]]
"""All messages after a sequence, in order, in batches."""


class NoRoom(Exception):
    """The stream has reached its limits."""


class Contended(Exception):
    """Somebody else publishes onto the stream."""


class Refused(Exception):
    """The broker won't take a message; the text says why."""


@dataclass(frozen=True, slots=True)
class Position:
    """The last sequence of a copy, and the sequence that this message had where it came from."""

    last: int
    original: int


async def position(client: Client, stream: str) -> Position:
    """Where a copy stands; ``original`` is 0 where nothing was copied yet."""
    js = client.jetstream()
    state = (await js.stream_info(stream)).state
    if state.messages == 0:
        return Position(state.last_seq, 0)
    message = await js.get_msg(stream, state.last_seq)
    return Position(state.last_seq, int((message.headers or {}).get(ORIGINAL_SEQUENCE, 0)))


async def copy(
    client: Client,
    stream: str,
    source: Source,
    subject_of: Callable[[str], str],
    tell: Callable[[int], None],
) -> int:
    """Copy all that ``source`` has and the stream lacks; how many messages that was.

    ``tell`` hears of each original sequence that is on disk. Raises `NoRoom`, `Contended`,
    `Refused`, `delivery.log.LogUnavailable`, and what the source raises; the same call goes on.
    """
    repeated: set[int] = set()
    copied = restarts = 0
    while True:
        begin = await position(client, stream)
        flight = _Flight(client, stream, subject_of, begin.last, repeated, tell)
        try:
            async with flight, aclosing(source(begin.original)) as batches:
                async for batch in batches:
                    await flight.send(batch)
                await flight.landed()
            return copied + flight.stored
        except _Disordered:
            copied += flight.stored
            if flight.repeats is not None:
                # The source has that event twice: its id must not hide the second.
                repeated.add(flight.repeats)
                continue
            restarts = 1 if flight.stored else restarts + 1
            if restarts >= _MOST_RESTARTS:
                raise Contended(stream) from None


class _Disordered(Exception):
    """What was sent after a certain message was not let in."""


class _Flight:
    """Publishes whose acknowledgements are outstanding, in the order of both."""

    def __init__(
        self,
        client: Client,
        stream: str,
        subject_of: Callable[[str], str],
        last: int,
        repeated: set[int],
        tell: Callable[[int], None],
    ) -> None:
        self.stored = 0
        self.repeats: int | None = None
        self._client = client
        self._stream = stream
        self._subject_of = subject_of
        self._last = last
        self._repeated = repeated
        self._tell = tell
        self._inbox = client.new_inbox()
        self._flying: deque[int] = deque()
        self._trouble: Exception | None = None
        self._moved = asyncio.Event()

    async def __aenter__(self) -> _Flight:
        self._subscription = await listen(self._client, self._inbox, self._on_ack)
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._client.is_closed:
            await leave(self._subscription, self._client)

    async def send(self, batch: Sequence[Message]) -> None:
        for start in range(0, len(batch), _TOGETHER):
            if len(self._flying) > _IN_FLIGHT - _TOGETHER:
                await self._until(_IN_FLIGHT // 2)
            if self._trouble is not None:
                await self.landed()
            together = batch[start : start + _TOGETHER]
            self._flying.extend(message.sequence for message in together)
            commands = b"".join(map(self._command, together))
            # nats-py's own publish takes three times as long: it checks and writes each header.
            await self._client._send_command(commands)  # noqa: SLF001
            await self._client._flush_pending()  # noqa: SLF001

    async def landed(self) -> None:
        """Wait until nothing is outstanding, and raise what went wrong."""
        await self._until(0)
        if self._trouble is not None:
            raise self._trouble

    async def _until(self, flying: int) -> None:
        while len(self._flying) > flying:
            self._moved.clear()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._moved.wait()
            except TimeoutError:
                raise LogUnavailable("no acknowledgement") from None

    def _command(self, message: Message) -> bytes:
        """One publish, as on the wire."""
        copied = ""
        if message.event_id:
            name = ORIGINAL_ID if message.sequence in self._repeated else "Nats-Msg-Id"
            copied = f"{name}: {message.event_id}\r\n"
        head = (
            f"NATS/1.0\r\n{copied}"
            f"Nats-Expected-Last-Sequence: {self._last}\r\n"
            f"{ORIGINAL_SEQUENCE}: {message.sequence}\r\n"
            f"{ORIGINAL_LOGTIME}: {write_time(message.logtime)}\r\n"
            "Content-Type: application/cloudevents+json\r\n\r\n"
        ).encode()
        self._last += 1
        subject, size = self._subject_of(message.subject), len(head) + len(message.payload)
        line = f"HPUB {subject} {self._inbox} {len(head)} {size}\r\n".encode()
        return b"%b%b%b\r\n" % (line, head, message.payload)

    def _on_ack(self, message: Incoming) -> None:
        original = self._flying.popleft()
        self._moved.set()
        data = message.data
        if data and b'"error"' not in data and b'"duplicate"' not in data:
            if self._trouble is None:
                self.stored += 1
                self._tell(original)
        elif self._trouble is None:
            self._trouble = self._found(data, original)

    def _found(self, data: bytes, original: int) -> Exception:
        if not data:
            return LogUnavailable("no stream takes it")
        error = orjson.loads(data).get("error")
        if error is None:
            self.repeats = original
            return _Disordered()
        code = error.get("err_code", 0)
        if code in WRONG_LAST_SEQUENCE:
            return _Disordered()
        if code in LOG_FULL:
            return NoRoom(self._stream)
        return Refused(error.get("description", str(code)))
