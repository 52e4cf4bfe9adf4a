"""Counts every answer by route template and status."""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.metrics import RESPONSES

_UNKNOWN = "unknown"


class CountResponses:
    """ASGI middleware; an unknown address is counted as such, never by its text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                template = getattr(scope.get("route"), "path", _UNKNOWN)
                _counter(template, message["status"]).inc()
            await send(message)

        await self._app(scope, receive, counted)


@lru_cache(maxsize=1024)
def _counter(template: str, status: int) -> Counter:
    return RESPONSES.labels(template, str(status))
