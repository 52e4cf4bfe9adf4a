"""Streams when messages are lost, readers are slow, processes end: no gap, no repeat, no leak."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from builders import annotated, completed, progressed, requested, started, task_id
from delivery.incoming import Incoming
from delivery.log import StreamState
from delivery.provision import ensure_stream
from gateway.following import Message
from gateway.live import LiveEvent
from gateway.streams import Found
from integration.gateway.conftest import SPEC, running_task_store
from integration.gateway.house import ANN, House, own
from integration.gateway.listening import Listening, Told, frame, listening
from servers import Server, eventually

ONE, TWO = task_id(1), task_id(2)


@pytest.fixture
async def door(task_store: House) -> AsyncIterator[Listening]:
    async with listening(task_store) as opened:
        yield opened


def ids(told: list[Told]) -> list[int | None]:
    return [each.id for each in told]


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def lose(door: Listening, monkeypatch: pytest.MonkeyPatch, *sequences: int) -> None:
    """Of what the broker sends, these never arrive."""
    live = door.parts.live
    real = live._on_message  # noqa: SLF001

    def on_message(message: Any) -> None:
        if int(message.header(b"Nats-Sequence")) not in sequences:
            real(message)

    subscription = door.parts.bus.link.client._ps  # noqa: SLF001
    for sid, receive in list(subscription.receivers.items()):
        if receive == real:
            subscription.receivers[sid] = on_message


async def test_what_the_live_subscription_loses_is_read_from_the_log(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = task_store
    stream = await door.events()
    await stream.ready()
    lose(door, monkeypatch, 1, 3, 4, 7)
    await house.tell(
        requested(**own(ONE)),
        started(**own(ONE)),
        *(progressed(n, **own(ONE, at=n)) for n in range(3, 8)),
        completed(**own(ONE)),
    )

    assert ids(await stream.some(8, "task")) == list(range(1, 9))


async def test_a_loss_that_nothing_later_shows_is_found_all_the_same(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.feed.LOOK_S", 0.05)
    monkeypatch.setattr("gateway.feed._LATE_S", 0.01)
    stream = await door.events()
    await stream.ready()
    lose(door, monkeypatch, 1)
    await task_store.tell(requested(**own(ONE)))

    assert (await stream.next("task")).id == 1


async def test_what_happens_while_the_log_is_looked_at_is_no_sign_of_another_log(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.feed.LOOK_S", 0.05)
    stream = await door.events()
    await stream.ready()
    log, overtaken = door.parts.bus.link.log, asyncio.Event()
    real = log.state

    async def state() -> StreamState:
        """An answer that is overtaken by what happens next."""
        answer = await real()
        monkeypatch.setattr(log, "state", real)
        await task_store.tell(requested(**own(ONE)), started(**own(ONE)))
        assert ids(await stream.some(2, "task")) == [1, 2]
        overtaken.set()
        return answer

    monkeypatch.setattr(log, "state", state)
    await asyncio.wait_for(overtaken.wait(), 10)
    await task_store.tell(completed(**own(ONE)))

    told = await stream.next("task", "reset")
    assert (told.event, told.id) == ("task", 3)


async def test_a_lost_broker_leaves_neither_gap_nor_repeat(
    task_store: House, door: Listening, nats_server: Server
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    of_all, of_one = await door.events(), await door.task(ONE)
    assert ids(await of_all.ready()) == [2]
    assert (await of_one.next("task")).id == 2
    for round_ in range(3):
        await nats_server.kill()
        await nats_server.restart()

        async def told(number: int = round_) -> bool:
            try:
                await house.tell(progressed(10 + number, **own(ONE, at=10 + number)))
            except Exception:  # noqa: BLE001 - the test's own connection is not back yet
                return False
            return True

        await eventually(told, 20)
    end = await house.tell(completed(**own(ONE)))

    assert ids(await of_all.some(end - 2, "task")) == list(range(3, end + 1))
    assert ids(await of_one.rest()) == list(range(3, end + 1))


async def test_another_log_begins_all_streams_anew(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    stream = await door.events()
    await stream.ready()
    await house.client.jetstream().delete_stream("GENERATION")
    await ensure_stream(house.client, SPEC)

    assert (await stream.next("reset", within_s=30)).data == {}


async def test_gateways_hand_a_stream_over_without_gap_or_repeat(task_store: House) -> None:
    house = task_store
    told: list[Told] = []
    last = None

    async def happen() -> int:
        await house.tell(requested(**own(ONE)), started(**own(ONE)))
        for n in range(2, 80):
            await house.tell(progressed(n, **own(ONE, at=n)))
        return await house.tell(completed(**own(ONE)))

    async with listening(house) as one, listening(house) as other:
        begun = await one.events()
        await begun.ready()
        last = begun.last_id
        begun.close()
        happening = asyncio.create_task(happen())
        doors = [one, other]
        while not told or told[-1].data["status"] != "completed":
            doors.reverse()
            stream = await doors[0].events(after=last)
            told += await stream.some(1, "task")
            told += [] if told[-1].data["status"] == "completed" else await stream.some(1, "task")
            last = stream.last_id
            stream.close()
        end = await happening

    assert ids(told) == list(range(1, end + 1))


async def test_who_does_not_read_is_dropped_and_nothing_grows(
    task_store: House, door: Listening
) -> None:
    house = task_store
    dropped = sample("darkroom_streams_ended_total", reason="slow_reader")
    reader, writer = await _deaf(door)
    other = await door.events()
    await other.ready()
    told: list[Told] = []

    async def read(end: int) -> None:
        while not told or told[-1].id != end:
            told.append(await other.next("task"))

    patch = {"note": "x" * 12_000}
    await house.tell(requested(**own(ONE)))
    for n in range(10_000):
        last = await house.tell(annotated(patch | {"n": n}, **own(ONE)))
        if n % 20 == 0:
            await read(last)
        if sample("darkroom_streams_ended_total", reason="slow_reader") > dropped:
            break
    assert sample("darkroom_streams_ended_total", reason="slow_reader") == dropped + 1
    assert len(list(door.parts.streams.feed.followers)) == 1
    writer.transport.abort()
    del reader
    await read(last)

    # Who reads has missed nothing.
    assert ids(told) == list(range(1, last + 1))


async def _deaf(door: Listening) -> tuple[socket.socket, asyncio.StreamWriter]:
    """A client that asks for the stream and never reads an answer."""
    sock, writer = await _asks_and_reads_nothing(door)
    await eventually(lambda: list(door.parts.streams.feed.followers))
    await eventually(lambda: next(iter(door.parts.streams.feed.followers)).held is None)
    return sock, writer


async def _narrow(door: Listening) -> socket.socket:
    """A connection of a client that soon has taken all it can without reading."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", door.port))
    return sock


async def _asks_and_reads_nothing(
    door: Listening,
) -> tuple[socket.socket, asyncio.StreamWriter]:
    sock = await _narrow(door)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1024)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_connection(lambda: protocol, sock=sock)
    transport.pause_reading()
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    head = [f"{name}: {value}" for name, value in ANN.items()]
    writer.write("\r\n".join(["GET /events HTTP/1.1", "Host: x", *head, "", ""]).encode())
    return sock, writer


@pytest.mark.parametrize("kind", ["stream", "socket"])
async def test_who_never_reads_a_snapshot_gives_its_place_back(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("gateway.routes.streams.PING_S", 0.5)
    house = task_store
    for n in range(700):
        name = own(task_id(10 + n))
        await house.tell(requested(**name), annotated({"note": "x" * 12_000}, **name))
    await house.projected()
    dropped = sample("darkroom_streams_ended_total", reason="slow_reader")
    if kind == "stream":
        _, writer = await _asks_and_reads_nothing(door)
        transport = writer.transport
    else:
        connection = await door.socket(sock=await _narrow(door))
        transport = connection.transport
        transport.pause_reading()
        await connection.send('{"subscribe": {}}')

    await eventually(
        lambda: sample("darkroom_streams_ended_total", reason="slow_reader") > dropped, 30
    )
    await eventually(door.is_quiet)
    transport.abort()


@pytest.mark.parametrize("after", [None, 1])
async def test_more_than_is_held_back_while_one_joins_a_task_is_read_again(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch, after: int | None
) -> None:
    monkeypatch.setattr("gateway.followers.MOST_HELD", 1)
    house, streams = task_store, door.parts.streams
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    real = streams.find

    async def slow(owner: str, name: str) -> Found:
        found = await real(owner, name)
        joining = [each for each in streams.feed.followers if each.held is not None]
        if joining and found.task.sequence == 2:
            await house.tell(*(progressed(n, **own(ONE, at=n)) for n in range(3, 7)))
            await eventually(lambda: joining[0].missed)
        return found

    monkeypatch.setattr(streams, "find", slow)
    stream = await door.task(ONE, after=after)
    told = await stream.some(5, "task")
    end = await house.tell(completed(**own(ONE)))

    assert ids([*told, *await stream.rest()]) == [2, 3, 4, 5, 6, end]


async def test_a_crowd_that_follows_tasks_reads_few_histories_at_once(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    await task_store.tell(requested(**own(ONE)))
    histories = door.parts.streams._histories  # noqa: SLF001
    real, reading, most = histories.of, 0, 0

    async def counted(owner: str, name: str) -> Any:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        try:
            return await real(owner, name)
        finally:
            reading -= 1

    monkeypatch.setattr(histories, "of", counted)
    streams = await asyncio.gather(*(door.task(ONE) for _ in range(100)))

    for stream in streams:
        assert (await stream.next("task")).id == 1
    assert most <= 32


async def test_a_slow_socket_is_told_why(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.outbox.MOST_MESSAGES", 2)
    connection = await door.socket()
    await connection.send('{"subscribe": {}}')
    await frame(connection, "ready")
    outbox = next(iter(door.parts.streams._open))  # noqa: SLF001
    follow = next(iter(door.parts.streams.feed.followers))
    # Three at once, before the writer has its turn.
    for sequence in (10, 11, 12):
        follow.tell(Message("task", b"{}", sequence))
    told = await frame(connection, "error")
    await connection.wait_closed()

    assert told.data["code"] == "slow_reader"
    assert (connection.close_code, connection.close_reason) == (1013, "slow_reader")
    assert outbox.ending is not None


async def test_quick_reconnects_leave_nothing_behind(task_store: House, door: Listening) -> None:
    await task_store.tell(requested(**own(ONE)))
    head = "\r\n".join(f"{name}: {value}" for name, value in ANN.items())
    request = f"GET /events HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode()
    before = len(asyncio.all_tasks())

    async def come_and_go(times: int) -> None:
        for number in range(times):
            _, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(request)
            await writer.drain()
            if number % 3:
                await asyncio.sleep(0)
            writer.transport.abort()

    await asyncio.gather(*(come_and_go(150) for _ in range(20)))
    await eventually(door.is_quiet, 60)
    await eventually(lambda: len(asyncio.all_tasks()) <= before + 2, 30)
    assert sample("darkroom_streams", kind="events") == 0
    feed = door.parts.streams.feed
    assert list(feed.followers) == []
    assert list(feed.followers.owners) == []
    stream = await door.events()
    assert (await stream.next("task")).id == 1


async def test_there_are_only_so_many_streams(task_store: House) -> None:
    async with listening(task_store, streams_limit=2) as door:
        first = await door.events()
        await door.events()
        third = await door.stream("/events")
        assert (third.status, third.headers["retry-after"]) == (503, "5")
        assert (await third.body())["code"] == "too_many_streams"
        first.close()

        async def fits() -> bool:
            return (await door.stream("/events")).status == 200

        await eventually(fits)


async def test_streams_are_told_when_to_come_back_as_the_gateway_stops(
    task_store: House, door: Listening
) -> None:
    await task_store.tell(requested(**own(ONE)))
    stream = await door.events()
    await stream.ready()
    door.parts.streams.stop()

    assert await stream.rest() == []
    assert stream.retry_ms is not None
    assert 500 <= stream.retry_ms <= 3000
    late = await door.stream("/events")
    assert (late.status, (await late.body())["code"]) == (503, "shutting_down")


async def test_a_stream_opened_while_the_task_store_is_away_begins_when_it_is_back(
    house: House, database_url: str
) -> None:
    async with listening(house) as door:
        await house.tell(requested(**own(ONE)))
        stream = await door.events()
        of_one = await door.task(ONE)
        # One task can be read from the log alone.
        assert (await of_one.next("task")).id == 1
        async with running_task_store(house, database_url):
            assert ids(await stream.ready()) == [1]


async def test_pings_are_sent(task_store: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.routes.streams.PING_S", 0.05)
    async with listening(task_store) as door:
        stream = await door.events()
        reading = asyncio.create_task(stream.next("task"))
        await eventually(lambda: stream.comments.count("ping") > 2)
        await task_store.tell(requested(**own(ONE)))
        assert (await reading).id == 1


async def test_an_event_that_nobody_can_read_holds_up_its_own_task_alone(
    task_store: House, door: Listening
) -> None:
    house = task_store
    stream = await door.events()
    await stream.ready()
    await house.tell(requested(**own(ONE)), requested(**own(TWO)))
    for name in (ONE, "nonsense", "-" * 36, "x" * 8 + "-xxxx-xxxx-xxxx-" + "x" * 12):
        await house.client.jetstream().publish(f"generation.progress.create.{name}", b"{")
    await house.tell(started(**own(ONE)))
    end = await house.tell(started(**own(TWO)))

    assert ids(await stream.some(3, "task")) == [1, 2, end]
    assert ids(await (await door.events(after=0)).ready()) == [1, 2, end]


async def test_a_state_that_was_let_go_is_read_again(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.known._MOST_STATES_BYTES", 1)
    house = task_store
    stream = await door.events()
    await stream.ready()
    for n in range(5):
        name = task_id(10 + n)
        await house.tell(requested(**own(name)), started(**own(name)), completed(**own(name)))

    told = await stream.some(15, "task")
    assert ids(told) == list(range(1, 16))
    assert [each.data["status"] for each in told[2::3]] == ["completed"] * 5


def test_a_live_event_knows_its_subject() -> None:
    told = LiveEvent(Incoming("live.generation.progress.create.x", "", b"", b"{}"), 7)
    assert (told.subject, told.payload) == ("live.generation.progress.create.x", b"{}")
