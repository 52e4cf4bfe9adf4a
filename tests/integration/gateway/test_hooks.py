"""Where services call back: nobody signs in, and what comes is kept before it is answered."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx2
import pytest
from nats.js.errors import KeyNotFoundError

from builders import requested, started, task_id
from contracts.subjects import HOOK_BUCKET
from integration.gateway.house import House, own
from servers import Server, eventually

TASK = task_id(700)
KIE = f"/hooks/kie/{TASK}"
MOST_BYTES = 64 * 1024


@pytest.fixture
async def service(house: House) -> httpx2.AsyncClient:
    """What a provider's service is: a client without a credential."""
    await house.tell(requested(**own(TASK, lane="kie")))
    gateway = await house.gateway()
    del gateway.headers["Authorization"]
    return gateway


async def kept(house: House, key: str = f"kie.{TASK}") -> dict[str, Any] | None:
    bucket = await house.client.jetstream().key_value(HOOK_BUCKET)
    try:
        entry = await bucket.get(key)
    except KeyNotFoundError:
        return None
    told: dict[str, Any] = json.loads(entry.value or b"null")
    return told


async def test_a_call_is_kept_before_it_is_answered(
    house: House, service: httpx2.AsyncClient
) -> None:
    answer = await service.post(KIE, json={"data": {"taskId": "job-1"}})

    told = await kept(house)
    assert (answer.status_code, answer.content) == (204, b"")
    assert told is not None
    assert json.loads(base64.b64decode(told["body"])) == {"data": {"taskId": "job-1"}}


async def test_of_several_calls_the_last_one_is_kept(
    house: House, service: httpx2.AsyncClient
) -> None:
    for body in (b"first", b"", b"last"):
        assert (await service.post(KIE, content=body)).status_code == 204

    told = await kept(house)
    assert told is not None
    assert base64.b64decode(told["body"]) == b"last"


async def test_of_the_headers_those_are_kept_that_a_signature_may_be_in(
    house: House, service: httpx2.AsyncClient
) -> None:
    signature = {
        "Content-Type": "application/json",
        "Webhook-Id": "1",
        "X-Fal-Webhook-Signature": "abc",
    }
    others = {"Cookie": "session=1", "Authorization": "Bearer theirs", "X-Long": "x" * 1025}
    await service.post(KIE, content=b"{}", headers=signature | others)

    told = await kept(house)
    assert told is not None
    assert told["headers"] == {name.lower(): value for name, value in signature.items()}


async def test_more_headers_than_any_service_sends_are_not_kept(
    house: House, service: httpx2.AsyncClient
) -> None:
    await service.post(KIE, content=b"{}", headers={f"X-{n}": "x" for n in range(80)})

    told = await kept(house)
    assert told is not None
    assert len(told["headers"]) == 32


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nobody's-key"},
        {"Origin": "https://elsewhere.test", "Sec-Fetch-Site": "cross-site"},
        {"Cookie": "session=forged"},
    ],
)
async def test_a_call_needs_no_credential_and_may_come_from_any_site(
    service: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await service.post(KIE, content=b"{}", headers=headers)).status_code == 204


async def test_without_sign_in_a_call_may_come_from_any_site(house: House) -> None:
    await house.tell(requested(**own(TASK, lane="kie")))
    gateway = await house.gateway(auth="none")
    foreign = {"Origin": "https://elsewhere.test", "Sec-Fetch-Site": "cross-site"}

    assert (await gateway.post(KIE, content=b"{}", headers=foreign)).status_code == 204


@pytest.mark.parametrize(
    "path",
    [
        f"/hooks/kie/{task_id(701)}",
        f"/hooks/fal/{TASK}",
        f"/hooks/*/{TASK}",
        f"/hooks/kie.{TASK}/{TASK}",
        "/hooks/kie/no-task",
        "/hooks/kie/%3E",
    ],
)
async def test_a_call_for_no_task_of_the_provider_is_404_and_not_kept(
    house: House, service: httpx2.AsyncClient, path: str
) -> None:
    answer = await service.post(path, content=b"{}")

    assert (answer.status_code, answer.json()["code"]) == (404, "task_not_found")
    bucket = await house.client.jetstream().key_value(HOOK_BUCKET)
    assert (await bucket.status()).values == 0


async def test_a_call_of_the_provider_that_began_it_is_kept_too(house: House) -> None:
    await house.tell(requested(**own(TASK, lane="kie")), started(**own(TASK, provider="other")))
    gateway = await house.gateway()

    for provider in ("kie", "other"):
        answer = await gateway.post(f"/hooks/{provider}/{TASK}", content=b"{}")
        assert answer.status_code == 204


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_64_kib_is_refused(
    house: House, service: httpx2.AsyncClient, declared: bool
) -> None:
    async def in_pieces() -> Any:
        for _ in range(MOST_BYTES // 1024):
            yield b"x" * 1024
        yield b"x"

    content = b"x" * (MOST_BYTES + 1) if declared else in_pieces()
    answer = await service.post(KIE, content=content)

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert await kept(house) is None


async def test_a_body_of_64_kib_is_kept(house: House, service: httpx2.AsyncClient) -> None:
    assert (await service.post(KIE, content=b"x" * MOST_BYTES)).status_code == 204
    told = await kept(house)
    assert told is not None
    assert len(base64.b64decode(told["body"])) == MOST_BYTES


async def test_a_packed_body_is_refused(service: httpx2.AsyncClient) -> None:
    answer = await service.post(KIE, content=b"{}", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_a_call_is_a_post(service: httpx2.AsyncClient, method: str) -> None:
    answer = await service.request(method, KIE)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_while_the_log_is_away_the_service_is_told_to_call_again(
    house: House, service: httpx2.AsyncClient, nats_server: Server
) -> None:
    assert (await service.post(KIE, content=b"before")).status_code == 204
    await nats_server.kill()
    answer = await service.post(KIE, content=b"meanwhile")

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1

    await nats_server.restart()

    async def called_again() -> bool:
        return (await service.post(KIE, content=b"after")).status_code == 204

    await eventually(called_again, 30)


async def test_what_was_called_back_is_erased_with_its_task(
    house: House, service: httpx2.AsyncClient, http: httpx2.AsyncClient
) -> None:
    other = "0199f0c2-7e4a-7000-8000-0000000000aa"
    await house.tell(requested(**own(other, lane="kie")))
    for called in (TASK, other):
        assert (await service.post(f"/hooks/kie/{called}", content=b"{}")).status_code == 204

    assert (await http.delete(f"/tasks/{TASK}")).status_code == 204

    assert await kept(house) is None
    assert await kept(house, f"kie.{other}") is not None
