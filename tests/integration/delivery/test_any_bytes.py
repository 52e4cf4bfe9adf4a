"""The broker checks no sender's bytes: whatever they are, all that is on the log is read."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from nats.aio.msg import Msg

from anybytes import publish_bytes
from builders import progressed, requested, task_id
from contracts.subjects import ALL_EVENTS, PROVIDER_BUCKET
from delivery import ordered
from delivery.incoming import Incoming, leave, listen
from delivery.ordered import OrderedLog
from delivery.provision import ensure_buckets
from integration.delivery.bus import Bus
from integration.delivery.test_leases import pulling
from integration.delivery.test_ordered_log import interruption, read
from servers import eventually

NO_TEXT = "\N{REPLACEMENT CHARACTER}"
TASK = task_id(1)


async def tell(bus: Bus, subject: bytes, headers: bytes = b"") -> None:
    await publish_bytes(bus.client, subject, headers=headers)


SUBJECTS = {
    b"generation.progress.create.\xff": f"generation.progress.create.{NO_TEXT}",
    b"generation.progress.a\x0bb.c": "generation.progress.a\x0bb.c",
    b"generation.progress.\x00.>": "generation.progress.\x00.>",
}
HEADERS = {
    b"Nats-Msg-Id: \xff\r\n": NO_TEXT,
    b"A: \xff\r\nNats-Msg-Id: a\nb\r\n": "a\nb",
    b"Darkroom-Logtime: \xff\r\nNats-Msg-Id: c\r\n": "c",
    b"Status: 204\r\nNats-Subject: x\r\nNats-Sequence: y\r\nNats-Msg-Id: d\r\n": "d",
}


async def test_the_log_is_read_whatever_was_sent(bus: Bus) -> None:
    for subject in SUBJECTS:
        await tell(bus, subject)
    for headers in HEADERS:
        await tell(bus, b"generation.progress.create.x", headers)
    await bus.tell(requested())

    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        messages = await read(log, 8)
    between = [each async for batch in bus.log.between(1, 8) for each in batch]
    alone = [await bus.log.at(sequence) for sequence in range(1, 9)]

    assert [each.sequence for each in messages] == list(range(1, 9))
    assert [each.subject for each in messages[:3]] == list(SUBJECTS.values())
    assert [each.event_id for each in messages[3:7]] == list(HEADERS.values())
    assert [each.payload for each in messages[:7]] == [b"{}"] * 7
    assert [asdict(each) for each in between] == [asdict(each) for each in messages]
    assert [asdict(each) for each in alone if each] == [asdict(each) for each in messages]


async def test_a_tasks_history_has_what_was_sent_under_it(bus: Bus) -> None:
    await bus.tell(requested())
    await tell(bus, b"generation.progress.\xff." + TASK.encode(), b"Nats-Msg-Id: \xff\r\n")
    await bus.tell(progressed(50))

    history = await bus.log.history(TASK)

    assert [each.sequence for each in history] == [1, 2, 3]
    assert history[1].subject == f"generation.progress.{NO_TEXT}.{TASK}"


async def test_live_events_go_on_behind_what_is_no_text(bus: Bus) -> None:
    heard: list[Incoming] = []
    subscription = await listen(bus.client, ALL_EVENTS, heard.append)
    await tell(bus, b"generation.progress.create.\xff", b"\xff: \xff\r\n")
    await tell(bus, b"generation.a\x0cb")
    await bus.tell(requested())
    await eventually(lambda: len(heard) == 3)
    await leave(subscription, bus.client)

    assert [each.headers.get(NO_TEXT) for each in heard] == [NO_TEXT, None, None]


async def test_what_nats_py_reads_by_itself_goes_on_too(bus: Bus) -> None:
    await ensure_buckets(bus.client)
    heard: list[str] = []

    async def hear(message: Msg) -> None:
        heard.append(message.subject)

    await bus.client.subscribe(f"$KV.{PROVIDER_BUCKET}.>", cb=hear)
    await publish_bytes(bus.client, f"$KV.{PROVIDER_BUCKET}.".encode() + b"\xff")
    await publish_bytes(bus.client, f"$KV.{PROVIDER_BUCKET}.studio".encode())
    await eventually(lambda: heard)

    assert heard == [f"$KV.{PROVIDER_BUCKET}.studio"]


async def test_a_lane_goes_on_behind_a_request_that_is_no_text(bus: Bus) -> None:
    await tell(bus, b"generation.requested.create.studio.\xff", b"Darkroom-Logtime: \xff\r\n")
    await bus.tell(requested())

    async with pulling(bus) as hands:
        odd, fine = await hands.take_all(2)
        await odd.done()
        await fine.done()

    assert (odd.task_id, fine.task_id) == (NO_TEXT, TASK)
    assert odd.logtime <= fine.logtime


async def test_what_can_not_be_taken_is_never_passed_over(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bus.tell(requested(), progressed(50))
    real = ordered.logtime_of
    monkeypatch.setattr(ordered, "logtime_of", lambda *_: 1 // 0)

    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        assert await interruption(log) == "gap"
    monkeypatch.setattr(ordered, "logtime_of", real)
    async with OrderedLog(bus.client, bus.requests, start=1) as log:
        assert len(await read(log, 2)) == 2
