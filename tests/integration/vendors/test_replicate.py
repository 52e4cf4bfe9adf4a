"""The provider `replicate` against Replicate as documented, with its traps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import SecretStr

from darkroom.testing import RemoteProviderContract, a_job
from fakes.pictures import SIZE, picture
from fakes.replicate import MODELS, TOKEN, VERSION, FakeReplicate
from generator.provider import (
    Busy,
    Finds,
    Job,
    NotConfigured,
    Provider,
    Rejected,
    StillUnknown,
    Submitted,
    Unavailable,
)
from generator.vendors.http import Unanswered
from generator.vendors.replicate import ReplicateProvider, ReplicateSettings
from integration.vendors.following import Door, outputs, percents, run

FLUX = {"service": "REPLICATE", "model": "black-forest-labs/flux-schnell"}


def an_image(**params: Any) -> Job:
    return a_job("IMAGE", prompt="a red bicycle", params={**FLUX, **params})


@pytest.fixture
def fake() -> FakeReplicate:
    return FakeReplicate()


def a_provider(url: str, *, token: str = TOKEN) -> ReplicateProvider:
    settings = ReplicateSettings(replicate_api_token=SecretStr(token), replicate_url=url)
    return ReplicateProvider(settings, poll_s=(0.001, 0.002))


@pytest.fixture
async def replicate(url: str) -> AsyncIterator[ReplicateProvider]:
    provider = a_provider(url)
    yield provider
    await provider.aclose()


class TestReplicateProvider(RemoteProviderContract):
    @pytest.fixture(autouse=True)
    def _served(self, url: str) -> None:
        self.url = url

    def provider(self) -> Provider:
        return a_provider(self.url)

    def jobs(self) -> Sequence[Job]:
        photo = {"photo": picture("a photo")}
        film = {"model": "wan-video/wan-2.2-t2v-fast"}
        return [
            an_image(num_images=3, input={"go_fast": True}),
            a_job("CREATE", prompt="a red bicycle", references=photo, params=FLUX),
            a_job("VIDEO", prompt="a red bicycle", params=film),
        ]

    def rejected_jobs(self) -> Sequence[Job]:
        return [a_job("IMAGE", params=FLUX), an_image(model="nobody/nothing")]

    def unknown_jobs(self) -> Sequence[Submitted]:
        return [Submitted("p0", {"id": "p0"})]


def test_it_is_registered_and_asks_for_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DARKROOM_REPLICATE_API_TOKEN", raising=False)
    (point,) = entry_points(group="darkroom.providers", name="replicate")
    with pytest.raises(NotConfigured, match="DARKROOM_REPLICATE_API_TOKEN"):
        point.load()()


def test_it_claims_no_keys_and_finds_jobs(replicate: ReplicateProvider) -> None:
    assert {offer.key_lasts_s for offer in replicate.offers.values()} == {None}
    assert isinstance(replicate, Finds)


@pytest.mark.parametrize("model", MODELS)
async def test_a_model_a_version_or_a_deployment_makes_pictures(
    replicate: ReplicateProvider, model: str
) -> None:
    job = an_image(model=model)
    Draft202012Validator(replicate.offers["IMAGE"].params_schema).validate(dict(job.params))
    assert outputs(await run(replicate, job, await replicate.submit(job, "key")))


@pytest.mark.parametrize("model", ["flux", "a/b/c", "../v1/files", "a/b:1", f"{VERSION}0", ""])
def test_what_names_no_model_is_refused_before_it_is_sent(
    replicate: ReplicateProvider, model: str
) -> None:
    schema = replicate.offers["IMAGE"].params_schema
    assert not Draft202012Validator(schema).is_valid({"model": model})


async def test_the_models_own_fields_are_passed_on_and_nobody_waits(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    job = an_image(num_images=2, input={"seed": 4})
    told = await run(replicate, job, await replicate.submit(job, "key"))
    assert fake.calls[0] == {
        "call": "create",
        "model": FLUX["model"],
        "body": {
            "version": FLUX["model"],
            "input": {"seed": 4, "prompt": "a red bicycle", "num_outputs": 2},
        },
        "prefer": "respond-async",
    }
    found = [(each.content_type, each.width, each.height) for each in outputs(told)]
    assert found == [("image/webp", *SIZE)] * 2


async def test_a_submit_whose_answer_is_lost_is_not_sent_again(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    fake.knobs.drop = 1
    with pytest.raises(Unanswered):
        await replicate.submit(an_image(), "key")
    assert fake.count("create") == len(fake.predictions) == 1


async def test_a_prediction_whose_id_nobody_heard_is_found_by_its_webhook(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    fake.own.page = 2
    ours, others = Door(), Door("http://127.0.0.1:9/hooks/service/2")
    job = ours.of(an_image())
    fake.knobs.drop = 1
    with pytest.raises(Unanswered):
        await replicate.submit(job, "key")
    (lost,) = fake.predictions
    for _ in range(3):
        await replicate.submit(others.of(an_image()), "key")
    found = await replicate.find(job, "key")
    assert found == Submitted(lost, {"id": lost})
    assert fake.count("list") == 2
    assert outputs(await run(replicate, job, found))


async def test_that_a_prediction_is_not_listed_does_not_prove_that_there_is_none(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    job = Door().of(an_image())
    with pytest.raises(StillUnknown):
        await replicate.find(job, "key")
    # One that wants the same, and tells nobody whose it is, is not taken for ours.
    fake.own.hides_webhooks = True
    await replicate.submit(job, "key")
    with pytest.raises(StillUnknown):
        await replicate.find(job, "key")


async def test_without_a_webhook_nothing_tells_whose_a_prediction_is(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    await replicate.submit(an_image(), "key")
    with pytest.raises(StillUnknown):
        await replicate.find(an_image(), "key")
    assert fake.count("list") == 0


async def test_a_search_is_bounded(replicate: ReplicateProvider, fake: FakeReplicate) -> None:
    fake.own.page = 1
    for _ in range(8):
        await replicate.submit(an_image(), "key")
    with pytest.raises(StillUnknown):
        await replicate.find(Door().of(an_image()), "key")
    assert fake.count("list") == 5


async def test_a_search_that_is_refused_for_now_is_no_answer(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    fake.knobs.fail = 1
    with pytest.raises(Unavailable):
        await replicate.find(Door().of(an_image()), "key")


async def test_replicate_itself_is_given_no_address_that_it_would_refuse(url: str) -> None:
    provider = a_provider("https://replicate.invalid")
    with pytest.raises(StillUnknown, match="webhook alone"):
        await provider.find(Door("http://127.0.0.1:8400/hooks/replicate/1").of(an_image()), "key")
    await provider.aclose()


async def test_a_throttled_account_is_no_failure(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    fake.knobs.busy, fake.knobs.retry_after = 1, "9"
    with pytest.raises(Busy) as busy:
        await replicate.submit(an_image(), "key")
    assert busy.value.retry_after_s == 9
    assert not fake.predictions


async def test_moderation_ends_the_task_with_its_words(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    fake.knobs.moderate = 1
    job = an_image()
    submitted = await replicate.submit(job, "key")
    with pytest.raises(Rejected, match="NSFW content detected"):
        await run(replicate, job, submitted)
    assert not await replicate.resume(job, submitted)


@pytest.mark.parametrize(
    "error", ["CUDA out of memory.", "Prediction interrupted; please retry (code: PA)"]
)
async def test_what_breaks_there_by_chance_may_be_tried_again(
    replicate: ReplicateProvider, fake: FakeReplicate, error: str
) -> None:
    fake.knobs.break_down, fake.own.error = 1, error
    job = an_image()
    submitted = await replicate.submit(job, "key")
    with pytest.raises(Unavailable, match=error[:10]):
        await run(replicate, job, submitted)
    assert not await replicate.resume(job, submitted)


async def test_a_prediction_that_did_not_begin_in_time_may_be_tried_again(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    fake.own.abort = 1
    job = an_image()
    submitted = await replicate.submit(job, "key")
    with pytest.raises(Unavailable, match="did not begin in time"):
        await run(replicate, job, submitted)
    assert not await replicate.resume(job, submitted)


async def test_a_result_that_was_deleted_is_not_resumed(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    job = an_image()
    submitted = await replicate.submit(job, "key")
    await run(replicate, job, submitted)
    fake.own.is_removed = True
    assert not await replicate.resume(job, submitted)
    with pytest.raises(Rejected, match="deleted the result"):
        await run(replicate, job, submitted)


async def test_progress_is_what_the_model_prints(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    fake.knobs.steps = 5
    job = an_image()
    told = await run(replicate, job, await replicate.submit(job, "key"))
    assert percents(told) == [0, 20, 40, 60, 80, 80]


async def test_a_call_is_a_hint_to_look_at_once(url: str, fake: FakeReplicate) -> None:
    settings = ReplicateSettings(replicate_api_token=SecretStr(TOKEN), replicate_url=url)
    provider = ReplicateProvider(settings, poll_s=(30, 30))
    door = Door()
    job = door.of(an_image())
    fake.knobs.steps = 2
    submitted = await provider.submit(job, "key")
    assert fake.calls[0]["body"]["webhook"] == door.url
    assert fake.calls[0]["body"]["webhook_events_filter"] == ["start", "completed"]
    door.tell(b'{"status": "failed", "error": "a lie"}')
    door.tell(b"nothing")
    assert outputs(await run(provider, job, submitted))
    assert fake.count("get") == 3
    await provider.aclose()


async def test_polls_that_are_throttled_or_fail_do_not_end_the_job(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    job = an_image()
    submitted = await replicate.submit(job, "key")
    fake.knobs.fail, fake.knobs.fail_status = 20, 429
    assert outputs(await run(replicate, job, submitted))
    fake.knobs.fail, fake.knobs.fail_status = 3, 503
    assert outputs(await run(replicate, job, submitted))
    assert fake.count("create") == 1


async def test_a_prediction_that_is_forgotten_meanwhile_is_lost(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    job = an_image()
    submitted = await replicate.submit(job, "key")
    fake.knobs.lost = True
    with pytest.raises(Unavailable, match="no longer knows"):
        await run(replicate, job, submitted)


async def test_a_cancelled_prediction_is_stopped_there(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    job = an_image()
    submitted = await replicate.submit(job, "key")
    await replicate.cancel(job, submitted)
    assert fake.predictions[submitted.external_task_id or ""].is_cancelled
    with pytest.raises(Rejected, match="cancelled at Replicate"):
        await run(replicate, job, submitted)


async def test_a_small_reference_goes_along_and_a_large_one_is_uploaded(
    replicate: ReplicateProvider, fake: FakeReplicate
) -> None:
    references = {"small": picture("small"), "large": picture("large") + bytes(300_000)}
    job = a_job("IMAGE", prompt="both", references=references, params=FLUX)
    job = replace(job, params={**FLUX, "references_in": "image_input"})
    await replicate.submit(job, "key")
    inline, link = fake.calls[-1]["body"]["input"]["image_input"]
    assert inline.startswith("data:image/png;base64,")
    ((name, content),) = fake.uploaded.items()
    assert (link.rpartition("/")[2], content) == (name, references["large"])


async def test_a_wrong_token_is_told_without_telling_it(url: str) -> None:
    provider = a_provider(url, token="r8_secret")
    with pytest.raises(Rejected) as refusal:
        await provider.submit(an_image(), "key")
    await provider.aclose()
    assert "account" in refusal.value.message
    assert "r8_secret" not in f"{refusal.value.message}{refusal.value.params}"
