"""The provider `comfyui` and what it puts into graphs, and takes out of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from darkroom.testing import a_job
from fakes.comfyui import FakeComfyUI
from fakes.pictures import SIZE, picture
from generator.provider import (
    Rejected,
)
from generator.vendors.comfyui.provider import ComfyUIProvider
from integration.vendors.comfyui_graphs import photo_graph, picture_graph, video_graph
from integration.vendors.comfyui_served import a_picture, a_provider, made, submitted
from integration.vendors.following import outputs
from servers import eventually


async def test_a_task_without_a_model_takes_the_servers_first_checkpoint(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    comfyui_fake.knobs.hold = True
    for comfyui_fake.knobs.old in (False, True):
        await submitted(comfyui, a_picture())
    await eventually(lambda: comfyui_fake.running)

    models = [
        item[2]["1"]["inputs"]["ckpt_name"]
        for item in (*comfyui_fake.running, *comfyui_fake.pending)
    ]
    assert models == ["painter.safetensors"] * 2

    comfyui_fake.knobs.checkpoints = []
    with pytest.raises(Rejected, match="no checkpoint"):
        await submitted(comfyui, a_picture())


async def test_prompt_seed_and_size_stand_in_the_graph(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    comfyui_fake.knobs.hold = True
    job = a_picture(seed=7, width=640, height=384, steps=3, negative_prompt="blur", num_images=2)
    await submitted(comfyui, job)
    await eventually(lambda: comfyui_fake.running)

    graph = comfyui_fake.running[0][2]
    assert graph["2"]["inputs"]["text"] == "a red bicycle"
    assert graph["3"]["inputs"]["text"] == "blur"
    assert graph["4"]["inputs"] == {"width": 640, "height": 384, "batch_size": 2}
    assert (graph["5"]["inputs"]["seed"], graph["5"]["inputs"]["steps"]) == (7, 3)


async def test_a_reference_picture_is_uploaded_under_a_name_of_its_content(
    comfyui_fake: FakeComfyUI, comfyui: ComfyUIProvider
) -> None:
    photo = picture("photo")
    job = a_job("IMAGE", prompt="x", references={"a": photo}, params={"graph": photo_graph()})

    [result] = outputs(await made(comfyui, job))
    await submitted(comfyui, job)

    assert (result.content_type, result.width, result.height) == ("image/png", *SIZE)
    [(name, content)] = comfyui_fake.inputs.items()
    assert name.startswith("darkroom/")
    assert name.endswith(".png")
    assert content == photo


async def test_num_images_gives_that_many_pictures(comfyui: ComfyUIProvider) -> None:
    told = await made(comfyui, a_job("IMAGE", prompt="x", params={"num_images": 4}))

    contents = [each.content for each in outputs(told)]
    assert len(contents) == len(set(contents)) == 4


async def test_what_a_node_only_shows_is_no_result(comfyui: ComfyUIProvider) -> None:
    graph = picture_graph()
    shown = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}

    both = await made(comfyui, a_picture(graph={**graph, "4": shown}))
    alone = await made(comfyui, a_picture(graph={"1": graph["1"], "4": shown}))

    assert (len(outputs(both)), len(outputs(alone))) == (1, 1)


async def test_a_video_is_what_moves(comfyui: ComfyUIProvider) -> None:
    film = {"class_type": "SaveVideo", "inputs": {"video": ["2", 0]}}
    graph = {**picture_graph(), "4": film}
    job = a_job("VIDEO", prompt="x", params={"graph": graph})

    assert [each.content_type for each in outputs(await made(comfyui, job))] == ["video/mp4"]


async def test_graphs_of_a_folder_are_offered_by_name(tmp_path: Path, comfyui_url: str) -> None:
    (tmp_path / "video.json").write_text(json.dumps(video_graph()))
    (tmp_path / "poster.json").write_text(json.dumps(picture_graph()))
    provider = a_provider(comfyui_url, tmp_path)

    video = await made(provider, a_job("VIDEO", prompt="x"))
    poster = await made(provider, a_picture(template="poster", num_images=2))
    await provider.aclose()

    assert [each.content_type for each in outputs(video)] == ["image/webp"]
    assert len(outputs(poster)) == 2
    allowed = Draft202012Validator(provider.offers["CREATE"].params_schema)
    assert allowed.is_valid({"template": "poster"})
    assert not allowed.is_valid({"template": "nothing"})


async def test_a_video_takes_a_graph_where_the_deployment_has_none(
    comfyui: ComfyUIProvider,
) -> None:
    allowed = Draft202012Validator(comfyui.offers["VIDEO"].params_schema)

    assert not allowed.is_valid({})
    assert allowed.is_valid({"graph": video_graph()})
    assert not allowed.is_valid({"graph": {"nodes": [], "links": []}})
