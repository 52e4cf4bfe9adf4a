"""What pages show instead of a key: a cookie, and a token for addresses."""

from __future__ import annotations

import io
import logging

import httpx2
import pytest

from builders import requested, task_id
from integration.gateway.house import ANN, CREATE, KEYS, House
from integration.gateway.listening import listening

ONE = task_id(1)


async def begun(client: httpx2.AsyncClient) -> str:
    """A session as a Cookie header, begun with Ann's key; the client has no key any more."""
    answer = await client.post("/session", headers=ANN)
    assert (answer.status_code, answer.json()["owner"]) == (200, "ann")
    client.headers.pop("authorization", None)
    client.cookies.clear()
    return answer.headers["set-cookie"].partition(";")[0]


async def test_a_session_reads_and_changes_from_our_own_pages(door: httpx2.AsyncClient) -> None:
    cookie = {"Cookie": await begun(door)}
    types = await door.get("/generation-types", headers=cookie)
    ours = await door.post(
        "/tasks", json=CREATE, headers=cookie | {"Sec-Fetch-Site": "same-origin"}
    )
    named = await door.post("/tasks", json=CREATE, headers=cookie | {"Origin": str(door.base_url)})

    assert (types.status_code, ours.status_code, named.status_code) == (200, 202, 202)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://darkroom.test", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_session_changes_nothing_from_elsewhere(
    house: House, door: httpx2.AsyncClient, told: dict[str, str]
) -> None:
    cookie = {"Cookie": await begun(door)}
    answers = [
        await door.post("/tasks", json=CREATE, headers=cookie | told),
        await door.delete(f"/tasks/{ONE}", headers=cookie | told),
        await door.post("/tokens", headers=cookie | told),
        await door.delete("/session", headers=cookie | told),
    ]

    assert [each.status_code for each in answers] == [403] * 4
    assert {each.json()["code"] for each in answers} == {"cross_site"}
    assert await house.last_sequence() == 0


async def test_the_cookie_is_for_no_script_and_no_other_site(house: House) -> None:
    plain = await house.gateway()
    secure = await house.gateway(public_url="https://darkroom.example")
    one = (await plain.post("/session")).headers["set-cookie"]
    other = (await secure.post("/session")).headers["set-cookie"]
    ended = await plain.delete("/session")

    assert one.partition(";")[2] == " HttpOnly; Max-Age=604800; Path=/; SameSite=strict"
    assert other.endswith("; Path=/; SameSite=strict; Secure")
    assert ended.status_code == 204
    assert ended.headers["clear-site-data"] == '"cache"'
    assert ended.headers["set-cookie"].startswith('darkroom_session="";')
    assert "Max-Age=0" in ended.headers["set-cookie"]


async def test_a_token_reads_and_changes_nothing(door: httpx2.AsyncClient) -> None:
    answer = await door.post("/tokens")
    token = answer.json()["token"]
    door.headers.pop("authorization")
    read = await door.get(f"/generation-types?token={token}")
    changed = await door.post(f"/tasks?token={token}", json=CREATE)
    more = await door.post(f"/tokens?token={token}")
    begun_by_token = await door.post(f"/session?token={token}")

    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert read.status_code == 200
    for refused in (changed, more, begun_by_token):
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")


async def test_sessions_are_known_to_every_gateway_and_end_with_their_key(house: House) -> None:
    one = await house.gateway()
    cookie = {"Cookie": await begun(one)}
    token = (await one.post("/tokens", headers=ANN)).json()["token"]
    same = await house.gateway()
    other_keys = await house.gateway(api_keys="ann:new-key,bob:bob-key")
    other_secret = await house.gateway(session_secret="another")
    renamed = await house.gateway(api_keys=KEYS.replace("ann:", "eve:"))
    for gateway in (same, other_keys, other_secret, renamed):
        gateway.headers.pop("authorization")
        expected = 200 if gateway is same else 401
        assert (await gateway.get("/metrics", headers=cookie)).status_code == expected
        assert (await gateway.get(f"/metrics?token={token}")).status_code == expected


async def test_without_keys_everybody_gets_what_they_expect(house: House) -> None:
    gateway = await house.gateway(auth="none")
    session, token = await gateway.post("/session"), await gateway.post("/tokens")

    assert (session.status_code, session.json()["owner"]) == (200, "local")
    assert token.json().keys() == {"token", "expires_at"}


FORM = {"file": ("a.png", b"no picture", "image/png")}
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://darkroom.test:3000"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("told", FOREIGN)
async def test_without_keys_pages_of_other_sites_change_nothing(
    house: House, told: dict[str, str]
) -> None:
    gateway = await house.gateway(auth="none", cors_origins="https://app.example")
    answers = [
        await gateway.post("/uploads", files=FORM, headers=told),
        await gateway.post("/tasks", json=CREATE, headers=told),
        await gateway.delete(f"/tasks/{ONE}", headers=told),
        await gateway.post(f"/tasks/{ONE}/cancel", headers=told),
    ]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {(403, "cross_site")}
    assert await house.last_sequence() == 0
    assert (await gateway.get("/generation-types", headers=told)).status_code == 200


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://proxied.example"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"},
        {"Origin": "https://app.example"},
        {"Origin": "http://darkroom.test"},
        {"Origin": "http://darkroom.test", "Host": "10.0.0.7:8400"},
    ],
)
async def test_without_keys_our_pages_those_allowed_and_what_is_no_browser_go_on(
    house: House, told: dict[str, str]
) -> None:
    gateway = await house.gateway(auth="none", cors_origins="https://app.example")
    answers = [
        await gateway.post("/uploads", files=FORM, headers=told),
        await gateway.post("/tasks", json=CREATE, headers=told),
    ]

    assert [each.status_code for each in answers] == [422, 202]


REBOUND = {
    "Host": "evil.example:8400",
    "Origin": "http://evil.example:8400",
    "Sec-Fetch-Site": "same-origin",
}
"""What a page sends whose name was made to lead here: its own name is all that gives it away."""


async def test_without_keys_a_page_whose_name_was_made_to_lead_here_gets_nothing(
    house: House,
) -> None:
    gateway = await house.gateway(auth="none")
    reads = ("/tasks", f"/tasks/{ONE}", f"/tasks/{ONE}/events", "/generation-types")
    files = (f"/uploads/{ONE}", f"/artifacts/{'0' * 20}/{ONE}/a.png", "/system", "/dead-letters")
    answers = [
        *[await gateway.get(each, headers=REBOUND) for each in (*reads, *files)],
        await gateway.post("/tasks", json=CREATE, headers=REBOUND),
        await gateway.post("/uploads", files=FORM, headers=REBOUND),
        await gateway.delete(f"/tasks/{ONE}", headers=REBOUND),
    ]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {(403, "cross_site")}
    assert "DARKROOM_PUBLIC_URL" in answers[0].json()["detail"]
    assert await house.last_sequence() == 0


async def test_without_keys_whoever_watches_us_and_calls_back_comes_by_any_name(
    house: House,
) -> None:
    await house.tell(requested(task=ONE, owner="local", lane="kie"))
    gateway = await house.gateway(auth="none")
    host = {"Host": "darkroom.example"}
    watched = [
        await gateway.get(each, headers=host) for each in ("/healthz", "/readyz", "/metrics")
    ]
    called = await gateway.post(f"/hooks/kie/{ONE}", content=b"{}", headers=host)

    assert [watched[0].status_code, watched[2].status_code] == [200, 200]
    assert "checks" in watched[1].json()
    assert called.status_code == 204


async def test_pages_follow_with_a_cookie_or_a_token_and_no_log_tells_it(
    task_store: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = task_store
    await house.tell(requested(task=ONE, owner="ann"))
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    monkeypatch.setattr(root, "level", logging.DEBUG)
    root.addHandler(handler)
    try:
        async with listening(house) as door:
            base = f"http://127.0.0.1:{door.port}"
            async with httpx2.AsyncClient(base_url=base, headers=ANN) as client:
                cookie = {"Cookie": (await client.post("/session")).headers["set-cookie"]}
                token = (await client.post("/tokens")).json()["token"]
            cookie = {"Cookie": cookie["Cookie"].partition(";")[0]}
            streams = [
                await door.stream("/events", headers=cookie),
                await door.stream(f"/events?token={token}", headers={}),
                await door.stream(
                    f"/tasks/{ONE}/events?token={token}", headers={"Accept": "text/event-stream"}
                ),
            ]
            for stream in streams:
                assert (await stream.next("task")).data["task_id"] == ONE
            socket = await door.socket(f"?token={token}", {})
            await socket.close()
            refused = await door.stream("/events?token=s.1.x.y", headers={})
            assert refused.status == 401
    finally:
        root.removeHandler(handler)
    session = cookie["Cookie"].partition("=")[2]
    lines = [each for each in written.getvalue().splitlines() if token in each or session in each]
    # The clients of this test tell what they send; the gateway does not.
    assert [each for each in lines if not _is_the_clients(each)] == []


def _is_the_clients(line: str) -> bool:
    return line.startswith(("> ", "HTTP Request", "send_request", "receive_response"))
