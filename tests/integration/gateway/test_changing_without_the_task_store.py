"""Cancel and erasure need the log alone; what the rows show follows when the task-store is back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from artifacts.keys import artifact_key
from artifacts.uploads import SWEEP_GRACE
from builders import completed, progressed, started, task_id
from contracts.events import decode
from contracts.subjects import CANCEL_SUBJECTS, STREAM
from integration.gateway.conftest import running_task_store
from integration.gateway.house import BOB, CREATE, House
from integration.gateway.test_files import png

LATER = {"run_at": "2999-01-01T00:00:00Z"}


async def submit(door: httpx2.AsyncClient, key: str | None = None, **changes: Any) -> str:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = await door.post("/tasks", json=CREATE | changes, headers=headers)
    made: str = answer.json()["task_id"]
    return made


async def types_in_the_log(house: House, task: str) -> list[str]:
    return [decode(each.payload).type for each in await house.log.history(task)]


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("changes", [{}, LATER])
async def test_a_task_is_cancelled(
    house: House, door: httpx2.AsyncClient, key: str | None, changes: dict[str, Any]
) -> None:
    told = await house.client.subscribe(CANCEL_SUBJECTS)
    await house.client.flush()
    task = await submit(door, key, **changes)
    answer = await door.post(f"/tasks/{task}/cancel")
    again = await door.post(f"/tasks/{task}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert (again.status_code, again.json()["task_status"]) == (409, "cancelled")
    assert (await told.next_msg(5)).subject == f"cancel.{task}"


async def test_a_running_task_is_cancelled_in_its_attempt(
    house: House, door: httpx2.AsyncClient
) -> None:
    task = await submit(door)
    await house.tell(started(task=task, owner="ann"), progressed(40, task=task, owner="ann"))
    answer = await door.post(f"/tasks/{task}/cancel")

    assert (answer.status_code, answer.json()["attempt"]) == (202, 1)


async def test_what_has_ended_is_not_cancelled(house: House, door: httpx2.AsyncClient) -> None:
    task = await submit(door)
    await house.tell(started(task=task, owner="ann"), completed(task=task, owner="ann"))
    answer = await door.post(f"/tasks/{task}/cancel")

    assert (answer.status_code, answer.json()["task_status"]) == (409, "completed")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/tasks/{}/cancel"), ("DELETE", "/tasks/{}")]
)
async def test_another_owners_task_is_as_unknown_as_none(
    house: House, door: httpx2.AsyncClient, method: str, path: str
) -> None:
    task = await submit(door)
    unknown = task[:-12] + "0" * 12
    erased = await submit(door)
    await door.delete(f"/tasks/{erased}")
    before = await house.last_sequence()
    answers = [
        await door.request(method, path.format(each), headers=BOB)
        for each in (task, erased, unknown, "none")
    ]

    assert [each.status_code for each in answers] == [404] * 4
    assert {each.content for each in answers} == {answers[0].content}
    assert await house.last_sequence() == before


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/tasks/{}/cancel"), ("DELETE", "/tasks/{}")]
)
async def test_what_may_be_older_than_the_log_is_not_said_to_be_unknown(
    house: House, door: httpx2.AsyncClient, method: str, path: str
) -> None:
    """Of another owner's keyed task no more is told than of one that does not exist."""
    keyed = await submit(door, "k")
    unknown = keyed[:-12] + "0" * 12
    before_the_log = task_id(1)
    answers = [
        await door.request(method, path.format(each), headers=BOB)
        for each in (keyed, unknown, before_the_log)
    ]

    assert [each.status_code for each in answers] == [503] * 3
    assert {each.json()["code"] for each in answers} == {"task_store_unavailable"}
    assert {each.content for each in answers} == {answers[0].content}


async def test_what_left_the_log_is_older_than_it(house: House, door: httpx2.AsyncClient) -> None:
    task = await submit(door)
    await house.client.jetstream().purge_stream(STREAM)
    empty = await door.post(f"/tasks/{task}/cancel")
    await submit(door)
    begun_again = await door.post(f"/tasks/{task}/cancel")

    assert (empty.status_code, begun_again.status_code) == (503, 503)


async def test_an_erased_task_is_out_of_the_log_and_the_rows_follow(
    house: House, door: httpx2.AsyncClient, database_url: str
) -> None:
    async with running_task_store(house, database_url):
        projected = await submit(door, prompt="a secret")
        await house.projected()
    unprojected = await submit(door, prompt="a secret")
    store = house.parts[0].store
    result = artifact_key("ann", unprojected, 1, 0, "a" * 64, "png")
    await store.put(result, b"secret", "image/png")
    answers = await asyncio.gather(
        *(door.delete(f"/tasks/{each}") for each in (projected, unprojected))
    )
    again = await door.delete(f"/tasks/{unprojected}")
    cancelled = await door.post(f"/tasks/{unprojected}/cancel")

    assert [each.status_code for each in (*answers, again, cancelled)] == [204, 204, 204, 404]
    for each in (projected, unprojected):
        assert await types_in_the_log(house, each) == ["generation.erased"]
    assert await store.head(result) is None

    async with running_task_store(house, database_url):
        for each in (projected, unprojected):
            assert (await door.get(f"/tasks/{each}")).status_code == 404
            assert (await door.get(f"/tasks/{each}/events")).status_code == 404
            assert (await door.delete(f"/tasks/{each}")).status_code == 204
        assert (await door.get("/tasks")).json() == {"tasks": [], "next_cursor": None}


async def test_an_erased_tasks_uploads_are_of_no_use_and_swept_later(
    house: House, door: httpx2.AsyncClient, database_url: str
) -> None:
    unneeded, shared = [
        (await door.post("/uploads", files={"file": ("a.png", png(), "image/png")})).json()["url"]
        for _ in range(2)
    ]
    erased = await submit(door, reference_images=[unneeded, shared])
    await submit(door, reference_images=[shared])
    answer = await door.delete(f"/tasks/{erased}")
    again = await door.post("/tasks", json=CREATE | {"reference_images": [unneeded]})

    assert answer.status_code == 204
    assert (again.status_code, again.json()["code"]) == (422, "upload_expired")
    async with running_task_store(house, database_url):
        assert [(await door.get(each)).status_code for each in (unneeded, shared)] == [404, 200]
        later = datetime.now(UTC) + SWEEP_GRACE + timedelta(seconds=1)
        swept = await house.parts[0].sweep.run_once(later)
        assert (swept.removed, swept.still_referenced) == (1, 1)
