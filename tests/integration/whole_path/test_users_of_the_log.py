"""`deploy/nats.conf`: each service works with its own user, and sees nobody else's replies."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import nats
import pytest
from nats.aio.client import Client

from contracts import queries
from contracts.subjects import STREAM
from darkroom.stack.nats import nats_server_binary
from darkroom.stack.ports import free_port
from darkroom.stack.processes import Child, ProcessSpec, spawn
from delivery.connection import connection_options
from servers import eventually

ROOT = Path(__file__).parents[3]
USERS = ("gateway", "generator", "task-store", "reaper", "setup", "ops", "subscriber")
SERVICES = ("gateway", "generator", "task_store", "reaper")


@dataclass
class Broker:
    """A nats-server with our configuration, but for where it listens and keeps its files."""

    port: int
    monitor_port: int
    directory: Path
    child: Child

    def url(self, user: str) -> str:
        return f"nats://{user}:secret{user.replace('-', '')}@127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.child.spec.log.read_text()


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    directory = tmp_path_factory.mktemp("broker")
    port, monitor_port = free_port(), free_port()
    text = (ROOT / "deploy/nats.conf").read_text()
    for there, here in (
        ('listen: "0.0.0.0:4222"', f"listen: 127.0.0.1:{port}"),
        ('http: "0.0.0.0:8222"', f"http: 127.0.0.1:{monitor_port}"),
        ('store_dir: "/data"', f'store_dir: "{directory}/store"'),
    ):
        assert text.count(there) == 1
        text = text.replace(there, here)
    configuration = directory / "nats.conf"
    configuration.write_text(text)
    passwords = {
        f"NATS_{user.upper().replace('-', '_')}_PASSWORD": f"secret{user.replace('-', '')}"
        for user in USERS
    }
    spec = ProcessSpec(
        name="nats",
        command=(str(nats_server_binary()), "-c", str(configuration)),
        log=directory / "nats.log",
        environment=passwords,
    )
    child = await spawn(spec)
    await eventually(lambda: spec.log.exists() and "Server is ready" in spec.log.read_text())
    try:
        yield Broker(port, monitor_port, directory, child)
    finally:
        await child.kill()


@dataclass
class Services:
    http: httpx2.AsyncClient
    environment: dict[str, str]

    async def darkroom(self, *arguments: str, nats_url: str) -> tuple[int | None, str]:
        """A command's exit code, and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "darkroom", *arguments),
            env=self.environment | {"DARKROOM_NATS_URL": nats_url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, out.decode()


@pytest.fixture
async def services(broker: Broker, database_url: str) -> AsyncIterator[Services]:
    """Set up by its user; then every service as a process, each with its own."""
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DARKROOM_")} | {
        "DARKROOM_PORT": str(port),
        "DARKROOM_URL": f"http://127.0.0.1:{port}",
        "DARKROOM_DATA_DIR": str(broker.directory / "data"),
        "DARKROOM_DATABASE_URL": database_url,
        "DARKROOM_OWNER_RUNNING": "2",
        "DARKROOM_NATS_MONITOR_URL": f"http://127.0.0.1:{broker.monitor_port}",
    }
    async with AsyncExitStack() as stack:
        http = httpx2.AsyncClient(base_url=environment["DARKROOM_URL"], timeout=70)
        await stack.enter_async_context(http)
        made = Services(http, environment)
        code, told = await made.darkroom("setup", nats_url=broker.url("setup"))
        assert code == 0, told
        for service in SERVICES:
            url = broker.url(service.replace("_", "-"))
            child = await spawn(
                ProcessSpec(
                    name=service,
                    command=(sys.executable, "-m", service),
                    log=broker.directory / f"{service}.log",
                    environment=environment | {"DARKROOM_NATS_URL": url},
                )
            )
            stack.push_async_callback(child.kill)

        async def ready() -> bool:
            try:
                return (await http.get("/readyz")).status_code == 200
            except httpx2.TransportError:
                return False

        await eventually(ready, 60)
        yield made


async def test_the_system_works_and_the_broker_refuses_nothing(
    services: Services, broker: Broker
) -> None:
    http = services.http
    asked = {"type": "CREATE", "prompt": "a lake", "provider_params": {"width": 64, "height": 64}}
    answer = await http.post("/tasks", json=asked, headers={"Prefer": "wait=60"})
    completed = answer.json()
    path = f"/tasks/{completed['task_id']}"
    picture = await http.get(completed["image_url"])
    patched = await http.patch(f"{path}/metadata", json={"a": 1})
    later = asked | {"run_at": "2999-01-01T00:00:00Z"}
    waiting = (await http.post("/tasks", json=later)).json()
    listed = await http.get("/tasks/processing")
    cancelled = await http.post(f"/tasks/{waiting['task_id']}/cancel")
    types = (await http.get("/generation-types")).json()["types"]
    readiness = (await http.get("/readyz")).json()
    doctor = await services.darkroom("doctor", nats_url=broker.url("ops"))
    events = await services.darkroom(
        "events", "show", completed["task_id"], nats_url=broker.url("ops")
    )
    erased = await http.delete(path)
    looked = await services.darkroom(
        "erase", "--task", completed["task_id"], "--verify", nats_url=broker.url("ops")
    )
    owner = await services.darkroom("erase", "local", "--yes", nats_url=broker.url("gateway"))

    assert (answer.status_code, completed["status"]) == (200, "completed")
    assert (picture.status_code, patched.json()["metadata"]) == (200, {"a": 1})
    assert [each["task_id"] for each in listed.json()["tasks"]] == [waiting["task_id"]]
    assert (cancelled.status_code, erased.status_code) == (202, 204)
    assert True in [each["healthy"] for kind in types for each in kind["providers"]]
    assert "on disk before it is acknowledged" in readiness["checks"]["log"]["detail"]
    assert "on disk before it is acknowledged" in doctor[1]
    assert doctor[0] == 0, doctor[1]
    assert events[0] == 0, events[1]
    assert " completed " in events[1]
    assert looked[0] == 0, looked[1]
    assert owner[0] == 0, owner[1]
    assert [line for line in broker.log.splitlines() if "iolation" in line] == []


async def test_who_sets_up_replays_and_brings_a_lost_log_back(
    services: Services, broker: Broker
) -> None:
    asked = {"type": "CREATE", "prompt": "a lake", "provider_params": {"width": 64, "height": 64}}
    before = await services.http.post("/tasks", json=asked, headers={"Prefer": "wait=60"})
    path = f"/tasks/{before.json()['task_id']}"
    setup, ops = broker.url("setup"), broker.url("ops")

    exported = await services.darkroom("events", "export", "-o", "-", nats_url=ops)
    replay = ("events", "replay", "--to", "x")
    replayed = await services.darkroom(*replay, nats_url=setup)
    deleted = await services.darkroom(*replay, "--delete", nats_url=setup)
    client = await connected(broker, "setup", [])
    await client.jetstream().delete_stream(STREAM)
    await client.close()
    restored = await services.darkroom("events", "replay", "--restore", nats_url=setup)

    async def accepted() -> httpx2.Response | None:
        answer = await services.http.post("/tasks", json=asked, headers={"Prefer": "wait=60"})
        return answer if answer.status_code == 200 else None

    after = await eventually(accepted, 60)
    same = (await services.http.get(path)).json()
    mended = await services.darkroom("doctor", "--fix", "--json", nats_url=setup)
    fine = {each["name"] for each in json.loads(mended[1]) if each["ok"]}

    assert fine >= {"log", "task-store", "leases", "copy"}
    assert [exported[0], replayed[0], deleted[0], restored[0]] == [0] * 4, (replayed, restored)
    assert "generation.completed" in exported[1]
    assert after.json()["status"] == "completed"
    assert same.pop("sequence") > before.json()["sequence"]
    assert same == {name: value for name, value in before.json().items() if name != "sequence"}
    assert [line for line in broker.log.splitlines() if "iolation" in line] == []


async def connected(broker: Broker, user: str, problems: list[str]) -> Client:
    async def told(error: Exception) -> None:
        problems.append(str(error))

    options = connection_options(user) | {"error_cb": told}
    return await nats.connect(broker.url(user), **options)


@pytest.mark.parametrize("user", USERS)
async def test_replies_are_read_by_whom_they_are_for(broker: Broker, user: str) -> None:
    problems: list[str] = []
    client = await connected(broker, user, problems)
    try:
        await client.subscribe(client.new_inbox())
        await client.flush()
        assert problems == []
        others = [f"_INBOX.{each}.>" for each in USERS if each != user]
        for subject in ("_INBOX.>", "_INBOX.*.>", "_INBOX.*", ">", *others):
            await client.subscribe(subject)
            await client.flush()

            def refused(subject: str = subject) -> bool:
                return any(f'"{subject.lower()}"' in each.lower() for each in problems)

            await eventually(refused, message=f"{user} may read {subject}")
    finally:
        await client.close()


@pytest.mark.parametrize("user", USERS)
async def test_dead_letters_are_handled_by_operators_and_the_gateways_admins(
    broker: Broker, user: str
) -> None:
    problems: list[str] = []
    client = await connected(broker, user, problems)
    try:
        for subject in (queries.RETRY_DEAD_LETTERS, queries.DROP_DEAD_LETTERS):
            await client.publish(subject, b"{}", client.new_inbox())
        # Nobody may, and refusals come in order: after this one there are no more.
        await client.publish("nobody.may", b"{}")
        await client.flush()
        await eventually(lambda: any("nobody.may" in each.lower() for each in problems))
        refused = [each for each in problems if "task-store." in each.lower()]
        assert len(refused) == (0 if user in ("gateway", "ops") else 2)
    finally:
        await client.close()


async def test_a_subscriber_has_its_own_consumer_and_no_other(
    services: Services, broker: Broker
) -> None:
    """The user of the example: bound to what ``darkroom setup --subscriber example`` made."""
    for name, subject in (("example", "generation.>"), ("other", "generation.finished.>")):
        words = ("setup", "--subscriber", name, "--filter", subject, "--from", "all")
        made = await services.darkroom(*words, nats_url=broker.url("setup"))
        assert made[0] == 0, made[1]
    listed = await services.darkroom("setup", "--subscribers", nats_url=broker.url("setup"))
    await services.http.post("/tasks", json={"type": "CREATE", "prompt": "a lake"})
    problems: list[str] = []
    client = await connected(broker, "subscriber", problems)
    js = client.jetstream()
    try:
        pull = await js.pull_subscribe_bind(
            durable="example", stream=STREAM, inbox_prefix=client.new_inbox().encode()
        )
        (message,) = await pull.fetch(1, timeout=10)
        await message.ack_sync()
        info = await js.consumer_info(STREAM, "example")
        assert info.ack_floor is not None
        assert info.ack_floor.consumer_seq == 1
        assert problems == []
        for subject in (
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.other",
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.generator-create-studio",
            f"$JS.API.CONSUMER.INFO.{STREAM}.other",
            f"$JS.API.CONSUMER.CREATE.{STREAM}.example.generation.>",
            f"$JS.API.CONSUMER.DELETE.{STREAM}.example",
            f"$JS.ACK.{STREAM}.other.1.1.1.1.1",
            f"$JS.API.DIRECT.GET.{STREAM}",
            f"$JS.API.STREAM.MSG.GET.{STREAM}",
            f"$JS.API.STREAM.PURGE.{STREAM}",
            "generation.finished.create.x",
            "task-store.get",
        ):
            await client.publish(subject, b"{}")
            await client.flush()

            def refused(subject: str = subject) -> bool:
                return any(f'"{subject.lower()}"' in each.lower() for each in problems)

            await eventually(refused, message=f"a subscriber may publish {subject}")
    finally:
        await client.close()
    assert listed[0] == 0, listed[1]
    assert "example" in listed[1]
