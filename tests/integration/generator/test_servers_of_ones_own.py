"""Tasks served by a web UI and by ComfyUI, from the request on the log to its end there."""

from __future__ import annotations

import asyncio

import httpx2
from pydantic import SecretStr

from builders import cancelled
from contracts.events import Completed, Failed
from fakes.comfyui import FakeComfyUI
from fakes.forge import FakeForge
from fakes.serving import served
from generator.vendors.comfyui.provider import ComfyUIProvider, ComfyUISettings
from generator.vendors.forge import ForgeProvider, ForgeSettings
from integration.generator.floor import Floor
from servers import eventually

PAUSE_S = 0.01
INTERRUPT = "POST /sdapi/v1/interrupt"


def a_forge(url: str) -> ForgeProvider:
    return ForgeProvider(ForgeSettings(forge_url=SecretStr(url)), pause_s=PAUSE_S)


def a_comfyui(url: str) -> ComfyUIProvider:
    return ComfyUIProvider(ComfyUISettings(comfyui_url=SecretStr(url)), pause_s=PAUSE_S)


async def test_a_web_ui_that_does_not_answer_in_time_is_told_and_its_work_stopped(
    floor: Floor,
) -> None:
    fake = FakeForge()
    fake.knobs.hold = True
    async with served(fake.app()) as url:
        await floor.start([a_forge(url)], provider_timeout_s=0.5, provider_attempts=1)

        end = await floor.ended(await floor.ask(lane="forge"))

        assert isinstance(end, Failed)
        assert end.data.error.code == "provider_timeout"
        assert end.data.error.message == "forge did not answer within 0.5 s. Please try again."
        await eventually(lambda: fake.finished)
        assert fake.count(INTERRUPT) == 1
        await floor.close()


async def test_cancelling_a_task_at_a_web_ui_leaves_what_somebody_else_has_begun(
    floor: Floor,
) -> None:
    fake = FakeForge()
    fake.knobs.hold = True
    async with served(fake.app()) as url, httpx2.AsyncClient(base_url=url, timeout=60) as somebody:
        body = {"prompt": "x", "n_iter": 1, "override_settings": {}, "force_task_id": "theirs"}
        theirs = asyncio.create_task(somebody.post("/sdapi/v1/txt2img", json=body))
        await eventually(lambda: fake.current == "theirs")
        await floor.start([a_forge(url)])
        ours = await floor.ask(lane="forge")
        await eventually(lambda: fake.pending)

        await floor.end(cancelled(task=ours, attempt=1))
        await eventually(lambda: ours not in floor.held())
        assert (fake.current, fake.count(INTERRUPT)) == ("theirs", 0)
        fake.knobs.hold = False

        assert len((await theirs).json()["images"]) == 1
        await floor.close()


async def test_comfyui_is_handed_a_task_once_and_the_log_has_its_id(floor: Floor) -> None:
    fake = FakeComfyUI()
    async with served(fake.app()) as url:
        await floor.start([a_comfyui(url)])
        task = await floor.ask(lane="comfyui", num_images=2)

        end = await floor.ended(task)

        assert isinstance(end, Completed)
        assert len(end.data.artifacts) == 2
        assert end.data.external_task_id in fake.history
        assert fake.count("POST /prompt") == 1
        await floor.close()
