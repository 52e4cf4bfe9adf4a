"""Steps are told in order, and nobody waits for it but for a moment at the end."""

from __future__ import annotations

import asyncio

from generator.pace import Step
from generator.telling import Telling
from servers import eventually

STEPS = [Step(10, None), Step(20, None), Step(30, "saving")]


class Log:
    """Takes one step at a time, while its gate is open."""

    def __init__(self) -> None:
        self.told: list[Step] = []
        self.gate = asyncio.Event()

    async def tell(self, step: Step) -> None:
        await self.gate.wait()
        self.told.append(step)


async def test_steps_are_told_in_order_once_the_log_takes_them() -> None:
    log = Log()
    telling = Telling(log.tell)
    for step in STEPS:
        telling.say(step)
    assert log.told == []

    log.gate.set()
    await telling.all_told(30)

    assert log.told == STEPS


async def test_what_is_said_after_a_pause_is_told_too() -> None:
    log = Log()
    log.gate.set()
    telling = Telling(log.tell)
    telling.say(STEPS[0])
    await eventually(lambda: log.told == STEPS[:1])

    telling.say(STEPS[1])
    await telling.all_told(30)

    assert log.told == STEPS[:2]


async def test_a_log_that_takes_nothing_holds_nobody_up() -> None:
    log = Log()
    telling = Telling(log.tell)
    telling.say(STEPS[0])

    await telling.all_told(0.01)
    log.gate.set()
    await telling.all_told(30)

    assert log.told == []


async def test_who_is_stopped_tells_no_more() -> None:
    log = Log()
    log.gate.set()
    telling = Telling(log.tell)
    telling.say(STEPS[0])

    telling.stop()
    await telling.all_told(30)

    assert log.told == []


async def test_nothing_said_is_nothing_to_wait_for() -> None:
    log = Log()
    telling = Telling(log.tell)
    telling.stop()
    await telling.all_told(30)
    assert log.told == []
