"""Dead letters over HTTP: for admins, and for nobody else."""

from __future__ import annotations

import httpx2
import pytest

from builders import annotated, requested, started, task_id
from contracts.subjects import progress_subject
from integration.gateway.house import BOB, House, own

TASK = task_id(1)


async def _put_aside(house: House) -> int:
    """An event of Bob's that can't be applied, with one that waits behind it; its sequence."""
    js = house.client.jetstream()
    bobs = {"task": TASK, "owner": "bob"}
    await house.publisher.publish(requested(**bobs))
    stray = await js.publish(progress_subject("CREATE", TASK), b"no event")
    await house.publisher.publish(annotated({"n": 1}, **bobs))
    await house.projected()
    return stray.seq


@pytest.fixture
async def admin(task_store: House) -> httpx2.AsyncClient:
    return await task_store.gateway(admins="carla, ann")


async def test_an_admin_sees_tries_again_and_drops(
    task_store: House, admin: httpx2.AsyncClient
) -> None:
    stray = await _put_aside(task_store)

    listed = (await admin.get("/dead-letters", params={"reason": "undecodable"})).json()
    bobs = f"/tasks/{TASK}"
    on_hold = await admin.get(bobs, headers=BOB)
    again = await admin.post(f"/dead-letters/{stray}/retry")
    chosen = await admin.post("/dead-letters/retry", json={"task_id": TASK})
    without_note = await admin.post(f"/dead-letters/{stray}/drop", json={"note": "  "})
    dropped = await admin.post(f"/dead-letters/{stray}/drop", json={"note": "a stray publish"})
    once_more = await admin.post(f"/dead-letters/{stray}/drop", json={"note": "a stray publish"})
    goes_on = await admin.get(bobs, headers=BOB | {"If-None-Match": on_hold.headers["etag"]})
    audit = (await admin.get("/dead-letters", params={"dropped": True})).json()

    [letter] = listed["dead_letters"]
    assert (letter["sequence"], letter["waiting"], letter["tries"]) == (stray, 1, 1)
    assert letter["first_at"].endswith("Z")
    assert (listed["events"], listed["tasks"], listed["next"]) == (2, 1, None)
    assert on_hold.json()["metadata"]["parked"]["since"] == letter["first_at"]
    assert (again.json()["tried"], again.json()["parked"]) == (1, 2)
    assert chosen.json()["tried"] == 1
    assert (without_note.status_code, without_note.json()["code"]) == (422, "invalid_request")
    assert (dropped.json()["dropped"], dropped.json()["applied"]) == (1, 1)
    assert (once_more.status_code, once_more.json()["code"]) == (404, "dead_letter_not_found")
    assert (goes_on.status_code, goes_on.json()["metadata"]) == (200, {"n": 1})
    assert [(each["who"], each["note"]) for each in audit["dead_letters"]] == [
        ("ann", "a stray publish")
    ]


async def test_who_is_no_admin_may_nothing_of_it(
    task_store: House, http: httpx2.AsyncClient, admin: httpx2.AsyncClient
) -> None:
    stray = await _put_aside(task_store)
    calls = [
        ("GET", "/dead-letters", None),
        ("POST", "/dead-letters/retry", {"all": True}),
        ("POST", f"/dead-letters/{stray}/retry", None),
        ("POST", f"/dead-letters/{stray}/drop", {"note": "x"}),
    ]
    for method, path, body in calls:
        for client, headers in ((http, {}), (admin, BOB)):
            refused = await client.request(method, path, json=body, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "admin_only")
        nobody = await admin.request(method, path, json=body, headers={"Authorization": "no"})
        assert nobody.status_code == 401
    assert (await admin.get("/dead-letters")).json()["events"] == 2


async def test_without_keys_the_one_owner_is_the_admin(task_store: House) -> None:
    alone = await task_store.gateway(auth="none", api_keys="")

    answer = await alone.get("/dead-letters")

    assert answer.status_code == 200
    assert answer.json() == {
        "dead_letters": [],
        "exhausted": [],
        "events": 0,
        "tasks": 0,
        "oldest": None,
        "next": None,
    }


async def test_a_choice_is_made_in_one_way(task_store: House, admin: httpx2.AsyncClient) -> None:
    await task_store.publisher.publish(requested(**own(TASK)))
    await task_store.publisher.publish(started(**own(TASK)))

    for body in ({}, {"all": True, "reason": "x"}, {"all": False}, {"sequences": []}):
        refused = await admin.post("/dead-letters/retry", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    nothing = (await admin.post("/dead-letters/retry", json={"all": True})).json()

    assert nothing == {
        "tried": 0,
        "applied": 0,
        "dropped": 0,
        "parked": 0,
        "absent": [],
        "exhausted": [],
        "following": None,
    }
