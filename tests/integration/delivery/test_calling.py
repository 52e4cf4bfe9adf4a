"""Request and reply over one inbox, and the connection beneath."""

import asyncio
import random

import nats
import pytest
from nats.aio.msg import Msg
from nats.errors import NoServersError

from delivery.connection import connect, connection_options
from delivery.incoming import Incoming, leave, listen
from delivery.requests import NoReply, NoResponders, Requests, Unreachable, respond
from integration.delivery.bus import Bus
from integration.delivery.line import Line
from servers import Server, eventually


async def echo(message: Msg) -> None:
    await message.respond(message.data)


async def never(message: Msg) -> None:
    """Listens, and says nothing."""


async def test_every_call_gets_the_reply_to_itself(empty_bus: Bus) -> None:
    held: list[Msg] = []

    async def answer_backwards(message: Msg) -> None:
        held.append(message)
        if len(held) == 20:
            for each in reversed(held):
                await each.respond(each.data)

    await empty_bus.client.subscribe("echo", cb=answer_backwards)

    replies = await asyncio.gather(
        *(empty_bus.requests.call("echo", str(n).encode(), timeout=5) for n in range(20))
    )

    assert [each.data for each in replies] == [str(n).encode() for n in range(20)]


async def test_headers_travel_with_a_call(empty_bus: Bus) -> None:
    async def tell_header(message: Msg) -> None:
        await message.respond((message.headers or {})["Greeting"].encode())

    await empty_bus.client.subscribe("greet", cb=tell_header)

    reply = await empty_bus.requests.call("greet", b"", {"Greeting": "hello"}, timeout=5)

    assert reply.data == b"hello"


async def test_a_call_that_nobody_hears_is_told_at_once(empty_bus: Bus) -> None:
    with pytest.raises(NoResponders):
        await empty_bus.requests.call("nobody", timeout=30)


async def test_a_call_that_nobody_answers_is_given_up(empty_bus: Bus) -> None:
    await empty_bus.client.subscribe("silent", cb=never)

    with pytest.raises(NoReply):
        await empty_bus.requests.call("silent", timeout=0.05)


async def test_a_reply_that_comes_too_late_reaches_no_other_call(empty_bus: Bus) -> None:
    heard: asyncio.Queue[Msg] = asyncio.Queue()

    async def keep(message: Msg) -> None:
        heard.put_nowait(message)

    await empty_bus.client.subscribe("slow", cb=keep)
    with pytest.raises(NoReply):
        await empty_bus.requests.call("slow", timeout=0.05)
    late = await heard.get()

    second = asyncio.create_task(empty_bus.requests.call("slow", timeout=5))
    message = await heard.get()
    await late.respond(b"late")
    await message.respond(b"in time")

    assert (await second).data == b"in time"


async def test_a_call_without_a_connection_is_never_sent(
    nats_server: Server, empty_bus: Bus
) -> None:
    await nats_server.kill()
    await eventually(lambda: not empty_bus.client.is_connected)

    with pytest.raises(Unreachable):
        await empty_bus.requests.call("echo", timeout=5)


async def test_what_was_left_while_the_broker_was_away_takes_no_calls(
    nats_server: Server, empty_bus: Bus
) -> None:
    heard: list[Incoming] = []
    known = await listen(empty_bus.client, "orders", heard.append, queue="workers")
    await nats_server.kill()
    await eventually(lambda: empty_bus.client.is_reconnecting)
    for _ in range(3):
        added = await listen(empty_bus.client, "orders", heard.append, queue="workers")
        await leave(added, empty_bus.client)
    await leave(known, empty_bus.client)
    await nats_server.restart()
    await eventually(lambda: empty_bus.client.is_connected)

    with pytest.raises(NoResponders):
        await empty_bus.requests.call("orders", timeout=5)
    await empty_bus.client.subscribe("orders", queue="workers", cb=echo)
    told = [(await empty_bus.requests.call("orders", b"x", timeout=5)).data for _ in range(20)]
    assert told == [b"x"] * 20
    assert heard == []


async def test_calls_go_on_after_a_reconnect(line: Line, far_bus: Bus) -> None:
    await far_bus.client.subscribe("echo", cb=echo)

    line.cut()
    await eventually(lambda: far_bus.client.stats["reconnects"] == 1)

    assert (await far_bus.requests.call("echo", b"again", timeout=5)).data == b"again"


@pytest.mark.parametrize("size", [0, 1000, 1024 * 1024, 5_000_001])
async def test_a_reply_of_any_size_comes_whole(empty_bus: Bus, size: int) -> None:
    body = random.Random(size).randbytes(size)

    async def answer(message: Msg) -> None:
        await respond(empty_bus.client, message, body)

    await empty_bus.client.subscribe("large", cb=answer)

    replies = await asyncio.gather(
        *(empty_bus.requests.call("large", timeout=10) for _ in range(3))
    )

    assert [each.data == body for each in replies] == [True] * 3


async def test_calls_in_flight_end_with_their_inbox(nats_server: Server) -> None:
    client = await nats.connect(nats_server.url)
    requests = Requests(client)
    await requests.start()
    await client.subscribe("silent", cb=never)
    call = asyncio.create_task(requests.call("silent", timeout=30))
    await client.flush()

    await requests.stop()

    with pytest.raises(asyncio.CancelledError):
        await call
    await client.close()


async def test_a_tool_is_told_at_once_when_nobody_answers(nats_server: Server) -> None:
    await nats_server.kill()

    with pytest.raises(NoServersError):
        await connect(nats_server.url, "tool")


async def test_a_tool_connects_under_its_name(nats_server: Server) -> None:
    client = await connect(nats_server.url, "tool")

    assert client.is_connected
    assert client.options["name"] == "tool"
    await client.close()


async def test_a_service_reconnects_for_ever_and_hears_of_the_end(nats_server: Server) -> None:
    closed = asyncio.Event()

    async def on_closed() -> None:
        closed.set()

    options = connection_options("service", on_closed=on_closed)
    client = await nats.connect(nats_server.url, **options)
    await nats_server.kill()
    await nats_server.restart()
    await eventually(lambda: client.stats["reconnects"] == 1)
    assert not client.is_closed

    await client.close()

    assert closed.is_set()
    assert options["max_reconnect_attempts"] == -1
