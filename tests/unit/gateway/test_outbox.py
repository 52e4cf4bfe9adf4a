"""What a connection has yet to be sent is bounded, and ends once."""

from __future__ import annotations

import asyncio

import pytest

from gateway.following import Message
from gateway.outbox import MOST_BYTES, MOST_MESSAGES, Ending, Outbox


def message(number: int, size: int = 1) -> Message:
    return Message("task", b"x" * size, number)


async def taken(outbox: Outbox) -> list[int | None]:
    return [each.sequence for each in await outbox.take()]


async def test_what_is_put_is_taken_in_order() -> None:
    outbox = Outbox()
    taking = asyncio.create_task(taken(outbox))
    await asyncio.sleep(0)
    outbox.put(message(1))
    outbox.put(message(2))

    assert await taking == [1, 2]


@pytest.mark.parametrize(("number", "size"), [(MOST_MESSAGES, 1), (2, MOST_BYTES // 2)])
async def test_too_much_ends_it_and_is_let_go(number: int, size: int) -> None:
    outbox = Outbox()
    for each in range(number):
        outbox.put(message(each, size))
    assert outbox.ending is None
    outbox.put(message(number))
    outbox.put(message(number + 1))

    assert outbox.ending is Ending.SLOW_READER
    assert await outbox.take() == []


async def test_what_can_wait_waits_for_room() -> None:
    outbox = Outbox()
    offered: list[int] = []

    async def offer() -> None:
        for number in range(MOST_MESSAGES):
            await outbox.offer(message(number))
            offered.append(number)

    offering = asyncio.create_task(offer())
    seen: list[int | None] = []
    while len(seen) < MOST_MESSAGES:
        seen += await taken(outbox)
        assert len(offered) - len(seen) < MOST_MESSAGES // 2
    await offering

    assert seen == offered


async def test_who_takes_no_ping_until_the_next_is_a_slow_reader() -> None:
    outbox = Outbox()
    outbox.due()
    assert await outbox.take() == []
    outbox.ping = False
    for number in range(MOST_MESSAGES // 4):
        await outbox.offer(message(number))
    offering = asyncio.create_task(outbox.offer(message(MOST_MESSAGES)))
    await asyncio.sleep(0)
    outbox.due()
    assert outbox.ending is None
    outbox.due()
    await offering

    assert outbox.ending is Ending.SLOW_READER


async def test_the_end_wakes_everybody_and_the_first_reason_counts() -> None:
    outbox = Outbox()
    taking = asyncio.create_task(taken(outbox))
    await asyncio.sleep(0)
    outbox.end(Ending.DONE)
    outbox.end(Ending.GONE)
    await outbox.offer(message(1))

    assert await taking == []
    assert outbox.ending is Ending.DONE


async def test_who_takes_not_even_the_reason_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.outbox.PATIENCE_S", 0)
    outbox = Outbox()
    cut = asyncio.Event()
    with outbox.cut_by(cut.set):
        outbox.end(Ending.SLOW_READER)
        await asyncio.wait_for(cut.wait(), 5)


async def test_a_client_that_went_is_not_cut_off() -> None:
    outbox = Outbox()
    cut: list[bool] = []
    with outbox.cut_by(lambda: cut.append(True)):
        outbox.end(Ending.GONE)
    await asyncio.sleep(0)

    assert cut == []
