"""Who is connected is told what happens, over a socket to the running system."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from integration.whole_path.conftest import SILENCE_S, SMALL, submit
from system import TERMINAL, System


async def subscribe(socket: ClientConnection, **to: str) -> None:
    """Ask, and wait until all that was before has been told."""
    await socket.send(json.dumps({"subscribe": to}))
    async with asyncio.timeout(30):
        while json.loads(await socket.recv())["event"] != "ready":
            pass


async def states_until_the_end_of(socket: ClientConnection, task_id: str) -> list[dict[str, Any]]:
    """Every state of the task that is told, its end included."""
    told: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while not told or told[-1]["status"] not in TERMINAL:
            frame = json.loads(await socket.recv())
            if frame["event"] == "task" and frame["data"]["task_id"] == task_id:
                told.append(frame["data"])
    return told


async def test_a_socket_connects_and_tells_of_a_picture_from_the_line_to_its_end(
    system: System,
) -> None:
    async with connect(f"ws://127.0.0.1:{system.port}/ws") as socket:
        await subscribe(socket)
        asked = (await submit(system))["task_id"]
        told = await states_until_the_end_of(socket, asked)

    assert (told[0]["stage"], told[-1]["status"]) == ("queued", "completed")
    assert told[-1] == await system.ended(asked)


async def test_its_owner_is_told_live_that_a_task_fell_silent(system: System) -> None:
    async with connect(f"ws://127.0.0.1:{system.port}/ws") as socket:
        await subscribe(socket, type="CREATE")
        hangs = SMALL | {"simulate": {"hang": True}}
        stuck = (await submit(system, provider_params=hangs))["task_id"]
        told = await states_until_the_end_of(socket, stuck)

    assert [task["status"] for task in told].count("failed") == 1
    assert told[-1]["error"]["code"] == "timeout"
    assert told[-1]["error_msg"] == (
        f"Nothing was heard of this task for {SILENCE_S} s, so it was stopped. Please try again."
    )
    assert told[-1] == await system.ended(stuck)
