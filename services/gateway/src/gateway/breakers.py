"""The circuit breakers of the providers, as generators keep them in a bucket on the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg
from pydantic import ValidationError

from contracts.breaker import Breaker
from contracts.records import Record
from contracts.subjects import BREAKER_BUCKET, provider_of
from delivery.bucket import read_bucket
from delivery.log import LogUnavailable
from delivery.publisher import LogUnreachable
from gateway.bus import Bus
from gateway.views import utc
from telemetry.logs import get_logger

_log = get_logger(__name__)

RELOAD_S = 30.0
_AGAIN_S = 0.5
_KEYS = f"$KV.{BREAKER_BUCKET}."
_CLOSED = Breaker()
_IN_LINE = frozenset({"waiting", "backing_off"})


class Breakers:
    """What is known of them; read again on start, change, reconnect and every 30 s."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._breakers: Mapping[str, Breaker] = {}
        self._again = asyncio.Event()
        bus.on_reconnect(self._on_change)

    def of(self, provider: str) -> Breaker:
        return self._breakers.get(provider, _CLOSED)

    def waiting_for(self, record: Record) -> dict[str, Any] | None:
        """Why this task isn't begun, if that is its provider's doing: a `WaitingForView`."""
        if record["phase"] not in _IN_LINE or not self._breakers:
            return None
        provider = provider_of(record["lane"])
        breaker, now = self.of(provider), datetime.now(UTC)
        if breaker.wants_probe(now) or not breaker.is_blocked(now):
            return None
        code = "provider_busy" if breaker.state == "closed" else "circuit_open"
        until = utc(breaker.blocked_until(now))
        return {"code": code, "provider": provider.upper(), "until": until}

    async def run(self) -> None:
        """Keep up with the bucket until cancelled."""
        await self._bus.connected.wait()
        await self._bus.any_link.client.subscribe(f"{_KEYS}>", cb=self._on_message)
        while True:
            self._again.clear()
            pause = RELOAD_S
            try:
                read = await read_bucket(self._bus.link.requests, BREAKER_BUCKET)
                self._breakers = {name: _breaker(name, value) for name, value in read.items()}
            except (LogUnavailable, LogUnreachable) as problem:
                _log.warning("breakers could not be read", reason=str(problem))
                pause = _AGAIN_S
            try:
                async with asyncio.timeout(pause):
                    await self._again.wait()
            except TimeoutError:
                continue

    async def _on_message(self, _: Msg) -> None:
        self._again.set()

    async def _on_change(self) -> None:
        self._again.set()


def _breaker(name: str, value: bytes) -> Breaker:
    try:
        return Breaker.model_validate_json(value)
    except ValidationError as error:
        _log.error("breaker not understood", provider=name, reason=str(error)[:500])
        return _CLOSED
