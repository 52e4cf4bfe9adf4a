"""The followers: thousands of event streams in a process of its own.

``python -m measuring.listening``; reads an order, says ``open`` when every stream was told a task,
and after another, with the number of messages to come, what it saw, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, cast

import uvloop

from measuring.client import percentiles

_OPENING = 100
_LOOK_S = 0.05
_GIVE_UP_S = 60.0
_UPDATED = b'"updated_at":"'
_EVENT = b"event: task\n"


@dataclass(frozen=True, slots=True)
class Following:
    """Which streams to open."""

    port: int
    paths: list[str] = field(default_factory=list)


class Stream(asyncio.Protocol):
    """Measures how old what it is told is, unless that is older than the stream."""

    def __init__(self, path: str, delays_s: list[float]) -> None:
        self.told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._began = time.time()
        self._path = path
        self._delays_s = delays_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        head = f"GET {self._path} HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream"
        cast("asyncio.Transport", transport).write(f"{head}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        now = time.time()
        at = data.find(_EVENT)
        while at >= 0:
            start = data.index(_UPDATED, at) + len(_UPDATED)
            text = data[start : data.index(b'"', start)].decode()
            moment = datetime.fromisoformat(text).timestamp()
            if moment > self._began:
                self._delays_s.append(now - moment)
            if not self.told.done():
                self.told.set_result(None)
            at = data.find(_EVENT, at + 1)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.told.done():
            self.told.set_exception(exc or ConnectionResetError("the server hung up"))


async def run(order: Following) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    delays_s: list[float] = []
    streams: list[Stream] = []
    for start in range(0, len(order.paths), _OPENING):
        opened = await asyncio.gather(
            *(
                loop.create_connection(partial(Stream, path, delays_s), "127.0.0.1", order.port)
                for path in order.paths[start : start + _OPENING]
            )
        )
        batch = [stream for _, stream in opened]
        await asyncio.gather(*(stream.told for stream in batch))
        streams += batch
    print("open", flush=True)
    expected = int(await asyncio.to_thread(sys.stdin.readline))
    deadline = time.monotonic() + _GIVE_UP_S
    while len(delays_s) < expected and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)
    return {
        "streams": len(streams),
        "messages": len(delays_s),
        "delay_ms": percentiles(delays_s),
    }


def encoded(order: Following) -> str:
    return json.dumps(asdict(order))


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(Following(**json.loads(sys.stdin.readline()))))))
