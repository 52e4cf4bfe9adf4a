"""The provider `openai`, with OpenAI's own library, against its API as documented."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import SecretStr

from darkroom.stack.ports import free_port
from darkroom.testing import RemoteProviderContract, a_job
from fakes.openai import KEY, FakeOpenAI
from fakes.pictures import FILM, SIZE, picture
from generator.provider import (
    Busy,
    Finds,
    Job,
    NotConfigured,
    Provider,
    Rejected,
    Submitted,
    Unavailable,
)
from generator.vendors import http
from generator.vendors.http import Unanswered
from generator.vendors.openai import OpenAIProvider, OpenAISettings
from integration.vendors.following import Door, Shelf, outputs, percents, run

POLL_S = (0.001, 0.002)


@pytest.fixture
def fake() -> FakeOpenAI:
    return FakeOpenAI()


def a_provider(url: str, *, key: str = KEY, poll_s: tuple[float, float] = POLL_S) -> OpenAIProvider:
    settings = OpenAISettings(openai_api_key=SecretStr(key), openai_url=f"{url}/v1")
    return OpenAIProvider(settings, poll_s=poll_s)


@pytest.fixture
async def openai(url: str) -> AsyncIterator[OpenAIProvider]:
    provider = a_provider(url)
    yield provider
    await provider.aclose()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def an_image(shelf: Shelf, **params: Any) -> Job:
    return shelf.of(a_job("IMAGE", prompt="a red bicycle", params=params))


def a_video(**params: Any) -> Job:
    return a_job("VIDEO", prompt="a red bicycle", params=params)


class TestOpenAIProvider(RemoteProviderContract):
    @pytest.fixture(autouse=True)
    def _served(self, url: str, shelf: Shelf) -> None:
        self.url, self.shelf = url, shelf

    def provider(self) -> Provider:
        return a_provider(self.url)

    def jobs(self) -> Sequence[Job]:
        photo = {"photo": picture("a photo")}
        return [
            an_image(self.shelf, num_images=2),
            self.shelf.of(a_job("CREATE", prompt="a hat", references=photo)),
            a_video(seconds="8"),
        ]

    def rejected_jobs(self) -> Sequence[Job]:
        photos = {"one": picture("one"), "two": picture("two")}
        return [
            self.shelf.of(a_job("IMAGE", prompt="")),
            a_job("VIDEO", prompt="a hat", references=photos),
        ]

    def unknown_jobs(self) -> Sequence[Submitted]:
        gone = f"artifacts/{'0' * 20}/1/part-00000000.png"
        return [
            Submitted("video_0", {"video": "video_0"}),
            Submitted(None, {"part_0": gone}),
            Submitted(None, {}),
        ]


# Pictures.


async def test_as_many_pictures_as_asked_for_come_with_their_sizes(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf
) -> None:
    params = {
        "service": "OPENAI",
        "model": "gpt-image-2",
        "num_images": 3,
        "size": "1536x1024",
        "quality": "low",
        "output_format": "webp",
    }
    Draft202012Validator(openai.offers["IMAGE"].params_schema).validate(params)
    job = an_image(shelf, **params)
    made = outputs(await run(openai, job, await openai.submit(job, "key")))
    assert [each.content for each in made] == [picture(n, "WEBP") for n in "123"]
    assert {(each.content_type, each.width, each.height) for each in made} == {
        ("image/webp", *SIZE)
    }
    assert fake.calls[0]["body"] == {
        "prompt": "a red bicycle",
        "model": "gpt-image-2",
        "n": 3,
        "size": "1536x1024",
        "quality": "low",
        "output_format": "webp",
    }


async def test_the_handle_of_pictures_says_where_they_are_kept_not_what_they_are(
    openai: OpenAIProvider, shelf: Shelf
) -> None:
    job = an_image(shelf, num_images=2)
    submitted = await openai.submit(job, "key")
    assert dict(submitted.handle) == dict(zip(("part_0", "part_1"), shelf.kept, strict=True))


async def test_whoever_goes_on_has_the_pictures_and_pays_for_none(
    openai: OpenAIProvider, fake: FakeOpenAI, url: str, shelf: Shelf
) -> None:
    job = an_image(shelf, num_images=2)
    submitted = await openai.submit(job, "key")
    other = a_provider(url)
    again = replace(job, attempt=2)
    assert await other.resume(again, submitted)
    assert len(outputs(await run(other, again, submitted))) == 2
    assert fake.count("generate") == 1
    await other.aclose()


async def test_ten_pictures_stay_in_order(openai: OpenAIProvider, shelf: Shelf) -> None:
    job = an_image(shelf, num_images=10)
    submitted = await openai.submit(job, "key")
    shuffled = Submitted(None, dict(sorted(submitted.handle.items(), reverse=True)))
    made = outputs(await run(openai, job, shuffled))
    assert [each.content for each in made] == [picture(str(n)) for n in range(1, 11)]


async def test_references_make_it_an_edit(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf
) -> None:
    references = {"one": picture("one"), "two": picture("two", "JPEG")}
    params = {"size": "auto", "moderation": "low"}
    job = shelf.of(a_job("CREATE", prompt="a hat", references=references, params=params))
    await openai.submit(job, "key")
    assert fake.references == list(references.values())
    body = {"prompt": "a hat", "model": "gpt-image-2.5-flare", "n": "1", "size": "auto"}
    assert fake.calls[0] == {"call": "edit", "body": body, "files": 2}


async def test_moderation_is_told_in_openais_words(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf
) -> None:
    fake.knobs.moderate = 1
    with pytest.raises(Rejected, match="rejected by safety") as refusal:
        await openai.submit(an_image(shelf), "key")
    assert refusal.value.code == "provider_rejected"


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO"])
@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_submit_that_broke_may_be_paid_and_is_made_once(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf, kind: str, status: int
) -> None:
    fake.knobs.fail, fake.knobs.fail_status = 1, status
    with pytest.raises(Unanswered):
        await openai.submit(shelf.of(a_job(kind, prompt="a hat")), "key")
    assert fake.count("generate") + fake.count("film") == 1


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO"])
async def test_a_submit_whose_answer_is_lost_is_paid_and_is_made_once(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf, kind: str
) -> None:
    fake.knobs.drop = 1
    with pytest.raises(Unanswered):
        await openai.submit(shelf.of(a_job(kind, prompt="a hat")), "key")
    assert fake.count("painted") + fake.count("filmed") == 1


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO"])
async def test_a_submit_to_nobody_was_not_taken(shelf: Shelf, kind: str) -> None:
    provider = a_provider(f"http://127.0.0.1:{free_port()}/v1")
    with pytest.raises(Unavailable, match="can't be reached"):
        await provider.submit(shelf.of(a_job(kind, prompt="a hat")), "key")
    await provider.aclose()


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO"])
async def test_too_many_requests_are_nobodys_fault_and_are_made_once(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf, kind: str
) -> None:
    fake.knobs.busy, fake.knobs.retry_after = 1, "12"
    with pytest.raises(Busy) as trouble:
        await openai.submit(shelf.of(a_job(kind, prompt="a hat")), "key")
    assert trouble.value.retry_after_s == 12
    assert fake.count("generate") + fake.count("film") == 1


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO"])
async def test_a_429_for_want_of_credit_is_the_operators_matter(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf, kind: str
) -> None:
    fake.own.no_credit = True
    with pytest.raises(Rejected, match="operator has to look"):
        await openai.submit(shelf.of(a_job(kind, prompt="a hat")), "key")


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO"])
async def test_a_wrong_key_is_the_operators_matter_and_is_not_told(
    url: str, shelf: Shelf, kind: str
) -> None:
    provider = a_provider(url, key="a-real-secret")
    with pytest.raises(Rejected, match="operator") as refusal:
        await provider.submit(shelf.of(a_job(kind, prompt="a hat")), "key")
    assert "a-real-secret" not in refusal.value.message
    await provider.aclose()


async def test_pictures_that_can_not_be_kept_are_not_paid_for_again(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf
) -> None:
    async def full(content: bytes, content_type: str) -> str:
        raise Unavailable("An intermediate result could not be kept.")

    # What is Unavailable was not taken, and is submitted again: this is not.
    with pytest.raises(Unanswered, match="made and lost"):
        await openai.submit(replace(an_image(shelf), save=full), "key")
    assert fake.count("painted") == 1


async def test_pictures_that_are_told_as_links_are_fetched_at_once(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf
) -> None:
    fake.own.links = True
    job = an_image(shelf, num_images=2)
    submitted = await openai.submit(job, "key")
    assert list(shelf.kept.values()) == [picture("1.png"), picture("2.png")]
    assert len(outputs(await run(openai, job, submitted))) == 2


async def test_a_link_that_can_not_be_fetched_is_not_paid_for_again(
    openai: OpenAIProvider, fake: FakeOpenAI, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_DOWNLOAD_PAUSE_S", 0.0)
    fake.own.links = fake.own.dead_links = True
    with pytest.raises(Unanswered, match="made and lost"):
        await openai.submit(an_image(shelf), "key")
    assert fake.count("painted") == 1
    assert fake.count("file") == 3


# Videos.


async def test_a_video_is_asked_for_as_a_form_and_fetched_with_the_key(
    openai: OpenAIProvider, fake: FakeOpenAI
) -> None:
    job = a_video(service="OPENAI", model="sora-2-pro", seconds="12", size="1280x720")
    Draft202012Validator(openai.offers["VIDEO"].params_schema).validate(dict(job.params))
    submitted = await openai.submit(job, "key")
    assert submitted == Submitted("video_1", {"video": "video_1"})
    assert fake.calls[0]["body"] == {
        "prompt": "a red bicycle",
        "model": "sora-2-pro",
        "seconds": "12",
        "size": "1280x720",
    }
    (video,) = outputs(await run(openai, job, submitted))
    assert (video.content, video.content_type) == (FILM, "video/mp4")


async def test_a_video_starts_from_the_reference(openai: OpenAIProvider, fake: FakeOpenAI) -> None:
    await openai.submit(a_job("VIDEO", prompt="a hat", references={"a": picture("a")}), "key")
    assert fake.references == [picture("a")]


async def test_a_video_that_lies_elsewhere_is_fetched_there_without_the_key(
    openai: OpenAIProvider, fake: FakeOpenAI
) -> None:
    fake.own.redirect = True
    job = a_video()
    (video,) = outputs(await run(openai, job, await openai.submit(job, "key")))
    assert video.content == FILM
    assert fake.calls[-1] == {"call": "file", "name": "film.mp4", "key": None}


async def test_progress_is_what_openai_reports(openai: OpenAIProvider, fake: FakeOpenAI) -> None:
    fake.knobs.steps = 9
    job = a_video()
    told = await run(openai, job, await openai.submit(job, "key"))
    assert percents(told) == [10, 20, 30, 40, 50, 60, 70, 80, 90, 99]


@pytest.mark.parametrize(
    ("header", "pause"),
    [("2500", 2.5), ("0", 0.0), ("-1", 0.0), ("9999999", 30.0), ("soon", 7.0), (None, 7.0)],
)
async def test_it_is_asked_as_often_as_openai_wishes(
    url: str, fake: FakeOpenAI, header: str | None, pause: float
) -> None:
    fake.own.poll_after_ms, fake.knobs.steps = header, 1
    provider = a_provider(url, poll_s=(7.0, 7.0))
    door = Door()
    job = door.of(a_video())
    door.tell(b"{}")
    await run(provider, job, await provider.submit(job, "key"))
    assert door.waits == [pause]
    await provider.aclose()


async def test_a_poll_that_fails_costs_no_attempt(openai: OpenAIProvider, fake: FakeOpenAI) -> None:
    job = a_video()
    submitted = await openai.submit(job, "key")
    fake.knobs.fail = 3
    assert len(outputs(await run(openai, job, submitted))) == 1


async def test_polls_that_fail_and_fail_end_the_attempt(
    openai: OpenAIProvider, fake: FakeOpenAI
) -> None:
    job = a_video()
    submitted = await openai.submit(job, "key")
    fake.knobs.fail = 100
    with pytest.raises(Unavailable):
        await run(openai, job, submitted)
    assert fake.count("video") == 4


async def test_a_video_against_the_rules_is_rejected_late(
    openai: OpenAIProvider, fake: FakeOpenAI
) -> None:
    fake.knobs.moderate = 1
    job = a_video()
    submitted = await openai.submit(job, "key")
    with pytest.raises(Rejected, match="against our policies"):
        await run(openai, job, submitted)
    assert not await openai.resume(job, submitted)


async def test_a_video_that_broke_may_be_handed_over_again(
    openai: OpenAIProvider, fake: FakeOpenAI
) -> None:
    fake.knobs.break_down = 1
    job = a_video()
    submitted = await openai.submit(job, "key")
    with pytest.raises(Unavailable, match="Something went wrong"):
        await run(openai, job, submitted)
    assert not await openai.resume(job, submitted)


async def test_a_video_that_is_gone_is_lost(openai: OpenAIProvider, fake: FakeOpenAI) -> None:
    job = a_video()
    submitted = await openai.submit(job, "key")
    fake.knobs.lost = True
    with pytest.raises(Unavailable, match="no longer knows"):
        await run(openai, job, submitted)
    assert not await openai.resume(job, submitted)


async def test_a_video_is_deleted_once_it_has_ended_and_left_before(
    openai: OpenAIProvider, fake: FakeOpenAI
) -> None:
    job = a_video()
    submitted = await openai.submit(job, "key")
    await openai.cancel(job, submitted)
    assert list(fake.videos) == ["video_1"]
    await run(openai, job, submitted)
    await openai.cancel(job, submitted)
    assert fake.videos == {}


# As a plug-in.


def test_it_looks_for_no_lost_job_as_it_could_take_anothers() -> None:
    assert not issubclass(OpenAIProvider, Finds)
    assert all(offer.key_lasts_s is None for offer in OpenAIProvider.offers.values())


def test_it_is_loaded_by_its_name() -> None:
    (point,) = entry_points(group="darkroom.providers", name="openai")
    assert point.load() is OpenAIProvider


def test_without_a_key_it_is_not_offered_and_the_library_not_imported() -> None:
    script = """
import sys
from generator.provider import NotConfigured
from generator.vendors.openai import OpenAIProvider
try:
    OpenAIProvider()
except NotConfigured as missing:
    print(missing.message, "openai" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env={}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "Set DARKROOM_OPENAI_API_KEY to a key of OpenAI. False\n"


def test_its_key_stands_in_the_settings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_OPENAI_API_KEY", "a-real-secret")
    settings = OpenAISettings()
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "a-real-secret"
    assert "a-real-secret" not in repr(settings)
    with pytest.raises(NotConfigured):
        OpenAIProvider(OpenAISettings(openai_api_key=None))


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("IMAGE", {"num_images": 11}),
        ("IMAGE", {"size": "large"}),
        ("IMAGE", {"seconds": "4"}),
        ("CREATE", {"quality": "best"}),
        ("VIDEO", {"num_images": 1}),
        ("VIDEO", {"seconds": "long"}),
    ],
)
def test_parameters_that_it_does_not_take_are_refused(kind: str, params: dict[str, Any]) -> None:
    assert not Draft202012Validator(OpenAIProvider.offers[kind].params_schema).is_valid(params)
