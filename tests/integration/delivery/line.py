"""A line to a server that a test may hold, make deaf, or cut: a TCP proxy in the test's process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_CHUNK = 64 * 1024


class Line:
    """Passes bytes both ways, until told otherwise."""

    def __init__(self, server_url: str) -> None:
        address = urlsplit(server_url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 4222
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._deaf = False
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""

    def hold(self) -> None:
        """Nothing passes any more, as if the server were stopped; nothing is lost either."""
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    def deafen(self) -> None:
        """What the server says is lost from now on; it still hears. `cut` ends it."""
        self._deaf = True

    def cut(self) -> None:
        """End all connections; new ones may be made."""
        self._deaf = False
        for writer in self._writers:
            writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        try:
            upstream, to_server = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, to_server}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, to_server, may_be_deaf=False))
                both.create_task(self._pass(upstream, writer, may_be_deaf=True))
        finally:
            self._writers -= {writer, to_server}

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, may_be_deaf: bool
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                await self._flowing.wait()
                if not (may_be_deaf and self._deaf):
                    writer.write(chunk)
                    await writer.drain()
        writer.close()


@asynccontextmanager
async def line_to(server_url: str) -> AsyncIterator[Line]:
    line = Line(server_url)
    server = await asyncio.start_server(line.answer, "127.0.0.1", 0)
    line.url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        line.release()
        server.close()
        line.cut()
        await server.wait_closed()
