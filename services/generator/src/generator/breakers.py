"""The circuit breakers of this process's providers, shared with all generators over the bus.

`contracts.breaker` says when they open and close. Here what is known of them is kept up to date,
and changed. While the bus is away they stand as they stood.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError

from contracts.breaker import (
    Breaker,
    BreakerPolicy,
    BreakerState,
    failed,
    held,
    probing,
    succeeded,
    unproven,
)
from contracts.subjects import BREAKER_BUCKET
from generator.cells import Cells, Contended
from generator.facts import now
from generator.metrics import BREAKER_CHANGES, BREAKER_OPEN
from telemetry.logs import get_logger

_log = get_logger(__name__)

_KEYS = f"$KV.{BREAKER_BUCKET}."
_LOOK_S = 30.0
_AGAIN_S = 1.0
_FAULTS = (NatsError, Contended, TimeoutError, OSError)
_CLOSED = Breaker()


class Breakers:
    """One for each of ``providers``. ``on_change`` is called when one may let work in, or not."""

    def __init__(
        self,
        client: Client,
        providers: Iterable[str],
        policy: BreakerPolicy,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.on_change = on_change
        self._client = client
        self._policy = policy
        self._cells = Cells(client, BREAKER_BUCKET, _read, _written)
        self._known = dict.fromkeys(providers, _CLOSED)
        self._again = asyncio.Event()

    def of(self, provider: str) -> Breaker:
        return self._known.get(provider, _CLOSED)

    def is_watched(self, provider: str) -> bool:
        return provider in self._known

    async def is_in_trouble(self, provider: str) -> bool:
        """Whether one, which may be another generator's, is open now, as far as can be told."""
        try:
            breaker = await self._cells.value(provider)
        except _FAULTS:
            return True
        return breaker.state is not BreakerState.CLOSED or breaker.is_held(now())

    def reconnected(self) -> None:
        self._again.set()

    async def run(self) -> None:
        """Keep up with the bucket, and tell when a cooldown is over, until cancelled."""
        if not self._known:
            await asyncio.Event().wait()
        subscription = await self._client.subscribe(f"{_KEYS}>", cb=self._on_message)
        try:
            while True:
                self._again.clear()
                pause = await self._look()
                # A cooldown may be over, of which nobody tells; and only now, after the look that
                # no longer waits for it: a timer may be a little early.
                self.on_change()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._again.wait()
        finally:
            if self._client.is_connected:
                with contextlib.suppress(NatsError):
                    await subscription.unsubscribe()

    async def probe(self, provider: str, name: str) -> bool:
        """Whether the call of this name is the one that tries the provider again."""

        def change(breaker: Breaker) -> Breaker:
            at = now()
            return probing(breaker, self._policy, at, name) if breaker.wants_probe(at) else breaker

        after = await self._change(provider, change)
        return after is not None and after.probe == name

    async def failed(self, provider: str, probe: str = "") -> None:
        """A call failed by the provider's fault."""
        await self._change(provider, lambda breaker: failed(breaker, self._policy, now(), probe))

    async def succeeded(self, provider: str, probe: str = "", *, began: datetime) -> None:
        """A call that ``began`` then was answered.

        Mostly there is nothing to change, and nothing is asked.
        """
        if self.of(provider) is not _CLOSED and self.of(provider) != _CLOSED:
            await self._change(
                provider, lambda breaker: succeeded(breaker, now(), probe, began=began)
            )

    async def unproven(self, provider: str, probe: str) -> None:
        """The probe told nothing of the provider."""
        await self._change(provider, lambda breaker: unproven(breaker, now(), probe))

    async def held(self, provider: str, until: datetime) -> None:
        """The service takes nothing before then."""
        await self._change(provider, lambda breaker: held(breaker, until))

    async def _change(self, provider: str, change: Callable[[Breaker], Breaker]) -> Breaker | None:
        """The breaker as it then is; None if the bus could not be asked."""
        if provider not in self._known:
            return None
        try:
            after = await self._cells.change(provider, change)
        except _FAULTS as fault:
            _log.warning("a breaker can't be changed", provider=provider, reason=repr(fault))
            return None
        self._learn(provider, after)
        return after

    async def _look(self) -> float:
        """Read them all; seconds until the next one is to be looked at."""
        try:
            for provider in self._known:
                self._learn(provider, await self._cells.value(provider))
        except _FAULTS as fault:
            _log.warning("the breakers can't be read", reason=repr(fault))
            return _AGAIN_S
        at = now()
        ends = [breaker.blocked_until(at) for breaker in self._known.values()]
        left = [(end - at).total_seconds() for end in ends if end is not None]
        return min([_LOOK_S, *left])

    def _learn(self, provider: str, breaker: Breaker) -> None:
        before = self._known[provider]
        if breaker == before:
            return
        self._known[provider] = breaker
        if breaker.state is not before.state:
            BREAKER_CHANGES.labels(provider, breaker.state.value).inc()
            BREAKER_OPEN.labels(provider).set(breaker.state is not BreakerState.CLOSED)
            _log.warning(
                "a breaker changed",
                provider=provider,
                state=breaker.state.value,
                failures=breaker.failures,
                until=None if breaker.until is None else breaker.until.isoformat(),
            )
        self._again.set()
        self.on_change()

    async def _on_message(self, _: Msg) -> None:
        self._again.set()


def _read(value: bytes | None) -> Breaker:
    if not value:
        return _CLOSED
    try:
        return Breaker.model_validate_json(value)
    except ValidationError:
        # Of a newer version: this one starts from nothing rather than stand still.
        return _CLOSED


def _written(breaker: Breaker) -> bytes:
    return breaker.model_dump_json(exclude_defaults=True).encode()
