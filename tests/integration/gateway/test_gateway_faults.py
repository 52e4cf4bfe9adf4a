"""The log gone, slow or full, acknowledgements lost, the task-store silent: honest answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from artifacts.keys import artifact_key
from artifacts.store import StoreUnavailable
from builders import completed, started, task_id
from contracts.subjects import PROVIDER_BUCKET, STREAM, StreamSpec, progress_subject
from delivery import provision
from delivery.requests import NoReply
from gateway import catalogue
from integration.delivery.line import Line, line_to
from integration.gateway.conftest import SPEC, running_task_store
from integration.gateway.house import BOB, CREATE, House, own
from servers import Server, eventually

Call = Callable[..., Awaitable[Any]]


def lose_acknowledgements(house: House, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The next ``number`` publishes reach the log, and their acknowledgements nobody."""
    requests = house.parts[0].bus.link.requests
    real: Call = requests.call
    lost = 0

    async def call(subject: str, *arguments: Any, **options: Any) -> Any:
        nonlocal lost
        answer = await real(subject, *arguments, **options)
        if subject.startswith("generation.") and lost < number:
            lost += 1
            raise NoReply(subject)
        return answer

    monkeypatch.setattr(requests, "call", call)


async def test_a_lost_acknowledgement_costs_nothing(
    house: House, door: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_acknowledgements(house, monkeypatch, 1)
    for headers in ({}, {"Idempotency-Key": "k"}):
        answer = await door.post("/tasks", json=CREATE, headers=headers)

        assert answer.status_code == 202
        assert answer.json()["sequence"] == await house.last_sequence()
    assert await house.last_sequence() == 2


async def test_an_unknown_outcome_is_told_with_the_task_to_ask_for(
    house: House, door: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the acknowledgement comes the gateway tries; here none ever does."""
    requests = house.parts[0].bus.link.requests
    real: Call = requests.call

    async def call(subject: str, *arguments: Any, timeout: float, **options: Any) -> Any:
        answer = await real(subject, *arguments, timeout=timeout, **options)
        if subject.startswith("generation."):
            await asyncio.sleep(timeout)
            raise NoReply(subject)
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(requests, "call", call)
        began = time.monotonic()
        answer = await door.post("/tasks", json=CREATE)
        took = time.monotonic() - began
    problem = answer.json()

    assert (answer.status_code, problem["code"]) == (503, "outcome_unknown")
    assert took < 2.5
    assert (await house.log.history(problem["task_id"]))[0].sequence == 1


async def test_a_broker_that_lost_everything_is_no_reason_to_know_no_provider(
    house: House, door: httpx2.AsyncClient, nats_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What generators announced is lost with the log; until they do it again, it holds."""
    read = asyncio.Event()
    real: Call = catalogue.read_bucket

    async def read_bucket(*arguments: Any) -> Any:
        found = await real(*arguments)
        if found == {}:
            asyncio.get_running_loop().call_soon(read.set)
        return found

    monkeypatch.setattr(catalogue, "read_bucket", read_bucket)
    for stream in (STREAM, f"KV_{PROVIDER_BUCKET}"):
        await house.client.jetstream().delete_stream(stream)
    await nats_server.restart()
    await asyncio.wait_for(read.wait(), 20)

    answer = await door.post("/tasks", json=CREATE)

    assert (answer.status_code, answer.json()["code"]) == (503, "log_unreachable")


async def test_a_killed_log_is_told_within_two_seconds_and_come_back_to(
    house: House, nats_server: Server, http: httpx2.AsyncClient
) -> None:
    task = (await http.post("/tasks", json=CREATE)).json()
    await nats_server.kill()
    began = time.monotonic()
    answers = await asyncio.gather(
        http.post("/tasks", json=CREATE),
        http.post("/tasks", json=CREATE, headers={"Idempotency-Key": "k"}),
        http.get(f"/tasks/{task['task_id']}"),
        http.get("/tasks/processing"),
        http.post(f"/tasks/{task['task_id']}/cancel"),
        http.get("/readyz"),
    )
    took = time.monotonic() - began
    alive = await http.get("/healthz")
    await nats_server.restart()

    async def accepted() -> bool:
        return (await http.post("/tasks", json=CREATE)).status_code == 202

    await eventually(accepted, 20)

    assert [each.status_code for each in answers] == [503] * 6
    assert [each.json()["code"] for each in answers[:2]] == ["log_unreachable"] * 2
    assert all(each.headers["retry-after"] == "1" for each in answers[:5])
    assert took < 2.5
    assert alive.status_code == 200


async def refused_while(house: House, http: httpx2.AsyncClient, line: Line) -> None:
    """Every call that needs the log, while nothing comes through; then all goes on."""
    task = (await http.post("/tasks", json=CREATE)).json()
    await house.projected()
    path = f"/tasks/{task['task_id']}"
    calls = [
        ("POST", "/tasks", {"json": CREATE}),
        ("GET", path, {}),
        ("GET", f"{path}?wait=30", {}),
        ("GET", f"{path}/events", {}),
        ("GET", "/tasks", {}),
        ("GET", "/tasks/processing", {}),
        ("GET", "/api/generation/tasks?promptId=p", {}),
        ("POST", f"{path}/cancel", {}),
        ("POST", f"{path}/retry", {}),
        ("PATCH", f"{path}/metadata", {"json": {"a": 1}}),
        ("DELETE", path, {}),
    ]
    line.hold()
    began = time.monotonic()
    answers = await asyncio.gather(*(http.request(m, p, **more) for m, p, more in calls))
    took = time.monotonic() - began
    line.release()

    assert [each.status_code for each in answers] == [503] * len(calls)
    assert [each.headers["retry-after"] for each in answers] == ["1"] * len(calls)
    assert took < 2.5

    async def accepted() -> bool:
        return (await http.post("/tasks", json=CREATE)).status_code == 202

    await eventually(accepted, 20)


async def test_a_log_that_has_stopped_answering_is_told_within_two_seconds(
    task_store: House, nats_server: Server
) -> None:
    async with line_to(nats_server.url) as line:
        http = await task_store.gateway(nats_url=line.url)
        await refused_while(task_store, http, line)


async def test_a_gateway_starts_without_a_log_and_finds_it_later(
    house: House, nats_server: Server
) -> None:
    await nats_server.kill()
    door = await house.gateway(announced=False)
    began = time.monotonic()
    refused = await door.post("/tasks", json=CREATE)
    took = time.monotonic() - began
    unready = await door.get("/readyz")
    alive = await door.get("/healthz")
    await nats_server.restart()

    async def accepted() -> bool:
        return (await door.post("/tasks", json=CREATE)).status_code == 202

    await eventually(accepted, 20)

    assert (refused.status_code, refused.json()["code"]) == (503, "log_unreachable")
    assert took < 2
    assert (unready.status_code, alive.status_code) == (503, 200)


async def test_a_silent_task_store_is_told_after_a_second(
    house: House, door: httpx2.AsyncClient
) -> None:
    unknown = task_id(1)
    began = time.monotonic()
    answers = await asyncio.gather(
        door.get("/tasks"), door.get(f"/tasks/{unknown}"), door.get(f"/tasks/{unknown}/events")
    )

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (503, "task_store_unavailable")
    ] * 3
    assert all(each.headers["retry-after"] == "1" for each in answers)
    assert time.monotonic() - began < 2.5


async def test_while_the_task_store_is_away_single_tasks_are_read_in_the_log(
    house: House, door: httpx2.AsyncClient, database_url: str
) -> None:
    task = (await door.post("/tasks", json=CREATE)).json()["task_id"]
    await house.tell(started(**own(task)), completed(**own(task)))
    shown, waited, events, of_another = await asyncio.gather(
        door.get(f"/tasks/{task}"),
        door.get(f"/tasks/{task}", params={"wait": 5, "after": 1}),
        door.get(f"/tasks/{task}/events"),
        door.get(f"/tasks/{task}", headers=BOB),
    )
    async with running_task_store(house, database_url):
        projected = await door.get(f"/tasks/{task}")

    assert (shown.status_code, shown.json()["status"]) == (200, "completed")
    assert shown.json() == waited.json() == projected.json()
    assert [each["type"] for each in events.json()["events"]] == [
        "generation.requested",
        "generation.started",
        "generation.completed",
    ]
    # No more than of one that does not exist.
    assert of_another.json()["code"] == "task_store_unavailable"


async def test_a_broker_that_is_away_is_not_taken_for_the_task_store(
    house: House, door: httpx2.AsyncClient, nats_server: Server
) -> None:
    task = (await door.post("/tasks", json=CREATE)).json()["task_id"]
    await nats_server.kill()
    await eventually(lambda: house.parts[0].bus.any_link.client.is_reconnecting)
    paths = ("/tasks", f"/tasks/{task}", f"/tasks/{task}/events")
    answers = await asyncio.gather(*map(door.get, paths))

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (503, "log_unreachable")
    ] * 3


async def test_an_incomplete_recovery_is_never_given(
    house: House, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await house.log.state()
    ahead = type(state)(
        **{name: getattr(state, name) for name in state.__slots__}
        | {"last_sequence": state.last_sequence + 1000}
    )

    async def later(*_: object) -> Any:
        return ahead

    monkeypatch.setattr(house.parts[0].bus.link.log.__class__, "state", later)
    answer = await http.get("/tasks/processing")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_caught_up")


async def test_the_projection_of_a_log_that_is_gone_answers_for_no_other(
    house: House, http: httpx2.AsyncClient
) -> None:
    for _ in range(3):
        await http.post("/tasks", json=CREATE)
    await house.projected()
    await house.client.jetstream().delete_stream(STREAM)
    await provision.ensure_stream(house.client, SPEC)
    accepted = await http.post("/tasks", json=CREATE)
    answer = await http.get("/tasks/processing")

    assert accepted.status_code == 202
    assert (answer.status_code, answer.json()["code"]) == (503, "not_caught_up")


async def test_a_full_line_is_told_and_opens_again(house: House, http: httpx2.AsyncClient) -> None:
    narrow = await house.gateway(queue_limit=3)
    answers = await asyncio.gather(*(narrow.post("/tasks", json=CREATE) for _ in range(8)))
    refused = [each for each in answers if each.status_code == 429]
    accepted = [each.json()["task_id"] for each in answers if each.status_code == 202]
    other = await narrow.post(
        "/tasks", json=CREATE | {"run_at": "2999-01-01T00:00:00Z", "metadata": {"waits": True}}
    )
    await http.post(f"/tasks/{accepted[0]}/cancel")
    await house.projected()

    async def has_room() -> bool:
        return (await narrow.post("/tasks", json=CREATE)).status_code == 202

    await eventually(has_room)

    assert (len(accepted), len(refused)) == (3, 5)
    assert {each.json()["code"] for each in refused} == {"queue_full"}
    assert all(int(each.headers["retry-after"]) > 0 for each in refused)
    assert other.status_code == 429


async def test_an_almost_full_log_takes_no_new_tasks(house: House) -> None:
    small = StreamSpec(max_age=timedelta(days=1), max_bytes=20_000)
    await house.client.jetstream().update_stream(provision.stream_config(small))
    door = await house.gateway()

    async def refused() -> dict[str, Any] | None:
        answer = await door.post("/tasks", json=CREATE | {"metadata": {"a": "x" * 2000}})
        problem: dict[str, Any] = answer.json()
        return problem if answer.status_code == 503 else None

    problem = await eventually(refused, 20)

    assert problem["code"] == "log_full"
    state = await house.log.state()
    assert state.bytes <= state.max_bytes


async def test_a_full_log_is_told_by_the_broker_too(house: House, door: httpx2.AsyncClient) -> None:
    small = StreamSpec(max_age=timedelta(days=1), max_bytes=6_000)
    await house.client.jetstream().update_stream(provision.stream_config(small))
    codes = []
    for _ in range(6):
        house.parts[0].pressure.is_full = False
        answer = await door.post("/tasks", json=CREATE | {"metadata": {"a": "x" * 2000}})
        codes.append(answer.json().get("code"))

    assert codes[-1] == "log_full"


async def test_a_broken_object_store_is_told(
    house: House, door: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise StoreUnavailable("no disk")

    store = house.parts[0].store
    monkeypatch.setattr(store.__class__, "put", broken)
    monkeypatch.setattr(store.__class__, "head", broken)
    answers = [
        await door.get(f"/{artifact_key('ann', task_id(1), 1, 0, 'a' * 64, 'png')}"),
        await door.post(
            "/tasks",
            json=CREATE
            | {"reference_images": [f"/{artifact_key('ann', task_id(1), 1, 0, 'a' * 64, 'png')}"]},
        ),
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (503, "store_unavailable")
    ] * 2
    assert "no disk" not in answers[0].text


async def test_a_poisoned_event_hides_no_more_than_what_came_after_it(
    house: House, door: httpx2.AsyncClient
) -> None:
    task = (await door.post("/tasks", json=CREATE)).json()
    subject = progress_subject("CREATE", task["task_id"])
    await house.client.jetstream().publish(subject, b"poison")
    await house.tell(started(task=task["task_id"], owner="ann"))
    read = await house.parts[0].reader.from_log(task["task_id"])

    assert read is not None
    assert (read.status, read.sequence) == ("processing", task["sequence"])


async def test_readiness_says_that_nobody_tells_when_the_log_syncs(house: House) -> None:
    for url in (None, "http://127.0.0.1:1"):
        door = await house.gateway(nats_monitor_url=url)
        log = (await door.get("/readyz")).json()["checks"]["log"]

        assert log["ok"]
        assert "unknown when on disk" in log["detail"]
