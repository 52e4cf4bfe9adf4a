"""Download a reference picture from a URL a user gave, without being led inside.

Each hop's host is resolved once; every address it has must be public; the connection goes to that
very address, with the name kept for TLS and `Host`. Redirects are followed by hand, each checked
anew. No proxy, no cookies, no credentials, no connection used twice.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Self

import httpx2

from artifacts.intake import MAX_BYTES, MAX_PIXELS, Inspected, inspect_async
from artifacts.public_url import (
    Address,
    Refused,
    RefusedCode,
    check_public_url,
    is_address,
    is_public_address,
    not_public,
    parse_http_url,
)

__all__ = [
    "Fetched",
    "Fetcher",
    "Refused",
    "RefusedCode",
    "Resolver",
    "check_public_url",
    "is_public_address",
    "resolve_public",
    "system_resolver",
]

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""A host name in, its addresses as text out; `OSError` when it has none."""

Allowed = Callable[[Address], bool]

MAX_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CONNECT_TIMEOUT_S: Final = 5.0
_MOST_ADDRESSES: Final = 4
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


async def system_resolver(host: str) -> list[str]:
    """What the operating system says of a name, without repetitions, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def resolve_public(
    host: str, *, resolver: Resolver = system_resolver, allow: Allowed = is_public_address
) -> list[Address]:
    """The addresses of a host, all of them allowed; at least one.

    `Refused`: `reference_not_public` as soon as one isn't, `reference_unreachable` without any.
    """
    try:
        found = [host] if is_address(host) else await resolver(host)
        addresses = [ip_address(text) for text in found]
    except (OSError, UnicodeError):
        addresses = []
    except ValueError as error:  # an address with a zone, such as fe80::1%eth0, and other oddities
        raise not_public(host) from error
    if not addresses:
        raise _unreachable(host, "its name is not known")
    if not all(allow(address) for address in addresses):
        raise not_public(host)
    return addresses


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
        self._resolver = resolver
        self._allow = allow
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._timeout_s = timeout_s
        # The bare transport: a client would add cookies, proxies and redirects of its own. A kept
        # connection is known by its address, and one address serves many names: keep none.
        self._transport = httpx2.AsyncHTTPTransport(
            verify=tls or httpx2.create_ssl_context(),
            trust_env=False,
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=0),
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
            raise _unreachable(_host(url), why) from error
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
                raise _unreachable(_host(url), "the connection broke") from error
            finally:
                await response.aclose()
        raise _unreachable(_host(url), f"it redirects more than {MAX_REDIRECTS} times")

    async def _open(self, url: httpx2.URL) -> httpx2.Response:
        """Ask the first address that can be connected to."""
        host = url.raw_host.decode()
        addresses = await resolve_public(host, resolver=self._resolver, allow=self._allow)
        failure: httpx2.TransportError | None = None
        for address in addresses[:_MOST_ADDRESSES]:
            request = httpx2.Request(
                "GET",
                url.copy_with(host=str(address)),
                headers={"Host": url.netloc.decode(), **_HEADERS},
                extensions={
                    # The name is what the certificate must hold, not the address.
                    "sni_hostname": host.rstrip("."),
                    "timeout": httpx2.Timeout(
                        self._timeout_s, connect=_CONNECT_TIMEOUT_S
                    ).as_dict(),
                },
            )
            try:
                return await self._transport.handle_async_request(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
            except httpx2.TransportError as error:
                raise _unreachable(host, "the connection broke") from error
        raise _unreachable(host, "it can't be connected to") from failure

    async def _read(self, response: httpx2.Response, host: str) -> bytes:
        if response.status_code != 200:
            raise _unreachable(host, f"it answered {response.status_code}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise _unreachable(host, "it sent the file compressed")
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
        raise _unreachable(_host(url), "it redirects to nowhere") from error


def _host(url: str) -> str:
    # As it is sent: what only looks like an international name has no other form.
    return parse_http_url(url).raw_host.decode()


def _unreachable(host: str, why: str) -> Refused:
    return Refused(
        "reference_unreachable",
        f"The picture could not be fetched from {host[:200]!r}: {why}. "
        "Check the address, or upload the file.",
    )
