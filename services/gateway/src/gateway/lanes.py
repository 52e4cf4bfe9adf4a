"""Whether somebody serves a lane now: its durable consumer is being pulled from, or holds work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson

from contracts.subjects import STREAM, LaneConsumerSpec
from delivery.publisher import LogUnreachable
from delivery.requests import NoReply, NoResponders, Unreachable
from gateway.bus import Bus
from gateway.catalogue import Offer

_ASK_S = 1.0
_FRESH_S = 2.0


class Lanes:
    """The health of lanes, asked of the broker at most every 2 s."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: dict[str, bool] = {}
        self._asked_at = -_FRESH_S
        self._asking = asyncio.Lock()

    async def served(self, offers: Sequence[Offer]) -> list[bool]:
        """For each offer, whether a generator is there for it."""
        durables = [LaneConsumerSpec(offer.type, offer.lane).durable for offer in offers]
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at >= _FRESH_S or not self._known.keys() >= set(durables):
                answers = await asyncio.gather(*(self._is_served(each) for each in durables))
                self._known = dict(zip(durables, answers, strict=True))
                self._asked_at = now
        # A generator that is full pulls from none of its lanes; the work that it holds in one of a
        # provider's shows that it is there for all of them.
        there = {
            offer.lane
            for offer, durable in zip(offers, durables, strict=True)
            if self._known[durable]
        }
        return [offer.lane in there for offer in offers]

    async def _is_served(self, durable: str) -> bool:
        subject = f"$JS.API.CONSUMER.INFO.{STREAM}.{durable}"
        try:
            reply = await self._bus.link.requests.call(subject, timeout=_ASK_S)
        except (NoReply, NoResponders, Unreachable, LogUnreachable):
            return False
        info = orjson.loads(reply.data)
        return bool(info.get("num_waiting", 0) or info.get("num_ack_pending", 0))
