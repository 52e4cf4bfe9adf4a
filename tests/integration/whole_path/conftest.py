"""The whole system as a user runs it, with room for one task at a time, so that lines form."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image

from servers import eventually
from system import System, running_system

SMALL = {"width": 64, "height": 64}
HOLDS_THE_SLOT = {"simulate": {"seconds": 30}}
"""Longer than a test, with a sign of life every 3 s."""
SILENCE_S = 8
"""After which a running task counts as stuck."""


@pytest.fixture(scope="package")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running_system(
        tmp_path_factory.mktemp("system"),
        GENERATOR_CONCURRENCY="1",
        TASK_TIMEOUT_S=str(SILENCE_S),
        REAPER_INTERVAL_S="0.2",
    ) as made:

        async def has_painted() -> bool:
            """The first picture waits for a worker process, on a busy machine for too long."""
            task = await made.ended((await submit(made))["task_id"])
            return bool(task["status"] == "completed")

        await eventually(has_painted, 90, "no picture was painted")
        yield made


async def submit(system: System, tasktype: str = "CREATE", **body: Any) -> dict[str, Any]:
    """The task as the 202 shows it."""
    if tasktype == "CREATE":
        body = {"prompt": "a red bicycle", "provider_params": SMALL} | body
    answer = await system.http.post("/tasks", json={"type": tasktype} | body)
    assert answer.status_code == 202, answer.text
    task: dict[str, Any] = answer.json()
    return task


async def upload(system: System) -> str:
    """The URL of a photo that was just uploaded."""
    photo = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(photo, "PNG")
    answer = await system.http.post("/uploads", files={"file": photo.getvalue()})
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    return url


async def recovered(system: System, tasktype: str = "CREATE") -> dict[str, dict[str, Any]]:
    """What a page of this type finds when it is loaded, oldest first."""
    answer = await system.http.get("/tasks/processing", params={"type": tasktype})
    assert answer.status_code == 200, answer.text
    return {task["task_id"]: task for task in answer.json()["tasks"]}


async def places(system: System) -> dict[str, int]:
    """The waiting tasks and their places, at one moment."""
    tasks = await recovered(system)
    return {
        task_id: task["queue_position"]
        for task_id, task in tasks.items()
        if task["queue_position"] > 0
    }


@dataclass
class Line:
    """The lane of CREATE behind a task that is at work: what is submitted here waits."""

    system: System
    holder: str
    waiting: list[str] = field(default_factory=list)

    async def submit(self, **body: Any) -> str:
        task_id: str = (await submit(self.system, **body))["task_id"]
        self.waiting.append(task_id)
        return task_id

    async def release(self) -> None:
        """The task at work ends, and the first in line gets its turn."""
        await self.cancel(self.holder)

    async def cancel(self, task_id: str) -> None:
        answer = await self.system.http.post(f"/tasks/{task_id}/cancel")
        assert answer.status_code in (202, 409), answer.text


@pytest.fixture
async def line(system: System) -> AsyncIterator[Line]:
    held = await submit(system, provider_params=SMALL | HOLDS_THE_SLOT)
    holder: str = held["task_id"]

    async def at_work() -> bool:
        return bool((await system.task(holder))["attempt"])

    await eventually(at_work, 30, "the task that holds the slot did not start")
    made = Line(system, holder)
    yield made
    for task_id in (*made.waiting, holder):
        await made.cancel(task_id)
