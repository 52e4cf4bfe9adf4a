"""How the application is served: uvicorn, with a way to cut a connection that nobody reads."""

from __future__ import annotations

import logging
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import Scope
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from gateway.http import ABORT, HttpProtocol
from gateway.settings import Settings

GRACE_S = 8
KEEP_ALIVE_S = 75
MAX_FRAME_BYTES = 64 * 1024
_PING_S = 15.0
_PONG_S = 20.0


class SocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket that can be cut, as `HttpProtocol` can."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        # The application runs only after this.
        scope: dict[str, Any] = getattr(self, "scope", {})
        scope.get("extensions", {})[ABORT] = self.transport.abort


def abort_of(scope: Scope) -> Any:
    """What cuts the connection of this request; None under another server."""
    return scope.get("extensions", {}).get(ABORT)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """What the gateway runs with."""
    logging.getLogger("uvicorn.error").addFilter(_tells_no_secret)
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=HttpProtocol,
        ws=SocketProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PONG_S,
        # Its buffers take more memory than everything else of a connection.
        ws_per_message_deflate=False,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        lifespan="on",
    )


def _tells_no_secret(record: logging.LogRecord) -> bool:
    """Below a warning, what speaks of WebSockets tells addresses and headers, tokens included."""
    return record.levelno >= logging.WARNING or "websockets" not in record.pathname
