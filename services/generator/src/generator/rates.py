"""How fast a provider takes jobs: each submit takes the next turn, over all generators.

The turns are exact: of any ``jobs`` + 1 in a row, the last comes ``per_s`` after the first.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from nats.aio.client import Client

from contracts.subjects import RATE_BUCKET
from generator.cells import Cells
from generator.provider import Rate

Turns = tuple[datetime, ...]
"""The last turns that were taken, in order; some lie ahead."""


def take_turn(turns: Turns, rate: Rate, now: datetime) -> Turns:
    """The turns with one more: now, or as soon as the rate allows it. Pure."""
    at = now if not turns else max(now, turns[-1])
    if len(turns) >= rate.jobs:
        at = max(at, turns[-rate.jobs] + timedelta(seconds=rate.per_s))
    return (*turns, at)[-rate.jobs :]


class Rates:
    """The turns of every provider that bounds its rate."""

    def __init__(self, client: Client) -> None:
        self._cells = Cells(client, RATE_BUCKET, _read, _written)

    async def turn(self, provider: str, rate: Rate, now: datetime) -> datetime:
        """When the next job may be submitted; that turn is taken. Raises as `Cells.change`."""
        turns = await self._cells.change(provider, lambda before: take_turn(before, rate, now))
        return turns[-1]


def _read(value: bytes | None) -> Turns:
    return () if not value else tuple(datetime.fromisoformat(each) for each in json.loads(value))


def _written(turns: Turns) -> bytes:
    return json.dumps([each.isoformat() for each in turns]).encode()
