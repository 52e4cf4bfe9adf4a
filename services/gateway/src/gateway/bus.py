"""The connection to the log: kept up in the background, so that the gateway starts without it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from faststream.nats import NatsBroker
from nats.aio.client import Client

from delivery.connection import ServerTooOld, check_server, connection_options
from delivery.log import LogReader
from delivery.publisher import LogUnreachable, Publisher
from delivery.requests import Requests
from telemetry.logs import get_logger

_log = get_logger(__name__)

RETRY_S = 0.5
PUBLISH_BUDGET_S = 1.8
"""Of the 2 s in which a caller hears what became of a submit."""
LOG_READ_TIMEOUT_S = 1.5

Hook = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Link:
    """What can be done once there has been a connection."""

    client: Client
    requests: Requests
    publisher: Publisher
    log: LogReader


class Bus:
    """Owns the broker's connection. ``on_lost`` is called when it is gone for good."""

    def __init__(self, url: str, on_lost: Callable[[], None]) -> None:
        self._on_lost = on_lost
        self._stopping = False
        self._link: Link | None = None
        self._hooks: list[Hook] = []
        self.connected = asyncio.Event()
        self._broker = NatsBroker(
            url,
            logger=None,
            reconnected_cb=self._reconnected,
            **connection_options("gateway", on_closed=self._closed),
        )

    @property
    def link(self) -> Link:
        """Raises `LogUnreachable` when there is no connection now."""
        if self._link is None or not self._link.client.is_connected:
            raise LogUnreachable("not connected")
        return self._link

    @property
    def any_link(self) -> Link:
        """The same, also while reconnecting: for what waits for the connection by itself."""
        if self._link is None:
            raise LogUnreachable("never connected")
        return self._link

    def on_reconnect(self, hook: Hook) -> None:
        self._hooks.append(hook)

    async def run(self) -> None:
        """Connect, however long it takes; reconnecting is the client's."""
        while True:
            try:
                client = await self._broker.connect()
                check_server(client)
                requests = Requests(client)
                await requests.start()
            except ServerTooOld as problem:
                _log.error("the log can't be used", reason=str(problem))
                self._on_lost()
                return
            except Exception as problem:  # noqa: BLE001 - nats-py raises a dozen kinds here
                _log.warning("the log is not there yet", reason=repr(problem))
                await asyncio.sleep(RETRY_S)
                continue
            log = LogReader(requests, timeout_s=LOG_READ_TIMEOUT_S)
            self._link = Link(client, requests, Publisher(requests), log)
            self.connected.set()
            return

    async def stop(self) -> None:
        self._stopping = True
        if self._link is not None:
            await self._link.requests.stop()
        # A connection that is down can't be drained.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(2):
                await self._broker.stop()

    async def _reconnected(self) -> None:
        for hook in self._hooks:
            await hook()

    async def _closed(self) -> None:
        if not self._stopping:
            _log.error("the connection to the log is gone for good")
            self._on_lost()
