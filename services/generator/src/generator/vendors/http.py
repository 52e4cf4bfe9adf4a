"""Calls to a service over HTTP, and what its answers mean to a task.

The difference that costs money is made here, once: whether a submit that failed can have been
taken. Neither a header nor a query ever stands in an error or a log line: they hold secrets.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from math import isfinite
from typing import Any

import httpx2
from PIL import Image

from artifacts.public_transport import PublicTransport
from artifacts.public_url import Refused
from artifacts.resolving import Resolver, system_resolver
from generator.provider import Busy, Output, Rejected, Unavailable

MAX_RESULT_BYTES = 256 * 1024 * 1024
"""A result that is larger is refused: results are held in memory until they are stored."""
_LONGEST_TOLD = 500
_DOWNLOAD_TRIES = 3
_DOWNLOAD_PAUSE_S = 0.5
_LINK_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20)
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_MEASURED_AT_ONCE = 1024 * 1024
"""Bytes: what is larger is looked into in a thread."""
_NO_PICTURE = (
    OSError,
    ValueError,
    SyntaxError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_ELSEWHERE = frozenset({301, 307, 308})
_NOT_TAKEN = frozenset({*_ELSEWHERE, 425, 503, 521, 523, 525, 526})
"""Answers to a submit of which the service itself can't have heard, beside the plain refusals."""
_OUR_ACCOUNT = frozenset({401, 402, 403})

Words = Callable[[httpx2.Response], str | None]
"""The service's own words for an answer that is an error; None where it has none."""


class Unanswered(Exception):
    """A submit was sent, and whether the service took it isn't known."""


class Service:
    """One service, by the name that users are told. ``words`` reads its errors."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: httpx2.Auth | None = None,
        timeout_s: float = 30.0,
        words: Words | None = None,
        resolver: Resolver = system_resolver,
    ) -> None:
        self.name = name
        tls = httpx2.create_ssl_context()
        self.client = httpx2.AsyncClient(
            base_url=base_url,
            headers=dict(headers or {}),
            auth=auth,
            verify=tls,
            timeout=httpx2.Timeout(timeout_s, connect=10.0),
            limits=httpx2.Limits(max_connections=200, max_keepalive_connections=20),
        )
        # Result links point to anywhere: none of our headers go with them.
        self._links = httpx2.AsyncClient(
            transport=_ResultLinks(name, self.client.base_url, tls, resolver),
            follow_redirects=True,
            timeout=httpx2.Timeout(60.0, connect=10.0),
        )
        self._words = words or (lambda response: None)

    async def ask(self, method: str, path: str, **sent: Any) -> httpx2.Response:
        """A call that may be repeated at will. Raises `Rejected`, `Busy` or `Unavailable`."""
        try:
            response = await self.client.request(method, path, **sent)
        except httpx2.HTTPError as fault:
            raise Unavailable(f"{self.name} can't be reached ({_kind(fault)}).") from None
        self.check(response)
        return response

    async def submit(self, method: str, path: str, **sent: Any) -> httpx2.Response:
        """A call that may cost money. Raises as `ask` when it was certainly not taken.

        `Unanswered` when it may have been.
        """
        try:
            response = await self.client.request(method, path, **sent)
        except _NOT_SENT as fault:
            raise Unavailable(f"{self.name} can't be reached ({_kind(fault)}).") from None
        except httpx2.HTTPError as fault:
            raise Unanswered(f"{self.name} did not answer ({_kind(fault)})") from None
        self.check_submit(response)
        return response

    def check_submit(self, response: httpx2.Response) -> None:
        """As `check`, of a call that may cost money; `Unanswered` when it may have been taken."""
        status = response.status_code
        if status not in _NOT_TAKEN and (_is_redirect(status) or _is_transient(status)):
            raise Unanswered(f"{self.name} answered {status} to a submit")
        self.check(response)

    def check(self, response: httpx2.Response) -> None:
        """Raises what an answer means that is an error; ``params`` of a refusal has its status."""
        status = response.status_code
        if status < 300:
            return
        if _is_redirect(status):
            raise Unavailable(f"{self.name} answered with a redirect ({status}): is its URL right?")
        told = self.told(response)
        if status == 429:
            raise Busy(
                f"{self.name} takes no more at present.", retry_after_s=retry_after(response)
            )
        if _is_transient(status):
            raise Unavailable(
                f"{self.name} failed ({status}).", retry_after_s=retry_after(response)
            )
        if status in _OUR_ACCOUNT:
            raise Rejected(
                f"{self.name} does not accept the account of this deployment ({status})."
                f"{told} The operator has to look at its key and credit.",
                params={"status": status},
            )
        raise Rejected(
            f"{self.name} refused this task ({status}).{told}", params={"status": status}
        )

    def told(self, response: httpx2.Response) -> str:
        """The service's own words, to follow ours."""
        words = self._words(response)
        return f" It says: {short(words)}" if words else ""

    async def download(
        self,
        url: str,
        *,
        content_type: str | None = None,
        through: httpx2.AsyncClient | None = None,
    ) -> Output:
        """A result as it is now: links of services die. Tried a few times.

        `Rejected` where a link, or what it redirects to, is neither public nor at the service.
        ``through`` is the client to use for a file behind the service's own door.
        """
        for left in reversed(range(_DOWNLOAD_TRIES)):
            try:
                return await self._download(url, content_type, through or self._links)
            except (httpx2.HTTPError, httpx2.InvalidURL, Unavailable) as fault:
                if not left:
                    raise Unavailable(
                        f"A result can't be fetched from {self.name} ({_kind(fault)})."
                    ) from None
            await asyncio.sleep(_DOWNLOAD_PAUSE_S)
        raise AssertionError("unreachable")

    async def _download(
        self, url: str, content_type: str | None, client: httpx2.AsyncClient
    ) -> Output:
        async with client.stream("GET", url) as response:
            if response.next_request is not None:
                # Elsewhere our headers don't go.
                moved = str(response.next_request.url)
                return await self._download(moved, content_type, self._links)
            if _is_transient(response.status_code) or response.status_code == 429:
                raise Unavailable(f"answered {response.status_code}")
            if response.status_code >= 400:
                raise Rejected(
                    f"{self.name} made a result, but it is no longer there "
                    f"({response.status_code})."
                )
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_RESULT_BYTES:
                    raise Rejected(f"{self.name} made a result of over {MAX_RESULT_BYTES} bytes.")
            told = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return await measured(bytes(content), content_type or told)

    async def aclose(self) -> None:
        await self.client.aclose()
        await self._links.aclose()


class _ResultLinks(httpx2.AsyncBaseTransport):
    """Reaches what the operator configured as the service, and public hosts besides.

    A model, which a user may name, says where its results are: that must not lead inside.
    """

    def __init__(self, name: str, own: httpx2.URL, tls: ssl.SSLContext, resolver: Resolver) -> None:
        self._name = name
        self._own = _origin(own)
        self._inside = httpx2.AsyncHTTPTransport(verify=tls)
        self._outside = PublicTransport(tls=tls, limits=_LINK_LIMITS, resolver=resolver)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if _origin(request.url) == self._own:
            return await self._inside.handle_async_request(request)
        try:
            return await self._outside.handle_async_request(request)
        except Refused as refusal:
            if refusal.code == "reference_unreachable":
                raise httpx2.ConnectError(refusal.message) from None
            raise Rejected(
                f"{self._name} made a result, but its link does not lead to a public address: "
                "it is not fetched."
            ) from None

    async def aclose(self) -> None:
        await self._inside.aclose()
        await self._outside.aclose()


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def retry_after(response: httpx2.Response) -> float | None:
    """Seconds of a ``Retry-After`` header (RFC 9110, 10.2.3), which may be a date."""
    text = response.headers.get("retry-after")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if isfinite(seconds) else None
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


async def measured(content: bytes, content_type: str | None = None) -> Output:
    """A result with the size of the picture that it is. Its content says better what it is."""
    if len(content) <= _MEASURED_AT_ONCE:
        return _measured(content, content_type)
    return await asyncio.to_thread(_measured, content, content_type)


def _measured(content: bytes, content_type: str | None) -> Output:
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as picture:
            return Output(content, picture.get_format_mimetype() or "", *picture.size)
    except _NO_PICTURE:
        return Output(content, content_type or "application/octet-stream")


def _is_redirect(status: int) -> bool:
    return 300 <= status < 400


def _is_transient(status: int) -> bool:
    return status >= 500 or status in {408, 425}


def short(words: str) -> str:
    """No more of a service's words than people read."""
    plain = " ".join(words.split())
    return plain if len(plain) <= _LONGEST_TOLD else plain[: _LONGEST_TOLD - 1] + "…"


def _kind(fault: Exception) -> str:
    return type(fault).__name__
