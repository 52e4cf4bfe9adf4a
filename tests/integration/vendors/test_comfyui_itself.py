"""The provider `comfyui` on a real server, which ``DARKROOM_TEST_COMFYUI_URL`` names.

Deselected unless it is asked for with ``-m real_service``; it needs no model there.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence

import pytest
from pydantic import SecretStr

from darkroom.testing import RemoteProviderContract, a_job
from fakes.pictures import SIZE, picture
from generator.provider import Job, Provider, Rejected, Submitted
from generator.vendors.comfyui.provider import ComfyUIProvider, ComfyUISettings
from integration.vendors.comfyui_graphs import photo_graph, picture_graph, video_graph
from integration.vendors.following import outputs, run

pytestmark = pytest.mark.real_service


def a_provider() -> ComfyUIProvider:
    url = os.environ["DARKROOM_TEST_COMFYUI_URL"]
    return ComfyUIProvider(ComfyUISettings(comfyui_url=SecretStr(url)), pause_s=0.2)


class TestComfyUIItself(RemoteProviderContract):
    def provider(self) -> Provider:
        return a_provider()

    def jobs(self) -> Sequence[Job]:
        photo = {"a": picture("photo")}
        graph, film = picture_graph(), video_graph()
        return [
            a_job("CREATE", prompt="x", params={"graph": graph}),
            a_job("IMAGE", prompt="x", params={"graph": graph, "num_images": 3}),
            a_job("IMAGE", prompt="x", references=photo, params={"graph": photo_graph()}),
            a_job("VIDEO", prompt="x", params={"graph": film}),
        ]

    def rejected_jobs(self) -> Sequence[Job]:
        unknown = {"1": {"class_type": "NoSuchNode", "inputs": {}}}
        return [
            a_job("CREATE", prompt="x", params={"graph": unknown}),
            a_job("CREATE", prompt="x", params={"model": "nothing.safetensors"}),
            a_job("VIDEO", prompt="x", params={"graph": picture_graph()}),
        ]

    def unknown_jobs(self) -> Sequence[Submitted]:
        return [Submitted("gone", {"prompt_id": "gone", "client_id": "gone"})]


@pytest.fixture
async def comfyui() -> AsyncIterator[ComfyUIProvider]:
    provider = a_provider()
    yield provider
    await provider.aclose()


async def test_a_job_is_found_by_its_key_alone(comfyui: ComfyUIProvider) -> None:
    job = a_job("CREATE", prompt="x", params={"graph": picture_graph()})
    taken = await comfyui.submit(job, f"{job.task_id}:1")

    assert await comfyui.find(job, f"{job.task_id}:1") == taken
    await run(comfyui, job, taken)
    assert await comfyui.find(job, f"{job.task_id}:1") == taken
    assert await comfyui.find(job, f"{job.task_id}:2") is None


async def test_pictures_come_as_many_and_as_large_as_asked_for(
    comfyui: ComfyUIProvider,
) -> None:
    params = {"graph": picture_graph(), "num_images": 3, "input": {"color": 255}}
    job = a_job("IMAGE", prompt="x", params=params)

    told = outputs(await run(comfyui, job, await comfyui.submit(job, f"{job.task_id}:1")))

    assert [(each.content_type, each.width, each.height) for each in told] == [
        ("image/png", *SIZE)
    ] * 3


async def test_its_words_are_the_users(comfyui: ComfyUIProvider) -> None:
    graph = picture_graph()
    graph["1"]["inputs"]["height"] = -4
    job = a_job("CREATE", prompt="x", params={"graph": graph})

    with pytest.raises(Rejected, match="EmptyImage: Value -4 smaller than min of 1: height"):
        await comfyui.submit(job, f"{job.task_id}:1")
