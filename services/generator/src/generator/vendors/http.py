"""Calls to a service over HTTP, and what its answers mean to a task.

The difference that costs money is made here, once: whether a submit that failed can have been
taken. Neither a header nor a query ever stands in an error or a log line: they hold secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from generator.provider import Busy, Output, Rejected, Unavailable

MAX_RESULT_BYTES = 256 * 1024 * 1024
"""A result that is larger is refused: results are held in memory until they are stored."""
_LONGEST_TOLD = 500
_DOWNLOAD_TRIES = 3
_DOWNLOAD_PAUSE_S = 0.5
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TRANSIENT = frozenset({408, 425, 500, 502, 503, 504})
_NOT_TAKEN = frozenset({425, 503})
_OUR_ACCOUNT = frozenset({401, 402, 403})

Words = Callable[[httpx.Response], str | None]
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
        auth: httpx.Auth | None = None,
        timeout_s: float = 30.0,
        words: Words | None = None,
    ) -> None:
        self.name = name
        self.client = httpx.AsyncClient(
            base_url=base_url,
            headers=dict(headers or {}),
            auth=auth,
            timeout=httpx.Timeout(timeout_s, connect=10.0),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=20),
        )
        # Result links point to anywhere: none of our headers go with them.
        self._links = httpx.AsyncClient(
            follow_redirects=True, timeout=httpx.Timeout(60.0, connect=10.0)
        )
        self._words = words or (lambda response: None)

    async def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """A call that may be repeated at will. Raises `Rejected`, `Busy` or `Unavailable`."""
        try:
            response = await self.client.request(method, path, **sent)
        except httpx.HTTPError as fault:
            raise Unavailable(f"{self.name} can't be reached ({_kind(fault)}).") from None
        self.check(response)
        return response

    async def submit(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """A call that may cost money. Raises as `ask` when it was certainly not taken.

        `Unanswered` when it may have been.
        """
        try:
            response = await self.client.request(method, path, **sent)
        except _NOT_SENT as fault:
            raise Unavailable(f"{self.name} can't be reached ({_kind(fault)}).") from None
        except httpx.HTTPError as fault:
            raise Unanswered(f"{self.name} did not answer ({_kind(fault)})") from None
        if response.status_code in _TRANSIENT - _NOT_TAKEN:
            raise Unanswered(f"{self.name} answered {response.status_code} to a submit")
        self.check(response)
        return response

    def check(self, response: httpx.Response) -> None:
        """Raises what an answer means that is an error."""
        status = response.status_code
        if status < 400:
            return
        told = self.told(response)
        if status == 429:
            raise Busy(
                f"{self.name} takes no more at present.", retry_after_s=retry_after(response)
            )
        if status in _TRANSIENT:
            raise Unavailable(
                f"{self.name} failed ({status}).", retry_after_s=retry_after(response)
            )
        if status in _OUR_ACCOUNT:
            raise Rejected(
                f"{self.name} does not accept the account of this deployment ({status})."
                f"{told} The operator has to look at its key and credit."
            )
        raise Rejected(f"{self.name} refused this task ({status}).{told}")

    def told(self, response: httpx.Response) -> str:
        """The service's own words, to follow ours."""
        words = self._words(response)
        return f" It says: {short(words)}" if words else ""

    async def download(
        self, url: str, *, content_type: str | None = None, through: httpx.AsyncClient | None = None
    ) -> Output:
        """A result as it is now: links of services die. Tried a few times.

        ``through`` is the client to use for a file behind the service's own door.
        """
        for left in reversed(range(_DOWNLOAD_TRIES)):
            try:
                return await self._download(url, content_type, through or self._links)
            except (httpx.HTTPError, Unavailable) as fault:
                if not left:
                    raise Unavailable(
                        f"A result can't be fetched from {self.name} ({_kind(fault)})."
                    ) from None
            await asyncio.sleep(_DOWNLOAD_PAUSE_S)
        raise AssertionError("unreachable")

    async def _download(
        self, url: str, content_type: str | None, client: httpx.AsyncClient
    ) -> Output:
        async with client.stream("GET", url) as response:
            if response.status_code in _TRANSIENT or response.status_code == 429:
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
        return Output(bytes(content), content_type or told or "application/octet-stream")

    async def aclose(self) -> None:
        await self.client.aclose()
        await self._links.aclose()


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of a ``Retry-After`` header (RFC 9110, 10.2.3), which may be a date."""
    text = response.headers.get("retry-after")
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def short(words: str) -> str:
    """No more of a service's words than people read."""
    plain = " ".join(words.split())
    return plain if len(plain) <= _LONGEST_TOLD else plain[: _LONGEST_TOLD - 1] + "…"


def _kind(fault: Exception) -> str:
    return type(fault).__name__
