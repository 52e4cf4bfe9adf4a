"""The load: a small HTTP/1.1 client of our own, so that what is measured is the server.

Run as a process of its own, ``python -m measuring.client ORDER``; prints what it saw as JSON. Every
connection is kept open and asks for the next thing when the last one is answered.
"""

from __future__ import annotations

import asyncio
import collections
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any, Protocol, cast

import uvloop

_GIVE_UP_S = 120.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to do: ``kind`` names the script of `SCRIPTS`.

    ``seconds`` of load, or ``count`` requests or tasks, whichever ends first.
    """

    kind: str
    port: int
    connections: int = 64
    seconds: float = 10.0
    count: int = 10**9
    body: str = ""
    paths: list[str] = field(default_factory=list)
    pause_s: float = 0.0
    keep: int = 0
    """How many answered bodies to report."""


class Script(Protocol):
    """What one connection says."""

    def begin(self) -> bytes | None:
        """The next thing's first request; None when there is nothing more to do."""
        ...

    def answered(self, status: int, body: bytes) -> bytes | None:
        """The same thing's next request; None when it is done."""
        ...


class Load:
    """What all connections share."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.left = order.count
        self.began = time.perf_counter()
        self.ended = self.began
        self.latencies: list[float] = []
        self.readable: list[float] = []
        self.statuses: collections.Counter[str] = collections.Counter()
        self.kept: list[str] = []
        self._paths: Iterator[str] = cycle(order.paths)

    def takes_more(self) -> bool:
        """Whether there is another request to make; counts it."""
        if self.left <= 0 or time.perf_counter() - self.began >= self.order.seconds:
            return False
        self.left -= 1
        return True

    def next_path(self) -> str:
        return next(self._paths)

    def count(self, began: float, what: str, body: bytes = b"") -> None:
        """Something was finished."""
        self.ended = now = time.perf_counter()
        self.latencies.append(now - began)
        self.statuses[what] += 1
        if len(self.kept) < self.order.keep:
            self.kept.append(body.decode())

    def report(self) -> dict[str, Any]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "count": len(self.latencies),
            "seconds": self.ended - self.began,
            "statuses": dict(self.statuses),
            "latency_ms": percentiles(self.latencies),
            "readable_ms": percentiles(self.readable),
            "client_cpu_s": usage.ru_utime + usage.ru_stime,
            "kept": self.kept,
        }


def percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    if not ordered:
        return {}
    names = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    last = len(ordered) - 1
    return {name: ordered[min(last, int(last * at + 0.5))] * 1e3 for name, at in names.items()}


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n".encode()


def post(path: str, body: str, extra: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n{extra}"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()


class Repeat:
    """The same POST again and again, or one GET after another."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._post = post("/tasks", load.order.body) if load.order.body else None
        self._began = 0.0

    def begin(self) -> bytes | None:
        if not self._load.takes_more():
            return None
        self._began = time.perf_counter()
        return self._post or get(self._load.next_path())

    def answered(self, status: int, body: bytes) -> bytes | None:
        self._load.count(self._began, str(status), body)
        return None


class Task:
    """A task after the other: submitted, followed to its end, and the last one read by GET.

    ``Prefer: wait``, or (``waits`` false) a plain submit and then long polls.
    """

    def __init__(self, load: Load, *, waits: bool, reads_each: bool = False) -> None:
        self._load = load
        self._submit = post("/tasks", load.order.body, "prefer: wait=10\r\n" if waits else "")
        self._reads_each = reads_each
        self._began = 0.0
        self._path = ""
        self._reading = False

    def begin(self) -> bytes | None:
        if not self._load.takes_more():
            # What ended last must be readable by anybody before the time is taken.
            return self._read() if self._path and not self._reading else None
        self._began = time.perf_counter()
        self._reading = False
        return self._submit

    def answered(self, status: int, body: bytes) -> bytes | None:
        ended = b'"status":"completed"' in body
        if self._reading:
            if not ended:
                return get(self._path)
            self._load.ended = time.perf_counter()
            self._load.readable.append(self._load.ended - self._began)
            return None
        if status not in (200, 202):
            self._load.count(self._began, str(status), body)
            return None
        self._path = f"/tasks/{text_of(body, b'task_id')}"
        if not ended:
            return get(f"{self._path}?wait=10&after={number_of(body, b'sequence')}")
        self._load.count(self._began, "completed", body)
        return self._read() if self._reads_each else None

    def _read(self) -> bytes:
        self._reading = True
        return get(self._path)


def text_of(body: bytes, name: bytes) -> str:
    start = body.index(b'"' + name + b'":"') + len(name) + 4
    return body[start : body.index(b'"', start)].decode()


def number_of(body: bytes, name: bytes) -> int:
    start = body.index(b'"' + name + b'":') + len(name) + 3
    end = start
    while body[end : end + 1].isdigit():
        end += 1
    return int(body[start:end])


SCRIPTS: dict[str, Callable[[Load], Script]] = {
    "repeat": Repeat,
    "wait": lambda load: Task(load, waits=True),
    "poll": lambda load: Task(load, waits=False),
    "wait-and-read": lambda load: Task(load, waits=True, reads_each=True),
}


class Connection(asyncio.Protocol):
    """Sends what its script says and hands it the answers."""

    def __init__(self, script: Script, pause_s: float) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._script = script
        self._pause_s = pause_s
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def begin(self) -> None:
        self._say(self._script.begin())

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, rest = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        length = _length(head)
        if len(rest) < length:
            return
        self._received = rest[length:]
        said = self._script.answered(int(head[9:12]), rest[:length])
        if said is not None:
            self._say(said)
        elif self._pause_s:
            asyncio.get_running_loop().call_later(self._pause_s, self.begin)
        else:
            self.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server hung up"))

    def _say(self, request: bytes | None) -> None:
        assert self._transport is not None
        if request is not None:
            self._transport.write(request)
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()


def _length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.find(b"content-length:")
    if start < 0:
        return 0
    end = lowered.find(b"\r\n", start)
    return int(lowered[start + 15 : len(lowered) if end < 0 else end])


async def run(order: Order) -> dict[str, Any]:
    """Carry out an order; raises when the server hangs up or falls silent."""
    loop = asyncio.get_running_loop()
    load = Load(order)
    connections = []
    for _ in range(order.connections):
        _, connection = await loop.create_connection(
            lambda: Connection(SCRIPTS[order.kind](load), order.pause_s), "127.0.0.1", order.port
        )
        connections.append(connection)
    load.began = time.perf_counter()
    for connection in connections:
        connection.begin()
    async with asyncio.timeout(order.seconds + _GIVE_UP_S):
        await asyncio.gather(*(connection.done for connection in connections))
    return load.report()


def encoded(order: Order) -> str:
    return json.dumps(asdict(order))


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(Order(**json.loads(sys.stdin.read()))))))
