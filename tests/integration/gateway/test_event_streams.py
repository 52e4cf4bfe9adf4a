"""Event streams: a snapshot, then every change, whole and in order, and on from any id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import asyncpg
import httpx2
import pytest

from builders import (
    annotated,
    completed,
    erased,
    failed,
    late_result,
    progressed,
    requested,
    started,
    task_id,
)
from integration.gateway.house import ANN, BOB, CREATE, House, own
from integration.gateway.listening import Listening, Stream, Told, listening

ONE, TWO, THREE = task_id(1), task_id(2), task_id(3)


@pytest.fixture
async def door(task_store: House) -> AsyncIterator[Listening]:
    async with listening(task_store) as opened:
        yield opened


def short(told: list[Told]) -> list[tuple[str, str, int]]:
    return [each.task for each in told]


async def test_first_comes_a_snapshot_by_ascending_sequence(
    task_store: House, door: Listening
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), requested(**own(TWO)), started(**own(ONE)))
    await house.tell(requested(**own(THREE)), completed(**own(THREE)))
    stream = await door.events()
    told = await stream.some(2)

    assert stream.headers["content-type"] == "text/event-stream"
    assert stream.retry_ms is not None
    assert 1000 <= stream.retry_ms <= 3000
    assert short(told) == [(TWO, "queued", 2), (ONE, "generating", 3)]
    assert [each.id for each in told] == [2, 3]
    assert [each.data["queue_position"] for each in told] == [1, 0]


async def test_then_each_event_is_told_as_the_task_was_then(
    task_store: House, door: Listening
) -> None:
    house = task_store
    stream = await door.events()
    await stream.ready()
    last = await house.tell(
        requested(**own(ONE)),
        started(**own(ONE)),
        *(progressed(n, **own(ONE, at=n)) for n in range(3, 60)),
        completed(**own(ONE)),
    )
    told = await stream.some(last, "task")

    assert [each.id for each in told] == list(range(1, last + 1))
    assert [each.data["sequence"] for each in told] == list(range(1, last + 1))
    assert [each.data["progress"] for each in told] == [0, 0, *range(3, 60), 100]
    assert told[-1].data["status"] == "completed"
    await house.projected()
    shown = (await (await house.gateway()).get(f"/tasks/{ONE}")).json()
    root = f"http://127.0.0.1:{door.port}"
    assert told[-1].data == shown | {
        "image_url": shown["image_url"].replace("http://darkroom.test", root),
        "artifacts": [
            each | {"url": each["url"].replace("http://darkroom.test", root)}
            for each in shown["artifacts"]
        ],
    }


async def test_a_task_is_read_as_it_was_told_though_it_is_not_projected_yet(
    task_store: House, door: Listening, database_url: str
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)))
    await house.projected()
    stream = await door.events()
    await stream.ready()
    root = f"http://127.0.0.1:{door.port}"
    projecting = await asyncpg.connect(database_url)
    async with httpx2.AsyncClient(base_url=root, headers=ANN) as http:
        try:
            async with projecting.transaction():
                # The projection stands still from here on.
                await projecting.execute("LOCK TABLE live.checkpoint IN EXCLUSIVE MODE")
                await house.tell(started(**own(ONE)), completed(**own(ONE)))
                told = await stream.some(2, "task")
                unprojected = (await http.get(f"/tasks/{ONE}")).json()
                reading = asyncio.create_task(http.get(f"/tasks/{ONE}"))
        finally:
            await projecting.close()
        projected = (await reading).json()

    assert told[-1].data["status"] == "completed"
    assert unprojected == told[-1].data
    assert projected == told[-1].data


async def test_what_changes_nothing_is_not_told(task_store: House, door: Listening) -> None:
    house = task_store
    stream = await door.events()
    await stream.ready()
    await house.tell(requested(**own(ONE)), started(2, **own(ONE)))
    late = await house.tell(progressed(50, attempt=1, **own(ONE)))
    end = await house.tell(completed(2, **own(ONE)))
    ids = [each.id for each in await stream.some(3, "task")]

    assert ids == [1, 2, end]
    assert late == 3


async def test_an_id_resumes_with_every_change_since_and_no_snapshot(
    task_store: House, door: Listening
) -> None:
    house = task_store
    first = await door.events()
    await first.ready()
    await house.tell(requested(**own(ONE)), requested(**own(TWO)), started(**own(ONE)))
    before = await first.some(3, "task")
    first.close()
    await house.tell(progressed(30, **own(ONE)), completed(**own(ONE)), started(**own(TWO)))
    second = await door.events(after=before[-1].id)
    missed = await second.some(3, "task")
    end = await house.tell(failed(**own(TWO)))
    after = await second.next("task")

    assert short(missed) == [(ONE, "generating", 4), (ONE, "saving", 5), (TWO, "generating", 6)]
    assert missed[0].data["progress"] == 30
    assert (after.id, after.data["status"]) == (end, "failed")


async def test_any_id_resumes_with_the_same_messages(task_store: House, door: Listening) -> None:
    house = task_store
    live = await door.events()
    await live.ready()
    await house.tell(
        requested(**own(ONE)),
        requested(**own(TWO)),
        started(**own(ONE)),
        annotated({"a": 1}, **own(TWO)),
        completed(**own(ONE)),
        annotated({"b": 2}, **own(ONE)),
        started(**own(TWO)),
    )
    whole = await live.some(7, "task")
    for after in range(7):
        resumed = await door.events(after=after)
        assert await resumed.some(7 - after, "task") == whole[after:]
        resumed.close()
    asked = await door.events(query="?after=5")
    assert await asked.some(2, "task") == whole[5:]


async def test_an_empty_snapshot_can_be_resumed_from(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), completed(**own(ONE)))
    first = await door.events()
    assert await first.ready() == []
    assert first.last_id == 2
    first.close()
    await house.tell(requested(**own(TWO)), completed(**own(TWO)))
    again = await door.events(after=first.last_id)

    assert [each.data["status"] for each in await again.ready()] == ["processing", "completed"]
    assert again.last_id == 4


async def test_only_the_type_that_was_asked_for_is_told(task_store: House, door: Listening) -> None:
    house = task_store
    other = own(TWO, tasktype="WHITE_BACKGROUND")
    await house.tell(requested(**own(ONE)), requested(**other))
    stream = await door.events("?type=WHITE_BACKGROUND")
    assert short(await stream.ready()) == [(TWO, "queued", 2)]
    await house.tell(started(**own(ONE)), started(**other))
    resumed = await door.events("?type=WHITE_BACKGROUND", after=1)

    assert short([await stream.next("task")]) == [(TWO, "generating", 4)]
    assert short(await resumed.some(2, "task")) == [(TWO, "queued", 2), (TWO, "generating", 4)]


async def test_nobody_hears_of_another_owners_tasks(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)))
    bobs = [
        await door.stream("/events", headers=BOB),
        await door.stream("/events", headers=BOB | {"Last-Event-ID": "0"}),
    ]
    anns = await door.events()
    for stream in (*bobs, anns):
        await stream.ready()
    await house.tell(started(**own(ONE)), requested(task=TWO, owner="bob"))

    assert short([await anns.next("task")]) == [(ONE, "generating", 2)]
    for stream in bobs:
        assert short([await stream.next("task")]) == [(TWO, "queued", 3)]


@pytest.mark.parametrize("path", [ONE, TWO, "nonsense", task_id(9)])
async def test_a_task_that_is_not_ones_own_is_not_there(
    task_store: House, door: Listening, path: str
) -> None:
    await task_store.tell(
        requested(task=ONE, owner="bob"), requested(**own(TWO)), erased(**own(TWO))
    )
    stream = await door.task(path)

    assert (stream.status, (await stream.body())["code"]) == (404, "task_not_found")


async def test_a_stream_of_a_task_ends_with_it(task_store: House, door: Listening) -> None:
    house = task_store
    task = (await (await house.gateway()).post("/tasks", json=CREATE)).json()
    name = task["task_id"]
    await house.projected()
    stream = await door.task(name)
    shown = await stream.next()
    await house.tell(requested(**own(TWO)), started(**own(name)), progressed(40, **own(name)))
    end = await house.tell(completed(**own(name)))
    told = await stream.rest()

    assert shown.data == task | {"queue_position": 1}
    assert [each.id for each in told if each.event == "task"] == [3, 4, end]
    over = await door.task(name, after=end)
    assert over.status == 204
    partly = await door.task(name, after=3)
    assert [each.id for each in await partly.rest()] == [4, end]


async def test_a_task_that_has_ended_is_shown_once(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)), failed(**own(ONE)))
    stream = await door.task(ONE)
    (told,) = await stream.rest()

    assert (told.id, told.data["status"]) == (3, "failed")


async def test_what_still_happens_to_an_ended_task_is_told(
    task_store: House, door: Listening
) -> None:
    house = task_store
    stream = await door.events()
    await stream.ready()
    await house.tell(requested(**own(ONE)), completed(**own(ONE)))
    await house.tell(annotated({"starred": True}, **own(ONE)), late_result(**own(ONE)))
    told = await stream.some(4, "task")
    again = await door.task(ONE, after=2)

    assert [each.id for each in told] == [1, 2, 3, 4]
    assert (told[2].data["status"], told[2].data["metadata"]) == ("completed", {"starred": True})
    assert await again.rest() == told[2:]


async def test_an_erasure_tells_the_id_and_nothing_else(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(requested(**own(TWO)), requested(**own(ONE)))
    of_all, of_one = await door.events(), await door.task(ONE)
    await of_all.ready()
    await of_one.next("task")
    erasing = await (await house.gateway()).delete(f"/tasks/{ONE}")
    told = await of_all.some(2, "task", "erased")
    gone = (await of_one.rest())[-1]
    since = await (await door.events(after=2)).next("task", "erased")

    assert erasing.status_code == 204
    assert (told[0].data["status"], told[1].event) == ("cancelled", "erased")
    assert told[1].data == {"task_id": ONE}
    assert gone.data["status"] == "cancelled"
    assert since == told[1]


@pytest.mark.parametrize("lag", ["0", "3"])
async def test_an_id_that_the_log_has_forgotten_begins_anew(
    task_store: House, door: Listening, lag: str
) -> None:
    house = task_store
    await house.tell(*(requested(**own(task_id(n))) for n in range(10, 16)))
    await house.projected()
    await house.client.jetstream().purge_stream("GENERATION", seq=6)
    stream = await door.events(after=int(lag))
    told = [await stream.next() for _ in range(7)]

    assert (told[0].event, told[0].data) == ("reset", {})
    assert [each.id for each in told[1:]] == [1, 2, 3, 4, 5, 6]
    known = await door.events(after=5)
    assert (await known.next("task")).id == 6


async def test_an_id_of_another_log_begins_anew(task_store: House, door: Listening) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)))
    for stream in (await door.events(after=4711), await door.task(ONE, after=4711)):
        assert [each.event for each in await stream.some(2)] == ["reset", "task"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 20, "9" * 5000, "１"])
@pytest.mark.parametrize("where", ["header", "query"])
async def test_a_broken_id_is_refused(door: Listening, cursor: str, where: str) -> None:
    if where == "query":
        stream = await door.stream(f"/events?after={quote(cursor)}")
    else:
        stream = await door.stream("/events", headers=ANN | {"Last-Event-ID": cursor})
    problem = await stream.body()

    assert (stream.status, problem["code"]) == (422, "invalid_cursor")


async def test_an_unknown_type_and_a_missing_key_are_refused(door: Listening) -> None:
    unknown = await door.stream("/events?type=POEM")
    nobody = await door.stream("/events", headers={})

    assert (unknown.status, (await unknown.body())["code"]) == (422, "unknown_type")
    assert (nobody.status, (await nobody.body())["code"]) == (401, "unauthorized")


async def test_without_asking_for_a_stream_the_events_are_a_list(
    task_store: House, door: Listening
) -> None:
    await task_store.tell(requested(**own(ONE)))
    await task_store.projected()
    answer = await (await task_store.gateway()).get(f"/tasks/{ONE}/events")

    assert [each["type"] for each in answer.json()["events"]] == ["generation.requested"]


async def test_everything_accepted_before_is_in_the_snapshot(
    task_store: House, door: Listening, http: httpx2.AsyncClient
) -> None:
    for _ in range(5):
        task = (await http.post("/tasks", json=CREATE)).json()
        stream = await door.events()
        told = await _until(stream, task["task_id"])
        assert told.id == task["sequence"]
        stream.close()


async def _until(stream: Stream, name: str) -> Told:
    while (told := await stream.next("task")).data["task_id"] != name:
        pass
    return told


async def test_a_long_snapshot_comes_in_pages_and_misses_nothing(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.tasks.MAX_IDS", 3)
    house = task_store
    names = [task_id(n) for n in range(20, 31)]
    await house.tell(*(requested(**own(name)) for name in names))
    stream = await door.events()
    told = await stream.ready()
    await house.tell(*(started(**own(name)) for name in names))
    after = await stream.some(11, "task")

    assert [each.id for each in told + after] == list(range(1, 23))


async def test_an_old_id_is_read_on_in_pages(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.tasks.MAX_CHANGES", 7)
    monkeypatch.setattr("gateway.streams._NEAR", 20)
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    last = await house.tell(*(progressed(n % 90, **own(ONE, at=n)) for n in range(3, 100)))
    stream = await door.events(after=1)
    told = await stream.ready()
    end = await house.tell(completed(**own(ONE)))

    assert [each.id for each in told] == list(range(2, last + 1))
    assert (await stream.next("task")).id == end
