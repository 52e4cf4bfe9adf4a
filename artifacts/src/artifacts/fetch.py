"""Download a reference picture from a URL a user gave, without being led inside.

Redirects are followed by hand, each checked anew (`artifacts.public_transport`). No proxy, no
cookies, no credentials, no connection used twice.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final, Self

import httpx2

from artifacts.intake import MAX_BYTES, MAX_PIXELS, Inspected, inspect_async
from artifacts.public_transport import PublicTransport
from artifacts.public_url import (
    Refused,
    check_public_url,
    is_public_address,
    parse_http_url,
    unreachable,
)
from artifacts.resolving import Allowed, Resolver, system_resolver

__all__ = ["Fetched", "Fetcher", "Refused"]

MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CONNECT_TIMEOUT_S: Final = 5.0
_HEADERS: Final = {
    "Accept": "image/png,image/jpeg,image/webp,video/mp4,video/webm,*/*;q=0.1",
    # Compressed answers could swell past the cap within one chunk.
    "Accept-Encoding": "identity",
    "User-Agent": "darkroom",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A downloaded reference and what it proved to be."""

    content: bytes
    inspected: Inspected


class Fetcher:
    """Downloads within limits: `max_bytes` of content, `timeout_s` for all hops together."""

    def __init__(
        self,
        *,
        resolver: Resolver = system_resolver,
        allow: Allowed = is_public_address,
        max_bytes: int = MAX_BYTES,
        max_pixels: int = MAX_PIXELS,
        timeout_s: float = 30.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._timeout_s = timeout_s
        # The bare transport: a client would add cookies and redirects of its own.
        self._transport = PublicTransport(
            tls=tls or httpx2.create_ssl_context(),
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=0),
            resolver=resolver,
            allow=allow,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End what is still open."""
        await self._transport.aclose()

    async def fetch(self, url: str) -> Fetched:
        """The picture or video behind a public URL.

        `Refused` when it can't or won't be had, `Unusable` when what came is no picture.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                content = await self._follow(url)
        except TimeoutError as error:
            why = f"it did not send the file within {self._timeout_s:g} s"
            raise unreachable(_host(url), why) from error
        inspected = await inspect_async(
            content, max_bytes=self._max_bytes, max_pixels=self._max_pixels
        )
        return Fetched(content, inspected)

    async def _follow(self, url: str) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            check_public_url(url)
            response = await self._open(parse_http_url(url))
            try:
                if response.status_code not in _REDIRECTS:
                    return await self._read(response, _host(url))
                url = _next_hop(url, response.headers.get("Location"))
            except httpx2.TransportError as error:
                raise unreachable(_host(url), "the connection broke") from error
            finally:
                await response.aclose()
        raise unreachable(_host(url), f"it redirects more than {MAX_REDIRECTS} times")

    async def _open(self, url: httpx2.URL) -> httpx2.Response:
        host = url.raw_host.decode()
        request = httpx2.Request(
            "GET",
            url,
            headers=_HEADERS,
            extensions={
                # As the certificate has it.
                "sni_hostname": host.rstrip("."),
                "timeout": httpx2.Timeout(self._timeout_s, connect=_CONNECT_TIMEOUT_S).as_dict(),
            },
        )
        try:
            return await self._transport.handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise unreachable(host, "it can't be connected to") from error
        except httpx2.TransportError as error:
            raise unreachable(host, "the connection broke") from error

    async def _read(self, response: httpx2.Response, host: str) -> bytes:
        if response.status_code != 200:
            raise unreachable(host, f"it answered {response.status_code}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise unreachable(host, "it sent the file compressed")
        if int(response.headers.get("Content-Length", 0)) > self._max_bytes:
            raise self._too_large(host)
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > self._max_bytes:
                raise self._too_large(host)
        return bytes(content)

    def _too_large(self, host: str) -> Refused:
        return Refused(
            "reference_too_large",
            f"The file at {host!r} has more than the {self._max_bytes / 1_048_576:g} MiB allowed. "
            "Give a smaller one.",
        )


def _next_hop(url: str, location: str | None) -> str:
    try:
        return str(httpx2.URL(url).join(location or ""))
    except httpx2.InvalidURL as error:
        raise unreachable(_host(url), "it redirects to nowhere") from error


def _host(url: str) -> str:
    # As it is sent: what only looks like an international name has no other form.
    return parse_http_url(url).raw_host.decode()
