"""PHOTO_TO_3D: cut-out, depth map, model; each kept, so that a later attempt goes on from there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from generator.provider import Job, Output, Progress, Rejected, Submitted
from generator.studio.orders import Made, Order
from generator.studio.pool import PixelPool
from generator.studio.simulate import crash, refuse, silence, waiting

MODEL_TYPE = "model/gltf-binary"


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of work: the order that does it, the files that it reads, and what it makes.

    ``stage`` is reached once ``makes`` is kept; ``percent`` is where the task then is.
    """

    order: str
    reads: tuple[str, ...]
    makes: str
    stage: str
    failure: str
    percent: int


STEPS = (
    Step("CUT_OUT", ("photo",), "cutout", "bgr_removed", "bgr_removal_failed", 40),
    Step("DEPTH_MAP", ("cutout",), "depth_map", "job_created", "job_creation_failed", 50),
    Step(
        "MODEL",
        ("cutout", "depth_map"),
        "model",
        "model_generated",
        "model_generation_failed",
        85,
    ),
)
_SAVING = "model_saving_failed"
_UPLOAD = "upload_failed"

FAILURES: Mapping[str, str] = {
    _UPLOAD: "The photo can't be read. Please upload it again.",
    "bgr_removal_failed": "The background of the photo can't be removed. A photo in which one "
    "thing stands out from what is behind it works best.",
    "job_creation_failed": "The 3D job can't be created. Please try again.",
    "model_generation_failed": "No 3D model came out of this photo. Please try another one.",
    _SAVING: "The 3D model can't be saved. Please try again.",
}
"""Failure stages, and what is said when one is provoked."""


async def photo_to_3d(
    pool: PixelPool,
    job: Job,
    submitted: Submitted,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Progress | Output, None]:
    """Take the steps that no earlier attempt has finished, then yield the model."""
    wish: Mapping[str, Any] = job.params.get("simulate") or {}
    provoked = wish.get("fail_at")
    _provoke(provoked, _UPLOAD)
    async for percent in silence(wish):
        yield Progress(percent)
    refuse(wish, job.attempt)
    handle = dict(submitted.handle)
    files: dict[str, bytes] = {}
    pause = float(wish.get("seconds", 0)) / (len(STEPS) + 1)
    told = 0
    for step in STEPS:
        kept = await _kept(job, handle.get(step.makes))
        if kept is not None:
            files[step.makes] = kept
            told = step.percent
            yield Progress(told)
            continue
        start, room = told, step.percent - told
        async for share in waiting(pause, sleep):
            told = start + room * share // 100
            yield Progress(told)
        _provoke(provoked, step.failure)
        if step.order == "MODEL":
            crash(wish, job.attempt)
        if step.order == "CUT_OUT":
            files["photo"] = await _photo(job)
        made: Made | None = None
        read = tuple(files[name] for name in step.reads)
        async with aclosing(_done(pool, step, read)) as replies:
            async for reply in replies:
                if isinstance(reply, Made):
                    made = reply
                elif start + room * reply // 100 > told:
                    told = start + room * reply // 100
                    yield Progress(told)
        assert made is not None
        files[step.makes] = made.content
        handle[step.makes] = await job.save(made.content, made.content_type)
        told = step.percent
        yield Progress(told, step.stage, dict(handle))
    async for share in waiting(pause, sleep):
        yield Progress(told + (99 - told) * share // 100)
    _provoke(provoked, _SAVING)
    yield Output(files["model"], MODEL_TYPE)


async def _done(
    pool: PixelPool, step: Step, references: tuple[bytes, ...]
) -> AsyncGenerator[int | Made, None]:
    try:
        async with aclosing(pool.render(Order(step.order, "", references))) as replies:
            async for reply in replies:
                yield reply
    except Rejected as refusal:
        unreadable = step.order == "CUT_OUT" and refusal.code == "invalid_input"
        raise _at(refusal, _UPLOAD if unreadable else step.failure) from refusal


async def _photo(job: Job) -> bytes:
    if not job.reference_images:
        raise Rejected(
            "A 3D model needs a photo to be made from.", code="invalid_input", stage=_UPLOAD
        )
    try:
        return await job.fetch(job.reference_images[0])
    except Rejected as refusal:
        raise _at(refusal, _UPLOAD) from refusal


async def _kept(job: Job, key: object) -> bytes | None:
    """What an earlier attempt kept; None if it did not come that far, or the file is gone."""
    if not isinstance(key, str):
        return None
    try:
        return await job.fetch(key)
    except Rejected:
        return None


def _provoke(wished: object, failure: str) -> None:
    if wished == failure:
        raise Rejected(FAILURES[failure], stage=failure)


def _at(refusal: Rejected, stage: str) -> Rejected:
    return Rejected(refusal.message, code=refusal.code, stage=stage, params=refusal.params)
