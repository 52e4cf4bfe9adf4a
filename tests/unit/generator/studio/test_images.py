"""IMAGE: one prompt, one or more pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from darkroom.testing import a_job
from generator.provider import Output, Progress, Submitted
from generator.studio.provider import StudioProvider

SMALL: Mapping[str, Any] = {"width": 80, "height": 64}


@pytest.fixture
async def studio() -> AsyncIterator[StudioProvider]:
    provider = StudioProvider(workers=1)
    yield provider
    await provider.aclose()


async def told_of(
    studio: StudioProvider, params: Mapping[str, Any], kind: str = "IMAGE"
) -> list[Progress | Output]:
    job = a_job(kind, prompt="a boat at dawn", params=params)
    return [each async for each in studio.follow(job, Submitted())]


async def pictures(
    studio: StudioProvider, params: Mapping[str, Any], kind: str = "IMAGE"
) -> list[Output]:
    return [each for each in await told_of(studio, params, kind) if isinstance(each, Output)]


@pytest.mark.parametrize("count", [3, "3"])
async def test_as_many_pictures_come_as_were_asked_for_and_no_two_are_alike(
    studio: StudioProvider, count: int | str
) -> None:
    made = await pictures(studio, {**SMALL, "num_images": count})
    assert len(made) == 3
    assert len({each.content for each in made}) == 3
    assert {(each.content_type, each.width, each.height) for each in made} == {
        ("image/png", 80, 64)
    }


async def test_the_same_request_gives_the_same_pictures(studio: StudioProvider) -> None:
    params = {**SMALL, "num_images": 2, "seed": 7}
    assert await pictures(studio, params) == await pictures(studio, params)


async def test_each_picture_has_the_seed_after_the_one_before(studio: StudioProvider) -> None:
    several = await pictures(studio, {**SMALL, "num_images": 2, "seed": 7})
    alone = [
        (await pictures(studio, {**SMALL, "seed": seed}, "CREATE"))[0].content for seed in (7, 8)
    ]
    assert [each.content for each in several] == alone


async def test_progress_is_that_of_all_pictures_together(studio: StudioProvider) -> None:
    told = await told_of(studio, {**SMALL, "num_images": 2})
    percents = [each.percent for each in told if isinstance(each, Progress)]
    assert percents == sorted(set(percents))
    assert percents[0] == 5
    assert percents[-1] == 95


@pytest.mark.parametrize(
    ("params", "size"),
    [
        ({"aspect_ratio": "1:1"}, (896, 896)),
        ({"aspect_ratio": "9:16"}, (648, 1152)),
        ({"aspect_ratio": "16:9", **SMALL}, (80, 64)),
    ],
)
async def test_the_shape_can_be_asked_for(
    studio: StudioProvider, params: Mapping[str, Any], size: tuple[int, int]
) -> None:
    (picture,) = await pictures(studio, params)
    assert (picture.width, picture.height) == size
