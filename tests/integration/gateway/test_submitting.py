"""``POST /tasks``: on disk before the answer."""

from __future__ import annotations

import httpx2

from contracts.events import decode
from integration.gateway.house import ANN, BOB, CREATE, House


async def test_a_submit_is_in_the_log_before_its_answer(
    house: House, http: httpx2.AsyncClient
) -> None:
    answer = await http.post("/tasks", json=CREATE)

    assert answer.status_code == 202
    task = answer.json()
    assert answer.headers["location"] == f"/tasks/{task['task_id']}"
    message = (await house.log.history(task["task_id"]))[0]
    event = decode(message.payload)
    assert (event.type, event.owner, event.data.prompt) == (
        "generation.requested",
        "ann",
        "a red bicycle",
    )
    assert task == {
        "task_id": task["task_id"],
        "type": "CREATE",
        "prompt_id": None,
        "status": "processing",
        "stage": "queued",
        "progress": 0,
        "queue_position": None,
        "eta_seconds": None,
        "waiting_for": None,
        "attempt": 0,
        "prompt": "a red bicycle",
        "reference_images": [],
        "provider_params": {},
        "provider": None,
        "external_task_id": None,
        "image_url": None,
        "artifacts": [],
        "late_artifacts": [],
        "error": None,
        "error_msg": None,
        "metadata": {},
        "created_at": event.time.isoformat().replace("+00:00", "Z"),
        "started_at": None,
        "updated_at": event.time.isoformat().replace("+00:00", "Z"),
        "finished_at": None,
        "sequence": message.sequence,
    }


async def test_a_task_can_be_read_at_once_and_only_by_its_owner(http: httpx2.AsyncClient) -> None:
    submitted = (await http.post("/tasks", json=CREATE)).json()

    own = await http.get(f"/tasks/{submitted['task_id']}")
    foreign = await http.get(f"/tasks/{submitted['task_id']}", headers=BOB)
    unknown = await http.get("/tasks/0199f0c2-7e4a-7000-8000-0000000000ff", headers=BOB)
    malformed = await http.get("/tasks/nonsense", headers=BOB)

    assert own.status_code == 200
    assert own.json() | {"queue_position": None} == submitted
    assert [each.status_code for each in (foreign, unknown, malformed)] == [404, 404, 404]
    assert foreign.content == unknown.content == malformed.content


async def test_recovery_lists_every_task_that_was_accepted_before(http: httpx2.AsyncClient) -> None:
    ids = [(await http.post("/tasks", json=CREATE)).json()["task_id"] for _ in range(20)]

    mine = await http.get("/tasks/processing", params={"type": "CREATE"})
    others = await http.get("/tasks/processing", headers=BOB)

    assert [task["task_id"] for task in mine.json()["tasks"]] == ids
    assert [task["queue_position"] for task in mine.json()["tasks"]] == list(range(1, 21))
    assert others.json() == {"tasks": []}


async def test_health_and_readiness_are_told_without_a_credential(http: httpx2.AsyncClient) -> None:
    health = await http.get("/healthz", headers={"Authorization": ""})
    ready = await http.get("/readyz", headers={"Authorization": ""})

    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


async def test_what_one_owner_has_too_much_of_waits_behind_what_others_have(
    house: House, http: httpx2.AsyncClient
) -> None:
    narrow = await house.gateway(fair_share=2)

    async def lane_of(headers: dict[str, str]) -> str:
        answer = await narrow.post("/tasks", json=CREATE, headers=headers)
        message = (await house.log.history(answer.json()["task_id"]))[0]
        lane: str = decode(message.payload).data.lane
        assert f".create.{lane}." in message.subject
        return lane

    ann = [await lane_of(ANN) for _ in range(4)]
    bob = await lane_of(BOB)
    await house.projected()
    await house.parts[-1].pressure.refresh()
    later = await lane_of(ANN)

    assert ann == ["studio", "studio", "studio~1", "studio~1"]
    assert bob == "studio"
    assert later == "studio~1"


async def test_an_owner_may_have_only_so_many_tasks_waiting(
    house: House, http: httpx2.AsyncClient
) -> None:
    narrow = await house.gateway(owner_waiting=2)
    taken = [await narrow.post("/tasks", json=CREATE) for _ in range(2)]
    refused = await narrow.post("/tasks", json=CREATE)
    other = await narrow.post("/tasks", json=CREATE, headers=BOB)

    assert [each.status_code for each in taken] == [202, 202]
    assert (refused.status_code, refused.json()["code"]) == (429, "owner_queue_full")
    assert refused.headers["retry-after"]
    assert other.status_code == 202
