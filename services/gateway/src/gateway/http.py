"""HTTP as it is spoken on the socket: uvicorn's, with a bound, and problems for what is no HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.problems import problem_response
from gateway.refusals import Refusal

ABORT = "darkroom.abort"
"""The ASGI extension: a function that ends the connection at once, with what is unsent."""
MAX_HEAD_BYTES = 64 * 1024
_MOST_TRAILERS = 1000


class HttpProtocol(HttpToolsProtocol):
    """A connection. What comes before a body is kept in memory, and has no bound in the parser."""

    _in_head = False
    _head_bytes = 0

    @property
    def _root_url(self) -> str:
        app: Any = self.config.app
        root_url: str = app.state.parts.settings.root_url
        return root_url

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(
                    Refusal(
                        "headers_too_large",
                        f"The request line and headers have more than {MAX_HEAD_BYTES} bytes.",
                    )
                )
        elif self.headers is not None and len(self.headers) > _MOST_TRAILERS:
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # uvicorn itself closes a connection only after the client has taken everything.
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {ABORT: self.transport.abort}
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(Refusal("invalid_http", f"{msg} Use a client that speaks HTTP/1.1."))

    def _refuse(self, refusal: Refusal) -> None:
        if self.transport.is_closing():
            return
        response = problem_response(refusal, self._root_url)
        lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}".encode()]
        lines += [b": ".join(header) for header in response.raw_headers]
        head = b"\r\n".join([*lines, b"connection: close", b"", b""])
        self.transport.write(head + bytes(response.body))
        self.transport.close()
