"""Looking after the projection with the command line."""

from __future__ import annotations

import os
import signal

from integration.cli.conftest import Shell, Submit
from servers import eventually
from system import System


async def test_a_rebuild_beside_the_running_system_gives_the_same_rows(
    darkroom: Shell, submitted: Submit, system: System
) -> None:
    task_id = await submitted("CREATE", "x", "--param", 'simulate={"seconds": 1}')
    before = (await darkroom("projection", "status", "--json")).json

    rebuilt = await darkroom("projection", "rebuild", "--json")

    assert rebuilt.exit_code == 0, rebuilt.stderr
    assert rebuilt.json["build"] == before["build"] + 1
    assert (await system.ended(task_id))["status"] == "completed"
    verified = await darkroom("projection", "verify")
    assert verified.exit_code == 0, verified.stdout
    assert "are as the log tells" in verified.stdout
    status = await darkroom("projection", "status")
    assert f"build               {rebuilt.json['build']}" in status.stdout


async def test_status_tells_how_far_behind_the_rows_are_and_how_fast_they_get_on(
    darkroom: Shell, system: System
) -> None:
    os.kill(system.pid("task-store") or 0, signal.SIGSTOP)
    try:
        before = (await darkroom("projection", "status", "--json")).json
        for number in range(3):
            await system.submit(f"behind-{number}", type="CREATE", prompt="x")
        behind = (await darkroom("projection", "status", "--json")).json
    finally:
        os.kill(system.pid("task-store") or 0, signal.SIGCONT)

    assert behind["sequence"] == before["sequence"]
    assert behind["lag"] >= 3
    assert behind["lag_seconds"] > 0
    assert behind["events_per_second"] == 0

    async def caught_up() -> bool:
        status = (await darkroom("projection", "status", "--json")).json
        return status["lag"] == status["lag_seconds"] == 0

    await eventually(caught_up, 30)
    shown = (await darkroom("projection", "status")).stdout
    assert "lag                 none" in shown
    assert "events/s" in shown


async def test_verify_exits_1_and_names_what_was_tampered_with(
    darkroom: Shell, system: System
) -> None:
    task_id = await system.submit("tampered", type="CREATE", prompt="mine")
    await system.ended(task_id)

    async def caught_up() -> bool:
        return not (await darkroom("projection", "status", "--json")).json["lag"]

    await eventually(caught_up, 30)
    async with system.database() as database:
        await database.connection.execute(
            "UPDATE tasks SET prompt = 'forged' WHERE task_id = $1", task_id
        )

    verified = await darkroom("projection", "verify")
    as_json = await darkroom("projection", "verify", "--json")
    mended = await darkroom("projection", "rebuild")

    assert (verified.exit_code, as_json.exit_code, mended.exit_code) == (1, 1, 0)
    assert f"tasks {task_id}: prompt" in verified.stdout
    assert "darkroom projection rebuild" in verified.stderr
    assert as_json.json["different"] == 1
    assert (await system.task(task_id))["prompt"] == "mine"
