"""``docker-compose.yml`` as a whole: built, run, used, hurt, taken down. ``make compose-test``."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import nats
import pytest
from PIL import Image

from darkroom.stack.ports import free_port
from servers import eventually

ROOT = Path(__file__).parents[2]
BUILD_AND_START_S = 1200
COMMAND_S = 180
TASK_S = 300
LEASE_S = 10
ENDS = ("completed", "failed", "timed_out", "cancelled")
SMALL = {"width": 96, "height": 64}
SERVICES = ("gateway", "generator", "task-store", "reaper")


@dataclass(frozen=True)
class Stack:
    """The system under a project name of its own, on free ports."""

    project: str
    environment: dict[str, str]
    url: str
    nats_port: int

    async def compose(self, *arguments: str, timeout_s: float = COMMAND_S) -> str:
        """What ``docker compose`` printed; fails the test with all of it when it failed."""
        # Neither a developer's .env nor an override file: the file as it is.
        fixed = ("--env-file", os.devnull, "--file", "docker-compose.yml", "-p", self.project)
        return await run(
            "docker", "compose", *fixed, *arguments, env=self.environment, timeout_s=timeout_s
        )

    async def container(self, service: str) -> str:
        return (await self.compose("ps", "-a", "-q", service)).strip()

    async def up(self, *arguments: str, timeout_s: float = COMMAND_S) -> None:
        try:
            await self.compose("up", "-d", "--wait", *arguments, timeout_s=timeout_s)
        except CommandFailed as failure:
            logs = await self.compose("logs", "--no-color", "--tail", "30")
            pytest.fail(f"{failure}\n{await self.compose('ps', '-a')}\n{logs}", pytrace=False)


class CommandFailed(Exception):
    """A command's exit code was not 0; the message has what it printed."""


async def run(*command: str, env: dict[str, str] | None = None, timeout_s: float = 30) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise CommandFailed(f"{' '.join(command)}: not within {timeout_s:g} s") from None
    if process.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: {err.decode().strip()}")
    return out.decode()


async def missing() -> str | None:
    """What keeps the engine from being used, if anything does."""
    if shutil.which("docker") is None:
        return "Docker: `docker` is not on the PATH"
    wanted = {
        "a running container engine": ("docker", "info", "--format", "{{.ServerVersion}}"),
        "the compose plugin, v2": ("docker", "compose", "version"),
    }
    for what, command in wanted.items():
        try:
            await run(*command)
        except CommandFailed as failure:
            return f"{what}: {str(failure).splitlines()[-1]}"
    return None


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    reason = await missing()
    if reason is not None:
        pytest.fail(f"make compose-test needs {reason}", pytrace=False)
    ports: list[int] = []
    for _ in range(3):
        ports.append(free_port(taken=frozenset(ports)))
    url = f"http://127.0.0.1:{ports[0]}"
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DARKROOM_", "NATS_", "POSTGRES_", "COMPOSE_"))
    }
    chosen = {
        "DARKROOM_PORT": str(ports[0]),
        "DARKROOM_PUBLIC_URL": url,
        "NATS_PORT": str(ports[1]),
        "POSTGRES_PORT": str(ports[2]),
        # So that what a killed generator held comes back soon.
        "DARKROOM_LEASE_S": str(LEASE_S),
    }
    stack = Stack(f"darkroom-test-{uuid.uuid4().hex[:8]}", inherited | chosen, url, ports[1])
    try:
        await stack.up("--build", timeout_s=BUILD_AND_START_S)
        yield stack
    finally:
        await stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "10")


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stack.url, timeout=70) as client:
        yield client


async def submit(http: httpx2.AsyncClient, **wish: Any) -> dict[str, Any]:
    """A task just accepted; of a small picture, unless wished otherwise."""
    small = {"type": "CREATE", "prompt": "a red bicycle", "provider_params": SMALL}
    answer = await http.post("/tasks", json=small | wish)
    assert answer.status_code == 202, answer.text
    task: dict[str, Any] = answer.json()
    return task


def lasting(seconds: float) -> dict[str, Any]:
    return SMALL | {"simulate": {"seconds": seconds}}


async def read(http: httpx2.AsyncClient, task_id: str) -> dict[str, Any]:
    """The task; patient with a gateway that has just lost one of its servers."""

    async def answered() -> dict[str, Any] | None:
        try:
            answer = await http.get(f"/tasks/{task_id}")
        except httpx2.TransportError:
            return None
        assert answer.status_code in (200, 503), answer.text
        return answer.json() if answer.status_code == 200 else None

    return await eventually(answered, 60)


async def ended(http: httpx2.AsyncClient, task_id: str) -> dict[str, Any]:
    async def over() -> dict[str, Any] | None:
        task = await read(http, task_id)
        return task if task["status"] in ("completed", "failed", "cancelled") else None

    return await eventually(over, TASK_S, f"task {task_id} did not end")


async def running(http: httpx2.AsyncClient, task_id: str) -> dict[str, Any]:
    async def under_way() -> dict[str, Any] | None:
        task = await read(http, task_id)
        return task if task["attempt"] > 0 else None

    return await eventually(under_way, TASK_S, f"task {task_id} did not begin")


async def ends_of(http: httpx2.AsyncClient, task_id: str) -> list[str]:
    """Every end that the log has of a task."""
    events = (await http.get(f"/tasks/{task_id}/events")).json()["events"]
    kinds = [event["type"].removeprefix("generation.") for event in events]
    return [kind for kind in kinds if kind in ENDS]


def picture(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


async def test_a_prompt_becomes_a_picture(http: httpx2.AsyncClient) -> None:
    task = await submit(http, prompt="a lighthouse at night", provider_params={})
    task = await ended(http, task["task_id"])
    assert task["status"] == "completed", task["error"]
    fetched = await http.get(task["image_url"])
    assert fetched.status_code == 200
    assert fetched.headers["content-type"] == "image/png"
    assert fetched.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert picture(fetched.content).size == (1024, 768)


async def test_an_upload_is_read_by_the_generator(http: httpx2.AsyncClient) -> None:
    photo = BytesIO()
    Image.new("RGB", (96, 64), "seagreen").save(photo, "JPEG")
    sent = await http.post("/uploads", files={"file": ("photo.jpg", photo.getvalue())})
    assert sent.status_code == 201, sent.text
    task = await submit(
        http,
        type="WHITE_BACKGROUND",
        reference_images=[sent.json()["url"]],
        provider_params={},
    )
    task = await ended(http, task["task_id"])
    assert task["status"] == "completed", task["error"]


async def test_a_running_task_is_found_annotated_and_cancelled(http: httpx2.AsyncClient) -> None:
    task = await submit(http, provider_params=lasting(600))
    path = f"/tasks/{task['task_id']}"
    await running(http, task["task_id"])
    listed = (await http.get("/tasks/processing")).json()["tasks"]
    assert task["task_id"] in [each["task_id"] for each in listed]
    patched = await http.patch(
        f"{path}/metadata",
        content=json.dumps({"album": "summer"}),
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert patched.json()["metadata"] == {"album": "summer"}
    assert (await http.post(f"{path}/cancel")).json()["status"] == "cancelled"
    assert await ends_of(http, task["task_id"]) == ["cancelled"]


async def test_an_erased_task_is_gone(http: httpx2.AsyncClient) -> None:
    asked = {"type": "CREATE", "prompt": "a pear", "provider_params": SMALL}
    waited = await http.post("/tasks", json=asked, headers={"Prefer": "wait=30"})
    task = await ended(http, waited.json()["task_id"])
    assert (await http.delete(f"/tasks/{task['task_id']}")).status_code == 204
    assert (await http.get(f"/tasks/{task['task_id']}")).status_code == 404
    assert (await http.get(task["image_url"])).status_code == 404
    history = (await http.get("/tasks")).json()["tasks"]
    assert task["task_id"] not in [each["task_id"] for each in history]


async def test_the_types_name_the_provider_that_serves_them(http: httpx2.AsyncClient) -> None:
    types = {each["type"]: each for each in (await http.get("/generation-types")).json()["types"]}
    [studio] = types["CREATE"]["providers"]
    assert (studio["name"], studio["healthy"]) == ("STUDIO", True)


async def test_a_task_is_released_when_it_is_due(http: httpx2.AsyncClient) -> None:
    due = datetime.now(UTC) + timedelta(seconds=2)
    task = await submit(http, run_at=due.isoformat())
    assert task["status"] == "pending"
    task = await ended(http, task["task_id"])
    assert task["status"] == "completed", task["error"]
    assert datetime.fromisoformat(task["started_at"]) >= due


async def test_a_silent_task_is_ended_by_the_reaper(stack: Stack, http: httpx2.AsyncClient) -> None:
    task = await submit(http, provider_params={"simulate": {"hang": True}})
    # A second reaper, of less patience than the first.
    strict = ("run", "-d", "--no-deps", "-e", "DARKROOM_TASK_TIMEOUT_S=3", "reaper")
    container = (await stack.compose(*strict)).strip()
    task = await ended(http, task["task_id"])
    await run("docker", "rm", "--force", container)
    assert (task["status"], task["error"]["code"]) == ("failed", "timeout")
    assert await ends_of(http, task["task_id"]) == ["timed_out"]


async def test_a_killed_generator_costs_an_attempt(stack: Stack, http: httpx2.AsyncClient) -> None:
    task = await submit(http, provider_params=lasting(8))
    await running(http, task["task_id"])
    await run("docker", "kill", await stack.container("generator"))
    # Docker takes `docker kill` for an operator's wish, and does not restart by itself.
    await stack.up("--no-build", "--no-deps", "generator")
    task = await ended(http, task["task_id"])
    assert (task["status"], task["attempt"]) == ("completed", 2), task["error"]
    assert await ends_of(http, task["task_id"]) == ["completed"]


async def test_a_restarted_broker_loses_nothing(stack: Stack, http: httpx2.AsyncClient) -> None:
    tasks = [await submit(http, provider_params=lasting(seconds)) for seconds in (0, 4, 8)]
    await running(http, tasks[-1]["task_id"])
    await stack.compose("restart", "nats")
    for task in tasks:
        assert (await ended(http, task["task_id"]))["status"] == "completed"
        assert await ends_of(http, task["task_id"]) == ["completed"]
    task = await submit(http)
    assert (await ended(http, task["task_id"]))["status"] == "completed"


async def test_the_broker_refused_nothing_so_far(stack: Stack) -> None:
    log = await stack.compose("logs", "--no-color", "nats")
    assert [line for line in log.splitlines() if "violation" in line.lower()] == []


async def test_the_data_outlives_the_containers(stack: Stack, http: httpx2.AsyncClient) -> None:
    task = await submit(http)
    task = await ended(http, task["task_id"])
    before = (await http.get(task["image_url"])).content
    await stack.compose("down", "--timeout", "30")
    await stack.up("--no-build")
    assert await read(http, task["task_id"]) == task
    assert (await http.get(task["image_url"])).content == before
    assert await ends_of(http, task["task_id"]) == ["completed"]


async def test_nothing_is_published_beyond_this_machine(stack: Stack) -> None:
    for service in ("nats", "postgres", *SERVICES):
        ports = json.loads(
            await run(
                "docker",
                "inspect",
                "--format",
                "{{json .NetworkSettings.Ports}}",
                await stack.container(service),
            )
        )
        bound = [each["HostIp"] for binding in ports.values() for each in binding or ()]
        assert set(bound) <= {"127.0.0.1"}, service


async def test_no_service_runs_as_root(stack: Stack) -> None:
    for service in SERVICES:
        assert (await stack.compose("exec", "-T", service, "id", "-u")).strip() == "10001"


@pytest.mark.parametrize(
    ("user", "password", "subject"),
    [
        ("gateway", "gateway", "live.generation.x"),
        ("gateway", "gateway", "$JS.API.STREAM.DELETE.GENERATION"),
        ("generator", "generator", "cancel.x"),
        ("generator", "generator", "task-store.get"),
        ("generator", "generator", "$JS.API.STREAM.PURGE.GENERATION"),
        ("task-store", "taskstore", "generation.finished.create.x"),
        ("reaper", "reaper", "generation.progress.create.x"),
        ("reaper", "reaper", "task-store.history"),
        ("setup", "setup", "generation.finished.create.x"),
        ("subscriber", "subscriber", "generation.finished.create.x"),
        ("ops", "ops", "generation.finished.create.x"),
        ("ops", "ops", "$JS.API.STREAM.PURGE.GENERATION"),
    ],
)
async def test_a_user_may_not_publish(stack: Stack, user: str, password: str, subject: str) -> None:
    problems: list[str] = []

    async def told(error: Exception) -> None:
        problems.append(str(error).lower())

    client = await nats.connect(
        f"nats://{user}:{password}@127.0.0.1:{stack.nats_port}", error_cb=told
    )
    try:
        await client.publish(subject, b"{}")
        await client.flush()
        await eventually(lambda: problems)
    finally:
        await client.close()
    assert "permissions violation for publish" in problems[0]


async def test_a_user_may_not_read_the_replies_to_another(stack: Stack) -> None:
    """Each user, with its own inbox besides, in tests/integration/whole_path."""
    problems: list[str] = []

    async def told(error: Exception) -> None:
        problems.append(str(error).lower())

    url = f"nats://generator:generator@127.0.0.1:{stack.nats_port}"
    client = await nats.connect(url, error_cb=told)
    try:
        await client.subscribe("_INBOX.gateway.>")
        await client.flush()
        await eventually(lambda: problems)
    finally:
        await client.close()
    assert "permissions violation for subscription" in problems[0]


async def test_nobody_gets_to_the_log_without_a_password(stack: Stack) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.nats_port)
    try:
        await reader.readline()
        writer.write(b"CONNECT {}\r\nPING\r\n")
        async with asyncio.timeout(10):
            assert await reader.readline() == b"-ERR 'Authorization Violation'\r\n"
    finally:
        writer.close()
        await writer.wait_closed()
