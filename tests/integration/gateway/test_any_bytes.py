"""Whatever bytes a client of the log sends, those who follow and those who ask are answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from anybytes import publish_bytes
from builders import completed, progressed, requested, started, task_id
from contracts.events import encode
from integration.gateway.house import House, own
from integration.gateway.listening import Listening, listening
from integration.gateway.test_streams_under_faults import lose

ONE = task_id(1)
OF_ONE = f"generation.progress.create.{ONE}".encode()


@pytest.fixture
async def door(task_store: House) -> AsyncIterator[Listening]:
    async with listening(task_store) as opened:
        yield opened


async def tell_no_text(house: House) -> None:
    await publish_bytes(house.client, b"generation.progress.create.\xff", headers=b"\xff: \xff\r\n")
    await publish_bytes(
        house.client, b"generation.finished.a\x0bb.c", headers=b"Nats-Msg-Id: \xff\r\n"
    )


@pytest.mark.parametrize("lost", [False, True])
async def test_a_stream_goes_on_behind_what_is_no_text(
    lost: bool, task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)))
    stream, alone = await door.events(), await door.task(ONE)
    await stream.ready()
    await alone.ready()
    if lost:
        lose(door, monkeypatch, 2, 3)
    await tell_no_text(house)
    await house.tell(started(**own(ONE)), progressed(40, **own(ONE)), completed(**own(ONE)))

    for each in (stream, alone):
        assert [told.id for told in await each.some(3, "task")] == [4, 5, 6]


async def test_what_a_sender_says_of_time_and_place_is_not_believed(
    task_store: House, door: Listening
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)))
    stream = await door.events()
    await stream.ready()
    headers = b"Nats-Sequence: 4000\r\nNats-Time-Stamp: \xff\r\nNats-Msg-Id: x\r\n"
    await publish_bytes(house.client, OF_ONE, encode(started(**own(ONE))), headers)
    await house.tell(completed(**own(ONE)))

    assert [told.id for told in await stream.some(2, "task")] == [2, 3]


async def test_what_happened_to_a_task_is_told_without_what_is_no_event(
    task_store: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = task_store
    gateway = await house.gateway()

    async def nothing_yet(owner: str, task: str) -> tuple[list[Any], frozenset[datetime]]:
        """A projection that has not come so far."""
        return [], frozenset()

    monkeypatch.setattr(house.parts[-1].tasks, "events", nothing_yet)
    await house.tell(requested(**own(ONE)))
    for payload in (b"\xff", b"[1]", b""):
        await publish_bytes(house.client, OF_ONE, payload, b"Nats-Msg-Id: \xff%b\r\n" % payload)

    answer = await gateway.get(f"/tasks/{ONE}/events")

    assert answer.status_code == 200, answer.text
    assert [each["type"] for each in answer.json()["events"]] == ["generation.requested"]
