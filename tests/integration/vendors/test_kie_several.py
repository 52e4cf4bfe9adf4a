"""Kie: several jobs of one task, and a submit of which nobody heard the answer."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from darkroom.testing import a_job
from fakes.kie import KEY, FakeKie
from generator.provider import (
    Job,
    Output,
    Progress,
    StillUnknown,
    Submitted,
    Unavailable,
)
from generator.vendors.http import Unanswered
from generator.vendors.kie import KieProvider, KieSettings
from integration.vendors.following import Door, handles, outputs, run
from integration.vendors.kie_served import a_provider, four_by_four, one
from servers import eventually


@pytest.fixture
def fake() -> FakeKie:
    return FakeKie(limit=1000)


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
