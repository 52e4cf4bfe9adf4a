"""The history, the tasks of a prompt, the events of a task, and what can be asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx2
import pytest

from builders import completed, failed, progressed, requested, started
from builders import task_id as numbered
from contracts.generation_types import GENERATION_TYPES
from contracts.subjects import STREAM, LaneConsumerSpec
from delivery.provision import ensure_lane
from integration.gateway.house import ANN, BOB, CREATE, STUDIO, House, own
from servers import eventually


async def submit(http: httpx2.AsyncClient, **changes: Any) -> str:
    task_id: str = (await http.post("/tasks", json=CREATE | changes)).json()["task_id"]
    return task_id


async def test_what_was_accepted_is_in_the_history_at_once(http: httpx2.AsyncClient) -> None:
    for _ in range(50):
        task_id = await submit(http, prompt_id="p")

        history = (await http.get("/tasks", params={"limit": 1})).json()["tasks"]
        of_prompt = (await http.get("/api/generation/tasks", params={"promptId": "p"})).json()
        assert [task["task_id"] for task in history] == [task_id]
        assert of_prompt[0]["id"] == task_id


async def test_the_history_is_told_though_the_log_is_gone(
    task_store: House, http: httpx2.AsyncClient
) -> None:
    task_id = await submit(http, prompt_id="p")
    await task_store.projected()
    await task_store.client.jetstream().delete_stream(STREAM)

    history = await http.get("/tasks")
    of_prompt = await http.get("/api/generation/tasks", params={"promptId": "p"})

    assert [task["task_id"] for task in history.json()["tasks"]] == [task_id]
    assert [task["id"] for task in of_prompt.json()] == [task_id]


async def test_the_history_is_paged_newest_first(http: httpx2.AsyncClient) -> None:
    ids = [await submit(http) for _ in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor is not None:
        query: dict[str, Any] = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await http.get("/tasks", params=query)).json()
        seen += [task["task_id"] for task in page["tasks"]]
        cursor = page["next_cursor"]
        pages += 1

    assert (seen, pages) == (ids[::-1], 3)
    assert (await http.get("/tasks", headers=BOB)).json()["tasks"] == []


async def test_the_history_can_be_filtered(http: httpx2.AsyncClient) -> None:
    one = await submit(http, prompt_id="p")
    two = await submit(http, type="CREATE")
    await http.post(f"/tasks/{two}/cancel")

    async def ids(**query: str) -> list[str]:
        answer = await http.get("/tasks", params=query)
        return [task["task_id"] for task in answer.json()["tasks"]]

    assert await ids(status="cancelled") == [two]
    assert await ids(prompt_id="p") == [one]
    assert await ids(type="VIDEO") == []
    assert await ids(type="CREATE", status="processing") == [one]


async def test_pending_tasks_are_recovered_unless_left_out(http: httpx2.AsyncClient) -> None:
    later = await submit(http, run_at="2999-01-01T00:00:00Z")
    now = await submit(http)

    async def ids(**query: str) -> list[str]:
        answer = await http.get("/tasks/processing", params=query)
        return [task["task_id"] for task in answer.json()["tasks"]]

    assert await ids() == [later, now]
    assert await ids(status="processing") == [now]
    assert await ids(status="pending", type="CREATE") == [later]
    assert await ids(type="VIDEO") == []


async def test_the_tasks_of_a_prompt_come_in_camel_case(
    house: House, http: httpx2.AsyncClient
) -> None:
    done = await submit(http, prompt_id="p", provider_params={"seed": 1})
    broken = await submit(http, prompt_id="p")
    await submit(http, prompt_id="other")
    await house.tell(
        started(**own(done)), completed(**own(done)), started(**own(broken)), failed(**own(broken))
    )
    tasks = (await http.get("/api/generation/tasks", params={"promptId": "p"})).json()
    others = await http.get("/api/generation/tasks", params={"promptId": "p"}, headers=BOB)

    assert [(each["id"], each["status"], each["service"]) for each in tasks] == [
        (broken, "FAILED", "STUDIO"),
        (done, "SUCCESS", "STUDIO"),
    ]
    assert tasks[1]["createdAt"].endswith("Z")
    assert others.json() == []


async def test_the_events_of_a_task_are_told_in_order(
    house: House, http: httpx2.AsyncClient
) -> None:
    task_id = await submit(http)
    unprojected = (await http.get(f"/tasks/{task_id}/events")).json()["events"]
    await house.tell(started(**own(task_id)), progressed(40, **own(task_id)))
    await house.projected()
    events = (await http.get(f"/tasks/{task_id}/events")).json()["events"]

    assert [each["type"] for each in unprojected] == ["generation.requested"]
    assert [(each["type"], each["data"].get("progress")) for each in events] == [
        ("generation.requested", 0),
        ("generation.started", 0),
        ("generation.progressed", 40),
    ]
    assert events[0] == unprojected[0]
    assert all(each["sequence"] and each["logtime"].endswith("Z") for each in events)


async def test_events_are_read_from_the_log_while_they_are_not_projected(
    house: House, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> tuple[list[Any], frozenset[datetime]]:
        return [], frozenset()

    task_id = await submit(http)
    monkeypatch.setattr(house.parts[0].tasks.__class__, "events", nothing)
    events = (await http.get(f"/tasks/{task_id}/events")).json()["events"]

    assert [each["type"] for each in events] == ["generation.requested"]


async def test_events_that_are_not_projected_yet_follow_those_that_are(
    task_store: House, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = task_store
    tasks = house.parts[0].tasks
    real = tasks.events

    async def behind(*question: str) -> tuple[list[dict[str, Any]], frozenset[datetime]]:
        events, dropped = await real(*question)
        return events[:1], dropped

    task_id = await submit(http)
    await house.tell(started(**own(task_id)), completed(**own(task_id)))
    await house.projected()
    projected = (await http.get(f"/tasks/{task_id}/events")).json()
    monkeypatch.setattr(tasks, "events", behind)

    assert (await http.get(f"/tasks/{task_id}/events")).json() == projected
    assert [each["type"] for each in projected["events"]] == [
        "generation.requested",
        "generation.started",
        "generation.completed",
    ]


async def test_a_task_is_never_older_than_it_was_read_before(
    task_store: House, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = task_store
    tasks = house.parts[0].tasks
    real = tasks.get
    unprojected = [(None, 0)]

    async def late(task_id: str) -> Any:
        return unprojected.pop() if unprojected else await real(task_id)

    monkeypatch.setattr(tasks, "get", late)
    for number in range(1, 21):
        one = numbered(number)
        unprojected[:] = [(None, 0)]
        await house.tell(requested(**own(one)), started(**own(one)), completed(**own(one)))
        from_log = (await http.get(f"/tasks/{one}")).json()

        assert from_log["status"] == "completed"
        assert (await real(one))[0]["sequence"] == from_log["sequence"]


async def test_every_type_is_listed_with_who_serves_it(
    house: House, door: httpx2.AsyncClient
) -> None:
    types = {each["type"]: each for each in (await door.get("/generation-types")).json()["types"]}

    assert types.keys() == GENERATION_TYPES.keys()
    assert types["CREATE"]["providers"] == [
        {
            "name": "STUDIO",
            "title": "",
            "execution": "local",
            "params_schema": STUDIO,
            "healthy": False,
            "breaker": {"state": "closed", "failures": 0, "until": None},
            "finished": 0,
            "success_rate": None,
            "p50_s": None,
            "p95_s": None,
        }
    ]
    assert types["CREATE"]["fallbacks"] == []
    assert types["VIDEO"]["providers"] == []
    assert types["PHOTO_TO_3D"]["stages"][0] == "pending"


async def test_a_provider_that_is_busy_in_one_lane_is_there_for_all_of_them(
    house: House, http: httpx2.AsyncClient
) -> None:
    create = LaneConsumerSpec("CREATE", "studio")
    await ensure_lane(house.client, create)
    await ensure_lane(house.client, LaneConsumerSpec("WHITE_BACKGROUND", "studio"))
    await submit(http)
    subscription = await house.client.jetstream().pull_subscribe_bind(create.durable, STREAM)
    await subscription.fetch(1, timeout=5)

    async def healthy() -> list[bool]:
        types = (await http.get("/generation-types")).json()["types"]
        return [each["healthy"] for kind in types for each in kind["providers"]]

    told = await healthy()

    assert len(told) > 1
    assert all(told)


async def test_a_new_provider_is_known_at_once(house: House, door: httpx2.AsyncClient) -> None:
    await house.announce("kie", "VIDEO")

    async def served() -> bool:
        body = {"type": "VIDEO", "prompt": "a", "provider_params": {"service": "KIE"}}
        return (await door.post("/tasks", json=body)).status_code == 202

    await eventually(served)


@pytest.mark.parametrize(
    "path",
    ["/tasks", "/tasks/processing", "/generation-types", "/metrics", "/uploads/x", "/artifacts/x"],
)
async def test_without_a_credential_nothing_is_told(door: httpx2.AsyncClient, path: str) -> None:
    for sent in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
        answer = await door.get(path, headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_submits_need_a_credential_before_anything_is_read(door: httpx2.AsyncClient) -> None:
    answer = await door.post("/tasks", content=b"{", headers={"Authorization": ""})

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/healthz", "/readyz"])
async def test_the_open_pages_are_open(door: httpx2.AsyncClient, path: str) -> None:
    answer = await door.get(path, headers={"Authorization": ""})

    assert answer.status_code in (200, 503)


async def test_the_first_page_runs_nothing(door: httpx2.AsyncClient) -> None:
    answer = await door.get("/")

    assert "procedural" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in answer.text


async def test_metrics_name_neither_owners_nor_tasks(door: httpx2.AsyncClient) -> None:
    task_id = await submit(door)
    await door.get(f"/tasks/{task_id}")
    await door.get("/nowhere")
    text = (await door.get("/metrics", headers=ANN)).text

    assert 'darkroom_tasks_accepted_total{type="CREATE"}' in text
    assert 'darkroom_http_responses_total{route="/tasks",status="202"}' in text
    assert 'route="/tasks/{task_id}"' in text
    assert 'darkroom_http_problems_total{code="not_found"}' in text
    assert task_id not in text
    assert '"ann"' not in text


async def test_without_authentication_there_is_one_owner(task_store: House) -> None:
    house = task_store
    open_door = await house.gateway(auth="none")
    task_id = await submit(open_door)
    message = (await house.log.history(task_id))[0]

    assert b'"owner":"local"' in message.payload


async def test_only_the_named_origins_may_call_from_a_browser(house: House) -> None:
    door = await house.gateway(cors_origins="https://app.example")
    sent = {"Origin": "https://app.example"}
    own = await door.get("/healthz", headers=sent)
    foreign = await door.get("/healthz", headers={"Origin": "https://evil.example"})

    assert own.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in foreign.headers
