"""Bad input gets problem+json that says what to do, and leaves nothing in the log."""

from __future__ import annotations

import gzip
from typing import Any

import httpx2
import pytest

from builders import task_id
from gateway.cursors import write_cursor
from integration.gateway.house import BOB, CREATE, House

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
async def house(kept_house: House) -> House:
    return kept_house


@pytest.fixture(scope="module")
async def door(house: House) -> httpx2.AsyncClient:
    return await house.gateway()


async def refused(house: House, door: httpx2.AsyncClient, **request: Any) -> dict[str, Any]:
    """The problem that a submit is answered with; nothing was written."""
    before = await house.last_sequence()
    answer = await door.post("/tasks", **request)
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"http://darkroom.test/docs/errors#{problem['code']}"
    assert await house.last_sequence() == before
    return problem


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, "invalid_json"),
        (b"", 422, "invalid_json"),
        (b"[]", 422, "invalid_request"),
        (b'{"type": "CREATE", "prompt": "\\ud800"}', 422, "invalid_json"),
        (b'{"type": "CREATE", "prompt": "a\\u0000"}', 422, "invalid_request"),
        (b'{"type": "CREATE", "prompt": "\xff"}', 422, "invalid_json"),
        (b'{"type": "CREATE"}', 422, "invalid_request"),
        (b'{"type": "CREATE", "prompt": "  "}', 422, "invalid_request"),
        (b'{"type": "CREATE", "prompt": "a", "owner": "bob"}', 422, "invalid_request"),
        (b'{"type": "DANCE", "prompt": "a"}', 422, "unknown_type"),
        (b'{"type": "VIDEO", "prompt": "a"}', 422, "no_provider"),
        (b'{"type": "CREATE", "prompt": "a", "priority": 1}', 422, "not_supported"),
        (b'{"type": "CREATE", "prompt": "a", "metadata": {"n": NaN}}', 422, "invalid_request"),
        (b'{"type": "CREATE", "prompt": "a", "metadata": {"n": 1e999}}', 422, "invalid_request"),
        (
            b'{"type": "CREATE", "prompt": "a", "provider_params": {"service": "KIE"}}',
            422,
            "no_provider",
        ),
        (
            b'{"type": "CREATE", "prompt": "a", "reference_images": ["/uploads/none"]}',
            422,
            "reference_not_found",
        ),
        (
            b'{"type": "CREATE", "prompt": "a", "reference_images": ["http://127.0.0.1/a"]}',
            422,
            "reference_not_public",
        ),
        (
            b'{"type": "CREATE", "prompt": "a", "reference_images": ["http://169.254.169.254/"]}',
            422,
            "reference_not_public",
        ),
        (
            b'{"type": "CREATE", "prompt": "a", "reference_images": ["file:///etc/passwd"]}',
            422,
            "reference_unsupported",
        ),
        (
            b'{"type": "CREATE", "prompt": "a", "reference_images": ["http://xn--/a.png"]}',
            422,
            "reference_not_public",
        ),
        (b'{"type": "CREATE", "prompt": "' + b"x" * 16_001 + b'"}', 422, "invalid_request"),
        (b'{"type": "CREATE", "prompt": "' + b"x" * 2_000_000 + b'"}', 413, "body_too_large"),
    ],
)
async def test_a_bad_body_is_refused(
    house: House, door: httpx2.AsyncClient, body: bytes, status: int, code: str
) -> None:
    problem = await refused(house, door, content=body, headers=JSON)

    assert (problem["status"], problem["code"]) == (status, code)


async def test_a_body_without_a_length_is_read_no_further_than_allowed(
    house: House, door: httpx2.AsyncClient
) -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        yield b'{"prompt": "'
        while True:
            read += 65536
            yield b"x" * 65536

    problem = await refused(house, door, content=endless(), headers=JSON)

    assert problem["code"] == "body_too_large"
    assert read <= 1024 * 1024 + 2 * 65536


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_that_is_not_declared_as_json_is_refused(
    house: House, door: httpx2.AsyncClient, content_type: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    problem = await refused(house, door, content=b"{}", headers=headers)

    assert problem["code"] == "unsupported_media_type"


async def test_provider_params_are_checked_against_what_was_announced(
    house: House, door: httpx2.AsyncClient
) -> None:
    params = {"seed": "seven", "colour": "red", "simulate": {"seconds": "a"}}
    problem = await refused(house, door, json=CREATE | {"provider_params": params})

    assert problem["code"] == "invalid_request"
    assert sorted(each["loc"] for each in problem["errors"]) == [
        ["provider_params"],
        ["provider_params", "seed"],
        ["provider_params", "simulate", "seconds"],
    ]


async def test_the_service_is_no_parameter_of_the_provider(door: httpx2.AsyncClient) -> None:
    params = {"service": "STUDIO", "seed": 7}
    answer = await door.post("/tasks", json=CREATE | {"provider_params": params})

    assert (answer.status_code, answer.json()["provider_params"]) == (202, params)


async def test_a_request_that_makes_too_large_an_event_is_refused(
    house: House, door: httpx2.AsyncClient
) -> None:
    large = {"prompt": "\U0001f6b2" * 16_000, "metadata": {"a": "x" * 16_000}}
    problem = await refused(house, door, json=CREATE | large)

    assert problem["code"] == "request_too_large"
    assert "64 KiB together" in problem["detail"]
    assert "Shorten" in problem["detail"]


async def test_each_field_at_its_limit_is_taken_while_they_fit_together(
    door: httpx2.AsyncClient,
) -> None:
    large = {"prompt": "x" * 16_000, "metadata": {"a": "x" * 16_000}}
    answer = await door.post("/tasks", json=CREATE | large)

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/tasks", 405, "method_not_allowed"),
        ("GET", "/tasks?limit=0", 422, "invalid_request"),
        ("GET", "/tasks?limit=201", 422, "invalid_request"),
        ("GET", "/tasks?status=done", 422, "invalid_request"),
        ("GET", "/tasks?type=DANCE", 422, "unknown_type"),
        ("GET", "/tasks?cursor=abc", 422, "invalid_cursor"),
        (
            "GET",
            f"/tasks?cursor={write_cursor('9999-12-31T23:59:59-23:59', task_id(1))}",
            422,
            "invalid_cursor",
        ),
        ("GET", "/tasks?prompt_id=a%00b", 422, "invalid_request"),
        ("GET", "/tasks/processing?status=completed", 422, "invalid_request"),
        ("GET", "/tasks/processing?type=DANCE", 422, "unknown_type"),
        ("GET", "/api/generation/tasks", 422, "invalid_request"),
        ("GET", "/tasks/x?wait=abc", 422, "invalid_request"),
        ("GET", "/tasks/x?wait=61", 422, "invalid_request"),
        ("GET", "/tasks/x?wait=1&after=-1", 422, "invalid_request"),
        ("GET", "/tasks/%00", 404, "task_not_found"),
        ("GET", "/tasks/..%2f..%2fetc", 404, "not_found"),
        ("GET", "/artifacts/../../etc/passwd", 404, "not_found"),
        ("GET", "/artifacts/a/b/c.png", 404, "artifact_not_found"),
        ("GET", "/uploads/a%00b", 404, "upload_not_found"),
    ],
)
async def test_every_error_is_a_problem(
    door: httpx2.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await door.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_wrong_method_is_told_the_possible_ones(door: httpx2.AsyncClient) -> None:
    answer = await door.delete("/tasks")

    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/swagger-ui.css", "/openapi.json", "/healthz", "/generation-types"]
)
async def test_head_is_answered_where_get_is(door: httpx2.AsyncClient, path: str) -> None:
    """The body is the server's to leave out."""
    got, asked = await door.get(path), await door.head(path)

    assert (got.status_code, asked.status_code) == (200, 200)
    for name in ("content-type", "content-length", "content-security-policy"):
        assert asked.headers.get(name) == got.headers.get(name)


@pytest.mark.parametrize(
    ("method", "path", "content_type"),
    [
        ("POST", "/tasks", "application/json"),
        ("PATCH", "/tasks/x/metadata", "application/json"),
        ("POST", "/uploads", "multipart/form-data; boundary=b"),
    ],
)
async def test_a_packed_body_is_not_unpacked(
    door: httpx2.AsyncClient, method: str, path: str, content_type: str
) -> None:
    headers = {"Content-Type": content_type, "Content-Encoding": "gzip"}
    answer = await door.request(method, path, content=gzip.compress(b"{}"), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.headers["accept-encoding"] == "identity"


async def test_of_a_credential_sent_twice_the_first_counts_on_every_route(house: House) -> None:
    door = await house.gateway()
    task = (await door.post("/tasks", json=CREATE)).json()
    twice = [("Authorization", "Bearer bob-key"), ("Authorization", "Bearer ann-key")]
    door.headers.pop("Authorization")
    answers = [
        await door.post("/tasks", json=CREATE, headers=twice),
        await door.post(f"/tasks/{task['task_id']}/cancel", headers=twice),
    ]

    assert answers[1].status_code == 404
    mine = await door.post(f"/tasks/{answers[0].json()['task_id']}/cancel", headers=BOB)
    assert mine.status_code == 202


async def test_an_unexpected_error_tells_nothing_of_the_inside(
    house: House, door: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(house.parts[0].reader.__class__, "read", broken)
    answer = await door.get("/tasks/0199f0c2-7e4a-7000-8000-000000000001")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
