"""Connections to the open internet alone.

A host is resolved once for a connection; every address it has must be public; the connection goes
to that very address, with the name kept for TLS and `Host`.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from typing import Final

import httpcore2
import httpx2

from artifacts.public_url import check_public_host, is_public_address
from artifacts.resolving import Allowed, Resolver, resolve_public, system_resolver

_MOST_ADDRESSES: Final = 4


class _PublicNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to the addresses that were checked, and to no others."""

    def __init__(self, resolver: Resolver, allow: Allowed) -> None:
        self._resolver = resolver
        self._allow = allow
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await resolve_public(host, resolver=self._resolver, allow=self._allow)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"{host} was not resolved in time") from error
        *others, last = addresses[:_MOST_ADDRESSES]
        for address in others:
            with contextlib.suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
        return await self._network.connect_tcp(
            str(last), port, timeout, local_address, socket_options
        )


class PublicTransport(httpx2.AsyncHTTPTransport):
    """Reaches public hosts alone; `Refused` for any other, before anything is connected to.

    A connection that is kept is known by the name of its host, and serves no other. No proxy is
    asked: it would resolve names anew.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext,
        limits: httpx2.Limits,
        resolver: Resolver = system_resolver,
        allow: Allowed = is_public_address,
    ) -> None:
        super().__init__(verify=tls, trust_env=False, limits=limits)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_PublicNetwork(resolver, allow),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme not in ("http", "https"):
            raise httpx2.UnsupportedProtocol("neither http nor https")
        check_public_host(request.url.raw_host.decode())
        return await super().handle_async_request(request)
