"""``darkroom doctor`` finds what is wrong, and tells the mend."""

from __future__ import annotations

from typing import Any

import asyncpg
import nats
import pytest

from builders import progressed, requested
from contracts.subjects import STREAM
from darkroom.stack.addresses import discover
from delivery.connection import connection_options
from delivery.publisher import Publisher
from delivery.requests import Requests
from integration.cli.conftest import Ran, Shell
from servers import Server, eventually
from system import System


def finding(ran: Ran, name: str) -> Any:
    return next(each for each in ran.json if each["name"] == name)


async def test_a_healthy_system_passes_every_check(darkroom: Shell) -> None:
    async def healthy() -> Ran | None:
        ran = await darkroom("doctor")
        return ran if ran.exit_code == 0 else None

    ran = await eventually(healthy, 60)

    assert "✗" not in ran.stdout
    assert "on disk before it is acknowledged" in ran.stdout
    assert (await darkroom("doctor", "--json")).json[0]["ok"] is True


async def test_a_running_system_is_mended_and_a_second_time_there_is_nothing_to_do(
    darkroom: Shell, system: System
) -> None:
    url = discover(system.data_dir).database_url
    assert url is not None
    rows = await asyncpg.connect(url)
    await rows.execute("CREATE SCHEMA IF NOT EXISTS rebuild_4711")
    await rows.close()

    first = await darkroom("doctor", "--fix")
    second = await darkroom("doctor", "--fix", "--quick", "--json")

    assert first.exit_code == 0, first.stdout
    assert "mended: dropped rebuild_4711" in first.stdout
    assert second.exit_code == 0
    assert {tuple(each["fixed"]) for each in second.json} == {()}


async def test_where_nothing_runs_each_missing_part_is_named_with_its_mend(
    bare: Shell,
) -> None:
    gone = bare.having(
        NATS_URL="nats://127.0.0.1:1", DATABASE_URL="postgresql://x@127.0.0.1:1/x", PORT="1"
    )

    ran = await gone("doctor")

    assert ran.exit_code == 1
    assert ran.stdout.count("✗") == 3
    assert ran.stdout.count("darkroom up") == 3


async def test_servers_that_are_not_set_up_need_setup(bare: Shell) -> None:
    ran = await bare("doctor", "--json")

    assert ran.exit_code == 1
    assert [finding(ran, name)["mend"] for name in ("log", "postgres")] == ["darkroom setup"] * 2
    assert finding(ran, "durability")["ok"] is None


async def test_a_log_nobody_projects_and_a_recreated_one_are_found(
    bare: Shell, nats_server: Server, database_url: str
) -> None:
    await bare("setup")
    client = await nats.connect(nats_server.url, **connection_options("test"))
    requests = Requests(client)
    await requests.start()
    await Publisher(requests).publish(requested())

    idle = await bare("doctor", "--json")
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE live.checkpoint SET stream_created = 'epoch'")
    recreated = await bare("doctor", "--json")
    await connection.execute("UPDATE live.checkpoint SET stream_created = NULL, sequence = 99")
    ahead = await bare("doctor", "--json")
    await connection.close()
    await client.close()

    assert finding(idle, "projection")["detail"] == "at 0, 1 events behind the log"
    assert finding(idle, "projection")["ok"] is False
    assert "darkroom task-store" in finding(idle, "task-store")["mend"]
    assert "is of another stream" in finding(recreated, "projection")["detail"]
    assert finding(ahead, "projection")["detail"] == "is at 99, but the log ends at 1"


async def test_parked_events_and_a_full_log_are_found(
    bare: Shell, nats_server: Server, database_url: str
) -> None:
    small = bare.having(STREAM_MAX_BYTES="10000")
    await small("setup")
    client = await nats.connect(nats_server.url, **connection_options("test"))
    requests = Requests(client)
    await requests.start()
    await Publisher(requests).publish(progressed())
    filler = b"x" * 8700
    await client.jetstream().publish("generation.progress.create.x", filler, stream=STREAM)
    process = await small.start("task-store")

    async def parked() -> Ran | None:
        ran = await small("doctor", "--json")
        found = [each for each in ran.json if each["name"] == "parked"]
        return ran if found and not found[0]["ok"] else None

    try:
        ran = await eventually(parked, 60)
    finally:
        process.terminate()
        await process.communicate()
        await client.close()

    assert ran.exit_code == 1
    assert finding(ran, "parked")["detail"].startswith("2 events of 2 tasks")
    assert finding(ran, "parked")["mend"].endswith("darkroom dead-letters retry --all")
    assert "DARKROOM_STREAM_MAX_BYTES" in finding(ran, "room")["mend"]


@pytest.mark.parametrize("url", [None, "file:///proc/nowhere", "s3://bucket/x"])
async def test_a_place_for_artifacts_that_cannot_be_written_to_is_found(
    bare: Shell, url: str | None
) -> None:
    told = bare if url is None else bare.having(ARTIFACTS_URL=url)

    ran = await told("doctor", "--json")

    expected = {None: True, "file:///proc/nowhere": False, "s3://bucket/x": None}[url]
    assert finding(ran, "artifacts")["ok"] is expected


@pytest.mark.parametrize(
    ("timeout_s", "ok", "says"), [("181", True, "less time"), ("180", None, "CREATE, ")]
)
async def test_a_provider_that_may_be_silent_for_longer_than_the_reaper_waits_is_told(
    bare: Shell, timeout_s: str, ok: bool | None, says: str
) -> None:
    ran = await bare.having(TASK_TIMEOUT_S=timeout_s)("doctor", "--json")

    found = finding(ran, "timeouts")
    assert found["ok"] is ok
    assert says in found["detail"]


async def test_a_setting_that_can_not_be_used_is_named(bare: Shell) -> None:
    ran = await bare.having(NATS_URL="nats://127.0.0.1:1", TASK_TIMEOUT_S="soon")("doctor")

    assert ran.exit_code == 2
    assert "DARKROOM_TASK_TIMEOUT_S is not usable" in ran.stderr
