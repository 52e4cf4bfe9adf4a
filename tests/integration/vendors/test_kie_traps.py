"""Kie's errors within a 200, and other traps of a submit and of the record of a job."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from darkroom.testing import a_job
from fakes.kie import FakeKie
from generator.provider import (
    Busy,
    Rejected,
    Unavailable,
)
from generator.vendors.http import Unanswered
from generator.vendors.kie import KieProvider
from integration.vendors.following import outputs, percents, run
from integration.vendors.kie_served import a_provider, one


@pytest.fixture
def fake() -> FakeKie:
    return FakeKie(limit=1000)


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
