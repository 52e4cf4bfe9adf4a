"""Whether what the log acknowledges is on disk: JetStream's API doesn't tell, monitoring does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.request import urlopen

from telemetry.findings import Finding

_ASK_S = 0.5
_NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Durability:
    """``on_disk``: before it is acknowledged (True), later (False), or nobody tells (None)."""

    on_disk: bool | None
    detail: str

    def finding(self) -> Finding:
        mend = ""
        if self.on_disk is None:
            mend = (
                "set DARKROOM_NATS_MONITOR_URL (http://HOST:8222), or look for `sync_interval: "
                "always` in its configuration (deploy/nats.conf has it)"
            )
        elif not self.on_disk:
            mend = "set `sync_interval: always` in its configuration (deploy/nats.conf has it)"
        return Finding("durability", ok=self.on_disk, detail=self.detail, mend=mend)


NOT_ASKED = Durability(
    None, "unknown when on disk: DARKROOM_NATS_MONITOR_URL names no monitoring to ask"
)


def durability_of(varz: Mapping[str, Any]) -> Durability:
    """What a server's ``/varz`` says of itself."""
    try:
        config = varz["jetstream"]["config"]
        if config.get("sync_always"):
            return Durability(True, "on disk before it is acknowledged")
        delay_s = config["sync_interval"] / _NANOSECONDS
    except (KeyError, TypeError, AttributeError):
        return Durability(None, "unknown when on disk: the server's monitoring does not tell")
    return Durability(False, f"acknowledged up to {delay_s:g} s before it is on disk")


async def durability(monitor_url: str | None) -> Durability:
    """What the monitoring at this address says; never raises."""
    if monitor_url is None:
        return NOT_ASKED
    try:
        async with asyncio.timeout(2 * _ASK_S):
            return durability_of(await asyncio.to_thread(_read, f"{monitor_url.rstrip('/')}/varz"))
    except (OSError, ValueError, TimeoutError, HTTPException):
        return Durability(None, "unknown when on disk: the server's monitoring does not answer")


def _read(url: str) -> Any:
    # An address that an operator set.
    with urlopen(url, timeout=_ASK_S) as answer:
        return json.load(answer)
