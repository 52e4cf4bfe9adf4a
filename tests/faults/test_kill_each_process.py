"""P1, P2, P3 and P5, with each process in turn killed by SIGKILL while tasks come and run."""

from __future__ import annotations

import asyncio

import pytest

from faults.conftest import System, ends_by_task, fold_of_log

TASKS = 30
SMALL = {"width": 64, "height": 64}


@pytest.mark.parametrize(
    "victim", ["generator", "task-store", "gateway", "reaper", "nats", "postgres"]
)
async def test_every_accepted_task_ends_once_though_a_process_is_killed(
    system: System, victim: str
) -> None:
    started = asyncio.Event()

    async def one(number: int) -> str:
        slow = {"simulate": {"seconds": 0.5}} if number % 3 == 0 else {}
        task_id = await system.submit(
            f"{victim}-{number}",
            type="CREATE",
            prompt=f"tree number {number}",
            provider_params=SMALL | slow,
        )
        if number >= TASKS // 3:
            started.set()
        return task_id

    async def in_turn() -> list[str]:
        return [await one(number) for number in range(TASKS)]

    submitting = asyncio.create_task(in_turn())
    await asyncio.wait_for(started.wait(), 60)
    await system.kill(victim)
    accepted = await submitting

    tasks = {task_id: await system.ended(task_id) for task_id in accepted}

    assert len(tasks) == TASKS
    assert {task["status"] for task in tasks.values()} == {"completed"}
    assert max(task["attempt"] for task in tasks.values()) <= 3
    messages = await system.log()
    ends = ends_by_task(messages)
    assert {task_id: ends[task_id] for task_id in accepted} == dict.fromkeys(accepted, 1)
    folded = fold_of_log(messages)
    for task_id, task in tasks.items():
        assert (task["status"], task["sequence"]) == (
            folded[task_id].status,
            folded[task_id].sequence,
        )
        picture = await system.http.get(task["image_url"])
        assert picture.content.startswith(b"\x89PNG")


async def test_the_same_key_finds_the_same_task_after_all_those_crashes(system: System) -> None:
    body = {"type": "CREATE", "prompt": "tree number 1", "provider_params": SMALL}
    first = await system.submit("gateway-1", **body)
    again = await system.http.post("/tasks", json=body, headers={"Idempotency-Key": "gateway-1"})

    assert (again.status_code, again.json()["task_id"]) == (200, first)
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_a_worker_that_dies_of_a_task_costs_that_task_one_attempt(system: System) -> None:
    task_id = await system.submit(
        "crash",
        type="CREATE",
        prompt="a cat",
        provider_params=SMALL | {"simulate": {"crash": True}},
    )

    task = await system.ended(task_id)

    assert (task["status"], task["attempt"]) == ("completed", 2)


async def test_the_whole_system_killed_at_once_goes_on_where_it_was(system: System) -> None:
    waiting = [
        await system.submit(
            f"all-{number}",
            type="CREATE",
            prompt="a boat",
            provider_params=SMALL | {"simulate": {"seconds": 1}},
        )
        for number in range(12)
    ]
    assert system.process is not None
    system.process.kill()
    await system.process.wait()

    await system.start()

    ended = [await system.ended(task_id) for task_id in waiting]
    assert {task["status"] for task in ended} == {"completed"}
    ends = ends_by_task(await system.log())
    assert [ends[task_id] for task_id in waiting] == [1] * len(waiting)
