"""The TypeScript client, built and run by Node, against the whole system."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from system import System, running_system

ROOT = Path(__file__).resolve().parents[3]
FRONTEND = ROOT / "frontend"
STORY_S = 90


@pytest.fixture(scope="module")
async def client() -> None:
    """The client as it is in the tree, built."""
    build = ("npm", "run", "--silent", "build", "--workspace", "@darkroom/client")
    process = await asyncio.create_subprocess_exec(
        FRONTEND / "with-node", *build, cwd=FRONTEND, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running_system(tmp_path_factory.mktemp("system")) as made:
        yield made


@asynccontextmanager
async def told(system: System, story: str, *args: str) -> AsyncIterator[AsyncIterator[Any]]:
    """What a program that uses the client tells, as it tells it; it must end well."""
    address = str(system.http.base_url)
    process = await asyncio.create_subprocess_exec(
        FRONTEND / "with-node",
        "node",
        Path(__file__).with_name("story.mjs"),
        address,
        story,
        *args,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    stdout, stderr = process.stdout, process.stderr

    async def lines() -> AsyncIterator[Any]:
        async for line in stdout:
            yield json.loads(line)

    try:
        async with asyncio.timeout(STORY_S):
            yield lines()
            errors = (await stderr.read()).decode()
            assert await process.wait() == 0, errors
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def everything(system: System, story: str, *args: str) -> list[Any]:
    async with told(system, story, *args) as lines:
        return [line async for line in lines]


async def way_of_news(system: System) -> str:
    """How a client of this gateway is told of news."""
    async with system.http.stream("GET", "/events", timeout=5) as answer:
        is_stream = answer.headers["content-type"].startswith("text/event-stream")
    return "live" if is_stream else "polling"


def tasks_of(lines: list[Any]) -> list[dict[str, Any]]:
    return [line["task"] for line in lines if line.get("event") == "task"]


async def test_a_submit_waits_for_its_picture_and_a_key_makes_one_task(
    system: System, client: None
) -> None:
    (seen,) = await everything(system, "submit")

    assert seen["first"]["status"] == "processing"
    assert seen["again"]["task_id"] == seen["first"]["task_id"]
    assert seen["other"] == "idempotency_key_reused"
    assert seen["done"]["status"] == "completed"
    picture = await system.http.get(seen["done"]["image_url"])
    assert picture.headers["content-type"] == "image/png"


async def test_a_task_is_followed_from_its_beginning_to_its_end(
    system: System, client: None
) -> None:
    lines = await everything(system, "follow", "2")

    tasks = tasks_of(lines)
    sequences = [task["sequence"] for task in tasks]
    ways = [line["connection"] for line in lines if "connection" in line]
    assert ways == [await way_of_news(system)]
    assert len({task["task_id"] for task in tasks}) == 1
    assert sequences == sorted(set(sequences))
    assert tasks[0]["status"] == "processing"
    assert (tasks[-1]["status"], tasks[-1]["progress"]) == ("completed", 100)


async def test_a_follower_outlives_the_gateway(system: System, client: None) -> None:
    lines: list[Any] = []
    async with told(system, "follow", "8") as telling:
        async for line in telling:
            lines.append(line)
            if len(tasks_of(lines)) == 1 and line.get("event") == "task":
                gateway = system.pid("gateway")
                assert gateway is not None
                os.kill(gateway, signal.SIGKILL)

    sequences = [task["sequence"] for task in tasks_of(lines)]
    assert sequences == sorted(set(sequences))
    assert tasks_of(lines)[-1]["status"] == "completed"


async def test_all_tasks_are_followed_each_to_its_end(system: System, client: None) -> None:
    first, *lines = await everything(system, "all")

    for task_id in first["submitted"]:
        tasks = [task for task in tasks_of(lines) if task["task_id"] == task_id]
        assert tasks[-1]["status"] == "completed"
        assert [task["status"] for task in tasks[:-1]] == ["processing"] * (len(tasks) - 1)


async def test_every_other_call_does_what_it_says(
    system: System, client: None, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (64, 48), "teal").save(photo)

    (seen,) = await everything(system, "rest", str(photo))

    bytes_sent = photo.stat().st_size
    assert (seen["upload"]["content_type"], seen["upload"]["bytes"]) == ("image/png", bytes_sent)
    assert seen["progress"] == [{"loaded": bytes_sent, "total": bytes_sent}]
    assert seen["white"]["status"] == "completed"
    assert seen["white"]["reference_images"] == [seen["upload"]["url"]]
    assert seen["metadata"] == {"seen": {"by": "story"}}
    assert seen["processing"] is True
    assert seen["cancelled"] == ["cancelled", "cancelled"]
    assert seen["late"] == "already_finished"
    assert seen["unknown"] == "task_not_found"
    assert seen["invalid"] == "invalid_request"
    assert seen["refused"] == "unsupported_media"
    assert seen["prompt"] == ["SUCCESS"]
    assert seen["retried"]["retry_of"] == seen["white"]["task_id"]
    assert seen["history"] == 1
    assert seen["events"][0] == "generation.requested"
    assert "generation.completed" in seen["events"]
    assert {"CREATE", "WHITE_BACKGROUND", "CLOTHING_CHANGE"} <= set(seen["types"])
