"""Holding an answer until the task moves: ``Prefer: wait`` and ``?wait``."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import httpx2
import pytest
from prometheus_client import REGISTRY

from builders import completed, progressed, started
from gateway import reading
from integration.gateway.house import CREATE, House, own
from servers import eventually


async def requested_task(house: House) -> str:
    """The id of the one task in the log, as soon as it is there."""

    async def found() -> str | None:
        last = await house.log.last("generation.requested.>")
        return None if last is None else last.subject.rpartition(".")[2]

    return str(await eventually(found))


async def test_prefer_wait_answers_as_soon_as_the_task_has_ended(
    house: House, door: httpx2.AsyncClient
) -> None:
    asking = asyncio.create_task(door.post("/tasks", json=CREATE, headers={"Prefer": "wait=30"}))
    task_id = await requested_task(house)
    last = await house.tell(started(**own(task_id)), completed(**own(task_id)))
    answer = await asking

    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=30")
    task = answer.json()
    assert (task["task_id"], task["status"], task["progress"], task["sequence"]) == (
        task_id,
        "completed",
        100,
        last,
    )


async def test_prefer_wait_gives_up_when_time_is_up(door: httpx2.AsyncClient) -> None:
    began = time.monotonic()
    answer = await door.post("/tasks", json=CREATE, headers={"Prefer": "wait=1"})

    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=1")
    assert 1 <= time.monotonic() - began < 3


@pytest.mark.parametrize("preference", ["wait=61", "wait=x", "respond-async"])
async def test_another_preference_is_ignored(door: httpx2.AsyncClient, preference: str) -> None:
    answer = await door.post("/tasks", json=CREATE, headers={"Prefer": preference})

    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


async def test_a_replay_waits_as_well(house: House, http: httpx2.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k"}
    task = (await http.post("/tasks", json=CREATE, headers=headers)).json()
    asking = asyncio.create_task(
        http.post("/tasks", json=CREATE, headers=headers | {"Prefer": "wait=30"})
    )
    await house.tell(started(**own(task["task_id"])), completed(**own(task["task_id"])))
    answer = await asking

    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert answer.headers["idempotency-replayed"] == "true"


async def test_a_long_poll_is_answered_by_the_next_event(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = (await http.post("/tasks", json=CREATE)).json()
    path = f"/tasks/{task['task_id']}"
    asking = asyncio.create_task(http.get(path, params={"wait": 30, "after": task["sequence"]}))
    await eventually(lambda: house.parts[0].live._watchers)  # noqa: SLF001
    sequence = await house.tell(started(**own(task["task_id"])))
    answer = (await asking).json()

    assert (answer["sequence"], answer["stage"], answer["attempt"]) == (sequence, "generating", 1)


async def test_a_long_poll_for_what_has_happened_is_answered_at_once(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = (await http.post("/tasks", json=CREATE)).json()
    await house.projected()
    answer = await http.get(f"/tasks/{task['task_id']}", params={"wait": 60, "after": 0})

    assert answer.json()["sequence"] == task["sequence"]


async def test_a_long_poll_of_a_task_that_has_ended_does_not_wait(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = (await http.post("/tasks", json=CREATE)).json()
    await house.tell(started(**own(task["task_id"])), completed(**own(task["task_id"])))
    await house.projected()
    answer = await asyncio.wait_for(http.get(f"/tasks/{task['task_id']}?wait=60"), 10)

    assert answer.json()["status"] == "completed"


async def test_a_long_poll_without_news_shows_the_task_when_time_is_up(
    http: httpx2.AsyncClient,
) -> None:
    task = (await http.post("/tasks", json=CREATE)).json()
    answer = await http.get(f"/tasks/{task['task_id']}?wait=0.2")

    assert answer.json() == task | {"queue_position": 1}


async def test_an_unchanged_task_is_not_sent_again(house: House, http: httpx2.AsyncClient) -> None:
    task = (await http.post("/tasks", json=CREATE)).json()
    await house.projected()
    path = f"/tasks/{task['task_id']}"
    tag = (await http.get(path)).headers["etag"]
    same = await http.get(path, headers={"If-None-Match": f'"x", {tag}'})
    await house.tell(started(**own(task["task_id"])))
    await house.projected()
    changed = await http.get(path, headers={"If-None-Match": tag})

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)


async def test_the_tag_changes_with_the_place_in_the_line(
    house: House, http: httpx2.AsyncClient
) -> None:
    first, second = [(await http.post("/tasks", json=CREATE)).json() for _ in range(2)]
    await house.projected()
    before = (await http.get(f"/tasks/{second['task_id']}")).headers["etag"]
    await house.tell(started(**own(first["task_id"])))
    await house.projected()
    after = await http.get(f"/tasks/{second['task_id']}")

    assert after.json() == second | {"queue_position": 1}
    assert after.headers["etag"] != before


async def test_missed_live_events_are_read_again(
    house: House, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LOOK_AGAIN_S", 0.05)
    live = house.parts[0].live

    def deaf(*_: object) -> None:
        return

    monkeypatch.setattr(live.__class__, "_on_message", deaf)
    task = (await http.post("/tasks", json=CREATE)).json()
    asking = asyncio.create_task(http.get(f"/tasks/{task['task_id']}?wait=30"))
    await eventually(lambda: live._watchers)  # noqa: SLF001
    sequence = await house.tell(started(**own(task["task_id"])), progressed(**own(task["task_id"])))
    answer = (await asking).json()

    assert answer["sequence"] in (sequence - 1, sequence)


async def test_who_waits_is_answered_when_the_gateway_stops(
    house: House, door: httpx2.AsyncClient
) -> None:
    asking = asyncio.create_task(door.post("/tasks", json=CREATE, headers={"Prefer": "wait=60"}))
    await requested_task(house)
    house.parts[0].live.stop()

    assert (await asyncio.wait_for(asking, 5)).status_code == 202
    late = await asyncio.wait_for(
        door.post("/tasks", json=CREATE, headers={"Prefer": "wait=60"}), 5
    )
    assert late.status_code == 202


async def test_a_long_poll_misses_no_event_that_the_projection_has_not_seen(
    house: House, http: httpx2.AsyncClient, database_url: str
) -> None:
    task_id = (await http.post("/tasks", json=CREATE)).json()["task_id"]
    await house.projected()
    projecting = await asyncpg.connect(database_url)
    try:
        async with projecting.transaction():
            # The projection stands still from here on.
            await projecting.execute("LOCK TABLE live.checkpoint IN EXCLUSIVE MODE")
            at = await house.tell(started(**own(task_id)))
            asking = asyncio.create_task(
                http.get(f"/tasks/{task_id}", params={"wait": 30, "after": at})
            )
            await eventually(lambda: REGISTRY.get_sample_value("darkroom_waits"))
            await house.tell(completed(**own(task_id)))
            answer = await asking
    finally:
        await projecting.close()

    task = answer.json()
    assert (task["status"], task["provider"], task["attempt"]) == ("completed", "studio", 1)
    assert task["started_at"] is not None
