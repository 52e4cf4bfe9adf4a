"""The connection to the broker, with the settings that lose nothing and never spin."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import nats
from nats.aio.client import Client

from contracts.subjects import MINIMUM_SERVER

_log = logging.getLogger(__name__)

_SAY_AGAIN_S = 10.0
_CONNECT_PAUSE_S = 0.5


class ServerTooOld(Exception):
    """The broker is older than the oldest that keeps its promises."""


def _teller() -> Callable[[Exception], Awaitable[None]]:
    """Logs a connection's errors: the same one, four times a second while away, once in 10 s."""
    said: tuple[str, float] = ("", 0.0)

    async def tell(error: Exception) -> None:
        nonlocal said
        text = str(error) or type(error).__name__
        now = time.monotonic()
        if text != said[0] or now - said[1] > _SAY_AGAIN_S:
            said = (text, now)
            _log.warning("nats: %s", text)

    return tell


def connection_options(
    name: str, *, on_closed: Callable[[], Awaitable[None]] | None = None
) -> dict[str, Any]:
    """Options for `nats.connect` and FastStream's ``NatsBroker`` alike.

    ``name`` is the user's, where each has one: replies come to inboxes below ``_INBOX.<name>``,
    which the broker can keep from all others (deploy/nats.conf).
    Reconnects for ever: after the default 60 attempts FastStream's pull loop would block the
    event loop. ``on_closed`` is called when the connection is gone for good; leave the process.
    """
    options: dict[str, Any] = {
        "name": name,
        "inbox_prefix": f"_INBOX.{name}",
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.25,
        "connect_timeout": 2,
        "ping_interval": 10,
        "max_outstanding_pings": 2,
        "allow_reconnect": True,
        "error_cb": _teller(),
    }
    if on_closed is not None:
        options["closed_cb"] = on_closed
    return options


async def reached(connect: Callable[[], Awaitable[Client]]) -> Client:
    """The client that ``connect`` gives, however long it takes until a broker answers."""
    while True:
        try:
            return await connect()
        except Exception as problem:  # noqa: BLE001 - nats-py raises a dozen kinds here
            _log.warning("the log is not there yet: %r", problem)
            await asyncio.sleep(_CONNECT_PAUSE_S)


async def connect(url: str, name: str) -> Client:
    """A plain connection, for tools. Raises `nats.errors.NoServersError` when nobody answers."""
    options = connection_options(name)
    # With -1 nats-py would look for a server for ever, also at the start.
    options |= {"allow_reconnect": False, "max_reconnect_attempts": 1}
    return await nats.connect(url, **options)


def server_version(client: Client) -> tuple[int, int, int]:
    """The version of the server that the client is connected to."""
    version = client.connected_server_version
    return version.major, version.minor, version.patch


def check_server(client: Client) -> None:
    """Raises `ServerTooOld`."""
    version = server_version(client)
    if version < MINIMUM_SERVER:
        found = ".".join(map(str, version))
        needed = ".".join(map(str, MINIMUM_SERVER))
        raise ServerTooOld(f"nats-server {found} is too old: {needed} or newer is needed")
