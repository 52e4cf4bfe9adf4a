"""The provider ``studio``: paints, cuts out, dresses and models on this machine's CPU."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from generator.provider import Execution, Job, Offer, Output, Progress, Submitted
from generator.studio.orders import Made, Order
from generator.studio.pipeline import FAILURES, photo_to_3d
from generator.studio.pool import PixelPool
from generator.studio.simulate import schema as trouble
from generator.studio.simulate import simulated

_SERVICE = {"type": "string", "description": "The provider that shall serve the task."}
_PICTURE: Mapping[str, Any] = {
    "service": _SERVICE,
    "seed": {
        "type": "integer",
        "minimum": 0,
        "maximum": 2**63 - 1,
        "description": "The same prompt and seed give the same picture.",
    },
    "format": {"type": "string", "enum": ["png", "webp"], "default": "png"},
    "simulate": trouble(),
}


def _side(default: int) -> Mapping[str, Any]:
    return {"type": "integer", "minimum": 64, "maximum": 2048, "default": default}


def _schema(properties: Mapping[str, Any], **own: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {**properties, **own},
    }


MOST_IMAGES = 8
_NUM_IMAGES: Mapping[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": MOST_IMAGES},
        {"type": "string", "pattern": f"^[1-{MOST_IMAGES}]$"},
    ],
    "default": 1,
    "description": "How many pictures, each from a seed of its own.",
}
_ASPECT_RATIO: Mapping[str, Any] = {
    "type": "string",
    "enum": ["1:1", "16:9", "9:16", "4:3", "3:4"],
    "description": "The picture's shape; a width or height that is given counts more.",
}
_FILM_SIZES = {
    "1:1": (480, 480),
    "16:9": (640, 360),
    "9:16": (360, 640),
    "4:3": (576, 432),
    "3:4": (432, 576),
}
_SIZES = {
    "1:1": (896, 896),
    "16:9": (1152, 648),
    "9:16": (648, 1152),
    "4:3": (1024, 768),
    "3:4": (768, 1024),
}

OFFERS: Mapping[str, Offer] = {
    "CREATE": Offer(
        _schema(_PICTURE, width=_side(1024), height=_side(768)), "An illustration from a prompt"
    ),
    "WHITE_BACKGROUND": Offer(_schema(_PICTURE), "The subject of a photo on white"),
    "CLOTHING_CHANGE": Offer(_schema(_PICTURE), "Other clothes for the person in a photo"),
    "PHOTO_TO_3D": Offer(
        _schema({"service": _SERVICE, "simulate": trouble(tuple(FAILURES))}),
        "A 3D model from the silhouette in a photo",
    ),
    "IMAGE": Offer(
        _schema(
            _PICTURE,
            num_images=_NUM_IMAGES,
            aspect_ratio=_ASPECT_RATIO,
            width=_side(1024),
            height=_side(768),
        ),
        "Illustrations from a prompt",
    ),
    "VIDEO": Offer(
        _schema(
            _PICTURE,
            seconds={"type": "number", "minimum": 1, "maximum": 8, "default": 4},
            aspect_ratio={**_ASPECT_RATIO, "default": "16:9", "description": "The film's shape."},
            format={"type": "string", "enum": ["mp4", "webp"], "default": "mp4"},
        ),
        "A film of a scene from a prompt, or of photos",
    ),
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
        """Yield rising percentages, then the files; closing the iterator stops the work."""
        if job.type == "PHOTO_TO_3D":
            happenings = photo_to_3d(self.pool, job, submitted)
        else:
            happenings = self._pictures(job)
        async with aclosing(happenings):
            async for each in happenings:
                yield each

    async def _pictures(self, job: Job) -> AsyncGenerator[Progress | Output, None]:
        told = 0
        wish = job.params.get("simulate")
        if wish:
            async with aclosing(simulated(wish, job.attempt)) as course:
                async for percent in course:
                    if percent > told:
                        told = percent
                        yield Progress(percent)
        references = tuple([await job.fetch(key) for key in job.reference_images])
        orders = _orders(job, references)
        outputs: list[Output] = []
        for done, order in enumerate(orders):
            async with aclosing(self.pool.render(order)) as replies:
                async for reply in replies:
                    if isinstance(reply, Made):
                        outputs.append(
                            Output(reply.content, reply.content_type, reply.width, reply.height)
                        )
                        continue
                    percent = (100 * done + reply) // len(orders)
                    if percent > told:
                        told = percent
                        yield Progress(percent)
        for output in outputs:
            yield output

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        return False

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """Nothing to do: closing `follow` has stopped the work."""

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()


def _orders(job: Job, references: tuple[bytes, ...]) -> list[Order]:
    """What is to be made, one file each, told in types that travel to another process."""
    names = ("seed", "width", "height", "format", "seconds")
    params = {name: job.params[name] for name in names if name in job.params}
    if job.type == "VIDEO":
        width, height = _FILM_SIZES[job.params.get("aspect_ratio", "16:9")]
        film = {"width": width, "height": height, "seconds": 4, "format": "mp4"}
        return [Order(job.type, job.prompt or "", references, film | params)]
    if "aspect_ratio" in job.params:
        width, height = _SIZES[job.params["aspect_ratio"]]
        params = {"width": width, "height": height} | params
    return [
        Order(job.type, job.prompt or "", references, {**params, "number": number})
        for number in range(int(job.params.get("num_images", 1)))
    ]
