"""The provider `comfyui` against a server that behaves as ComfyUI does, with its traps."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from darkroom.testing import RemoteProviderContract, a_job
from fakes.comfyui import FakeComfyUI
from fakes.pictures import picture
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
from generator.vendors.comfyui.provider import ComfyUIProvider
from generator.vendors.http import Unanswered
from integration.vendors.comfyui_graphs import photo_graph, picture_graph, video_graph
from integration.vendors.comfyui_served import a_picture, a_provider, made, submitted
from integration.vendors.following import outputs, percents, run
from servers import eventually

LOST = Submitted("gone", {"prompt_id": "gone", "client_id": "gone"})


class TestComfyUIProvider(RemoteProviderContract):
    @pytest.fixture(autouse=True)
    def _served(self, comfyui_url: str) -> None:
        self.url = comfyui_url

    def provider(self) -> Provider:
        return a_provider(self.url)

    def jobs(self) -> Sequence[Job]:
        photo = {"a": picture("photo")}
        own = {"graph": photo_graph()}
        return [
            a_picture(),
            a_job("IMAGE", prompt="a red bicycle", params={"num_images": 3}),
            a_job("IMAGE", prompt="bluer", references=photo, params={"denoising_strength": 0.3}),
            a_job("IMAGE", prompt="bluer", references=photo, params=own),
            a_job("VIDEO", prompt="a red bicycle", params={"graph": video_graph()}),
        ]

    def rejected_jobs(self) -> Sequence[Job]:
        return [
            a_picture(graph=photo_graph()),
            a_picture(graph={"1": {"class_type": "NoSuchNode", "inputs": {}}}),
            a_picture(model="nothing.safetensors"),
            a_picture(denoising_strength=0.3),
            a_job("VIDEO", prompt="a red bicycle", params={"graph": picture_graph()}),
            a_job("IMAGE", prompt="x", references={"a": picture("a"), "b": picture("b")}),
        ]

    def unknown_jobs(self) -> Sequence[Submitted]:
        return [LOST]


async def heard_from_the_start(
    comfyui_fake: FakeComfyUI, provider: ComfyUIProvider, job: Job
) -> list[Progress | Output]:
    """What is told of a job that begins when somebody listens."""
    comfyui_fake.knobs.hold = True
    following = asyncio.create_task(made(provider, job))
    await eventually(lambda: comfyui_fake.sockets)
    comfyui_fake.knobs.hold = False
    return await following


async def test_every_percent_that_the_server_tells_is_told(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    told = await heard_from_the_start(comfyui_fake, comfyui, a_picture(steps=20))

    # Six nodes beside the sampler, which weighs as much as ten.
    heard = set(percents(told))
    assert {0, 6, 12, 18, 25, 28, 31, 84, 87} <= heard
    assert {10 * (percent // 10) for percent in heard} >= set(range(0, 90, 10))
    assert [each.content_type for each in outputs(told)] == ["image/png"]


async def test_without_a_word_from_the_server_none_is_invented(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    comfyui_fake.knobs.deaf = True

    told = await made(comfyui, a_picture())

    assert set(percents(told)) == {0}
    assert len(outputs(told)) == 1


async def test_an_older_server_tells_its_progress_in_other_words(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    comfyui_fake.knobs.old = True

    told = await heard_from_the_start(comfyui_fake, comfyui, a_picture(steps=20))

    assert {10 * (percent // 10) for percent in percents(told)} >= set(range(0, 90, 10))
    assert len(outputs(told)) == 1


async def test_neither_queued_nor_in_the_history_is_lost_and_not_done(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    comfyui_fake.knobs.hold = True
    job = a_picture()
    taken = await submitted(comfyui, job)
    assert await comfyui.resume(job, taken)

    with pytest.raises(Unavailable, match="no longer knows this job"):  # noqa: PT012
        async for _ in comfyui.follow(job, taken):
            comfyui_fake.knobs.lost = True

    assert not await comfyui.resume(job, taken)
    assert await comfyui.find(job, f"{job.task_id}:1") is None


async def test_a_few_polls_may_fail(comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider) -> None:
    comfyui_fake.knobs.hold = True
    job = a_picture()
    taken = await submitted(comfyui, job)
    comfyui_fake.knobs.fail = 3
    following = asyncio.create_task(run(comfyui, job, taken))
    await eventually(lambda: comfyui_fake.knobs.fail == 0)
    comfyui_fake.knobs.hold = False

    assert len(outputs(await following)) == 1


async def test_a_job_whose_answer_was_lost_is_found_by_its_key(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    assert isinstance(comfyui, Finds)
    comfyui_fake.knobs.drop = 1
    job = a_picture()

    with pytest.raises(Unanswered):
        await submitted(comfyui, job)

    found = await comfyui.find(job, f"{job.task_id}:1")
    assert found is not None
    assert len(outputs(await run(comfyui, job, found))) == 1
    assert comfyui_fake.count("POST /prompt") == 1
    assert await comfyui.find(job, f"{job.task_id}:2") is None


@pytest.mark.parametrize("hold", [True, False], ids=["queued", "done"])
async def test_an_older_server_gives_ids_of_its_own_and_the_job_is_found_all_the_same(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider, hold: bool
) -> None:
    comfyui_fake.knobs.old, comfyui_fake.knobs.hold, comfyui_fake.knobs.drop = True, hold, 1
    job = a_picture()
    with pytest.raises(Unanswered):
        await submitted(comfyui, job)
    await eventually(lambda: comfyui_fake.running if hold else comfyui_fake.history)

    found = await comfyui.find(job, f"{job.task_id}:1")

    assert found is not None
    assert found.external_task_id == found.handle["prompt_id"] != found.handle["client_id"]
    comfyui_fake.knobs.hold = False
    assert len(outputs(await run(comfyui, job, found))) == 1


async def test_the_words_of_a_node_that_broke_are_the_users(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    comfyui_fake.knobs.break_down = 1
    job = a_picture()
    taken = await submitted(comfyui, job)

    with pytest.raises(Rejected) as refusal:
        await run(comfyui, job, taken)

    assert refusal.value.message == (
        "ComfyUI could not run this graph. KSampler: mat1 and mat2 shapes cannot be multiplied"
    )
    assert not await comfyui.resume(job, taken)


async def test_the_words_of_a_graph_that_is_not_accepted_are_the_users(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    with pytest.raises(Rejected) as unknown:
        await submitted(comfyui, a_picture(graph={"4": {"class_type": "Nope", "inputs": {}}}))
    with pytest.raises(Rejected) as unlisted:
        await submitted(comfyui, a_picture(model="nothing.safetensors"))

    assert unknown.value.message == (
        "ComfyUI refused this task (400). It says: "
        "Cannot execute because node Nope does not exist: Node ID '#4'"
    )
    assert unlisted.value.message == (
        "ComfyUI refused this task (400). It says: Prompt outputs failed validation; "
        "CheckpointLoaderSimple: Value not in list: ckpt_name: 'nothing.safetensors' not in list"
    )


async def test_running_out_of_memory_and_being_interrupted_are_not_the_users_fault(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    comfyui_fake.knobs.exhaust = 1
    with pytest.raises(Unavailable, match="ran out of memory"):
        await made(comfyui, a_picture())

    comfyui_fake.knobs.hold = True
    job = a_picture()
    taken = await submitted(comfyui, job)
    await eventually(lambda: comfyui_fake.running)
    await comfyui.cancel(job, taken)
    with pytest.raises(Unavailable, match="interrupted"):
        await run(comfyui, job, taken)


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
async def test_cancelling_a_queued_job_leaves_the_running_one_of_somebody_else(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider, old: bool
) -> None:
    comfyui_fake.knobs.old, comfyui_fake.knobs.hold = old, True
    anns, bobs = a_picture(), a_picture()
    running = await submitted(comfyui, anns)
    await eventually(lambda: comfyui_fake.running)
    queued = await submitted(comfyui, bobs)

    await comfyui.cancel(bobs, queued)

    assert comfyui_fake.pending == []
    assert comfyui_fake.count("POST /interrupt") == 0
    comfyui_fake.knobs.hold = False
    assert len(outputs(await run(comfyui, anns, running))) == 1
    assert not await comfyui.resume(bobs, queued)


async def test_refused_connections_and_a_full_house_are_told_apart(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    comfyui_fake.knobs.busy, comfyui_fake.knobs.retry_after = 1, "7"
    with pytest.raises(Busy) as busy:
        await submitted(comfyui, a_picture())
    assert busy.value.retry_after_s == 7

    unreachable = a_provider("http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        await submitted(unreachable, a_picture())
    with pytest.raises(Unavailable):
        await unreachable.resume(a_picture(), LOST)
    with pytest.raises(Unavailable):
        await unreachable.find(a_picture(), "key")
    await unreachable.aclose()


async def test_a_login_in_the_address_goes_with_every_call_and_is_shown_nowhere(
    comfyui_fake: FakeComfyUI, comfyui_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider = a_provider(comfyui_url.replace("://", "://ann:s3cret%2F@"))
    comfyui_fake.knobs.hold = True
    job = a_picture()
    taken = await submitted(provider, job)
    following = asyncio.create_task(run(provider, job, taken))
    await eventually(lambda: comfyui_fake.sockets)
    comfyui_fake.knobs.hold = False
    await following
    await provider.aclose()

    assert comfyui_fake.authorizations == {"Basic YW5uOnMzY3JldC8="}
    # The server of this test runs in this process, too, and logs what it is sent.
    ours = [each for each in caplog.records if not each.name.startswith("uvicorn")]
    assert ours
    assert not [each for each in ours if "s3cret" in each.getMessage()]
    assert not [each for each in ours if "YW5uOnMzY3JldC8=" in each.getMessage()]
    assert "s3cret" not in json.dumps(dict(taken.handle))


async def test_it_is_not_offered_without_an_address_or_with_graphs_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DARKROOM_COMFYUI_URL", raising=False)
    with pytest.raises(NotConfigured, match="DARKROOM_COMFYUI_URL"):
        ComfyUIProvider()
    with pytest.raises(NotConfigured, match="DARKROOM_COMFYUI_URL is no") as bad:
        a_provider("ftp://ann:s3cret@host")
    assert "s3cret" not in bad.value.message
    (tmp_path / "editor.json").write_text('{"nodes": [], "links": []}')
    with pytest.raises(NotConfigured, match="API format"):
        a_provider("http://127.0.0.1:9", tmp_path)
    with pytest.raises(NotConfigured, match="no folder"):
        a_provider("http://127.0.0.1:9", tmp_path / "nothing")
    (tmp_path / "editor.json").write_text("not JSON")
    with pytest.raises(NotConfigured, match="can't be read"):
        a_provider("http://127.0.0.1:9", tmp_path)
