"""The provider ``studio``: paints, cuts out and dresses on this machine's CPU."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from generator.provider import Execution, Job, Offer, Output, Progress, Submitted
from generator.studio.orders import Made, Order
from generator.studio.pool import PixelPool
from generator.studio.simulate import SCHEMA, simulated

_SHARED: Mapping[str, Any] = {
    "service": {"type": "string", "description": "The provider that shall serve the task."},
    "seed": {
        "type": "integer",
        "minimum": 0,
        "maximum": 2**63 - 1,
        "description": "The same prompt and seed give the same picture.",
    },
    "format": {"type": "string", "enum": ["png", "webp"], "default": "png"},
    "simulate": SCHEMA,
}


def _side(default: int) -> Mapping[str, Any]:
    return {"type": "integer", "minimum": 64, "maximum": 2048, "default": default}


def _schema(**own: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {**_SHARED, **own},
    }


OFFERS: Mapping[str, Offer] = {
    "CREATE": Offer(_schema(width=_side(1024), height=_side(768)), "An illustration from a prompt"),
    "WHITE_BACKGROUND": Offer(_schema(), "The subject of a photo on white"),
    "CLOTHING_CHANGE": Offer(_schema(), "Other clothes for the person in a photo"),
}


class StudioProvider:
    """Serves its offers with `PixelPool`; ``workers`` bounds it, by default to the CPUs."""

    name = "studio"
    execution = Execution.LOCAL
    offers = OFFERS

    def __init__(self, *, workers: int | None = None) -> None:
        self._workers = workers
        self._pool: PixelPool | None = None

    @property
    def pool(self) -> PixelPool:
        """The worker processes; none is started before the first picture."""
        if self._pool is None:
            self._pool = PixelPool(self._workers)
        return self._pool

    async def submit(self, job: Job, key: str) -> Submitted:
        raise RuntimeError("The studio computes here: there is no service to submit to.")

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        """Yield rising percentages, then the picture; closing the iterator stops the work."""
        told = 0
        wish = job.params.get("simulate")
        if wish:
            async with aclosing(simulated(wish, job.attempt)) as trouble:
                async for percent in trouble:
                    if percent > told:
                        told = percent
                        yield Progress(percent)
        references = tuple([await job.fetch(key) for key in job.reference_images])
        order = Order(job.type, job.prompt or "", references, _plain(job.params))
        async with aclosing(self.pool.render(order)) as replies:
            async for reply in replies:
                if isinstance(reply, Made):
                    yield Output(reply.content, reply.content_type, reply.width, reply.height)
                elif reply > told:
                    told = reply
                    yield Progress(reply)

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        return False

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """Nothing to do: closing `follow` has stopped the work."""

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the pixel work reads, in types that travel to another process."""
    return {name: params[name] for name in ("seed", "width", "height", "format") if name in params}
