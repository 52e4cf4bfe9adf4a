"""A span for each request, by the template of its route: never its query, which may hold a key."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.admission import usable_traceparent
from telemetry.tracing import Kind, describe, span

_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
_FAULT = 500


class TraceRequests:
    """ASGI middleware, by OpenTelemetry's conventions for HTTP server spans.

    A request that brings a ``traceparent`` belongs to that trace.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        parent = usable_traceparent(Headers(scope=scope).get("traceparent"))

        async def described(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", None)
                status = message["status"]
                describe(
                    f"{method} {route}" if route else method,
                    {
                        "http.response.status_code": status,
                        **({"http.route": route} if route else {}),
                        **({"error.type": str(status)} if status >= _FAULT else {}),
                    },
                    failed=status >= _FAULT,
                )
            await send(message)

        about = {"http.request.method": method, "url.scheme": scope["scheme"]}
        with span(method, Kind.SERVER, parent, attributes=about):
            await self._app(scope, receive, described)
