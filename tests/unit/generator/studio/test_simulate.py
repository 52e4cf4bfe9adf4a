"""Trouble on order, and what the studio offers."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest

from generator.provider import Execution, Job, Rejected, Submitted, Unavailable
from generator.studio.provider import StudioProvider
from generator.studio.simulate import simulated


class Clock:
    """Sleeps without waiting, and remembers for how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def run(wish: Mapping[str, Any], attempt: int = 1) -> tuple[list[int], Clock]:
    clock = Clock()
    return [percent async for percent in simulated(wish, attempt, clock.sleep)], clock


@pytest.mark.parametrize("seconds", [0.5, 20, 600])
async def test_a_long_wait_tells_every_tenth_and_every_five_seconds(seconds: float) -> None:
    told, clock = await run({"seconds": seconds})
    assert sum(clock.slept) == pytest.approx(seconds)
    assert max(clock.slept) <= 5
    assert told == sorted(told)
    assert all(after - before <= 10 for before, after in zip([0, *told], told, strict=False))
    assert told[-1] == 90


async def test_a_flaky_task_fails_as_often_as_asked() -> None:
    for attempt in (1, 2):
        with pytest.raises(Unavailable):
            await run({"flaky": 2}, attempt)
    assert (await run({"flaky": 2}, 3))[0] == []


async def test_a_failure_has_the_wished_message() -> None:
    with pytest.raises(Rejected) as refusal:
        await run({"seconds": 1, "fail": "no more paint"})
    assert (refusal.value.message, refusal.value.code) == ("no more paint", "provider_rejected")


async def test_a_failure_can_name_its_stage() -> None:
    with pytest.raises(Rejected) as refusal:
        await run({"fail_at": "bgr_removal_failed"})
    assert refusal.value.stage == "bgr_removal_failed"


async def test_a_crash_happens_only_once() -> None:
    assert (await run({"crash": True}, attempt=2))[0] == []


VALID = {
    "CREATE": [
        {},
        {"seed": 4, "width": 64, "height": 2048, "format": "webp", "service": "STUDIO"},
        {"simulate": {"seconds": 20, "fail": "x", "flaky": 2, "hang": True}},
    ],
    "WHITE_BACKGROUND": [{}, {"simulate": {"fail_at": "x"}}],
    "CLOTHING_CHANGE": [{}, {"format": "png"}],
    "PHOTO_TO_3D": [
        {},
        {"service": "STUDIO", "simulate": {"seconds": 20, "fail_at": "model_saving_failed"}},
    ],
    "IMAGE": [
        {},
        {"num_images": 8, "aspect_ratio": "16:9", "seed": 3, "format": "webp"},
        {"num_images": "4", "width": 640, "height": 480},
    ],
    "VIDEO": [{}, {"seconds": 1.5, "aspect_ratio": "9:16", "format": "webp", "seed": 1}],
}
INVALID = {
    "CREATE": [
        {"width": 63},
        {"height": 2049},
        {"seed": 1.5},
        {"seed": -1},
        {"format": "gif"},
        {"steps": 3},
        {"simulate": {"explode": True}},
        {"num_images": 2},
        {"simulate": {"seconds": "1"}},
    ],
    "WHITE_BACKGROUND": [{"width": 100}],
    "CLOTHING_CHANGE": [{"height": 100}],
    "PHOTO_TO_3D": [{"seed": 1}, {"format": "glb"}, {"simulate": {"fail_at": "uploaded"}}],
    "IMAGE": [
        {"num_images": 0},
        {"num_images": 9},
        {"num_images": "9"},
        {"num_images": "14"},
        {"num_images": 1.5},
        {"aspect_ratio": "2:1"},
    ],
    "VIDEO": [{"seconds": 0}, {"seconds": 9}, {"format": "gif"}, {"width": 640}],
}


def test_each_offer_accepts_what_it_knows_and_nothing_else() -> None:
    offers = StudioProvider().offers
    assert set(offers) == set(VALID)
    for name, offer in offers.items():
        jsonschema.Draft202012Validator.check_schema(offer.params_schema)
        check = jsonschema.Draft202012Validator(offer.params_schema)
        assert [params for params in VALID[name] if not check.is_valid(params)] == []
        assert [params for params in INVALID[name] if check.is_valid(params)] == []


async def test_the_studio_computes_here_and_submits_nowhere() -> None:
    provider = StudioProvider(workers=1)

    async def fetch(key: str) -> bytes:
        raise AssertionError(key)

    job = Job("t", "o", "CREATE", "a tree", (), {}, 1, fetch, asyncio.sleep)
    assert (provider.name, provider.execution) == ("studio", Execution.LOCAL)
    assert await provider.resume(job, Submitted()) is False
    await provider.cancel(job, Submitted())
    with pytest.raises(RuntimeError, match="computes here"):
        await provider.submit(job, "key")
    await provider.aclose()


def test_the_generator_process_loads_neither_numpy_nor_opencv() -> None:
    script = (
        "import sys; from generator.studio.provider import StudioProvider; StudioProvider().pool;"
        "print([m for m in ('numpy', 'cv2', 'PIL') if m in sys.modules])"
    )
    seen = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert seen.stdout.strip() == "[]"
