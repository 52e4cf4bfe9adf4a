"""The log is brought back from Postgres, and Postgres from the log; work goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from faults.losses import House
from servers import eventually
from system import ends_by_task, running_system

BEFORE = 12


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    directory = tmp_path_factory.mktemp("system")
    async with running_system(directory, LEASE_S="2", RETRY_BASE_S="0.1") as system:
        yield House(system)


async def test_the_disk_of_the_log_is_lost_under_load(house: House) -> None:
    """What Postgres knew ends once, and nothing that was accepted is told a wrong thing."""
    system, over = house.system, asyncio.Event()
    load = asyncio.create_task(house.load(over))
    await eventually(lambda: _known_before(house), 60)
    pids = house.pids()

    await house.lose("nats")
    refused = await eventually(lambda: _unreachable(house), 30, "submits are not refused")
    over.set()
    answers = await load
    known = await house.known()
    assert known >= set(house.accepted[:BEFORE])
    shown = await system.task(house.accepted[0])
    ready = await system.http.get("/readyz")
    setup = await house.darkroom("setup")
    restored = await house.darkroom("events", "replay", "--restore")

    assert restored[0] == 0, restored[1]
    assert setup[0] == 1, setup[1]
    assert "darkroom events replay --restore" in setup[1]
    assert refused.headers["Retry-After"]
    assert {answer.status_code for answer in answers} <= {202, 503}
    assert (shown["task_id"], ready.status_code) == (house.accepted[0], 503)
    assert house.pids() == pids
    ended = [await system.ended(task_id) for task_id in sorted(known)]
    assert {task["status"] for task in ended} == {"completed"}
    assert (await eventually(lambda: _accepted(house), 30)).status_code == 202
    assert (await system.ended(house.accepted[-1]))["status"] == "completed"
    ends = ends_by_task(await system.log())
    assert {task_id: ends[task_id] for task_id in known} == dict.fromkeys(known, 1)
    await house.caught_up()
    verified = await house.darkroom("projection", "verify")
    assert verified[0] == 0, verified[1]


async def test_the_disk_of_postgres_is_lost(house: House) -> None:
    await house.caught_up()
    before = await house.rows()

    await house.lose("postgres")
    setup = await eventually(lambda: _set_up(house), 30, "no schema could be made")
    await house.caught_up()

    assert "database schema" in setup
    assert await house.rows() == before
    verified = await house.darkroom("projection", "verify")
    assert verified[0] == 0, verified[1]
    assert (await eventually(lambda: _accepted(house), 30)).status_code == 202
    assert (await house.system.ended(house.accepted[-1]))["status"] == "completed"


async def test_the_log_is_lost_while_nothing_runs(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    """The system comes up without it, says so, and is ready once it is back."""
    system = house.system
    await house.caught_up()
    before = await house.known()
    await system.stop()
    (system.data_dir / "nats").rename(system.data_dir / "nats.lost-too")
    told = ""

    starting = asyncio.create_task(system.start())

    def is_told() -> bool:
        nonlocal told
        told += capfd.readouterr().err
        return "darkroom events replay --restore" in told

    await eventually(is_told, 60, "nobody says that the log is lost")
    restored = await house.darkroom("events", "replay", "--restore")
    await starting
    assert restored[0] == 0, restored[1]
    assert await house.known() == before
    assert (await house.submit()).status_code == 202
    assert (await system.ended(house.accepted[-1]))["status"] == "completed"


async def _known_before(house: House) -> bool:
    first = house.accepted[:BEFORE]
    return len(first) == BEFORE and await house.known() >= set(first)


async def _unreachable(house: House) -> object:
    answer = await house.submit()
    return answer if answer.status_code == 503 and "log_unreachable" in answer.text else None


async def _accepted(house: House) -> object:
    answer = await house.submit()
    return answer if answer.status_code == 202 else None


async def _set_up(house: House) -> str | None:
    code, told = await house.darkroom("setup")
    return told if code == 0 else None
