"""Of two workers that both believe to have a task, one submits its job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from builders import (
    annotated,
    cancelled,
    progressed,
    requested,
    retrying,
    started,
    submitting,
    task_id,
)
from contracts.events import Completed, Event, Started, Submitting
from delivery.publisher import Publisher, WrongLastSequence
from integration.generator.floor import Floor
from integration.generator.scripted_provider import ScriptedRemote
from servers import eventually

LANE = ScriptedRemote.name
TASK = task_id(940)
FIRST = [requested(task=TASK, lane=LANE, provider_params={})]
SECOND = [*FIRST, started(task=TASK, provider=LANE)]

Happens = Callable[[Callable[[], Awaitable[object]]], Awaitable[object]]
Before = Callable[..., None]


@pytest.fixture
def before(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> Before:
    """Have something happen when a worker is about to publish an event of that type, once.

    What happens is handed that publish, to make it once more.
    """
    publish = Publisher.publish

    def arrange(kind: type[Event], happens: Happens, attempt: int = 1) -> None:
        happened: list[Event] = []

        async def slowly(self: Publisher, event: Event, **how: Any) -> object:
            is_it = type(event) is kind and event.data.attempt >= attempt
            if self is not floor.publisher and is_it and not happened:
                happened.append(event)
                await happens(lambda: publish(self, event, **how))
            return await publish(self, event, **how)

        monkeypatch.setattr(Publisher, "publish", slowly)

    return arrange


def told(floor: Floor, *events: Event) -> Happens:
    async def happens(_: object) -> None:
        for event in events:
            await floor.tell(event)

    return happens


async def let_go(floor: Floor, *story: str) -> None:
    """Wait until the worker lets go of the task, of which all this is told by then."""

    async def is_let_go() -> bool:
        return TASK not in floor.held() and await floor.story(TASK) == list(story)

    await eventually(is_let_go, 20)


ANOTHERS = {
    "its start": [started(2, task=TASK)],
    "its submit": [submitting(2, task=TASK)],
    "its job": [progressed(0, 2, task=TASK, handle={"file": "job"})],
    "its detour": [requested(task=TASK, lane="other", event_id="again"), annotated(task=TASK)],
}
"""What another worker may tell while one is cut off."""


@pytest.mark.parametrize("what", ANOTHERS)
@pytest.mark.parametrize("begun", [FIRST, SECOND], ids=["first attempt", "second attempt"])
async def test_who_was_overtaken_after_it_started_submits_nothing(
    floor: Floor, before: Before, begun: list[Event], what: str
) -> None:
    before(Submitting, told(floor, *ANOTHERS[what]))
    for event in begun:
        await floor.tell(event)
    await floor.start(lease_s=600)

    names = [event.type.removeprefix("generation.") for event in (*begun, *ANOTHERS[what])]
    await let_go(floor, *names[: len(begun)], "started", *names[len(begun) :])
    assert floor.stage.calls(TASK) == []


@pytest.mark.parametrize("what", ANOTHERS)
async def test_who_was_overtaken_before_it_started_submits_nothing(
    floor: Floor, before: Before, what: str
) -> None:
    before(Started, told(floor, *ANOTHERS[what]), attempt=2)
    for event in SECOND:
        await floor.tell(event)
    await floor.start(lease_s=600)

    names = [event.type.removeprefix("generation.") for event in (*SECOND, *ANOTHERS[what])]
    await let_go(floor, *names, "started")
    assert floor.stage.calls(TASK) == []


async def test_who_finds_that_the_task_has_ended_submits_nothing(
    floor: Floor, before: Before
) -> None:
    before(Submitting, told(floor, annotated(task=TASK), cancelled(task=TASK)))
    await floor.tell(*FIRST)
    await floor.start(lease_s=600)

    await floor.acknowledged(LANE)
    assert floor.stage.calls(TASK) == []


@pytest.mark.parametrize("begun", [FIRST, SECOND], ids=["first attempt", "second attempt"])
async def test_what_others_say_of_a_task_stops_no_submit(
    floor: Floor, before: Before, begun: list[Event]
) -> None:
    beside = [annotated(task=TASK), progressed(20, task=TASK), retrying(task=TASK)]
    before(Submitting, told(floor, *beside[: len(begun)]))
    for event in begun:
        await floor.tell(event)
    await floor.start()

    assert isinstance(await floor.ended(TASK), Completed)
    attempt = len(begun)
    assert floor.stage.calls(TASK) == [("submit", attempt), ("follow", attempt)]


@pytest.mark.parametrize("begun", [FIRST, SECOND], ids=["first attempt", "second attempt"])
async def test_an_announcement_whose_acknowledgement_was_lost_is_still_ones_own(
    floor: Floor, before: Before, begun: list[Event]
) -> None:
    async def lost(publish: Callable[[], Awaitable[object]]) -> None:
        await publish()

    before(Submitting, lost)
    for event in begun:
        await floor.tell(event)
    await floor.start()

    assert isinstance(await floor.ended(TASK), Completed)
    assert (await floor.story(TASK)).count("submitting") == 1
    attempt = len(begun)
    assert floor.stage.calls(TASK) == [("submit", attempt), ("follow", attempt)]


async def test_who_announced_a_submit_and_was_then_overtaken_submits_nothing(
    floor: Floor, before: Before
) -> None:
    async def cut_off(publish: Callable[[], Awaitable[object]]) -> None:
        await publish()
        await floor.tell(started(2, task=TASK))

    before(Submitting, cut_off)
    await floor.tell(*FIRST)
    await floor.start(lease_s=600)

    await let_go(floor, "requested", "started", "submitting", "started")
    assert floor.stage.calls(TASK) == []


async def test_a_log_that_refuses_again_and_again_is_left_to_a_later_delivery(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = Publisher.publish

    async def refused(self: Publisher, event: Event, **how: Any) -> object:
        if isinstance(event, Submitting):
            raise WrongLastSequence
        return await publish(self, event, **how)

    monkeypatch.setattr(Publisher, "publish", refused)
    monkeypatch.setattr("generator.pursuit._CONFLICT_PAUSE_S", 0.0)
    await floor.tell(*FIRST)
    await floor.start(lease_s=600)

    await let_go(floor, "requested", "started")
    assert floor.stage.calls(TASK) == []
