"""The provider `kie` against Kie as documented: its jobs, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from darkroom.testing import RemoteProviderContract, a_job
from fakes.kie import FakeKie
from fakes.pictures import picture
from generator.provider import (
    Job,
    Limits,
    NotConfigured,
    Provider,
    Rate,
    Submitted,
)
from generator.vendors.kie import KieProvider, KieSettings
from integration.vendors.following import outputs, run
from integration.vendors.kie_served import NANO, SEED_PARAMS, a_provider, four_by_four


@pytest.fixture
def fake() -> FakeKie:
    return FakeKie(limit=1000)


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
