"""Places that move all the time: everybody's turn comes, and what many follow is chosen once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from builders import folded, requested, started, task_id
from gateway.feed import Feed
from gateway.followers import Follow
from gateway.following import place_message, told_now
from gateway.outbox import Outbox
from gateway.places import MOST_A_TICK, Places

CREATE, WHITE = "CREATE", "WHITE_BACKGROUND"


class Queue:
    """The task-store's answers: Ann's tasks in one line, with strangers before and among them."""

    def __init__(self, tasks: int) -> None:
        self.numbers = {task_id(n): 1000 + 2 * n for n in range(tasks)}
        self.types = dict.fromkeys(self.numbers, CREATE)

    def move(self) -> None:
        """Some have left the front: all others are nearer to it."""
        self.numbers = {each: number - 7 for each, number in self.numbers.items()}

    async def projects(self, sequence: int, within_s: float) -> bool:
        return True

    async def places(self, owners: Any, onward: Any) -> Any:
        found = [
            [each, "ann", self.types[each], number, 1.0] for each, number in self.numbers.items()
        ]
        return found, [], 0


class Room:
    """Places with their followers, a tick at a time."""

    def __init__(self, queue: Queue) -> None:
        absent: Any = None
        bus: Any = SimpleNamespace(on_reconnect=lambda hook: None)
        self.feed = Feed(bus, absent, absent, absent)
        self.feed._running = True  # noqa: SLF001
        tasks: Any = queue
        self.places = Places(tasks, self.feed)

    async def joins(self, **topic: str) -> Follow:
        """Somebody who has yet to arrive."""
        follow = Follow("ann", Outbox(), **topic)
        await self.feed.add(follow)
        return follow

    def arrives(self, follow: Follow) -> None:
        follow.go_live(0)
        self.places.welcome(follow)

    async def follower(self, **topic: str) -> Follow:
        follow = await self.joins(**topic)
        self.arrives(follow)
        return follow

    async def tick(self) -> bool:
        """Whether all is told."""
        await self.places._look()  # noqa: SLF001
        return self.places._tell()  # noqa: SLF001


async def told(follow: Follow) -> dict[str, int]:
    """What has come since the last time."""
    follow.outbox.due()
    follow.outbox.ping, messages = False, await follow.outbox.take()
    every = [orjson.loads(each.body) for each in messages]
    places = {each["task_id"]: each["queue_position"] for each in every}
    assert len(places) == len(every)
    return places


@pytest.fixture
def queue() -> Queue:
    return Queue(400)


@pytest.fixture
def room(queue: Queue) -> Room:
    return Room(queue)


async def test_in_a_line_that_never_rests_every_task_is_told(queue: Queue, room: Room) -> None:
    follow = await room.follower()
    seen: dict[str, int] = {}
    for _ in range(2 * 400 // MOST_A_TICK):
        await room.tick()
        now = await told(follow)
        nearest = sorted(queue.numbers, key=queue.numbers.__getitem__)[: MOST_A_TICK // 2]
        assert now.items() <= queue.numbers.items()
        assert now.keys() >= set(nearest)
        assert len(now) == MOST_A_TICK
        seen |= now
        queue.move()

    assert seen.keys() == queue.numbers.keys()


async def test_a_line_that_rests_is_told_to_its_end(queue: Queue, room: Room) -> None:
    follow = await room.follower()
    order: list[str] = []
    while not await room.tick():
        order += await told(follow)

    assert [*order, *await told(follow)] == list(queue.numbers)
    assert await room.tick()
    assert await told(follow) == {}


@pytest.mark.parametrize("followers", [1, 40])
async def test_what_many_follow_is_chosen_and_written_once(
    queue: Queue, room: Room, monkeypatch: pytest.MonkeyPatch, followers: int
) -> None:
    chosen_from: list[int] = []
    written: list[str] = []

    def choosing(places: dict[str, int], most: int) -> list[str]:
        chosen_from.append(len(places))
        return told_now(places, most)

    def writing(name: str, place: int, eta_seconds: float | None) -> Any:
        written.append(name)
        return place_message(name, place, eta_seconds)

    monkeypatch.setattr("gateway.line.told_now", choosing)
    monkeypatch.setattr("gateway.places.place_message", writing)
    follows = [await room.follower() for _ in range(followers)]
    for _ in range(3):
        written.clear()
        await room.tick()
        assert len(written) == MOST_A_TICK
        assert [len(await told(each)) for each in follows] == [MOST_A_TICK] * followers
        queue.move()

    assert chosen_from == [400] * 3


@pytest.mark.parametrize("moves", [False, True])
async def test_who_joins_without_places_is_told_them_all(
    queue: Queue, room: Room, moves: bool
) -> None:
    first = await room.follower()
    while not await room.tick():
        await told(first)
    late = await room.joins()
    late.waits_for_places = True
    room.arrives(late)
    seen: dict[str, int] = {}
    for _ in range(2 * 400 // MOST_A_TICK + 1):
        await room.tick()
        every = await told(late)
        assert len(every) <= 2 * MOST_A_TICK
        seen |= every
        if moves:
            queue.move()

    assert seen.keys() == queue.numbers.keys()
    assert moves or seen == queue.numbers


async def test_what_was_told_to_others_while_one_joined_is_told_when_it_has(
    queue: Queue, room: Room
) -> None:
    first, late = await room.follower(), await room.joins()
    while not await room.tick():
        await told(first)
    assert await told(late) == {}
    room.arrives(late)
    seen: dict[str, int] = {}
    while not await room.tick():
        seen |= await told(late)

    assert seen | await told(late) == queue.numbers
    assert await told(first) != {}
    assert await told(first) == {}


async def test_who_follows_one_task_or_one_type_is_told_of_no_other(
    queue: Queue, room: Room
) -> None:
    one, white = task_id(399), task_id(398)
    queue.types[white] = WHITE
    of_one, of_white = await room.follower(task_id=one), await room.follower(type_name=WHITE)
    await room.tick()
    assert await told(of_one) == {one: queue.numbers[one]}
    late = await room.joins(task_id=one)
    late.waits_for_places = True
    room.arrives(late)
    while not await room.tick():
        pass

    assert await told(of_white) == {white: queue.numbers[white]}
    assert await told(late) == {one: queue.numbers[one]}
    assert await told(of_one) == {}


async def test_who_has_left_the_line_is_not_told(queue: Queue, room: Room) -> None:
    follow = await room.follower()
    await room.tick()
    before = await told(follow)
    gone = [name for name in queue.numbers if name not in before][:100]
    for name in gone:
        del queue.numbers[name]
        state = folded(requested(task=name, owner="ann"), started(task=name, owner="ann"))
        room.feed.on_change(state)
    while not await room.tick():
        before |= await told(follow)

    assert before | await told(follow) == queue.numbers


async def test_nothing_is_kept_of_what_nobody_follows(queue: Queue, room: Room) -> None:
    of_all, of_one = await room.follower(), await room.follower(task_id=task_id(1))
    await room.tick()
    room.feed.remove(of_all)
    await room.tick()
    assert list(room.places._known) == [task_id(1)]  # noqa: SLF001
    room.feed.remove(of_one)

    assert not room.places._known  # noqa: SLF001
    assert not room.places._lines  # noqa: SLF001
    assert await room.tick()
