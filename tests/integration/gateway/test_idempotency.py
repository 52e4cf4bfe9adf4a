"""The same key names the same task: over repeats, restarts and rival gateways."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from contracts.ids import uuid8
from integration.gateway.house import BOB, CREATE, House

KEY = {"Idempotency-Key": "order-7"}


async def test_the_same_key_and_body_give_the_same_task(http: httpx2.AsyncClient) -> None:
    first = await http.post("/tasks", json=CREATE, headers=KEY)
    again = await http.post("/tasks", json=dict(reversed(CREATE.items())), headers=KEY)

    assert first.status_code == 202
    assert first.json()["task_id"] == str(uuid8("ann", "order-7"))
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert again.json() | {"queue_position": None} == first.json()


async def test_the_same_key_with_another_body_is_refused(http: httpx2.AsyncClient) -> None:
    await http.post("/tasks", json=CREATE, headers=KEY)
    other = await http.post("/tasks", json=CREATE | {"prompt": "another"}, headers=KEY)

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_owners_do_not_share_keys(http: httpx2.AsyncClient) -> None:
    mine = await http.post("/tasks", json=CREATE, headers=KEY)
    theirs = await http.post("/tasks", json=CREATE | {"prompt": "b"}, headers=KEY | BOB)

    assert (mine.status_code, theirs.status_code) == (202, 202)
    assert mine.json()["task_id"] != theirs.json()["task_id"]


async def test_a_replay_shows_the_task_as_it_is_now(house: House, http: httpx2.AsyncClient) -> None:
    task = (await http.post("/tasks", json=CREATE, headers=KEY)).json()
    await http.post(f"/tasks/{task['task_id']}/cancel")

    assert (await http.post("/tasks", json=CREATE, headers=KEY)).json()["status"] == "cancelled"


async def test_a_replay_needs_neither_provider_nor_projection(house: House) -> None:
    one = await house.gateway()
    task = (await one.post("/tasks", json=CREATE, headers=KEY)).json()
    bucket = await house.client.jetstream().key_value("PROVIDERS")
    await bucket.delete("studio")
    other = await house.gateway(announced=False)
    await asyncio.wait_for(house.parts[-1].bus.connected.wait(), 5)

    again = await other.post("/tasks", json=CREATE, headers=KEY)

    assert (again.status_code, again.json()["task_id"]) == (200, task["task_id"])


async def test_an_erased_task_leaves_its_key_used(http: httpx2.AsyncClient) -> None:
    task = (await http.post("/tasks", json=CREATE, headers=KEY)).json()
    assert (await http.delete(f"/tasks/{task['task_id']}")).status_code == 204

    again = await http.post("/tasks", json=CREATE, headers=KEY)

    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")


async def test_an_erased_task_leaves_its_key_used_also_before_it_is_projected(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = (await http.post("/tasks", json=CREATE, headers=KEY)).json()
    await http.delete(f"/tasks/{task['task_id']}")
    parts = house.parts[0]

    assert (await parts.reader.from_log(task["task_id"])) is not None


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
async def test_an_unusable_key_is_refused(http: httpx2.AsyncClient, key: str) -> None:
    answer = await http.post("/tasks", json=CREATE, headers={"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")


async def test_rivals_with_the_same_key_make_exactly_one_task(
    house: House, http: httpx2.AsyncClient
) -> None:
    doors = [http, await house.gateway(), await house.gateway()]
    for number in range(10):
        key = {"Idempotency-Key": f"race-{number}"}
        before = await house.last_sequence()
        answers = await asyncio.gather(
            *(door.post("/tasks", json=CREATE, headers=key) for door in doors * 4)
        )

        assert {each.json()["task_id"] for each in answers} == {str(uuid8("ann", f"race-{number}"))}
        assert sorted(each.status_code for each in answers) == [200] * 11 + [202]
        assert await house.last_sequence() == before + 1


async def test_rivals_with_other_bodies_are_told_so(house: House, http: httpx2.AsyncClient) -> None:
    doors = [http, await house.gateway()]
    bodies = [CREATE, CREATE | {"prompt": "another"}]
    for number in range(10):
        key = {"Idempotency-Key": f"quarrel-{number}"}
        answers = await asyncio.gather(
            *(
                door.post("/tasks", json=body, headers=key)
                for door, body in zip(doors, bodies, strict=True)
            )
        )

        assert sorted(each.status_code for each in answers) == [202, 422]
