"""The example of docs/pipelines.md, as it stands there, on the whole system."""

from __future__ import annotations

import io
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from system import System, running_system

PAGE = Path(__file__).parents[3] / "docs" / "pipelines.md"
PIPELINE = ["queued", "reduced", "framed", "poster_saved"]


def example(language: str) -> str:
    """The one block of this language on the page."""
    [block] = re.findall(rf"^```{language}\n(.+?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(block)


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system that knows the type of the page, and has its provider."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "types.toml").write_text(example("toml"))
    (folder / "posters.py").write_text(example("python"))
    with pytest.MonkeyPatch.context() as patch:
        known = os.environ.get("PYTHONPATH")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), known])))
        async with running_system(
            tmp_path_factory.mktemp("system"),
            TYPES_FILE=str(folder / "types.toml"),
            EXTRA_PROVIDERS="posters:Posters",
        ) as system:
            yield system


async def submit(system: System, size: tuple[int, int], **params: Any) -> dict[str, Any]:
    """A poster of a photo of this size, and what became of it."""
    photo = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(photo, "PNG")
    uploaded = await system.http.post("/uploads", files={"file": photo.getvalue()})
    answer = await system.http.post(
        "/tasks",
        json={
            "type": "POSTER",
            "reference_images": [uploaded.json()["url"]],
            "provider_params": params,
        },
    )
    assert answer.status_code == 202, answer.text
    return await system.ended(answer.json()["task_id"])


async def stages(system: System, task: dict[str, Any]) -> list[str]:
    """The stages that the task was told to be in, in order."""
    told = (await system.http.get(f"/tasks/{task['task_id']}/events")).json()["events"]
    found = [each["data"]["stage"] for each in told if each["data"].get("stage")]
    return list(dict.fromkeys(found))


async def test_a_task_of_an_own_type_goes_through_its_stages(own: System) -> None:
    task = await submit(own, (96, 64), colours=3)
    poster = await own.http.get(task["image_url"])

    assert (task["status"], task["stage"], task["provider"]) == (
        "completed",
        "poster_saved",
        "posters",
    )
    assert await stages(own, task) == PIPELINE
    with Image.open(io.BytesIO(poster.content)) as picture:
        assert picture.size == (96 + 32, 64 + 32)
        assert len(picture.getcolors() or ()) <= 3 + 1


async def test_it_fails_in_a_stage_of_its_own(own: System) -> None:
    task = await submit(own, (16, 16))

    assert (task["status"], task["stage"]) == ("failed", "reduction_failed")
    assert task["error_msg"] == "The photo is too small for a poster."
    assert await stages(own, task) == ["queued", "reduction_failed"]


async def test_it_is_offered_and_checked_like_a_built_in_one(own: System) -> None:
    offered = (await own.http.get("/generation-types")).json()["types"]
    [kind] = [each for each in offered if each["type"] == "POSTER"]
    wrong = await own.http.post("/tasks", json={"type": "POSTER", "prompt": "a poster"})

    assert (kind["title"], kind["default_provider"]) == ("Poster from a photo", "POSTERS")
    assert kind["stages"][: len(PIPELINE)] == PIPELINE
    assert [each["name"] for each in kind["providers"]] == ["POSTERS"]
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["loc"] == ["reference_images"]
