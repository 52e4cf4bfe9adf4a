"""A version with a bug in its projection is deployed, found, taken back, and leaves no trace."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx2
import nats
import pytest

from builders import completed, progressed, requested, started, task_id
from delivery.connection import connection_options
from delivery.publisher import Publisher
from delivery.requests import Requests
from faults.fleet import Fleet
from releases import environment
from servers import Server, eventually

TASKS = 334
PARKED = TASKS * 3

_BUG = '''
"""Loaded before everything else: this version can't apply what a started task says."""

from contracts.lifecycle import Unapplicable
from task_store import projection

_evolve = projection.evolve


def evolve(task, event, sequence, logtime):
    if event.type == "generation.started":
        raise Unapplicable("a bug")
    return _evolve(task, event, sequence, logtime)


projection.evolve = evolve
'''


@pytest.fixture
async def http() -> Any:
    async with httpx2.AsyncClient(timeout=20) as client:
        yield client


async def test_a_bug_that_parks_a_thousand_events_is_mended_and_all_are_applied(
    nats_server: Server, database_url: str, tmp_path: Path, http: httpx2.AsyncClient
) -> None:
    settings = {
        "NATS_URL": nats_server.url,
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path),
        "STREAM_MAX_BYTES": str(1 << 30),
    }
    buggy = tmp_path / "buggy"
    buggy.mkdir()
    (buggy / "sitecustomize.py").write_text(_BUG)
    fleet = Fleet(settings, http)

    async def darkroom(*words: str) -> tuple[int, Any]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "darkroom", *words, "--json"),
            env=environment(None, **settings),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, json.loads(out) if out else None

    async def caught_up() -> dict[str, Any] | None:
        _, status = await darkroom("projection", "status")
        return status if status["lag"] == 0 else None

    try:
        assert (await darkroom("setup"))[0] == 0
        deployed = await fleet.start("task-store", buggy)
        await _tell(nats_server.url)
        broken = await eventually(caught_up, 60)
        _, listed = await darkroom("dead-letters", "list")
        before = await darkroom("projection", "verify")
        code = await fleet.replace(deployed, None)
        retried = await darkroom("dead-letters", "retry", "--all")
        mended = await eventually(caught_up, 60)
        after = await darkroom("projection", "verify")
    finally:
        await fleet.stop()

    assert broken["parked"] == {"events": PARKED, "tasks": TASKS}
    assert listed["events"] == PARKED
    assert before[1]["different"] > TASKS
    assert code == 0
    assert (retried[0], retried[1]["applied"], retried[1]["parked"]) == (0, PARKED, 0)
    assert mended["parked"] == {"events": 0, "tasks": 0}
    assert (after[0], after[1]["different"]) == (0, 0)


async def _tell(nats_url: str) -> None:
    client = await nats.connect(nats_url, **connection_options("test"))
    try:
        requests = Requests(client)
        await requests.start()
        publisher = Publisher(requests)
        for number in range(1, TASKS + 1):
            of = {"task": task_id(number)}
            for event in (requested(**of), started(**of), progressed(50, **of), completed(**of)):
                await publisher.publish(event)
    finally:
        await client.close()
