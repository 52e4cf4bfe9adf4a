"""P7 and P10: 0.1.0 on the schema of today, and its services replaced one by one under load."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from contracts.events import decode
from contracts.lifecycle import Task
from faults.fleet import ROLES, Fleet, Follower
from releases import environment, set_up, unpacked
from servers import Server, embedded_nats, eventually, fresh_database
from system import Database, ends_by_task, events_on
from task_store import store
from task_store.sql import MIGRATIONS

BEFORE = "0.1.0"
AT_ONCE = 3
"""So many clients submit one task after the other: what bounds the rate is how fast they end."""


@dataclass
class Upgrade:
    """The servers as 0.1.0 made them, and its services on them."""

    fleet: Fleet
    code: Path
    steps: list[int]

    async def darkroom(self, *words: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "darkroom", *words),
            env=environment(None, **self.fleet.settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, out.decode()

    async def ends(self) -> Mapping[str, int]:
        return ends_by_task(await events_on(self.fleet.settings["NATS_URL"]))


@pytest.fixture(scope="module")
async def upgrade(
    tmp_path_factory: pytest.TempPathFactory, postgres_session: Server
) -> AsyncIterator[Upgrade]:
    directory = tmp_path_factory.mktemp("upgrade")
    code = unpacked(BEFORE, directory)
    async with AsyncExitStack() as stack:
        broker = embedded_nats(directory / "nats")
        (directory / "nats").mkdir()
        await broker.start()
        stack.push_async_callback(broker.kill)
        database_url = await stack.enter_async_context(fresh_database(postgres_session.url))
        steps = await set_up(code, database_url, broker.url)
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=20))
        settings = {
            "NATS_URL": broker.url,
            "DATABASE_URL": database_url,
            "DATA_DIR": str(directory),
            "PROVIDERS": "studio",
            "LEASE_S": "2",
            "RETRY_BASE_S": "0.1",
            "DRAIN_S": "0.5",
            "REAPER_INTERVAL_S": "1",
        }
        fleet = Fleet(settings, http)
        stack.push_async_callback(fleet.stop)
        await asyncio.gather(*(fleet.start(role, code) for role in ROLES for _ in range(2)))
        yield Upgrade(fleet, code, steps)


async def test_the_version_before_runs_on_the_new_schema(upgrade: Upgrade) -> None:
    fleet = upgrade.fleet
    first = await fleet.ended(await fleet.submit("before"))

    told = await upgrade.darkroom("setup")
    second = await fleet.ended(await fleet.submit("on-the-new-schema"))
    checked = await upgrade.darkroom("setup", "--check")

    assert told[0] == 0, told[1]
    assert upgrade.steps == [1]
    assert f"database schema: applied step {max(MIGRATIONS)}" in told[1]
    assert checked[0] == 0, checked[1]
    assert (first["status"], second["status"]) == ("completed", "completed")
    rows = await _rows(upgrade)
    assert {rows[task["task_id"]].status for task in (first, second)} == {"completed"}
    ends = await upgrade.ends()
    assert (ends[first["task_id"]], ends[second["task_id"]]) == (1, 1)


async def test_every_service_is_replaced_under_load_and_nothing_is_lost(upgrade: Upgrade) -> None:
    fleet, over = upgrade.fleet, asyncio.Event()
    follower = Follower(fleet)
    following = asyncio.create_task(follower.run())
    await eventually(lambda: follower.connections, 20, "no stream was opened")

    async def client(name: str) -> dict[str, str]:
        submitted: dict[str, str] = {}
        while not over.is_set():
            key = f"{name}-{len(submitted)}"
            task_id = await fleet.submit(key, seconds=0.3)
            submitted[key] = task_id
            assert (await fleet.ended(task_id))["status"] == "completed"
        return submitted

    clients = [asyncio.create_task(client(f"client-{number}")) for number in range(AT_ONCE)]
    before = list(fleet.services)
    codes = [await fleet.replace(service, None) for service in before]
    # The last of each was replaced: these are done by the new ones alone.
    after = await fleet.ended(await fleet.submit("after"))
    over.set()
    submitted = [each for made in await asyncio.gather(*clients) for each in made.items()]

    accepted = [task_id for _, task_id in submitted]
    messages = await events_on(fleet.settings["NATS_URL"])
    await eventually(lambda: follower.sequences[-1] >= messages[-1].sequence, 20)
    following.cancel()
    ends = ends_by_task(messages)
    assert codes == [0] * len(before)
    assert after["status"] == "completed"
    assert len(set(accepted)) == len(accepted) > len(before)
    assert {task_id: ends[task_id] for task_id in accepted} == dict.fromkeys(accepted, 1)
    events = (decode(message.payload) for message in messages)
    asked = {event.subject for event in events if event.type == "generation.requested"}
    assert asked == set(ends)
    for key, task_id in submitted[-1:]:
        assert await fleet.submit(key, seconds=0.3) == task_id
    # A stream is the log: no gap and no repeat, over every gateway that went.
    assert follower.resets == 0
    assert follower.connections > 2
    told = [m.sequence for m in messages if m.sequence >= follower.sequences[0]]
    assert follower.sequences == told
    rows = await _rows(upgrade)
    assert {rows[task_id].status for task_id in accepted} == {"completed"}
    verified = await upgrade.darkroom("projection", "verify")
    assert verified[0] == 0, verified[1]


async def _rows(upgrade: Upgrade) -> Mapping[str, Task]:
    connection = await store.open_connection(upgrade.fleet.settings["DATABASE_URL"])
    try:
        return await Database(connection).tasks()
    finally:
        await connection.close()
