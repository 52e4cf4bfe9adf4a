"""The provider `cog` where Cog's server, or the way to it, fails."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from darkroom.testing import a_job
from fakes.cog import FakeCog
from fakes.pictures import SIZE, picture
from fakes.serving import served
from generator.provider import Busy, Job, Progress, Rejected, Unavailable
from generator.vendors.cog import CogProvider, CogSettings, id_of
from generator.vendors.http import Unanswered
from integration.vendors.following import outputs, percents, run


def a_picture() -> Job:
    return a_job("IMAGE", prompt="a red bicycle")


@pytest.fixture
def fake() -> FakeCog:
    return FakeCog()


@pytest.fixture
async def url(fake: FakeCog) -> AsyncIterator[str]:
    async with served(fake.app()) as address:
        yield address


@pytest.fixture
async def cog(url: str) -> AsyncIterator[CogProvider]:
    provider = CogProvider(CogSettings(cog_url=url), poll_s=(0.005, 0.01))
    yield provider
    await provider.aclose()


@pytest.mark.parametrize("streams", [True, False])
async def test_a_submit_whose_answer_is_lost_is_repeated_under_its_key_and_begins_nothing(
    cog: CogProvider, fake: FakeCog, streams: bool
) -> None:
    fake.own.streams, fake.own.holds, fake.knobs.drop = streams, True, 1
    job = a_picture()
    with pytest.raises(Unanswered):
        await cog.submit(job, "key")
    submitted = await cog.submit(job, "key")
    assert submitted.external_task_id == id_of("key")
    assert fake.count("taken") == 1
    assert cog.offers["IMAGE"].key_lasts_s == 3600


async def test_a_gateway_that_gave_up_may_have_passed_the_submit_on(
    cog: CogProvider, fake: FakeCog
) -> None:
    fake.knobs.fail, fake.knobs.fail_status = 1, 504
    with pytest.raises(Unanswered):
        await cog.submit(a_picture(), "key")


async def test_a_stream_that_breaks_off_is_taken_up_where_the_prediction_runs(
    cog: CogProvider, fake: FakeCog
) -> None:
    fake.own.cut, fake.own.holds = 1, True
    job = a_picture()
    submitted = await cog.submit(job, "key")
    with pytest.raises(Unavailable, match="before the prediction"):
        await run(cog, job, submitted)
    assert await cog.resume(job, submitted)
    fake.own.holds = False
    assert outputs(await run(cog, job, submitted))
    assert fake.count("taken") == 1


async def test_events_that_cog_dropped_do_not_come_again_and_the_prediction_is_given_up(
    cog: CogProvider, fake: FakeCog
) -> None:
    fake.own.truncate, fake.own.holds = 1, True
    job = a_picture()
    submitted = await cog.submit(job, "key")
    with pytest.raises(Unavailable, match="dropped"):
        await run(cog, job, submitted)
    assert fake.count("cancel") == 1


async def test_a_stream_without_a_sign_of_life_is_given_up(url: str, fake: FakeCog) -> None:
    provider = CogProvider(CogSettings(cog_url=url), silence_s=1.5)
    job = a_picture()
    fake.own.holds = True
    submitted = await provider.submit(job, "key")
    with pytest.raises(Unavailable, match="broke"):
        await run(provider, job, submitted)
    await provider.aclose()


async def test_each_comment_in_a_stream_is_a_sign_of_life(cog: CogProvider, fake: FakeCog) -> None:
    fake.knobs.steps = 2
    job = a_picture()
    told = await run(cog, job, await cog.submit(job, "key"))
    # start, 50 %, 100 %, each after a comment; and the comment before the end.
    assert sum(isinstance(each, Progress) for each in told) == 7
    assert max(percents(told)) == 99


async def test_results_that_cog_uploaded_are_fetched(cog: CogProvider) -> None:
    job = a_job("IMAGE", prompt="a red bicycle", params={"num_images": 2})
    told = await run(cog, job, await cog.submit(job, "key"))
    found = [(each.content, each.width, each.height) for each in outputs(told)]
    assert found == [(picture(f"/files/{id_of('key')}/{n}.png"), *SIZE) for n in range(2)]


async def test_a_server_that_was_restarted_has_forgotten_the_prediction(
    cog: CogProvider, url: str, fake: FakeCog
) -> None:
    fake.own.holds = True
    job = a_picture()
    submitted = await cog.submit(job, "key")
    fake.knobs.lost = True
    other = CogProvider(CogSettings(cog_url=url))
    assert not await other.resume(job, submitted)
    await other.aclose()


@pytest.mark.parametrize("health", ["STARTING", "SETUP_FAILED", "DEFUNCT", "UNHEALTHY"])
async def test_a_model_that_is_not_ready_takes_nothing(
    cog: CogProvider, fake: FakeCog, health: str
) -> None:
    fake.own.health = health
    with pytest.raises(Unavailable, match=health):
        await cog.submit(a_picture(), "key")
    assert fake.calls == []


async def test_without_a_schema_nothing_is_begun(cog: CogProvider, fake: FakeCog) -> None:
    fake.own.has_schema = False
    with pytest.raises(Rejected, match="does not tell what it takes"):
        await cog.submit(a_picture(), "key")
    assert fake.calls == []


@pytest.mark.parametrize("streams", [True, False])
async def test_where_no_slot_is_free_nothing_is_begun(
    cog: CogProvider, fake: FakeCog, streams: bool
) -> None:
    fake.own.streams, fake.knobs.busy = streams, 1
    with pytest.raises(Busy):
        await cog.submit(a_picture(), "key")
    assert fake.count("taken") == 0


async def test_a_cog_that_is_down_has_taken_nothing() -> None:
    provider = CogProvider(CogSettings(cog_url="http://127.0.0.1:9"))
    with pytest.raises(Unavailable):
        await provider.submit(a_picture(), "key")
    await provider.aclose()


async def test_a_reference_goes_along_in_a_url(cog: CogProvider, fake: FakeCog) -> None:
    job = a_job("CREATE", prompt="a red bicycle", references={"photo": picture("a photo")})
    fake.own.holds = True
    await cog.submit(job, "key")
    sent = fake.running[id_of("key")].body["input"]
    assert sent["image"].startswith("data:image/png;base64,")
    assert sent["prompt"] == "a red bicycle"
