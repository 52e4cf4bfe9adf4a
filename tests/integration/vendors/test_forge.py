"""The provider `forge` against a server that behaves as the web UI does, with its traps."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from pydantic import SecretStr

from darkroom.testing import ProviderContract, a_job
from fakes.forge import FakeForge
from fakes.pictures import SIZE, picture
from generator.provider import (
    Job,
    NotConfigured,
    Output,
    Progress,
    Provider,
    Rejected,
    Submitted,
    Unavailable,
)
from generator.vendors.forge import ForgeProvider, ForgeSettings
from integration.vendors.following import outputs, percents, run
from servers import eventually

PAUSE_S = 0.002
NOTHING = Submitted()
INTERRUPT = "POST /sdapi/v1/interrupt"


@pytest.fixture
def fake() -> FakeForge:
    return FakeForge()


def a_provider(url: str, user: str | None = None, password: str | None = None) -> ForgeProvider:
    word = None if password is None else SecretStr(password)
    settings = ForgeSettings(forge_url=SecretStr(url), forge_user=user, forge_password=word)
    return ForgeProvider(settings, pause_s=PAUSE_S)


@pytest.fixture
async def forge(url: str) -> AsyncIterator[ForgeProvider]:
    provider = a_provider(url)
    yield provider
    await provider.aclose()


def a_picture(**params: object) -> Job:
    return a_job("CREATE", prompt="a red bicycle", params=params)


async def made(provider: ForgeProvider, job: Job) -> list[Progress | Output]:
    return await run(provider, job, NOTHING)


class TestForgeProvider(ProviderContract):
    @pytest.fixture(autouse=True)
    def _served(self, url: str) -> None:
        self.url = url

    def provider(self) -> Provider:
        return a_provider(self.url)

    def jobs(self) -> Sequence[Job]:
        return [
            a_picture(steps=20, model="painter"),
            a_job("IMAGE", prompt="a red bicycle", params={"num_images": 3}),
            a_job("IMAGE", prompt="bluer", references={"a": picture("photo")}),
        ]

    def rejected_jobs(self) -> Sequence[Job]:
        two = {"a": picture("a"), "b": picture("b")}
        return [
            a_picture(sampler_name="nothing"),
            a_picture(model="nothing"),
            a_job("IMAGE", prompt="x", references=two),
        ]


async def test_the_progress_of_the_call_is_told_and_nobody_elses(
    fake: FakeForge, forge: ForgeProvider
) -> None:
    fake.knobs.steps, fake.knobs.hold = 4, True
    first = asyncio.create_task(made(forge, a_picture(num_images=2)))
    await eventually(lambda: fake.current)
    second = asyncio.create_task(made(forge, a_picture()))
    await eventually(lambda: fake.pending)
    await eventually(lambda: fake.count("POST /sdapi/v1/txt2img") == 2)
    await eventually(lambda: any(each.get("share") == 0.5 for each in fake.calls))
    fake.knobs.hold = False

    told, other = await first, await second

    assert set(percents(told)) >= {0, 50}
    assert set(percents(told)) <= {0, 12, 25, 37, 50, 62, 75, 87, 99}
    assert set(percents(other)) <= {0, 25, 50, 75, 99}
    assert (len(outputs(told)), len(outputs(other))) == (2, 1)


async def test_without_a_route_for_it_no_progress_is_invented(
    fake: FakeForge, forge: ForgeProvider
) -> None:
    fake.knobs.bare = True

    told = await made(forge, a_picture())

    assert set(percents(told)) == {0}
    assert len(outputs(told)) == 1


async def test_the_call_carries_what_was_asked_for(fake: FakeForge, forge: ForgeProvider) -> None:
    photo = picture("photo")
    params = {
        "service": "FORGE",
        "model": "painter",
        "steps": 9,
        "cfg_scale": 6.5,
        "sampler_name": "Euler a",
        "denoising_strength": 0.4,
        "num_images": 2,
        "override_settings": {"CLIP_stop_at_last_layers": 2},
    }
    job = a_job("IMAGE", prompt="bluer", references={"a": photo}, params=params)

    results = outputs(await made(forge, job))

    assert fake.count("POST /sdapi/v1/img2img") == 1
    assert fake.bodies == [
        {
            "prompt": "bluer",
            "steps": 9,
            "cfg_scale": 6.5,
            "sampler_name": "Euler a",
            "denoising_strength": 0.4,
            "n_iter": 2,
            "batch_size": 1,
            "override_settings": {
                "CLIP_stop_at_last_layers": 2,
                "sd_model_checkpoint": "painter",
            },
            "override_settings_restore_afterwards": True,
            "force_task_id": f"task({job.task_id}-1)",
            "send_images": True,
            "save_images": False,
            "init_images": [base64.b64encode(photo).decode()],
        }
    ]
    assert [(each.content_type, each.width, each.height) for each in results] == [
        ("image/png", *SIZE)
    ] * 2


async def test_stopping_a_call_interrupts_it(fake: FakeForge, forge: ForgeProvider) -> None:
    fake.knobs.hold = True
    following = asyncio.create_task(made(forge, a_picture()))
    await eventually(lambda: fake.current)

    following.cancel()

    await eventually(lambda: fake.finished)
    assert fake.count(INTERRUPT) == 1


async def test_stopping_a_call_that_waits_leaves_the_one_of_somebody_else(
    fake: FakeForge, forge: ForgeProvider
) -> None:
    fake.knobs.hold = True
    anns = asyncio.create_task(made(forge, a_picture()))
    await eventually(lambda: fake.current)
    bobs = asyncio.create_task(made(forge, a_picture()))
    await eventually(lambda: fake.pending)

    [waiting] = fake.pending

    bobs.cancel()
    await asyncio.wait({bobs})
    fake.calls.clear()
    await eventually(lambda: sum(each.get("id") == waiting for each in fake.calls) > 5)
    assert (fake.count(INTERRUPT), fake.pending) == (0, [waiting])
    fake.knobs.hold = False

    assert len(outputs(await anns)) == 1
    await eventually(lambda: len(fake.finished) == 2)


async def test_a_call_that_waited_is_stopped_when_its_turn_has_come(
    fake: FakeForge, forge: ForgeProvider
) -> None:
    fake.knobs.hold = True
    anns = asyncio.create_task(made(forge, a_picture()))
    await eventually(lambda: fake.current)
    first = fake.current
    bobs = asyncio.create_task(made(forge, a_picture()))
    await eventually(lambda: fake.pending)
    bobs.cancel()

    anns.cancel()

    await eventually(lambda: len(fake.finished) == 2)
    assert fake.finished[0] == first
    assert fake.count(INTERRUPT) == 2


async def test_a_call_of_a_killed_generator_is_stopped_by_the_next_attempt(
    fake: FakeForge, forge: ForgeProvider, url: str
) -> None:
    fake.knobs.hold = True
    job = a_picture()
    killed = a_provider(url)
    before = asyncio.create_task(made(killed, job))
    await eventually(lambda: fake.current)

    now = asyncio.create_task(made(forge, replace(job, attempt=2)))
    await eventually(lambda: fake.finished == [f"task({job.task_id}-1)"])
    fake.knobs.hold = False

    assert len(outputs(await now)) == 1
    with pytest.raises(Unavailable, match="interrupted"):
        await before
    await killed.aclose()


async def test_nothing_is_stopped_where_it_can_not_be_told_whose_it_is(
    fake: FakeForge, forge: ForgeProvider
) -> None:
    fake.knobs.hold = fake.knobs.bare = True
    following = asyncio.create_task(made(forge, a_picture()))
    await eventually(lambda: fake.current)

    following.cancel()
    await asyncio.wait({following})
    await forge.aclose()

    assert fake.count(INTERRUPT) == 0
    fake.knobs.hold = False
    await eventually(lambda: fake.finished)


async def test_a_sheet_of_all_pictures_and_maps_of_scripts_are_no_results(
    fake: FakeForge, forge: ForgeProvider
) -> None:
    job = a_job("IMAGE", prompt="a red bicycle", params={"num_images": 2})
    plain = outputs(await made(forge, job))
    fake.knobs.sheet = True

    assert outputs(await made(forge, job)) == plain
    assert len(plain) == 2


async def test_fewer_pictures_than_asked_for_are_no_result(
    fake: FakeForge, forge: ForgeProvider
) -> None:
    fake.knobs.hold = True
    following = asyncio.create_task(made(forge, a_picture(num_images=2)))
    await eventually(lambda: fake.current)
    fake.interrupted = True
    with pytest.raises(Unavailable, match="interrupted"):
        await following

    fake.knobs.hold, fake.knobs.junk = False, 1
    with pytest.raises(Unavailable, match="something else"):
        await made(forge, a_picture())


async def test_a_checkpoint_that_is_not_there_is_refused_though_the_server_only_breaks(
    fake: FakeForge, forge: ForgeProvider
) -> None:
    with pytest.raises(Rejected, match="no checkpoint 'nothing'"):
        await made(forge, a_picture(model="nothing"))

    fake.knobs.fail = 1
    with pytest.raises(Unavailable):
        await made(forge, a_picture(model="painter"))


async def test_the_words_of_a_refusal_are_the_users(forge: ForgeProvider) -> None:
    with pytest.raises(Rejected) as refusal:
        await made(forge, a_picture(sampler_name="nothing"))

    assert refusal.value.message == "Forge refused this task (400). It says: Sampler not found"


@pytest.mark.parametrize("place", ["address", "settings"])
async def test_the_login_goes_with_every_call_and_is_shown_nowhere(
    fake: FakeForge, url: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.authorization = "Basic YW5uOnMzY3JldC8="
    if place == "address":
        provider = a_provider(url.replace("://", "://ann:s3cret%2F@"))
    else:
        provider = a_provider(url, "ann", "s3cret/")

    assert len(outputs(await made(provider, a_picture()))) == 1
    await provider.aclose()

    ours = [each for each in caplog.records if not each.name.startswith("uvicorn")]
    assert ours
    assert not [each for each in ours if "s3cret" in each.getMessage()]
    assert not [each for each in ours if "YW5uOnMzY3JldC8=" in each.getMessage()]

    stranger = a_provider(url, "ann", "another")
    with pytest.raises(Rejected, match="does not accept the account"):
        await made(stranger, a_picture())
    await stranger.aclose()


async def test_it_is_not_offered_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DARKROOM_FORGE_URL", raising=False)
    with pytest.raises(NotConfigured, match="DARKROOM_FORGE_URL"):
        ForgeProvider()
    with pytest.raises(NotConfigured, match="is no http") as bad:
        a_provider("ann:s3cret@host:7860")
    assert "s3cret" not in bad.value.message


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    provider = a_provider("http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        await made(provider, a_picture(model="painter"))
    await provider.aclose()
