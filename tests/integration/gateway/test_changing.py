"""Cancel, retry, metadata and erasure: what the owner may do to a task, and nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest

from artifacts.keys import artifact_key
from builders import completed, failed, late_result, started
from contracts.events import decode
from contracts.subjects import CANCEL_SUBJECTS, subject_of
from integration.gateway.house import BOB, CREATE, House, own

PATCH = {"Content-Type": "application/merge-patch+json"}
UNKNOWN = "0199f0c2-7e4a-7000-8000-0000000000ff"


async def submit(http: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await http.post("/tasks", json=CREATE | changes)
    assert answer.status_code == 202, answer.text
    task: dict[str, Any] = answer.json()
    return task


async def types_in_the_log(house: House, task_id: str) -> list[str]:
    return [decode(each.payload).type for each in await house.log.history(task_id)]


async def test_cancelling_ends_the_task_and_tells_its_worker(
    house: House, http: httpx2.AsyncClient
) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message: Any) -> None:
        told.put_nowait(message.subject)

    await house.client.subscribe(CANCEL_SUBJECTS, cb=hear)
    await house.client.flush()
    task = await submit(http)
    answer = await http.post(f"/tasks/{task['task_id']}/cancel")
    read = await http.get(f"/tasks/{task['task_id']}")

    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert answer.json()["error"]["code"] == "cancelled"
    assert await asyncio.wait_for(told.get(), 5) == f"cancel.{task['task_id']}"
    assert read.json() == answer.json()


async def test_a_task_that_has_ended_is_not_cancelled(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = await submit(http)
    # Not projected yet when the cancel comes: the broker's check decides.
    await house.tell(started(**own(task["task_id"])), completed(**own(task["task_id"])))
    lost = await http.post(f"/tasks/{task['task_id']}/cancel")
    await house.projected()
    known = await http.post(f"/tasks/{task['task_id']}/cancel")

    for answer in (lost, known):
        assert (answer.status_code, answer.json()["code"]) == (409, "already_finished")
        assert answer.json()["task_status"] == "completed"


async def test_a_cancel_that_loses_to_an_end_of_a_newer_version_says_so(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = await submit(http)
    end = completed(**own(task["task_id"]))
    newer = end.model_dump(mode="json") | {"type": "generation.archived"}
    await house.client.jetstream().publish(subject_of(end), json.dumps(newer).encode())

    answer = await http.post(f"/tasks/{task['task_id']}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "already_finished")
    assert "task_status" not in answer.json()


async def test_of_rival_cancels_one_wins(house: House, http: httpx2.AsyncClient) -> None:
    other = await house.gateway()
    task = await submit(http)
    answers = await asyncio.gather(
        *(each.post(f"/tasks/{task['task_id']}/cancel") for each in (http, other) * 5)
    )

    assert sorted(each.status_code for each in answers) == [202] + [409] * 9
    assert await types_in_the_log(house, task["task_id"]) == [
        "generation.requested",
        "generation.cancelled",
    ]


async def test_a_retry_is_a_new_task_that_names_the_old_one(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = await submit(http, metadata={"a": 1}, prompt_id="p", provider_params={"seed": 3})
    await house.tell(started(**own(task["task_id"])), failed(**own(task["task_id"])))
    await house.projected()
    answer = await http.post(f"/tasks/{task['task_id']}/retry")
    again = answer.json()

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/tasks/{again['task_id']}"
    same = ("type", "prompt", "prompt_id", "provider_params", "reference_images")
    assert {name: again[name] for name in same} == {name: task[name] for name in same}
    assert again["metadata"] == {"a": 1, "retry_of": task["task_id"]}
    assert again["task_id"] != task["task_id"]


async def test_a_live_task_is_not_retried(http: httpx2.AsyncClient) -> None:
    task = await submit(http)
    answer = await http.post(f"/tasks/{task['task_id']}/retry")

    assert (answer.status_code, answer.json()["code"]) == (409, "task_is_live")


async def test_a_retry_without_its_references_is_refused(
    house: House, http: httpx2.AsyncClient
) -> None:
    upload = (await http.post("/uploads", files={"file": ("a.png", PNG)})).json()
    task = await submit(http, reference_images=[upload["url"]])
    await http.post(f"/tasks/{task['task_id']}/cancel")
    await house.parts[0].store.delete([decode_key(await house.log.history(task["task_id"]))])
    answer = await http.post(f"/tasks/{task['task_id']}/retry")

    assert (answer.status_code, answer.json()["code"]) == (422, "reference_not_found")


def decode_key(history: list[Any]) -> str:
    event = decode(history[0].payload)
    key: str = event.data.reference_images[0]  # type: ignore[union-attr]
    return key


async def test_a_patch_merges_and_is_read_back(house: House, http: httpx2.AsyncClient) -> None:
    task = await submit(http, metadata={"a": {"x": 1, "y": 2}, "b": 1})
    path = f"/tasks/{task['task_id']}"
    patch = b'{"a": {"x": null, "z": 3}, "b": null, "c": [1]}'
    answer = await http.patch(f"{path}/metadata", content=patch, headers=PATCH)
    read = await http.get(path)

    assert answer.status_code == 200
    assert answer.json()["metadata"] == {"a": {"y": 2, "z": 3}, "c": [1]}
    assert answer.json()["sequence"] == await house.last_sequence()
    assert read.json()["metadata"] == answer.json()["metadata"]


async def test_an_empty_patch_changes_nothing(house: House, http: httpx2.AsyncClient) -> None:
    task = await submit(http, metadata={"a": 1})
    before = await house.last_sequence()
    answer = await http.patch(f"/tasks/{task['task_id']}/metadata", json={})

    assert (answer.status_code, answer.json()["metadata"]) == (200, {"a": 1})
    assert await house.last_sequence() == before


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"[1]", PATCH["Content-Type"], 422, "invalid_request"),
        (b"{", PATCH["Content-Type"], 422, "invalid_json"),
        (b'{"a": "\\u0000"}', PATCH["Content-Type"], 422, "invalid_request"),
        (b'{"a": "%s"}' % (b"x" * 17_000), PATCH["Content-Type"], 422, "invalid_request"),
        (b'{"a": "%s"}' % (b"x" * 2_000_000), PATCH["Content-Type"], 413, "body_too_large"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
    ],
)
async def test_a_bad_patch_is_refused(
    http: httpx2.AsyncClient, content: bytes, content_type: str, status: int, code: str
) -> None:
    task = await submit(http)
    answer = await http.patch(
        f"/tasks/{task['task_id']}/metadata",
        content=content,
        headers={"Content-Type": content_type},
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_metadata_may_not_grow_past_its_limit_by_patches(http: httpx2.AsyncClient) -> None:
    task = await submit(http, metadata={"a": "x" * 10_000})
    answer = await http.patch(f"/tasks/{task['task_id']}/metadata", json={"b": "x" * 10_000})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_metadata_may_not_grow_past_its_limit_by_patches_at_once(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = await submit(http)
    path = f"/tasks/{task['task_id']}"
    answers = await asyncio.gather(
        *(http.patch(f"{path}/metadata", json={f"k{n}": "x" * 3000}) for n in range(12))
    )
    await house.projected()
    metadata = (await http.get(path)).json()["metadata"]

    assert sorted(each.status_code for each in answers) == [200] * 5 + [422] * 7
    assert len(metadata) == 5
    assert len(await house.log.history(task["task_id"])) == 6


async def test_a_refused_patch_leaves_nothing(house: House, http: httpx2.AsyncClient) -> None:
    task = await submit(http, metadata={"a": "x" * 10_000})
    before = await house.last_sequence()
    answer = await http.patch(
        f"/tasks/{task['task_id']}/metadata", json={"a": None, "b": "x" * 16_000, "c": "x" * 1000}
    )
    read = await http.get(f"/tasks/{task['task_id']}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert await house.last_sequence() == before
    assert read.json()["metadata"] == task["metadata"]


async def test_concurrent_patches_to_different_keys_all_survive(
    house: House, http: httpx2.AsyncClient
) -> None:
    other = await house.gateway()
    task = await submit(http)
    path = f"/tasks/{task['task_id']}"
    await asyncio.gather(
        *((http, other)[n % 2].patch(f"{path}/metadata", json={f"k{n}": n}) for n in range(20))
    )
    await house.projected()

    assert (await http.get(path)).json()["metadata"] == {f"k{n}": n for n in range(20)}


async def test_a_task_that_has_ended_can_still_be_annotated(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = await submit(http)
    path = f"/tasks/{task['task_id']}"
    await house.tell(started(**own(task["task_id"])), completed(**own(task["task_id"])))
    answer = await http.patch(f"{path}/metadata", json={"a": 1})

    assert (answer.json()["status"], answer.json()["metadata"]) == ("completed", {"a": 1})


async def test_erasing_leaves_nothing_but_the_id(house: House, http: httpx2.AsyncClient) -> None:
    store = house.parts[0].store
    task = await submit(http, prompt="a secret", metadata={"s": "secret"})
    task_id = task["task_id"]
    result = artifact_key("ann", task_id, 1, 0, "a" * 64, "png")
    await store.put(result, b"secret", "image/png")
    await house.tell(
        started(**own(task_id)), completed(**own(task_id)), late_result(**own(task_id))
    )
    answer = await http.delete(f"/tasks/{task_id}")
    gone = [
        await http.get(f"/tasks/{task_id}"),
        await http.get(f"/tasks/{task_id}/events"),
        await http.get(f"/{result}"),
        await http.post(f"/tasks/{task_id}/cancel"),
        await http.post(f"/tasks/{task_id}/retry"),
        await http.patch(f"/tasks/{task_id}/metadata", json={"a": 1}),
    ]

    assert (answer.status_code, answer.content) == (204, b"")
    assert [each.status_code for each in gone] == [404] * 6
    assert await types_in_the_log(house, task_id) == ["generation.erased"]
    assert (await http.get("/tasks")).json() == {"tasks": [], "next_cursor": None}
    assert await store.head(result) is None


async def test_a_live_task_is_ended_before_it_is_erased(
    house: House, http: httpx2.AsyncClient
) -> None:
    task = await submit(http)
    told = await house.client.subscribe(CANCEL_SUBJECTS)
    await house.client.flush()

    assert (await http.delete(f"/tasks/{task['task_id']}")).status_code == 204
    assert (await told.next_msg(5)).subject == f"cancel.{task['task_id']}"
    assert await types_in_the_log(house, task["task_id"]) == ["generation.erased"]


async def test_erasing_may_be_repeated_and_others_learn_nothing(http: httpx2.AsyncClient) -> None:
    task = await submit(http)
    path = f"/tasks/{task['task_id']}"
    foreign = await http.delete(path, headers=BOB)
    answers = [await http.delete(path) for _ in range(2)]
    erased = await http.delete(path, headers=BOB)
    unknown = await http.delete(f"/tasks/{UNKNOWN}")

    assert [each.status_code for each in answers] == [204, 204]
    assert [each.status_code for each in (foreign, erased, unknown)] == [404, 404, 404]
    assert foreign.content == erased.content == unknown.content


async def test_erasing_takes_the_uploads_that_no_other_task_needs(
    http: httpx2.AsyncClient,
) -> None:
    own_one, shared = [
        (await http.post("/uploads", files={"file": ("a.png", PNG)})).json()["url"]
        for _ in range(2)
    ]
    task = await submit(http, reference_images=[own_one, shared])
    await submit(http, reference_images=[shared])
    await http.delete(f"/tasks/{task['task_id']}")

    assert [(await http.get(each)).status_code for each in (own_one, shared)] == [404, 200]


async def test_nothing_is_written_behind_an_erasure(house: House, http: httpx2.AsyncClient) -> None:
    other = await house.gateway()
    for _ in range(5):
        task = await submit(http)
        path = f"/tasks/{task['task_id']}"
        await asyncio.gather(
            http.delete(path),
            *(other.patch(f"{path}/metadata", json={f"k{n}": "secret"}) for n in range(10)),
        )
        assert await types_in_the_log(house, task["task_id"]) == ["generation.erased"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tasks/{}"),
        ("GET", "/tasks/{}?wait=1"),
        ("GET", "/tasks/{}/events"),
        ("POST", "/tasks/{}/cancel"),
        ("POST", "/tasks/{}/retry"),
        ("PATCH", "/tasks/{}/metadata"),
        ("DELETE", "/tasks/{}"),
    ],
)
async def test_another_owners_task_is_as_unknown_as_none(
    house: House, http: httpx2.AsyncClient, method: str, path: str
) -> None:
    task = await submit(http)
    content = b'{"a": 1}' if method == "PATCH" else None
    before = await house.last_sequence()
    foreign, unknown = [
        await http.request(method, path.format(each), headers=BOB | PATCH, content=content)
        for each in (task["task_id"], UNKNOWN)
    ]

    assert (foreign.status_code, foreign.json()["code"]) == (404, "task_not_found")
    assert foreign.content == unknown.content
    assert await house.last_sequence() == before


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cf"
    "c0000003010100c9fe92ef0000000049454e44ae426082"
)
