"""Uploads and artifacts: what goes in is checked, what comes out is its owner's alone."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image

from artifacts.keys import artifact_key
from builders import task_id
from integration.gateway.house import BOB, CREATE, House


def png(width: int = 8, height: int = 8, colour: str = "red") -> bytes:
    made = BytesIO()
    Image.new("RGB", (width, height), colour).save(made, "PNG")
    return made.getvalue()


async def upload(http: httpx2.AsyncClient, content: bytes, **headers: str) -> httpx2.Response:
    return await http.post("/uploads", files={"file": ("photo.png", content)}, headers=headers)


async def test_an_upload_is_kept_and_given_back(http: httpx2.AsyncClient) -> None:
    content = png()
    answer = await upload(http, content)
    told = answer.json()
    read = await http.get(told["url"])

    assert answer.status_code == 201
    assert told == {
        "upload_id": told["upload_id"],
        "url": f"http://darkroom.test/uploads/{told['upload_id']}",
        "content_type": "image/png",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "expires_at": told["expires_at"],
    }
    assert answer.headers["location"] == f"/uploads/{told['upload_id']}"
    assert (read.status_code, read.content) == (200, content)
    names = ("content-type", "etag", "x-content-type-options", "content-disposition")
    assert {name: read.headers[name] for name in names} == {
        "content-type": "image/png",
        "etag": f'"{told["sha256"]}"',
        "x-content-type-options": "nosniff",
        "content-disposition": "inline",
    }


async def test_another_owners_upload_is_as_unknown_as_none(http: httpx2.AsyncClient) -> None:
    told = (await upload(http, png())).json()
    foreign = await http.get(told["url"], headers=BOB)
    unknown = await http.get("/uploads/none", headers=BOB)
    used = await http.post("/tasks", json=CREATE | {"reference_images": [told["url"]]}, headers=BOB)

    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert (used.status_code, used.json()["code"]) == (422, "reference_not_found")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "empty_upload"),
        (b"<html>hello</html>", 422, "unsupported_media"),
        (png(64, 64)[:100], 422, "image_truncated"),
        (b"x" * 5000, 413, "upload_too_large"),
        (b"x" * 200_000, 413, "upload_too_large"),
    ],
)
async def test_what_is_no_picture_is_refused(
    house: House, content: bytes, status: int, code: str
) -> None:
    small = await house.gateway(upload_max_bytes=4096)
    answer = await upload(small, content)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [each async for each in house.parts[0].store.list("uploads")] == []


async def test_an_upload_is_read_no_further_than_allowed(house: House) -> None:
    small = await house.gateway(upload_max_bytes=4096)
    read = 0

    async def endless() -> Any:
        nonlocal read
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        while True:
            read += 8192
            yield b"x" * 8192

    answer = await small.post(
        "/uploads", content=endless(), headers={"Content-Type": "multipart/form-data; boundary=b"}
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
    assert read < 100_000


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        (b"{}", "application/json", "unsupported_media_type"),
        (b"nothing", "multipart/form-data; boundary=b", "invalid_multipart"),
        (b"nothing", "multipart/form-data", "invalid_multipart"),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff"\r\n\r\n\r\n--b--',
            "multipart/form-data; boundary=b; charset=undefined",
            "invalid_multipart",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            "invalid_multipart",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="x"; filename="a"\r\n\r\n1\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
            "invalid_multipart",
        ),
    ],
)
async def test_what_is_no_form_with_a_file_is_refused(
    door: httpx2.AsyncClient, content: bytes, content_type: str, code: str
) -> None:
    answer = await door.post("/uploads", content=content, headers={"Content-Type": content_type})

    assert answer.json()["code"] == code


async def test_an_expired_upload_is_gone_unless_a_task_refers_to_it(
    house: House, http: httpx2.AsyncClient
) -> None:
    brief = await house.gateway(upload_ttl_s=0.5)
    used, unused = [(await upload(brief, png())).json() for _ in range(2)]
    with_it = CREATE | {"reference_images": [used["url"]]}
    accepted = await brief.post("/tasks", json=with_it)
    await house.projected()
    await expiry(unused)
    late = await brief.post("/tasks", json=with_it)

    assert accepted.json()["reference_images"] == [used["url"]]
    assert (await http.get(used["url"])).content == png()
    assert (await http.get(unused["url"])).status_code == 404
    assert (late.status_code, late.json()["code"]) == (422, "upload_expired")


async def expiry(told: dict[str, Any]) -> None:
    """Until the upload has expired: its own time, not a guess."""
    left = datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)
    await asyncio.sleep(max(0.0, left.total_seconds()))


async def test_the_sweep_takes_what_has_expired_and_no_task_needs(
    house: House, http: httpx2.AsyncClient
) -> None:
    used, unused = [(await upload(http, png())).json() for _ in range(2)]
    await http.post("/tasks", json=CREATE | {"reference_images": [used["url"]]})
    later = datetime.now(UTC) + timedelta(days=4)
    result = await house.parts[0].sweep.run_once(later)
    again = await house.parts[0].sweep.run_once(later)

    assert (result.removed, result.still_referenced) == (1, 1)
    assert again.removed == 0
    assert [(await http.get(each["url"])).status_code for each in (used, unused)] == [200, 404]


async def stored_artifact(house: House) -> str:
    key = artifact_key("ann", task_id(1), 1, 0, "a" * 64, "png")
    await house.parts[0].store.put(key, b"0123456789", "image/png")
    return f"/{key}"


async def test_an_artifact_is_its_owners(house: House, door: httpx2.AsyncClient) -> None:
    path = await stored_artifact(house)
    mine = await door.get(path)
    foreign = await door.get(path, headers=BOB)
    unknown = await door.get("/artifacts/none", headers=BOB)

    assert (mine.status_code, mine.content) == (200, b"0123456789")
    names = (
        "content-type",
        "cache-control",
        "vary",
        "content-disposition",
        "x-content-type-options",
    )
    assert [mine.headers[name] for name in names] == [
        "image/png",
        "private, max-age=31536000, immutable",
        "Cookie, Authorization",
        "inline",
        "nosniff",
    ]
    assert (foreign.status_code, foreign.content) == (404, unknown.content)


@pytest.mark.parametrize(
    ("asked", "status", "content", "told"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
    ],
)
async def test_a_part_can_be_asked_for(
    house: House,
    door: httpx2.AsyncClient,
    asked: str,
    status: int,
    content: bytes,
    told: str | None,
) -> None:
    answer = await door.get(await stored_artifact(house), headers={"Range": asked})

    assert (answer.status_code, answer.content) == (status, content)
    assert answer.headers.get("content-range") == told
    assert answer.headers["content-length"] == str(len(content))


async def test_a_part_outside_the_file_is_refused(house: House, door: httpx2.AsyncClient) -> None:
    answer = await door.get(await stored_artifact(house), headers={"Range": "bytes=10-"})

    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */10"


async def test_what_the_browser_has_is_not_sent_again(
    house: House, door: httpx2.AsyncClient
) -> None:
    path = await stored_artifact(house)
    tag = (await door.get(path)).headers["etag"]
    answer = await door.get(path, headers={"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")


async def test_an_artifact_can_be_the_next_tasks_reference(
    house: House, door: httpx2.AsyncClient
) -> None:
    path = await stored_artifact(house)
    answer = await door.post("/tasks", json=CREATE | {"reference_images": [path]})
    gone = path.replace("1-0-", "2-0-")
    refused = await door.post("/tasks", json=CREATE | {"reference_images": [gone]})

    assert answer.json()["reference_images"] == [f"http://darkroom.test{path}"]
    assert (refused.status_code, refused.json()["code"]) == (422, "reference_not_found")
