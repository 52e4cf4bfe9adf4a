"""What fakes of services share: how they are served, badly behaved on demand, and looked into.

Each is an ASGI application. A test serves it on a port of 127.0.0.1 (`served`); by itself it runs
with ``PYTHONPATH=tests python -m fakes.NAME --port N``.

    POST /_fake/knobs   sets some of `Knobs`
    GET  /_fake/calls   what was called, in order
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass
class Knobs:
    """How the fake misbehaves; counts fall by one each time. ``steps``: polls until a job ends."""

    fail: int = 0
    """So many calls fail, with ``fail_status``."""
    fail_status: int = 500
    busy: int = 0
    """So many submits are answered with 429 (or as the service says it)."""
    retry_after: str | None = None
    drop: int = 0
    """So many submits are taken, and their answer is lost."""
    moderate: int = 0
    """So many jobs end in moderation."""
    break_down: int = 0
    """So many jobs fail at the service."""
    lost: bool = False
    """The service knows none of its jobs any more."""
    latency_s: float = 0.0
    steps: int = 3

    def spend(self, name: str) -> bool:
        """Whether one of this count was left; it is used up."""
        left = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return bool(left)


@dataclass
class Fake(ABC):
    """What is the same in every fake; a fake adds its routes and its jobs."""

    knobs: Knobs = field(default_factory=Knobs)
    calls: list[dict[str, Any]] = field(default_factory=list)

    @abstractmethod
    def routes(self) -> Sequence[Route]: ...

    def app(self) -> ASGIApp:
        return Starlette(
            routes=[
                Route("/_fake/knobs", self._set, methods=["POST"]),
                Route("/_fake/calls", self._tell_calls),
                *self.routes(),
            ]
        )

    def note(self, call: str, **told: Any) -> None:
        self.calls.append({"call": call, **told})

    def count(self, call: str) -> int:
        """How often this was called."""
        return sum(each["call"] == call for each in self.calls)

    async def trouble(self) -> Response | None:
        """What this call is answered with instead, if it is to fail."""
        if self.knobs.latency_s:
            await asyncio.sleep(self.knobs.latency_s)
        if self.knobs.spend("fail"):
            return JSONResponse({"error": "broken"}, self.knobs.fail_status)
        return None

    async def _set(self, request: Request) -> Response:
        wanted = await request.json()
        names = {each.name for each in fields(self.knobs)}
        if unknown := wanted.keys() - names:
            return JSONResponse({"unknown": sorted(unknown)}, 422)
        for name, value in wanted.items():
            setattr(self.knobs, name, value)
        return JSONResponse(wanted)

    async def _tell_calls(self, _: Request) -> Response:
        return JSONResponse(self.calls)


class LostAnswer(Response):
    """The connection is cut in the middle of the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"', "more_body": True})


class _Server(uvicorn.Server):
    """Leaves this process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The application on a free port, in this event loop; its address."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    config.load()
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(30):
            while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


def main(fake: Fake) -> None:
    """Serve it until it is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    uvicorn.run(fake.app(), host="127.0.0.1", port=port, access_log=False, log_level="warning")
