"""Whether this generator is ready: what it tells orchestrators and operators of itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from faststream.nats import NatsBroker
from nats.aio.client import Client

from artifacts.store import ArtifactStore
from generator.breakers import Breakers
from generator.catalogue import Catalogue
from generator.counts import Counts
from generator.heartbeat import Heartbeat, Lookout
from generator.hooks import Hooks
from generator.lanes import Lanes
from telemetry.health import Check, Checks

_LATE_BEATS = 2
_UNCONNECTED = Check(ok=False, detail="not connected")


@dataclass(slots=True)
class Parts:
    """What exists once the broker is there."""

    client: Client
    lanes: Lanes
    heartbeat: Heartbeat
    lookout: Lookout
    breakers: Breakers
    counts: Counts
    hooks: Hooks
    catalogue: Catalogue


def readiness(
    broker: NatsBroker,
    store: ArtifactStore,
    parts: Callable[[], Parts | None],
    draining: Callable[[], bool],
) -> Checks:
    """Ready: connected, every lane pulls, the heart beats, the store answers."""

    async def log() -> Check:
        if parts() is None:
            return _UNCONNECTED
        return Check(ok=await broker.ping(timeout=1.0))

    async def lanes() -> Check:
        if draining():
            return Check(ok=False, detail="draining")
        there = parts()
        if there is None:
            return _UNCONNECTED
        unbound = there.lanes.unbound()
        return Check(ok=not unbound, detail=", ".join(unbound))

    async def heartbeat() -> Check:
        there = parts()
        if there is None:
            return _UNCONNECTED
        still_s = time.monotonic() - there.heartbeat.beaten_at
        ok = still_s < _LATE_BEATS * there.heartbeat.every_s
        return Check(ok=ok, detail=f"last {still_s:.1f} s ago")

    async def announced() -> Check:
        there = parts()
        done = there is not None and there.catalogue.announced
        return Check(ok=done, detail="" if done else "the providers are not announced yet")

    async def artifacts() -> Check:
        await store.head("artifacts/readiness")
        return Check(ok=True)

    return {
        "log": log,
        "lanes": lanes,
        "heartbeat": heartbeat,
        "announced": announced,
        "artifacts": artifacts,
    }
