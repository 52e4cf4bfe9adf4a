"""The connection to the broker, with the settings that lose nothing and never spin."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import nats
from nats.aio.client import Client

from contracts.subjects import MINIMUM_SERVER

_log = logging.getLogger(__name__)


class ServerTooOld(Exception):
    """The broker is older than the oldest that keeps its promises."""


async def _told(error: Exception) -> None:
    _log.warning("nats: %s", error or type(error).__name__)


def connection_options(
    name: str, *, on_closed: Callable[[], Awaitable[None]] | None = None
) -> dict[str, Any]:
    """Options for `nats.connect` and FastStream's ``NatsBroker`` alike.

    Reconnects for ever: after the default 60 attempts FastStream's pull loop would block the
    event loop. ``on_closed`` is called when the connection is gone for good; leave the process.
    """
    options: dict[str, Any] = {
        "name": name,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.25,
        "connect_timeout": 2,
        "ping_interval": 10,
        "max_outstanding_pings": 2,
        "allow_reconnect": True,
        "error_cb": _told,
    }
    if on_closed is not None:
        options["closed_cb"] = on_closed
    return options


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
