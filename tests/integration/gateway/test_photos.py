"""The photo of a pending 3D task: it puts the task in line, once; one that is none fails it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image
from starlette.requests import ClientDisconnect

from contracts.events import Requested, Uploaded, decode
from gateway.parts import Parts
from integration.gateway.house import BOB, CREATE, House
from servers import eventually


def photo(size: int = 8) -> bytes:
    file = BytesIO()
    Image.new("RGB", (size, size), "teal").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
async def pending(house: House, http: httpx2.AsyncClient) -> dict[str, Any]:
    await offered(house)
    return await begun(http)


async def offered(house: House) -> None:
    """Have all gateways know who makes models."""
    await house.announce("studio", "CREATE", "PHOTO_TO_3D")
    await eventually(lambda: all(_is_offered(parts) for parts in house.parts))


def _is_offered(parts: Parts) -> bool:
    return any(each.type == "PHOTO_TO_3D" for each in parts.catalogue.offers)


async def begun(http: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await http.post("/tasks", json={"type": "PHOTO_TO_3D"} | changes)
    assert (answer.status_code, answer.json()["stage"]) == (202, "pending"), answer.text
    task: dict[str, Any] = answer.json()
    return task


async def told_of(house: House, task_id: str) -> list[Any]:
    return [decode(each.payload) for each in await house.log.history(task_id)]


async def test_a_photo_as_the_body_puts_the_task_in_line(
    house: House, http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    path = f"/tasks/{pending['task_id']}"
    answer = await http.put(f"{path}/photo", content=photo(), headers={"Content-Type": "image/png"})
    read = await http.get(path)
    uploaded, requested = (await told_of(house, pending["task_id"]))[-2:]
    kept = await http.get(answer.json()["reference_images"][0])

    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["stage"]) == ("processing", "uploaded")
    assert read.json()["reference_images"] == answer.json()["reference_images"]
    assert isinstance(uploaded, Uploaded)
    assert isinstance(requested, Requested)
    assert requested.data.reference_images == (uploaded.data.reference_image,)
    assert requested.data.metadata == pending["metadata"]
    assert kept.content == photo()


async def test_a_photo_as_a_form_does_as_well(
    http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    answer = await http.put(
        f"/tasks/{pending['task_id']}/photo", files={"file": ("me.png", photo(), "image/png")}
    )
    assert (answer.status_code, answer.json()["stage"]) == (202, "uploaded")


async def test_metadata_of_the_meantime_is_kept(
    house: House, http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    path = f"/tasks/{pending['task_id']}"
    await http.patch(f"{path}/metadata", json={"album": "spring"})
    answer = await http.put(f"{path}/photo", content=photo())
    await house.projected()

    assert answer.json()["metadata"] == {"album": "spring"}
    assert (await http.get(path)).json()["metadata"] == {"album": "spring"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"no picture at all", "unsupported_media"), (photo()[:40], "image_truncated"), (b"", None)],
)
async def test_what_is_no_photo_is_refused_and_ends_the_task(
    http: httpx2.AsyncClient, pending: dict[str, Any], content: bytes, reason: str | None
) -> None:
    path = f"/tasks/{pending['task_id']}"
    answer = await http.put(f"{path}/photo", content=content)
    ended = (await http.get(path)).json()

    assert (answer.status_code, answer.json()["code"]) == (422, "photo_unusable")
    assert reason is None or answer.json()["reason"] == reason
    assert (ended["status"], ended["stage"]) == ("failed", "upload_failed")
    assert ended["error"]["code"] == "invalid_input"
    assert ended["error_msg"] == answer.json()["detail"]


async def test_a_video_is_no_photo(http: httpx2.AsyncClient, pending: dict[str, Any]) -> None:
    video = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00\x00\x00\x08mdat"
    answer = await http.put(f"/tasks/{pending['task_id']}/photo", content=video)
    ended = (await http.get(f"/tasks/{pending['task_id']}")).json()

    assert (answer.status_code, answer.json()["code"]) == (422, "photo_unusable")
    assert ended["stage"] == "upload_failed"


async def test_a_transfer_that_breaks_off_leaves_the_task_waiting(
    http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    path = f"/tasks/{pending['task_id']}"

    async def cut() -> AsyncIterator[bytes]:
        yield photo()[:20]
        raise ClientDisconnect

    broken = await http.put(f"{path}/photo", content=cut())
    waiting = (await http.get(path)).json()
    whole = await http.put(f"{path}/photo", content=photo())

    assert broken.json()["code"] == "invalid_request"
    assert (waiting["status"], waiting["stage"]) == ("pending", "pending")
    assert whole.status_code == 202


async def test_one_too_large_leaves_the_task_waiting_for_a_smaller_one(
    house: House, http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    narrow = await house.gateway(upload_max_bytes=100)
    path = f"/tasks/{pending['task_id']}"
    answer = await narrow.put(f"{path}/photo", content=bytes(101))

    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
    assert (await http.get(path)).json()["status"] == "pending"


async def test_a_second_photo_is_refused(http: httpx2.AsyncClient, pending: dict[str, Any]) -> None:
    path = f"/tasks/{pending['task_id']}/photo"
    first = await http.put(path, content=photo())
    second = await http.put(path, content=photo(9))

    assert (first.status_code, second.status_code) == (202, 409)
    assert second.json()["code"] == "photo_not_awaited"


async def test_of_many_photos_at_once_one_is_taken(
    house: House, http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    other = await house.gateway()
    path = f"/tasks/{pending['task_id']}"
    answers = await asyncio.gather(
        *(
            client.put(f"{path}/photo", content=photo(size))
            for size, client in enumerate((http, other) * 4, start=8)
        )
    )
    taken = [each for each in answers if each.status_code == 202]
    await house.projected()
    task = (await http.get(path)).json()

    assert sorted(each.status_code for each in answers) == [202] + [409] * 7
    assert task["reference_images"] == taken[0].json()["reference_images"]
    assert (await http.get(task["reference_images"][0])).status_code == 200
    tickets = [
        each for each in await told_of(house, task["task_id"]) if isinstance(each, Requested)
    ]
    assert len(tickets) == 1


async def test_a_photo_before_its_time_does_not_put_the_task_in_line_yet(
    house: House, http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    task = await begun(http, run_at=tomorrow.isoformat())
    answer = await http.put(f"/tasks/{task['task_id']}/photo", content=photo())
    again = await http.put(f"/tasks/{task['task_id']}/photo", content=photo())

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert len(answer.json()["reference_images"]) == 1
    assert again.status_code == 409
    assert not [
        each for each in await told_of(house, task["task_id"]) if isinstance(each, Requested)
    ]


async def test_a_task_that_takes_no_photo_says_so(
    http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    task = (await http.post("/tasks", json=CREATE)).json()
    answer = await http.put(f"/tasks/{task['task_id']}/photo", content=photo())

    assert (answer.status_code, answer.json()["code"]) == (409, "photo_not_awaited")


async def test_a_task_that_has_ended_takes_no_photo(
    http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    await http.post(f"/tasks/{pending['task_id']}/cancel")
    answer = await http.put(f"/tasks/{pending['task_id']}/photo", content=photo())

    assert (answer.status_code, answer.json()["code"]) == (409, "already_finished")


async def test_another_owners_task_is_not_there(
    http: httpx2.AsyncClient, pending: dict[str, Any]
) -> None:
    answer = await http.put(f"/tasks/{pending['task_id']}/photo", content=photo(), headers=BOB)
    assert (answer.status_code, answer.json()["code"]) == (404, "task_not_found")
