"""A gateway on a real socket in this process, and clients that listen to it as browsers do."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect

from darkroom.stack.ports import free_port
from gateway.app import create_app
from gateway.parts import Parts
from gateway.serving import server_config
from gateway.settings import Settings
from integration.gateway.house import ANN, KEYS, House
from servers import eventually

PATIENCE_S = 30.0
READY = "ready"


class _Server(uvicorn.Server):
    """Leaves this process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Told:
    """One message of a stream."""

    event: str
    data: Any
    id: int | None = None

    @property
    def task(self) -> tuple[str, str, int]:
        """A task in short: its id, stage and sequence."""
        return self.data["task_id"], self.data["stage"], self.data["sequence"]


@dataclass
class Stream:
    """An event stream as a client reads it; ``last_id`` is what it would resume from."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    last_id: int | None = None
    retry_ms: int | None = None
    comments: list[str] = field(default_factory=list)
    _lines: bytes = b""

    async def body(self) -> Any:
        """The whole of an answer that is no stream."""
        length = int(self.headers.get("content-length", 0))
        return json.loads(await asyncio.wait_for(self.reader.readexactly(length), PATIENCE_S))

    async def next(self, *events: str, within_s: float = PATIENCE_S) -> Told:
        """The next message (of these kinds). Raises `EOFError` at the end of the stream."""
        async with asyncio.timeout(within_s):
            while True:
                told = self._block((await self._read_block()).decode())
                if told is None or (told.event == READY and READY not in events):
                    continue
                if not events or told.event in events:
                    return told

    async def some(self, number: int, *events: str) -> list[Told]:
        return [await self.next(*events) for _ in range(number)]

    async def ready(self) -> list[Told]:
        """What is told until everything before now was: then comes an id alone."""
        told: list[Told] = []
        while not told or told[-1].event != READY:
            told.append(await self.next(READY, "task", "erased", "reset", "error"))
        return told[:-1]

    async def rest(self, within_s: float = PATIENCE_S) -> list[Told]:
        """Everything until the end of the stream."""
        told = []
        with contextlib.suppress(EOFError):
            while True:
                told.append(await self.next(within_s=within_s))
        return told

    async def silent(self) -> bool:
        """Whether nothing has come that was not read yet."""
        await asyncio.sleep(0)
        return not self.reader._buffer  # type: ignore[attr-defined] # noqa: SLF001

    def close(self) -> None:
        self.writer.transport.abort()

    async def _read_block(self) -> bytes:
        while b"\n\n" not in self._lines:
            size = int((await self.reader.readuntil(b"\r\n")).strip(), 16)
            chunk = await self.reader.readexactly(size + 2)
            if not size:
                raise EOFError
            self._lines += chunk[:-2]
        block, _, self._lines = self._lines.partition(b"\n\n")
        return block

    def _block(self, text: str) -> Told | None:
        event, data, sequence = "message", "", None
        for line in text.split("\n"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "":
                    self.comments.append(value)
                case "id":
                    sequence = self.last_id = int(value)
                case "event":
                    event = value
                case "data":
                    data = value
                case "retry":
                    self.retry_ms = int(value)
        if not data:
            return None if sequence is None else Told(READY, None, sequence)
        return Told(event, json.loads(data), sequence)


@dataclass
class Listening:
    """The gateway, and how to listen to it; as Ann, unless told otherwise."""

    port: int
    parts: Parts
    app: FastAPI
    stack: AsyncExitStack
    server: uvicorn.Server

    async def stream(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None
    ) -> Stream:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        told = ANN if headers is None else headers
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in told.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        stream = Stream(reader, writer)
        self.stack.callback(stream.close)
        async with asyncio.timeout(PATIENCE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        stream.status = int(head[0].split()[1])
        for line in filter(None, head[1:]):
            name, _, value = line.partition(":")
            stream.headers[name.lower()] = value.strip()
        return stream

    async def events(self, query: str = "", after: int | None = None) -> Stream:
        """``GET /events``; ``after`` as a browser says it."""
        headers = ANN if after is None else ANN | {"Last-Event-ID": str(after)}
        stream = await self.stream(f"/events{query}", headers=headers)
        assert stream.status == 200
        return stream

    async def task(self, task_id: str, after: int | None = None) -> Stream:
        headers = ANN | {"Accept": "text/event-stream"}
        if after is not None:
            headers |= {"Last-Event-ID": str(after)}
        return await self.stream(f"/tasks/{task_id}/events", headers=headers)

    async def socket(
        self, query: str = "", headers: dict[str, str] | None = None, **options: Any
    ) -> ClientConnection:
        told = ANN if headers is None else headers
        connection = await connect(
            f"ws://127.0.0.1:{self.port}/ws{query}", additional_headers=told, **options
        )
        self.stack.push_async_callback(connection.close)
        return connection

    async def is_quiet(self) -> bool:
        """Nobody follows anything any more."""
        streams = self.parts.streams
        return not streams._open and not list(streams.feed.followers)  # noqa: SLF001


@asynccontextmanager
async def listening(house: House, **settings: Any) -> AsyncIterator[Listening]:
    """A gateway with settings of its own on the house's log."""
    told: dict[str, Any] = {
        "nats_url": house.nats_url,
        "auth": "keys",
        "api_keys": KEYS,
        "data_dir": house.directory,
        "port": free_port(),
    } | settings
    app = create_app(Settings(**told))
    server = _Server(server_config(app, Settings(**told)))
    parts: Parts = app.state.parts
    async with AsyncExitStack() as stack:
        running = asyncio.create_task(server.serve())
        try:
            await eventually(lambda: server.started)
            await asyncio.wait_for(parts.bus.connected.wait(), PATIENCE_S)
            yield Listening(told["port"], parts, app, stack, server)
        finally:
            await stack.aclose()
            parts.streams.stop()
            server.should_exit = True
            await asyncio.wait_for(running, PATIENCE_S)


async def frame(connection: ClientConnection, *events: str) -> Told:
    """The next frame (of these kinds)."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            told = json.loads(await connection.recv())
            assert told.keys() == {"id", "event", "data"}
            if not events or told["event"] in events:
                return Told(told["event"], told["data"], told["id"])
