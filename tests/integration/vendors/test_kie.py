"""The provider `kie` against Kie as documented, with its traps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import SecretStr

from darkroom.testing import RemoteProviderContract, a_job
from fakes.kie import KEY, FakeKie
from fakes.pictures import picture
from fakes.serving import served
from generator.provider import (
    Busy,
    Job,
    Limits,
    NotConfigured,
    Output,
    Progress,
    Provider,
    Rate,
    Rejected,
    StillUnknown,
    Submitted,
    Unavailable,
)
from generator.vendors.http import Unanswered
from generator.vendors.kie import KieProvider, KieSettings
from integration.vendors.following import Door, handles, outputs, percents, run
from servers import eventually

POLL_S = (0.001, 0.002)
SEED_PARAMS = {
    "service": "KIE",
    "model": "IMAGEN4",
    "apiModel": "google/imagen4-fast",
    "input": {"prompt": "A beautiful sunset", "aspect_ratio": "16:9", "num_images": "4"},
}
NANO = {"service": "KIE", "model": "MARKET", "apiModel": "google/nano-banana"}


def four_by_four() -> Job:
    """Four pictures of a model that makes one at a time."""
    return a_job("IMAGE", prompt="a red bicycle", params={**NANO, "num_images": 4})


def one() -> Job:
    return a_job("IMAGE", prompt="a red bicycle")


@pytest.fixture
def fake() -> FakeKie:
    return FakeKie(limit=1000)


@pytest.fixture
async def url(fake: FakeKie) -> AsyncIterator[str]:
    async with served(fake.app()) as address:
        yield address


def a_provider(url: str, *, key: str = KEY, hold_s: float = 5) -> KieProvider:
    settings = KieSettings(
        kie_api_key=SecretStr(key), kie_url=url, kie_upload_url=url, kie_hold_s=hold_s
    )
    return KieProvider(settings, poll_s=POLL_S)


@pytest.fixture
async def kie(url: str) -> AsyncIterator[KieProvider]:
    provider = a_provider(url)
    yield provider
    await provider.aclose()


class TestKieProvider(RemoteProviderContract):
    @pytest.fixture(autouse=True)
    def _served(self, url: str) -> None:
        self.url = url

    def provider(self) -> Provider:
        return a_provider(self.url)

    def jobs(self) -> Sequence[Job]:
        photo = {"photo": picture("a photo")}
        return [
            a_job("IMAGE", prompt="a red bicycle", params=SEED_PARAMS),
            a_job("CREATE", prompt="a red bicycle", references=photo, params=NANO),
            a_job("IMAGE", prompt="a red bicycle", params={"model": "MIDJOURNEY"}),
            a_job("VIDEO", prompt="a red bicycle"),
            a_job("VIDEO", prompt="a red bicycle", references=photo, params={"model": "SORA2"}),
            four_by_four(),
        ]

    def rejected_jobs(self) -> Sequence[Job]:
        gone = {**NANO, "apiModel": "google/imagen3"}
        photo = {"photo": picture("a photo")}
        return [
            a_job("IMAGE", prompt="a red bicycle", params=gone),
            a_job("IMAGE", prompt="a red bicycle", references=photo, params=SEED_PARAMS),
        ]

    def unknown_jobs(self) -> Sequence[Submitted]:
        return [
            Submitted("task_0", {"family": each, "jobs": ["task_0"], "references": []})
            for each in ("market", "veo", "mj")
        ]


async def _pictures(kie: KieProvider, job: Job) -> int:
    return len(outputs(await run(kie, job, await kie.submit(job, "key"))))


# What can be asked.


async def test_the_parameters_of_the_task_hooks_are_accepted_exactly_and_passed_on(
    kie: KieProvider, fake: FakeKie
) -> None:
    Draft202012Validator(kie.offers["IMAGE"].params_schema).validate(SEED_PARAMS)
    job = a_job("IMAGE", prompt="A beautiful sunset", params=SEED_PARAMS)
    told = await run(kie, job, await kie.submit(job, "key"))
    assert fake.calls[0] == {
        "call": "create",
        "family": "jobs",
        "body": {"model": "google/imagen4-fast", "input": SEED_PARAMS["input"]},
    }
    pictures = outputs(told)
    assert len({each.content for each in pictures}) == 4
    assert {(each.content_type, each.width, each.height) for each in pictures} == {
        ("image/png", 48, 32)
    }


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("IMAGE", {}),
        ("CREATE", {"service": "KIE", "num_images": 2}),
        ("IMAGE", {"service": "KIE", "model": "IMAGEN4", "apiModel": "google/imagen4-ultra"}),
        ("IMAGE", {"model": "MARKET", "apiModel": "z-image", "input": {"anything": [1]}}),
        (
            "IMAGE",
            {
                "service": "KIE",
                "model": "MIDJOURNEY",
                "apiModel": "midjourney",
                "input": {"prompt": "a", "taskType": "mj_txt2img", "speed": "fast"},
            },
        ),
        (
            "VIDEO",
            {
                "service": "KIE",
                "model": "VEO3",
                "apiModel": "veo3_fast",
                "input": {"prompt": "a", "aspect_ratio": "Auto", "seeds": 12345},
            },
        ),
        (
            "VIDEO",
            {
                "service": "KIE",
                "model": "SORA2",
                "apiModel": "sora-2-text-to-video",
                "input": {"prompt": "a", "n_frames": "10", "remove_watermark": True},
            },
        ),
    ],
)
def test_parameters_of_each_kind_of_model_are_accepted(kind: str, params: dict[str, Any]) -> None:
    Draft202012Validator(KieProvider.offers[kind].params_schema).validate(params)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("IMAGE", {"model": "VEO3"}),
        ("IMAGE", {"model": "IMAGEN4", "apiModel": "google/imagen3"}),
        ("IMAGE", {"model": "IMAGEN4", "input": {"num_images": "0"}}),
        ("IMAGE", {"model": "IMAGEN4", "input": {"num_images": 17}}),
        ("IMAGE", {"model": "IMAGEN4", "input": {"size": "large"}}),
        ("IMAGE", {"model": "MARKET"}),
        ("IMAGE", {"model": "MIDJOURNEY", "input": {"taskType": "mj_video"}}),
        ("VIDEO", {"model": "IMAGEN4"}),
        ("VIDEO", {"color": "red"}),
    ],
)
def test_parameters_that_no_model_takes_are_refused(kind: str, params: dict[str, Any]) -> None:
    assert not Draft202012Validator(KieProvider.offers[kind].params_schema).is_valid(params)


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"model": "IMAGEN3"}, ["model"]),
        ({"input": {"aspect_ratio": "2:1"}}, ["input", "aspect_ratio"]),
        ({"model": "MIDJOURNEY", "input": {"motion": "some"}}, ["input", "motion"]),
    ],
)
def test_a_mistake_is_told_where_it_is(params: dict[str, Any], path: list[str]) -> None:
    validator = Draft202012Validator(KieProvider.offers["IMAGE"].params_schema)
    assert [list(each.path) for each in validator.iter_errors(params)] == [path]


@pytest.mark.parametrize(
    ("kind", "params", "family", "body"),
    [
        (
            "IMAGE",
            {"model": "MIDJOURNEY", "input": {"speed": "turbo"}},
            "mj",
            {"prompt": "a hat", "speed": "turbo", "taskType": "mj_txt2img"},
        ),
        ("VIDEO", {}, "veo", {"model": "veo3_fast", "prompt": "a hat"}),
        (
            "VIDEO",
            {"model": "SORA2", "input": {"prompt": "a coat"}},
            "jobs",
            {"model": "sora-2-text-to-video", "input": {"prompt": "a coat"}},
        ),
    ],
)
async def test_each_family_has_its_own_endpoint_and_words(
    kie: KieProvider,
    fake: FakeKie,
    kind: str,
    params: dict[str, Any],
    family: str,
    body: dict[str, Any],
) -> None:
    await kie.submit(a_job(kind, prompt="a hat", params=params), "key")
    assert fake.calls[0] == {"call": "create", "family": family, "body": body}


@pytest.mark.parametrize(
    ("kind", "params", "field"),
    [
        ("VIDEO", {"model": "SORA2"}, "image_urls"),
        ("VIDEO", {}, "imageUrls"),
        ("IMAGE", {"model": "MIDJOURNEY"}, "fileUrls"),
        ("IMAGE", {**NANO, "references_in": "image_input"}, "image_input"),
    ],
)
async def test_references_are_uploaded_and_linked_where_the_model_looks(
    kie: KieProvider, fake: FakeKie, url: str, kind: str, params: dict[str, Any], field: str
) -> None:
    references = {"one": picture("one"), "two": picture("two", "JPEG")}
    job = a_job(kind, prompt="a hat", params=params, references=references)
    submitted = await kie.submit(job, "key")
    body = fake.jobs[str(submitted.external_task_id)].body
    names = [f"darkroom/{job.task_id}-1-0.png", f"darkroom/{job.task_id}-1-1.jpeg"]
    assert body.get("input", body)[field] == [f"{url}/files/{name}" for name in names]
    assert fake.uploaded == dict(zip(names, references.values(), strict=True))


def test_it_is_loaded_by_its_name() -> None:
    (point,) = entry_points(group="darkroom.providers", name="kie")
    assert point.load() is KieProvider


def test_without_a_key_it_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DARKROOM_KIE_API_KEY", raising=False)
    with pytest.raises(NotConfigured, match="DARKROOM_KIE_API_KEY"):
        KieProvider()


def test_its_key_stands_in_the_settings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_KIE_API_KEY", "a-real-secret")
    settings = KieSettings()
    assert settings.kie_api_key is not None
    assert settings.kie_api_key.get_secret_value() == "a-real-secret"
    assert "a-real-secret" not in repr(settings)


def test_twenty_jobs_in_ten_seconds_are_all_that_kie_takes() -> None:
    assert KieProvider.limits == Limits(rate=Rate(20, 10))


# Errors within a 200, and other traps of a submit.


@pytest.mark.parametrize("code", [401, 402, 404, 422, 505])
async def test_a_refusal_within_a_200_is_rejected(
    kie: KieProvider, fake: FakeKie, code: int
) -> None:
    fake.own.code, fake.own.code_told = 1, code
    with pytest.raises(Rejected, match="A word from Kie") as refusal:
        await kie.submit(one(), "key")
    assert str(code) in refusal.value.message
    assert refusal.value.code == "provider_rejected"


@pytest.mark.parametrize("code", [455, 501])
async def test_maintenance_within_a_200_is_met_by_another_attempt(
    kie: KieProvider, fake: FakeKie, code: int
) -> None:
    fake.own.code, fake.own.code_told = 1, code
    with pytest.raises(Unavailable, match=str(code)):
        await kie.submit(one(), "key")


async def test_a_crash_within_a_200_may_have_taken_the_job(kie: KieProvider, fake: FakeKie) -> None:
    fake.own.code = 1
    with pytest.raises(Unanswered):
        await kie.submit(one(), "key")


async def test_too_many_jobs_within_a_200_are_nobodys_fault(
    kie: KieProvider, fake: FakeKie
) -> None:
    fake.knobs.busy = 1
    with pytest.raises(Busy):
        await kie.submit(one(), "key")
    assert not fake.jobs


async def test_a_model_that_is_no_longer_served_is_rejected(
    kie: KieProvider, fake: FakeKie
) -> None:
    fake.own.unserved = ["sora-2-text-to-video"]
    with pytest.raises(Rejected, match="not supported") as refusal:
        await kie.submit(a_job("VIDEO", prompt="a hat", params={"model": "SORA2"}), "key")
    assert refusal.value.code == "provider_rejected"


async def test_a_wrong_key_is_the_operators_matter_and_is_not_told(url: str) -> None:
    provider = a_provider(url, key="a-real-secret")
    with pytest.raises(Rejected, match="operator") as refusal:
        await provider.submit(one(), "key")
    assert "a-real-secret" not in refusal.value.message
    await provider.aclose()


async def test_cloudflare_is_shown_a_browser(kie: KieProvider, url: str) -> None:
    async with httpx2.AsyncClient() as plain:
        blocked = await plain.post(f"{url}/api/v1/jobs/createTask", json={})
    assert (blocked.status_code, blocked.text) == (403, "error code: 1010")
    assert (await kie.submit(one(), "key")).external_task_id == "task_jobs_1"


# The record of a job.


@pytest.mark.parametrize(
    ("kind", "params"), [("IMAGE", {}), ("IMAGE", {"model": "MIDJOURNEY"}), ("VIDEO", {})]
)
async def test_moderation_comes_late_and_is_told_in_kies_words(
    kie: KieProvider, fake: FakeKie, kind: str, params: dict[str, Any]
) -> None:
    fake.knobs.moderate = 1
    job = a_job(kind, prompt="a hat", params=params)
    submitted = await kie.submit(job, "key")
    with pytest.raises(Rejected, match="flagged by content moderation") as refusal:
        await run(kie, job, submitted)
    assert refusal.value.code == "provider_rejected"
    assert not await kie.resume(job, submitted)


async def test_a_job_that_broke_at_kie_may_be_handed_over_again(
    kie: KieProvider, fake: FakeKie
) -> None:
    fake.knobs.break_down = 1
    job = one()
    submitted = await kie.submit(job, "key")
    with pytest.raises(Unavailable, match="Internal error"):
        await run(kie, job, submitted)
    assert not await kie.resume(job, submitted)


async def test_a_new_job_that_has_no_record_yet_is_not_lost(
    kie: KieProvider, fake: FakeKie
) -> None:
    fake.own.blind = 2
    job = one()
    submitted = await kie.submit(job, "key")
    assert await kie.resume(job, submitted)
    fake.jobs[str(submitted.external_task_id)].blind = 2
    assert len(outputs(await run(kie, job, submitted))) == 1


async def test_a_job_that_kie_forgot_is_lost(kie: KieProvider, fake: FakeKie) -> None:
    job = one()
    submitted = await kie.submit(job, "key")
    fake.knobs.lost = True
    with pytest.raises(Unavailable, match="no longer knows the job"):
        await run(kie, job, submitted)
    assert not await kie.resume(job, submitted)


async def test_a_poll_that_fails_costs_no_attempt(kie: KieProvider, fake: FakeKie) -> None:
    job = one()
    submitted = await kie.submit(job, "key")
    fake.knobs.fail, fake.own.code = 2, 1
    assert len(outputs(await run(kie, job, submitted))) == 1


async def test_polls_that_fail_and_fail_end_the_attempt(kie: KieProvider, fake: FakeKie) -> None:
    job = one()
    submitted = await kie.submit(job, "key")
    fake.knobs.fail = 100
    with pytest.raises(Unavailable):
        await run(kie, job, submitted)
    assert fake.count("record") == 4


async def test_progress_is_what_kie_reports(kie: KieProvider, fake: FakeKie) -> None:
    fake.knobs.steps = 9
    job = a_job("VIDEO", prompt="a hat", params={"model": "SORA2"})
    told = await run(kie, job, await kie.submit(job, "key"))
    assert percents(told) == [10, 20, 30, 40, 50, 60, 70, 80, 90, 99]


async def test_no_progress_is_made_up_where_kie_reports_none(
    kie: KieProvider, fake: FakeKie
) -> None:
    told = await run(kie, (job := one()), await kie.submit(job, "key"))
    assert percents(told) == [0, 0, 0, 99]


async def test_links_that_died_are_said_to_be_gone(kie: KieProvider, fake: FakeKie) -> None:
    fake.own.dead_links = True
    job = one()
    submitted = await kie.submit(job, "key")
    with pytest.raises(Rejected, match="no longer there"):
        await run(kie, job, submitted)


async def test_results_are_fetched_as_soon_as_a_job_is_done(
    kie: KieProvider, fake: FakeKie
) -> None:
    job = one()
    await run(kie, job, await kie.submit(job, "key"))
    calls = [each["call"] for each in fake.calls]
    assert calls == ["create", "taken", *["record"] * 4, "file"]


# Several jobs of one task.


async def test_four_pictures_of_a_model_that_makes_one_are_four_jobs_on_the_log(
    kie: KieProvider, fake: FakeKie
) -> None:
    job = four_by_four()
    told = await run(kie, job, await kie.submit(job, "key"))
    assert len({each.content for each in outputs(told)}) == 4
    assert fake.count("taken") == 4
    ids = list(fake.jobs)
    steps = [(len(each["jobs"]), "handing_over" in each) for each in handles(told)]
    assert steps == [(1, True), (2, False), (2, True), (3, False), (3, True), (4, False)]
    assert handles(told)[-1]["jobs"] == ids


@pytest.mark.parametrize("stop_at", range(6))
async def test_whoever_goes_on_pays_for_no_picture_twice(
    kie: KieProvider, fake: FakeKie, stop_at: int
) -> None:
    job = four_by_four()
    submitted = await kie.submit(job, "key")
    handle = submitted.handle
    seen = 0
    async with aclosing(kie.follow(job, submitted)) as told:  # type: ignore[type-var]
        async for each in told:
            if isinstance(each, Progress) and each.handle is not None:
                handle = json.loads(json.dumps(each.handle))
                if seen == stop_at:
                    break
                seen += 1
    again = Submitted(submitted.external_task_id, handle)
    assert await kie.resume(job, again)
    rest = await run(kie, replace(job, attempt=2), again)
    # A creation that was only about to happen counts as done: it may have been.
    lost = 1 if "handing_over" in handle else 0
    assert len(outputs(rest)) == 4 - lost
    assert fake.count("taken") == 4 - lost


async def test_who_is_stopped_while_a_job_is_created_tells_of_it_first(
    kie: KieProvider, fake: FakeKie
) -> None:
    job = four_by_four()
    submitted = await kie.submit(job, "key")
    fake.knobs.latency_s = 0.2
    told: list[Progress | Output] = []

    async def follow() -> None:
        async for each in kie.follow(job, submitted):
            told.append(each)  # noqa: PERF401 - until it is stopped

    following = asyncio.create_task(follow())
    await eventually(lambda: fake.count("create") == 2)
    following.cancel()
    await asyncio.wait({following})
    assert following.cancelled()
    assert fake.count("taken") == 2
    assert handles(told)[-1] == {
        "family": "market",
        "jobs": ["task_jobs_1", "task_jobs_2"],
        "references": [],
    }


async def test_a_job_whose_creation_nobody_heard_the_answer_of_is_not_created_again(
    kie: KieProvider, fake: FakeKie
) -> None:
    job = four_by_four()
    submitted = await kie.submit(job, "key")
    fake.knobs.drop = 1
    told = await run(kie, job, submitted)
    assert fake.count("taken") == 4
    assert len(outputs(told)) == 3
    assert handles(told)[-1]["unknown"] == 1


async def test_such_a_job_is_adopted_when_kie_calls_back_about_it(
    kie: KieProvider, fake: FakeKie
) -> None:
    door = Door()
    job = door.of(four_by_four())
    submitted = await kie.submit(job, "key")
    fake.knobs.drop = 1
    door.tell(json.dumps({"code": 200, "data": {"taskId": "task_jobs_2"}}).encode())
    told = await run(kie, job, submitted)
    assert fake.count("taken") == 4
    assert len({each.content for each in outputs(told)}) == 4
    assert handles(told)[-1]["unknown"] == 0


async def test_too_many_jobs_are_waited_for(kie: KieProvider, fake: FakeKie) -> None:
    door = Door()
    job = door.of(four_by_four())
    submitted = await kie.submit(job, "key")
    fake.knobs.busy = 1
    door.tell(b"{}")
    assert len(outputs(await run(kie, job, submitted))) == 4
    assert fake.count("create") == 5
    assert fake.count("taken") == 4


async def test_one_of_four_that_broke_is_made_again_alone(kie: KieProvider, fake: FakeKie) -> None:
    job = four_by_four()
    submitted = await kie.submit(job, "key")
    fake.knobs.break_down = 1
    following = kie.follow(job, submitted)
    told = []
    with suppress(Unavailable):
        while True:
            told.append(await anext(following))
    handle = handles(told)[-1]
    assert handle["jobs"] == ["task_jobs_1", "task_jobs_3", "task_jobs_4"]
    again = Submitted(submitted.external_task_id, handle)
    assert await kie.resume(job, again)
    assert len(outputs(await run(kie, job, again))) == 4
    assert fake.count("taken") == 5


# A submit of which nobody heard the answer.


async def _unheard(kie: KieProvider, fake: FakeKie, job: Job) -> None:
    fake.knobs.drop = 1
    with pytest.raises(Unanswered):
        await kie.submit(job, "key")


def _call(job_id: str) -> bytes:
    return json.dumps({"code": 200, "data": {"taskId": job_id, "state": "success"}}).encode()


@pytest.mark.parametrize(
    ("kind", "params", "job_id"),
    [
        ("IMAGE", {}, "task_jobs_1"),
        ("IMAGE", {"model": "MIDJOURNEY"}, "task_mj_1"),
        ("VIDEO", {}, "task_veo_1"),
    ],
)
async def test_a_job_whose_answer_was_lost_is_found_by_its_callback(
    kie: KieProvider, fake: FakeKie, kind: str, params: dict[str, Any], job_id: str
) -> None:
    door = Door()
    job = door.of(a_job(kind, prompt="a hat", params=params))
    await _unheard(kie, fake, job)
    door.tell(_call(job_id))
    found = await kie.find(job, "key")
    assert found is not None
    assert found.external_task_id == job_id
    assert outputs(await run(kie, job, found))
    assert fake.count("taken") == 1


async def test_a_callback_is_believed_only_as_far_as_kie_confirms_it(
    kie: KieProvider, fake: FakeKie
) -> None:
    door, elsewhere = Door(), Door("http://127.0.0.1:9/hooks/kie/another")
    job = door.of(one())
    other = elsewhere.of(replace(job, task_id="another"))
    await kie.submit(other, "key")
    await kie.submit(door.of(a_job("IMAGE", prompt="a blue bicycle")), "key")
    await _unheard(kie, fake, job)
    forged = [b"", b"[]", b"null", b'{"data": 7}', b'{"data": {"taskId": 7}}', b"\xff"]
    for body in [*forged, _call("task_jobs_9"), _call("task_jobs_1"), _call("task_jobs_2")]:
        door.tell(body)
    door.tell(_call("task_jobs_3"))
    found = await kie.find(job, "key")
    assert found is not None
    assert found.external_task_id == "task_jobs_3"


async def test_a_job_that_failed_already_is_not_adopted(url: str, fake: FakeKie) -> None:
    kie = a_provider(url, hold_s=0.05)
    door = Door()
    job = door.of(one())
    fake.knobs.steps, fake.knobs.break_down = 0, 1
    await _unheard(kie, fake, job)
    door.tell(_call("task_jobs_1"))
    with pytest.raises(StillUnknown):
        await kie.find(job, "key")
    await kie.aclose()


async def test_without_a_callback_it_stays_unknown(url: str, fake: FakeKie) -> None:
    kie = a_provider(url, hold_s=0.01)
    door = Door()
    job = door.of(one())
    await _unheard(kie, fake, job)
    with pytest.raises(StillUnknown, match="did not call back"):
        await kie.find(job, "key")
    with pytest.raises(StillUnknown, match="callback alone"):
        await kie.find(one(), "key")
    assert fake.count("taken") == 1
    await kie.aclose()


async def test_a_callback_shortens_the_wait_and_the_truth_is_read_again(
    url: str, fake: FakeKie
) -> None:
    settings = KieSettings(kie_api_key=SecretStr(KEY), kie_url=url)
    kie = KieProvider(settings, poll_s=(3600, 3600))
    door = Door()
    job = door.of(one())
    submitted = await kie.submit(job, "key")
    for _ in range(3):
        door.tell(_call(str(submitted.external_task_id)))
    assert len(outputs(await run(kie, job, submitted))) == 1
    assert fake.count("record") == 4
    await kie.aclose()
