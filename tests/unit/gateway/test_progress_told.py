"""Who waits for the projection is woken by what the task-store tells, and by nothing else."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from nats.aio.client import Client

from contracts.subjects import PROJECTED
from delivery.incoming import Incoming
from gateway.progress import Progress

LONG_S = 60.0


class Unconnected(Client):
    """Takes subscriptions and does nothing with them."""

    async def subscribe(self, *_: Any, **__: Any) -> Any:
        return SimpleNamespace(_id=1)


def progress() -> Progress:
    hooks: list[Any] = []
    bus: Any = SimpleNamespace(
        any_link=SimpleNamespace(client=Unconnected()), on_reconnect=hooks.append
    )
    made = Progress(bus)
    made.reconnected = hooks[0]  # type: ignore[attr-defined]
    return made


def tell(made: Progress, sequence: int) -> None:
    made._on_projected(  # noqa: SLF001
        Incoming(PROJECTED, "", b"", b'{"sequence":%d}' % sequence)
    )


async def test_those_whose_sequence_is_reached_are_woken_and_the_others_wait_on() -> None:
    made = progress()
    waiting = {at: asyncio.create_task(made.reaches(at, LONG_S)) for at in (7, 3, 5)}
    await asyncio.sleep(0)
    tell(made, 5)
    done, pending = await asyncio.wait(waiting.values(), return_when=asyncio.FIRST_COMPLETED)
    if len(done) == 1:
        more, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        done |= more

    assert done == {waiting[3], waiting[5]}
    assert [each.result() for each in done] == [True, True]
    tell(made, 9)
    assert await waiting[7] is True


async def test_what_was_told_before_is_known_at_once() -> None:
    made = progress()
    tell(made, 5)

    assert await made.reaches(5, 0) is True


async def test_who_waited_in_vain_is_told_so_and_forgotten() -> None:
    made = progress()

    assert await made.reaches(5, 0) is False
    assert made._waiting == []  # noqa: SLF001


async def test_who_gave_up_waiting_is_forgotten() -> None:
    made = progress()
    waiting = asyncio.create_task(made.reaches(5, LONG_S))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})

    assert waiting.cancelled()
    assert made._waiting == []  # noqa: SLF001


async def test_behind_a_new_connection_nothing_is_known() -> None:
    made = progress()
    tell(made, 5)
    await made.reconnected()  # type: ignore[attr-defined]

    assert await made.reaches(5, 0) is False
