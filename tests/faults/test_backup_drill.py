"""Everything is lost but a backup that was made under load, and work goes on from it."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from contracts.events import decode
from faults.losses import House
from servers import eventually
from system import TERMINAL, ends_by_task, running_system

BEFORE = 10
AFTER = 4
KEPT = ("nats", "postgres", "artifacts", "run")
OTHER_SEQUENCES = ("sequence", "ticket")


async def test_all_is_lost_and_comes_back_from_a_backup(tmp_path: Path) -> None:
    data, place = tmp_path / "data", tmp_path / "backup"
    async with running_system(data, LEASE_S="2", RETRY_BASE_S="0.1") as system:
        house, over, ended = House(system), asyncio.Event(), list[str]()

        async def client(seconds: float) -> None:
            while not over.is_set():
                task_id: str = (await house.submit(seconds)).json()["task_id"]
                await system.ended(task_id)
                ended.append(task_id)

        clients = [asyncio.create_task(client(seconds)) for seconds in (0.2, 0.2, 3, 3)]
        await eventually(lambda: len(ended) >= BEFORE, 60)
        backed_up = await house.darkroom("backup", str(place))
        at_backup = len(ended)
        await eventually(lambda: len(ended) >= at_backup + AFTER, 30)
        over.set()
        await asyncio.gather(*clients)
        assert backed_up[0] == 0, backed_up[1]
        sequence: int = json.loads((place / "manifest.json").read_text())["sequence"]
        known = {
            event.subject
            for message in await system.log()
            if message.sequence <= sequence and (event := decode(message.payload))
        }
        await house.caught_up()
        before = {
            task_id: row
            for task_id, row in (await _rows(house)).items()
            if row["sequence"] <= sequence and row["status"] in TERMINAL
        }
        pictures = {task_id: await _picture(house, task_id) for task_id in before}

        await system.stop()
        for each in KEPT:
            shutil.rmtree(data / each)
        await system.start()
        nothing = await _rows(house)
        restored = await house.darkroom("restore", str(place))

        assert restored[0] == 0, restored[1]
        assert nothing == {}
        tasks = [await system.ended(task_id) for task_id in sorted(known)]
        assert {task["status"] for task in tasks} == {"completed"}
        await house.caught_up()
        after = await _rows(house)
        # Those that ended are as they were; of those that came later nobody knows.
        assert BEFORE <= len(before) < len(known)
        assert {task_id: _timeless(after[task_id]) for task_id in before} == {
            task_id: _timeless(row) for task_id, row in before.items()
        }
        assert set(after) == known < set(house.accepted)
        assert {task_id: await _picture(house, task_id) for task_id in before} == pictures
        ends = ends_by_task(await system.log())
        assert ends == dict.fromkeys(known, 1)
        verified = await house.darkroom("projection", "verify")
        assert verified[0] == 0, verified[1]
        assert (await house.submit()).status_code == 202
        assert (await system.ended(house.accepted[-1]))["status"] == "completed"


async def _rows(house: House) -> dict[str, dict[str, Any]]:
    async with house.system.database() as database:
        rows = await database.connection.fetch("SELECT * FROM tasks")
    return {str(row["task_id"]): dict(row) for row in rows}


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in OTHER_SEQUENCES}


async def _picture(house: House, task_id: str) -> bytes:
    task = await house.system.task(task_id)
    return (await house.system.http.get(task["image_url"])).content
