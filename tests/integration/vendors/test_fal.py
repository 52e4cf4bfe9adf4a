"""The provider `fal` against fal's queue as documented, with its traps."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Sequence
from importlib.metadata import entry_points

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from darkroom.testing import RemoteProviderContract, a_job
from fakes.fal import GLB, KEY, FakeFal
from fakes.pictures import SIZE, picture
from generator.provider import (
    Busy,
    Finds,
    Job,
    NotConfigured,
    Output,
    Progress,
    Provider,
    Rejected,
    Submitted,
    Unavailable,
)
from generator.vendors.fal import FalProvider, FalSettings
from generator.vendors.http import Unanswered
from integration.vendors.following import Door, outputs, percents, run

FLUX = {"service": "FAL", "model": "fal-ai/flux/dev"}
POLL_S = (0.001, 0.002)
LONG_S = (30.0, 30.0)
"""No poll comes between: only a call."""


def an_image(**params: object) -> Job:
    return a_job("IMAGE", prompt="a red bicycle", params={**FLUX, **params})


def a_model() -> Job:
    return a_job("PHOTO_TO_3D", references={"photo": picture("a photo")})


@pytest.fixture
def fake() -> FakeFal:
    return FakeFal()


def a_provider(url: str, *, key: str = KEY, poll_s: tuple[float, float] = POLL_S) -> FalProvider:
    settings = FalSettings(fal_key=SecretStr(key), fal_url=url, fal_rest_url=url)
    return FalProvider(settings, poll_s=poll_s)


@pytest.fixture
async def fal(url: str) -> AsyncIterator[FalProvider]:
    provider = a_provider(url)
    yield provider
    await provider.aclose()


@pytest.fixture
async def called(url: str) -> AsyncIterator[FalProvider]:
    """One that polls once, and then hears only calls."""
    provider = a_provider(url, poll_s=LONG_S)
    yield provider
    await provider.aclose()


class TestFalProvider(RemoteProviderContract):
    @pytest.fixture(autouse=True)
    def _served(self, url: str) -> None:
        self.url = url

    def provider(self) -> Provider:
        return a_provider(self.url)

    def jobs(self) -> Sequence[Job]:
        photo = {"photo": picture("a photo")}
        film = {"model": "fal-ai/ltx-video"}
        return [
            an_image(num_images=3, input={"guidance_scale": 3.5}),
            a_job("CREATE", prompt="a red bicycle", references=photo, params=FLUX),
            a_job("VIDEO", prompt="a red bicycle", params=film),
            a_model(),
        ]

    def rejected_jobs(self) -> Sequence[Job]:
        return [a_job("IMAGE", params=FLUX), an_image(model="fal-ai/flux-0")]

    def unknown_jobs(self) -> Sequence[Submitted]:
        return [Submitted("0", {"model": "fal-ai/flux/dev", "request_id": "0"})]


def test_it_is_registered_and_asks_for_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DARKROOM_FAL_KEY", raising=False)
    (point,) = entry_points(group="darkroom.providers", name="fal")
    with pytest.raises(NotConfigured, match="DARKROOM_FAL_KEY"):
        point.load()()


def test_it_claims_neither_keys_nor_a_way_to_find_jobs(fal: FalProvider) -> None:
    assert {offer.key_lasts_s for offer in fal.offers.values()} == {None}
    assert not isinstance(fal, Finds)


async def test_the_models_own_fields_are_passed_on(fal: FalProvider, fake: FakeFal) -> None:
    job = an_image(num_images=2, input={"seed": 4, "prompt": "another prompt"})
    told = await run(fal, job, await fal.submit(job, "key"))
    assert fake.calls[0] == {
        "call": "create",
        "model": "fal-ai/flux/dev",
        "body": {"seed": 4, "prompt": "another prompt", "num_images": 2},
        "webhook": None,
    }
    assert [(each.width, each.height) for each in outputs(told)] == [SIZE, SIZE]


async def test_a_model_does_not_have_its_results_fetched_from_inside(
    fal: FalProvider, fake: FakeFal
) -> None:
    submitted = await fal.submit(an_image(), "key")
    (job,) = fake.jobs.values()
    job.base = "http://169.254.169.254/"
    with pytest.raises(Rejected, match="public address"):
        await run(fal, an_image(), submitted)


async def test_a_submit_whose_answer_is_lost_is_not_sent_again(
    fal: FalProvider, fake: FakeFal
) -> None:
    fake.knobs.drop = 1
    with pytest.raises(Unanswered):
        await fal.submit(an_image(), "key")
    assert fake.count("create") == len(fake.jobs) == 1


async def test_a_submit_that_times_out_at_a_gateway_may_have_been_taken(
    fal: FalProvider, fake: FakeFal
) -> None:
    fake.knobs.fail, fake.knobs.fail_status = 1, 504
    with pytest.raises(Unanswered):
        await fal.submit(an_image(), "key")
    assert fake.count("create") == 1


async def test_too_many_submits_are_no_failure(fal: FalProvider, fake: FakeFal) -> None:
    fake.knobs.busy, fake.knobs.retry_after = 1, "7"
    with pytest.raises(Busy) as busy:
        await fal.submit(an_image(), "key")
    assert busy.value.retry_after_s == 7
    assert not fake.jobs


async def test_a_failed_job_that_is_completed_is_no_success(
    fal: FalProvider, fake: FakeFal
) -> None:
    fake.knobs.moderate = 1
    job = an_image()
    submitted = await fal.submit(job, "key")
    with pytest.raises(Rejected, match="Content policy violation"):
        await run(fal, job, submitted)
    assert not await fal.resume(job, submitted)
    assert fake.count("result") == 0


async def test_a_completed_job_whose_result_is_an_error_is_no_success(
    fal: FalProvider, fake: FakeFal
) -> None:
    fake.own.bad_result = 1
    job = an_image()
    submitted = await fal.submit(job, "key")
    with pytest.raises(Rejected, match="steps: too many"):
        await run(fal, job, submitted)
    assert not await fal.resume(job, submitted)


@pytest.mark.parametrize("kind", ["runner_disconnected", "startup_timeout", "internal_error"])
async def test_what_breaks_at_fal_may_be_tried_again(
    fal: FalProvider, fake: FakeFal, kind: str
) -> None:
    fake.knobs.break_down, fake.own.error_type = 1, kind
    job = an_image()
    submitted = await fal.submit(job, "key")
    with pytest.raises(Unavailable, match=kind):
        await run(fal, job, submitted)
    assert not await fal.resume(job, submitted)


async def test_a_job_of_a_model_with_a_path_is_asked_for_under_its_application(
    fal: FalProvider,
) -> None:
    for model in ("fal-ai/flux/dev", "workflows/ann/portrait"):
        job = an_image(model=model)
        submitted = await fal.submit(job, "key")
        assert submitted.handle == {
            "model": model,
            "request_id": submitted.external_task_id,
        }
        assert await fal.resume(job, submitted)


async def test_progress_is_what_the_model_prints(fal: FalProvider, fake: FakeFal) -> None:
    fake.knobs.steps = 5
    job = an_image()
    told = await run(fal, job, await fal.submit(job, "key"))
    assert percents(told) == [0, 0, 20, 40, 60, 80, 80]
    assert fake.calls[1] == {"call": "status", "logs": "1"}


async def test_polls_that_fail_do_not_end_the_job(fal: FalProvider, fake: FakeFal) -> None:
    job = an_image()
    submitted = await fal.submit(job, "key")
    fake.knobs.fail, fake.knobs.fail_status = 3, 502
    assert outputs(await run(fal, job, submitted))


async def test_too_many_polls_that_fail_end_the_attempt_and_the_job_goes_on(
    fal: FalProvider, fake: FakeFal
) -> None:
    job = an_image()
    submitted = await fal.submit(job, "key")
    fake.knobs.fail = 4
    with pytest.raises(Unavailable):
        await run(fal, job, submitted)
    assert await fal.resume(job, submitted)
    assert outputs(await run(fal, job, submitted))
    assert fake.count("create") == 1


async def test_a_job_that_fal_forgets_meanwhile_is_lost(fal: FalProvider, fake: FakeFal) -> None:
    job = an_image()
    submitted = await fal.submit(job, "key")
    fake.knobs.lost = True
    with pytest.raises(Unavailable, match="no longer knows"):
        await run(fal, job, submitted)


async def test_a_signed_call_is_believed(called: FalProvider, fake: FakeFal) -> None:
    door = Door()
    job = door.of(an_image())
    fake.own.is_silent = True
    submitted = await called.submit(job, "key")
    assert fake.calls[0]["webhook"] == door.url
    body = fake.told_by_webhook(fake.jobs[submitted.external_task_id or ""])
    door.tell(body, fake.signed(body))
    assert len(outputs(await run(called, job, submitted))) == 1
    assert (fake.count("status"), fake.count("result"), fake.count("jwks")) == (1, 0, 1)


async def test_the_keys_are_asked_for_once(called: FalProvider, fake: FakeFal) -> None:
    fake.own.is_silent = True
    for _ in range(3):
        door = Door()
        job = door.of(an_image())
        submitted = await called.submit(job, "key")
        body = fake.told_by_webhook(fake.jobs[submitted.external_task_id or ""])
        door.tell(body, fake.signed(body))
        await run(called, job, submitted)
    assert fake.count("jwks") == 1


async def test_a_signed_call_of_another_job_is_not_believed(
    called: FalProvider, fake: FakeFal
) -> None:
    door = Door()
    job = door.of(an_image())
    fake.own.is_silent, fake.knobs.steps = True, 1
    submitted = await called.submit(job, "key")
    other = await called.submit(an_image(), "key")
    body = fake.told_by_webhook(fake.jobs[other.external_task_id or ""])
    door.tell(body, fake.signed(body))
    assert len(outputs(await run(called, job, submitted))) == 1
    assert (fake.count("status"), fake.count("result")) == (2, 1)
    assert f"/files/{submitted.external_task_id}/0.png" in str(fake.calls)


@pytest.mark.parametrize("flaw", ["unsigned", "strange key", "old", "changed body", "no hex"])
async def test_a_call_that_fal_did_not_sign_is_only_a_hint(
    called: FalProvider, fake: FakeFal, flaw: str
) -> None:
    door = Door()
    job = door.of(an_image())
    fake.own.is_silent, fake.knobs.steps = True, 1
    submitted = await called.submit(job, "key")
    known = fake.jobs[submitted.external_task_id or ""]
    lie = json.loads(fake.told_by_webhook(known))
    lie["payload"] = {"images": [{"url": "http://127.0.0.1:9/malicious.png"}]}
    body = json.dumps(lie).encode()
    headers = dict(fake.signed(body))
    if flaw == "unsigned":
        headers = {}
    elif flaw == "strange key":
        key, fake.key = fake.key, Ed25519PrivateKey.generate()
        headers, fake.key = dict(fake.signed(body)), key
    elif flaw == "old":
        headers = dict(fake.signed(body, at=time.time() - 301))
    elif flaw == "changed body":
        headers = dict(fake.signed(fake.told_by_webhook(known)))
    else:
        headers["x-fal-webhook-signature"] = "not hex"
    door.tell(body, headers)
    # The hint made it look at once: what fal itself says is the result.
    assert [each.content for each in outputs(await run(called, job, submitted))] == [
        picture(f"/files/{known.id}/0.png")
    ]
    assert (fake.count("status"), fake.count("result")) == (2, 1)


async def test_a_cancelled_job_is_stopped_there(fal: FalProvider, fake: FakeFal) -> None:
    job = an_image()
    submitted = await fal.submit(job, "key")
    await fal.cancel(job, submitted)
    assert fake.jobs[submitted.external_task_id or ""].is_cancelled
    assert not await fal.resume(job, submitted)
    with pytest.raises(Rejected, match="cancelled at fal"):
        await run(fal, job, submitted)


async def test_a_small_reference_goes_along_and_a_large_one_is_uploaded(
    fal: FalProvider, fake: FakeFal
) -> None:
    small, large = picture("small"), picture("large") + bytes(300_000)
    references = {"small": small, "large": large}
    job = a_job("IMAGE", prompt="both", references=references, params=FLUX)
    await fal.submit(job, "key")
    inline, link = fake.calls[-1]["body"]["image_url"]
    assert inline.startswith("data:image/png;base64,")
    ((name, content),) = fake.uploaded.items()
    assert (link.rpartition("/")[2], content) == (name, large)


async def test_a_model_from_a_photo_shows_the_stages_that_fal_really_reaches(
    fal: FalProvider, fake: FakeFal
) -> None:
    job = a_model()
    told = await run(fal, job, await fal.submit(job, "key"))
    stages = [each.stage for each in told if isinstance(each, Progress) and each.stage]
    assert stages == ["job_created", "model_generated"]
    assert told[-1] == Output(GLB, "model/gltf-binary")
    assert len(outputs(told)) == 1
    assert fake.calls[0]["model"] == "fal-ai/trellis"


async def test_a_model_that_can_not_be_begun_fails_where_its_job_is_created(
    fal: FalProvider,
) -> None:
    photo = {"photo": picture("a photo")}
    job = a_job("PHOTO_TO_3D", references=photo, params={"model": "fal-ai/nothing"})
    with pytest.raises(Rejected, match="not found") as refusal:
        await fal.submit(job, "key")
    assert refusal.value.stage == "job_creation_failed"


async def test_a_wrong_key_is_told_without_telling_it(url: str) -> None:
    provider = a_provider(url, key="a-wrong-secret")
    with pytest.raises(Rejected) as refusal:
        await provider.submit(an_image(), "key")
    await provider.aclose()
    assert "account" in refusal.value.message
    assert "a-wrong-secret" not in f"{refusal.value.message}{refusal.value.params}"
