"""The same over a WebSocket: several subscriptions, clear errors, an end for who makes no sense."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from nats.errors import Error as NatsError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.typing import Origin

from builders import completed, requested, started, task_id
from gateway.streams import Found
from integration.gateway.house import ANN, BOB, House, own
from integration.gateway.listening import Listening, frame, listening
from servers import eventually

ONE, TWO, THREE = task_id(1), task_id(2), task_id(3)


@pytest.fixture
async def door(task_store: House) -> AsyncIterator[Listening]:
    async with listening(task_store, cors_origins="https://app.example") as opened:
        yield opened


async def say(connection: Any, **message: Any) -> None:
    await connection.send(json.dumps(message))


async def test_frames_are_the_messages_of_the_stream(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)))
    stream, connection = await door.events(), await door.socket()
    await say(connection, subscribe={})
    frames = [await frame(connection), await frame(connection)]
    told = await stream.ready()
    await house.tell(started(**own(ONE)), completed(**own(ONE)))
    told += await stream.some(2, "task")
    frames += [await frame(connection, "task") for _ in range(2)]

    assert (frames[1].event, frames[1].id) == ("ready", 1)
    assert [frames[0], *frames[2:]] == told


async def test_subscriptions_live_side_by_side_and_end_one_by_one(
    task_store: House, door: Listening
) -> None:
    house = task_store
    white = own(TWO, tasktype="WHITE_BACKGROUND")
    await house.tell(requested(**own(ONE)), requested(**white), requested(**own(THREE)))
    connection = await door.socket()
    await say(connection, subscribe={"task_id": ONE})
    await say(connection, subscribe={"type": "WHITE_BACKGROUND"})
    told = [await frame(connection) for _ in range(4)]
    assert {each.data["task_id"] for each in told if each.event == "task"} == {ONE, TWO}
    assert [each.event for each in told].count("ready") == 2
    await say(connection, unsubscribe={"type": "WHITE_BACKGROUND"})
    await say(connection, ping=7)
    assert (await frame(connection, "pong")).data == 7
    await house.tell(started(**white), started(**own(ONE)))
    end = await house.tell(completed(**own(ONE)))

    assert [(await frame(connection, "task")).id for _ in range(2)] == [5, end]
    await eventually(lambda: not list(door.parts.streams.feed.followers))
    await say(connection, subscribe={"after": 3})
    assert [(await frame(connection, "task")).id for _ in range(3)] == [4, 5, end]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_message"),
        ("{", "invalid_message"),
        ("[]", "invalid_message"),
        ('{"subscribe": 7}', "invalid_message"),
        ('{"subscribe": {"after": -1}}', "invalid_message"),
        ('{"subscribe": {"after": 1e99}}', "invalid_message"),
        ('{"subscribe": {"color": 1}}', "invalid_message"),
        ('{"subscribe": {}, "unsubscribe": {}}', "invalid_message"),
        (f'{{"subscribe": {{"type": "CREATE", "task_id": "{ONE}"}}}}', "invalid_message"),
        ('{"subscribe": {"type": "POEM"}}', "unknown_type"),
        ('{"subscribe": {"task_id": "x"}}', "task_not_found"),
        (f'{{"subscribe": {{"task_id": "{TWO}"}}}}', "task_not_found"),
        (f'{{"subscribe": {{"task_id": "{THREE}"}}}}', "task_not_found"),
    ],
)
async def test_what_makes_no_sense_is_told_and_forgiven(
    task_store: House, door: Listening, text: str, code: str
) -> None:
    await task_store.tell(requested(**own(ONE)), requested(task=TWO, owner="bob"))
    connection = await door.socket()
    await connection.send(text)
    told = await frame(connection)

    assert (told.id, told.event, told.data["code"]) == (None, "error", code)
    await say(connection, subscribe={"task_id": ONE})
    assert (await frame(connection)).data["task_id"] == ONE


async def closed(connection: Any) -> tuple[int, str]:
    with contextlib.suppress(ConnectionClosedError):
        async for _ in connection:
            pass
    return connection.close_code, connection.close_reason


async def test_who_makes_no_sense_again_and_again_is_shown_the_door(door: Listening) -> None:
    noisy, binary, huge = [await door.socket() for _ in range(3)]
    for _ in range(10):
        await noisy.send("nonsense")
    await binary.send(b"\x00")
    await huge.send("x" * 70_000)

    assert await closed(noisy) == (1008, "too many messages that were not understood")
    assert await closed(binary) == (1003, "send JSON as text")
    assert (await closed(huge))[0] == 1009
    await eventually(door.is_quiet)


async def test_a_ping_that_cannot_be_answered_is_an_error_and_no_more(door: Listening) -> None:
    connection = await door.socket()
    await connection.send('{"ping": 123456789012345678901234567890}')
    refused = await frame(connection)
    await say(connection, ping={"n": 2**53})

    assert (refused.event, refused.data["code"]) == ("error", "invalid_message")
    assert (await frame(connection, "pong")).data == {"n": 2**53}
    await connection.close()
    await eventually(door.is_quiet)


async def test_what_nobody_foresaw_closes_the_connection(
    door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(owner: str, name: str) -> Found:
        raise NatsError

    monkeypatch.setattr(door.parts.streams, "find", broken)
    connection = await door.socket()
    await say(connection, subscribe={})
    await frame(connection, "ready")
    await say(connection, subscribe={"task_id": ONE})

    assert await closed(connection) == (1011, "something went wrong here: connect again")
    await eventually(door.is_quiet)


async def test_there_are_only_so_many_subscriptions(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.routes.sockets.MOST_SUBSCRIPTIONS", 1)
    connection = await door.socket()
    await say(connection, subscribe={"type": "CREATE"})
    await frame(connection, "ready")
    await say(connection, subscribe={})

    assert (await frame(connection)).data["code"] == "too_many_subscriptions"


async def test_it_closes_as_the_gateway_stops(door: Listening) -> None:
    connection = await door.socket()
    await say(connection, subscribe={})
    await frame(connection, "ready")
    door.parts.streams.stop()

    assert await closed(connection) == (1001, "the gateway goes down: connect again")


async def test_a_socket_shows_who_it_belongs_to(
    task_store: House, door: Listening, http: httpx2.AsyncClient
) -> None:
    await task_store.tell(requested(**own(ONE)))
    base = f"http://127.0.0.1:{door.port}"
    async with httpx2.AsyncClient(base_url=base, headers=ANN) as client:
        token = (await client.post("/tokens")).json()["token"]
        session = (await client.post("/session")).headers["set-cookie"].partition(";")[0]
    for query, headers in (
        (f"?token={token}", {}),
        ("", {"Cookie": session, "Origin": base}),
        ("", {"Cookie": session, "Origin": "https://app.example"}),
        ("", ANN),
    ):
        connection = await door.socket(query, headers)
        await say(connection, subscribe={})
        assert (await frame(connection)).data["task_id"] == ONE
    bobs = await door.socket(headers=BOB)
    await say(bobs, subscribe={})
    assert (await frame(bobs)).event == "ready"


async def test_a_proxy_may_say_another_host(task_store: House) -> None:
    async with listening(task_store, public_url="https://darkroom.example/") as door:
        connection = await door.socket(headers=ANN | {"Origin": "https://darkroom.example"})
        await say(connection, ping=1)

        assert (await frame(connection)).data == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        (ANN | {"Origin": "https://evil.example"}, 403),
        (ANN | {"Origin": "null"}, 403),
    ],
)
async def test_who_may_not_is_told_before_the_handshake(
    door: Listening, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await door.socket(headers=headers)

    answer = refused.value.response
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body or b"")["status"] == status


async def test_without_keys_nothing_is_told_under_a_name_that_was_made_to_lead_here(
    house: House,
) -> None:
    async with listening(house, auth="none") as door:
        evil = f"evil.example:{door.port}"
        with pytest.raises(InvalidStatus) as refused:
            await connect(
                f"ws://{evil}/ws",
                host="127.0.0.1",
                port=door.port,
                origin=Origin(f"http://{evil}"),
            )
        events = f"http://127.0.0.1:{door.port}/events"
        async with (
            httpx2.AsyncClient() as client,
            client.stream("GET", events, headers={"Host": evil}) as stream,
        ):
            assert stream.status_code == 403
        here = await connect(f"ws://localhost:{door.port}/ws", host="127.0.0.1", port=door.port)
        await here.close()
    assert refused.value.response.status_code == 403
