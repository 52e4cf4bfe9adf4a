"""The provider `cog` against Cog's own server, with a model that needs no weights."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx2
import pytest

from darkroom.testing import RemoteProviderContract, a_job
from generator.provider import (
    Busy,
    Job,
    NotConfigured,
    Output,
    Progress,
    Provider,
    Rejected,
    Submitted,
    Unavailable,
)
from generator.vendors.cog import CogProvider, CogSettings, id_of
from integration.vendors.following import outputs, percents, run
from integration.vendors.real_cog import cog_server
from servers import eventually

GONE = "a" * 26
LONG = {"seconds": 30, "steps": 300}


def a_picture(kind: str = "IMAGE", **told: Any) -> Job:
    params = {"service": "COG", "input": told}
    return a_job(kind, prompt="a red bicycle", params=params)


@pytest.fixture(scope="module")
async def streaming(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A model that streams, several predictions at a time."""
    async with cog_server(tmp_path_factory.mktemp("cog"), streams=True, slots=64) as url:
        yield url


@pytest.fixture(scope="module")
async def blocking(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A model that answers on the connection, one prediction at a time."""
    async with cog_server(tmp_path_factory.mktemp("cog"), streams=False, slots=1) as url:
        yield url


def a_provider(url: str) -> CogProvider:
    return CogProvider(CogSettings(cog_url=url), poll_s=(0.005, 0.02))


@pytest.fixture
async def cog(streaming: str) -> AsyncIterator[CogProvider]:
    provider = a_provider(streaming)
    yield provider
    await provider.aclose()


@pytest.fixture
async def slow_cog(blocking: str) -> AsyncIterator[CogProvider]:
    provider = a_provider(blocking)
    yield provider
    await provider.aclose()
    await idle(blocking)


async def idle(url: str) -> None:
    """Until the server has a slot for the next test."""
    async with httpx2.AsyncClient(base_url=url) as client:

        async def is_idle() -> bool:
            return bool((await client.get("/health-check")).json()["status"] == "READY")

        await eventually(is_idle, 30)


class Followed(CogProvider):
    """Lets a prediction end once it is followed, and not before."""

    def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        until = job.params.get("input", {}).get("until")
        if until:
            Path(until).touch()
        return super().follow(job, submitted)


class TestCogProvider(RemoteProviderContract):
    @pytest.fixture(autouse=True)
    def _served(self, streaming: str, tmp_path: Path) -> None:
        self.url = streaming
        self.folder = tmp_path
        self.made = itertools.count()

    def provider(self) -> Provider:
        return Followed(CogSettings(cog_url=self.url))

    def jobs(self) -> Sequence[Job]:
        until = str(self.folder / str(next(self.made)))
        several = {"service": "COG", "num_images": 3, "input": {"width": 64, "until": until}}
        return [
            a_job("IMAGE", prompt="a red bicycle", params=several),
            a_job("CREATE", prompt="a red bicycle", params={"service": "COG"}),
        ]

    def rejected_jobs(self) -> Sequence[Job]:
        return [a_picture(width=0), a_picture(depth=3), a_picture(failure="No bicycles.")]

    def unknown_jobs(self) -> Sequence[Submitted]:
        return [Submitted(GONE, {"id": GONE, "streams": True})]


def test_it_is_registered_and_asks_for_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DARKROOM_COG_URL", raising=False)
    (point,) = entry_points(group="darkroom.providers", name="cog")
    with pytest.raises(NotConfigured, match="DARKROOM_COG_URL"):
        point.load()()


async def test_progress_is_what_the_model_prints(cog: CogProvider) -> None:
    job = a_picture(steps=5, width=64)
    told = await run(cog, job, await cog.submit(job, "key-progress"))
    assert sorted(set(percents(told))) == [0, 20, 40, 60, 80, 99]
    (picture,) = outputs(told)
    assert (picture.content_type, picture.width, picture.height) == ("image/png", 64, 32)


async def test_a_prediction_that_is_over_before_anybody_listens_is_heard_all_the_same(
    cog: CogProvider,
) -> None:
    for number in range(5):
        job = a_picture(seconds=0, steps=1)
        assert outputs(await run(cog, job, await cog.submit(job, f"key-{number}")))


async def test_looking_for_a_prediction_begins_none(cog: CogProvider, streaming: str) -> None:
    forgotten = Submitted(GONE, {"id": GONE, "streams": True})
    assert not await cog.resume(a_picture(), forgotten)
    with pytest.raises(Unavailable, match="no longer knows"):
        await run(cog, a_picture(), forgotten)
    async with httpx2.AsyncClient(base_url=streaming) as client:
        assert (await client.post(f"/predictions/{GONE}/cancel")).status_code == 404


async def test_a_cancelled_prediction_is_stopped_there(cog: CogProvider, streaming: str) -> None:
    job = a_picture(**LONG)
    submitted = await cog.submit(job, "key-cancel")
    await cog.cancel(job, submitted)

    async def stopped() -> bool:
        async with httpx2.AsyncClient(base_url=streaming) as client:
            place = f"/predictions/{id_of('key-cancel')}/cancel"
            return (await client.post(place)).status_code == 404

    await eventually(stopped)
    assert not await cog.resume(job, submitted)


async def test_a_failed_prediction_is_not_resumed(cog: CogProvider) -> None:
    job = a_picture(failure="CUDA out of memory")
    submitted = await cog.submit(job, "key-failed")
    with pytest.raises(Unavailable, match="CUDA out of memory"):
        await run(cog, job, submitted)
    assert not await cog.resume(job, submitted)


async def test_a_model_that_does_not_stream_answers_in_the_end(
    slow_cog: CogProvider, tmp_path: Path
) -> None:
    until = tmp_path / "until"
    job = a_picture(steps=4, seconds=0, until=str(until))
    submitted = await slow_cog.submit(job, "key-slow")
    assert submitted.handle == {"id": id_of("key-slow"), "streams": False}
    told: list[Progress | Output] = []
    async for each in slow_cog.follow(job, submitted):
        told.append(each)
        if percents(told)[-1] == 99:
            until.touch()
    assert len(outputs(told)) == 1
    assert percents(told) == sorted(percents(told))


async def test_what_the_model_does_not_take_is_told_and_not_dropped(
    slow_cog: CogProvider,
) -> None:
    job = a_job("IMAGE", prompt="a red bicycle", params={"num_images": 2})
    with pytest.raises(Rejected, match=r"takes no num_outputs\. It takes: .*prompt"):
        await slow_cog.submit(job, "key")


async def test_where_all_slots_are_in_use_the_task_waits(
    slow_cog: CogProvider,
) -> None:
    running = a_picture(**LONG)
    submitted = await slow_cog.submit(running, "key-long")
    with pytest.raises(Busy):
        await slow_cog.submit(a_picture(), "key-other")
    await slow_cog.cancel(running, submitted)


async def test_a_prediction_whose_worker_died_is_stopped_by_cog_and_computed_again(
    slow_cog: CogProvider, blocking: str
) -> None:
    dying = a_provider(blocking)
    job = a_picture(seconds=2, steps=20)
    submitted = await dying.submit(job, "key-died")
    await dying.aclose()
    assert await slow_cog.resume(job, submitted)
    assert outputs(await run(slow_cog, job, submitted))


async def test_leaving_a_prediction_that_does_not_stream_frees_its_slot(
    slow_cog: CogProvider, blocking: str
) -> None:
    job = a_picture(**LONG)
    submitted = await slow_cog.submit(job, "key-left")
    following = asyncio.create_task(run(slow_cog, job, submitted))
    await asyncio.sleep(0)
    following.cancel()
    await asyncio.wait({following})
    await idle(blocking)


async def test_a_failure_of_a_model_that_does_not_stream_is_told(slow_cog: CogProvider) -> None:
    job = a_picture(failure="No bicycles.")
    submitted = await slow_cog.submit(job, "key-no")
    with pytest.raises(Rejected, match="No bicycles"):
        await run(slow_cog, job, submitted)
