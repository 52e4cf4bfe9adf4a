"""Who serves what, and how well: what ``GET /generation-types`` tells of the providers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from contracts.breaker import Breaker, BreakerState
from gateway.breakers import Breakers
from gateway.catalogue import Catalogue, Offer
from gateway.lanes import Lanes
from gateway.refusals import Refusal
from gateway.tasks import TaskStore
from gateway.views import utc

_FRESH_S = 5.0
_UNKNOWN: Mapping[str, Any] = {"finished": 0, "success_rate": None, "p50_s": None, "p95_s": None}


class Providers:
    """Puts together what generators announce, what the broker knows, and what tasks came to."""

    def __init__(
        self, catalogue: Catalogue, breakers: Breakers, lanes: Lanes, tasks: TaskStore
    ) -> None:
        self._catalogue = catalogue
        self._breakers = breakers
        self._lanes = lanes
        self._tasks = tasks
        self._figures: Mapping[tuple[str, str], Mapping[str, Any]] = {}
        self._asked_at = -_FRESH_S
        self._asking = asyncio.Lock()

    async def by_type(self) -> dict[str, list[dict[str, Any]]]:
        """A `ProviderView` for each offer, by the type that it is of."""
        offers = sorted(self._catalogue.offers, key=lambda offer: (offer.type, offer.lane))
        served = await self._lanes.served(offers)
        figures = await self._recent()
        views: dict[str, list[dict[str, Any]]] = {}
        for offer, is_served in zip(offers, served, strict=True):
            view = self._view(offer, is_served, figures.get((offer.type, offer.lane), _UNKNOWN))
            views.setdefault(offer.type, []).append(view)
        return views

    def _view(self, offer: Offer, is_served: bool, figures: Mapping[str, Any]) -> dict[str, Any]:
        breaker = self._breakers.of(offer.lane)
        return {
            "name": offer.lane.upper(),
            "title": offer.title,
            "execution": offer.execution,
            "params_schema": offer.params_schema,
            "healthy": is_served and breaker.state is BreakerState.CLOSED,
            "breaker": _breaker_view(breaker),
            **figures,
        }

    async def _recent(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """What the last tasks came to; while the task-store is away, what was known before."""
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if now - self._asked_at >= _FRESH_S:
                self._asked_at = now
                with contextlib.suppress(Refusal):
                    self._figures = {
                        (row["type"], row["lane"]): _figures(row)
                        for row in await self._tasks.providers()
                    }
        return self._figures


def _breaker_view(breaker: Breaker) -> dict[str, Any]:
    until = breaker.blocked_until(datetime.now(UTC))
    return {"state": breaker.state, "failures": breaker.failures, "until": utc(until)}


def _figures(row: Mapping[str, Any]) -> Mapping[str, Any]:
    finished = row["finished"]
    return {
        "finished": finished,
        "success_rate": round(row["completed"] / finished, 4) if finished else None,
        "p50_s": None if row["p50_s"] is None else round(row["p50_s"], 3),
        "p95_s": None if row["p95_s"] is None else round(row["p95_s"], 3),
    }
