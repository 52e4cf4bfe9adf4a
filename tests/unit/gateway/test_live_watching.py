"""Who watches a task hears of it; who may have missed something is told so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from nats.aio.client import Client

from builders import TASK_ID, progressed, requested, started, task_id
from contracts.events import Event, encode
from contracts.lifecycle import Task, evolve
from contracts.subjects import subject_of
from delivery.incoming import Incoming
from gateway.live import READ_AGAIN, STOPPING, Live, LiveEvent, Watcher
from gateway.reading import Reader


class Unconnected(Client):
    """Takes subscriptions and does nothing with them."""

    async def subscribe(self, *_: Any, **__: Any) -> Any:
        return SimpleNamespace(_id=1, unsubscribe=self.flush)

    async def flush(self, *_: Any) -> None:
        return


def live() -> Live:
    bus: Any = SimpleNamespace(
        link=SimpleNamespace(client=Unconnected()), on_reconnect=lambda hook: hooks.append(hook)
    )
    hooks: list[Any] = []
    made = Live(bus)
    made.reconnected = hooks[0]  # type: ignore[attr-defined]
    return made


async def hear(watched: Live, event: Event, sequence: int) -> None:
    lines = ["NATS/1.0", f"Nats-Sequence: {sequence}", "Nats-Time-Stamp: 2026-11-21T12:00:00.5Z"]
    head = "\r\n".join([*lines, "", ""]).encode()
    message = Incoming(f"live.{subject_of(event)}", "", head, encode(event))
    watched._on_message(message)  # noqa: SLF001


async def heard(watcher: Watcher) -> list[Any]:
    """Everything told so far, without waiting."""
    notices: list[Any] = []
    while (notice := await watcher.next(within_s=0)) is not None:
        notices.append(notice)
    return notices


async def test_a_watcher_hears_of_its_task_alone() -> None:
    watched = live()
    async with watched.watch(TASK_ID) as watcher:
        await hear(watched, requested(task=task_id(7)), 1)
        await hear(watched, started(), 2)
        (told,) = await heard(watcher)

    assert isinstance(told, LiveEvent)
    assert (told.event, told.sequence) == (started(), 2)


async def test_a_jump_in_the_sequence_tells_everybody_to_read_again() -> None:
    watched = live()
    async with watched.watch(TASK_ID) as one, watched.watch(task_id(7)) as other:
        await hear(watched, requested(task=task_id(8)), 5)
        await hear(watched, requested(task=task_id(9)), 6)
        await hear(watched, progressed(), 8)

        assert (await heard(one))[0] is READ_AGAIN
        assert await heard(other) == [READ_AGAIN]


async def test_a_reconnect_and_the_end_are_told_to_everybody() -> None:
    watched = live()
    async with watched.watch(TASK_ID) as watcher:
        await watched.reconnected()  # type: ignore[attr-defined]
        watched.stop()

        assert await heard(watcher) == [READ_AGAIN, STOPPING]


async def test_who_does_not_listen_is_told_once_to_read_again() -> None:
    watched = live()
    async with watched.watch(TASK_ID) as watcher:
        for sequence in range(1, 1000):
            await hear(watched, progressed(), sequence)
        notices = await heard(watcher)

    assert notices[0] is READ_AGAIN
    assert len(notices) <= 256


async def test_an_unreadable_event_is_no_news() -> None:
    begun = history(requested())
    watched = live()
    async with watched.watch(TASK_ID) as watcher:
        head = b"NATS/1.0\r\nNats-Sequence: 2\r\n\r\n"
        watched._on_message(Incoming(f"live.x.{TASK_ID}", "", head, b"{"))  # noqa: SLF001
        await hear(watched, started(), 3)
        waited = await reader().wait(watcher, begun, lambda task: task.attempt > 0, within_s=60)

    assert (waited.attempt, waited.sequence) == (1, 3)


async def test_what_a_task_is_made_of_already_is_no_news() -> None:
    begun = history(requested())
    watched = live()
    async with watched.watch(TASK_ID) as watcher:
        await hear(watched, requested(), 1)
        waited = await reader().wait(watcher, begun, lambda _: False, within_s=0.01)

    assert waited is begun


def reader() -> Reader:
    absent: Any = None
    return Reader(absent, absent, absent)


def history(event: Event) -> Task:
    begun = evolve(None, event, 1, event.time)
    assert begun is not None
    return begun
