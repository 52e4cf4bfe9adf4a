"""A task whose event can't be applied says so to who follows it, and when it goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from builders import completed, progressed, requested, started, task_id
from contracts import queries
from contracts.subjects import progress_subject
from gateway.following import notice_of
from integration.gateway.house import ANN, House, own
from integration.gateway.listening import Listening, Stream, listening
from servers import eventually

ONE = task_id(1)


@pytest.fixture
async def door(task_store: House) -> AsyncIterator[Listening]:
    async with listening(task_store) as opened:
        yield opened


async def _followed(door: Listening, what: str) -> Stream:
    """A stream that has told of the running task."""
    stream = await (door.task(ONE) if what == "task" else door.events())
    told = await stream.next("task")
    assert (told.id, told.data["metadata"]) == (2, {})
    return stream


async def _put_aside(house: House) -> int:
    stray = await house.client.jetstream().publish(progress_subject("CREATE", ONE), b"{")
    return stray.seq


@pytest.mark.parametrize("what", ["task", "owner"])
async def test_followers_hear_that_a_task_is_on_hold_and_that_it_goes_on(
    task_store: House, door: Listening, what: str
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    await house.projected()
    stream = await _followed(door, what)

    stray = await _put_aside(house)
    held = await stream.next("task")
    await house.tell(progressed(40, **own(ONE)))
    await house.projected()
    order = {"who": "ops", "sequences": [stray], "note": "a stray"}
    await house.ask(queries.DROP_DEAD_LETTERS, **order)
    goes_on = await stream.next("task")
    end = await house.tell(completed(**own(ONE)))
    ended = await stream.next("task")

    assert held.data["metadata"]["parked"]["since"].endswith("Z")
    assert (held.id, held.data["sequence"]) == (None, 2)
    assert (goes_on.id, goes_on.data["progress"], goes_on.data["metadata"]) == (None, 40, {})
    assert (ended.id, ended.data["status"]) == (end, "completed")


async def test_who_comes_while_a_task_is_on_hold_is_told_so_and_who_comes_later_is_not(
    task_store: House, door: Listening
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    stray = await _put_aside(house)
    await house.tell(progressed(40, **own(ONE)))
    await house.projected()

    meanwhile = await (await door.task(ONE)).next("task")
    order = {"who": "ops", "sequences": [stray], "note": "a stray"}
    await house.ask(queries.DROP_DEAD_LETTERS, **order)
    later = await (await door.task(ONE)).next("task")
    resumed = await (await door.task(ONE, after=2)).next("task")

    assert "parked" in meanwhile.data["metadata"]
    assert (later.data["progress"], later.data["metadata"]) == (40, {})
    assert (resumed.id, resumed.data["progress"]) == (4, 40)


async def test_the_end_that_was_on_hold_ends_the_stream_of_its_task(
    task_store: House, door: Listening
) -> None:
    house = task_store
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    await house.projected()
    stream = await _followed(door, "task")
    stray = await _put_aside(house)
    await house.tell(completed(**own(ONE)))
    await house.projected()
    await stream.next("task")

    order = {"who": "ops", "sequences": [stray], "note": "a stray"}
    await house.ask(queries.DROP_DEAD_LETTERS, **order)

    assert [each.data["status"] for each in await stream.rest()] == ["completed"]


async def test_a_stray_of_no_task_disturbs_nobody_who_asks_meanwhile(
    task_store: House,
    door: Listening,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    house, tasks = task_store, door.parts.tasks
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    await house.projected()
    await _followed(door, "owner")
    ask, asked, answers = tasks._ask, asyncio.Event(), asyncio.Event()  # noqa: SLF001

    async def slow(subject: str, *question: Any) -> Any:
        """What is asked meanwhile shares the next question."""
        if subject == queries.GET:
            asked.set()
            await answers.wait()
        return await ask(subject, *question)

    monkeypatch.setattr("gateway.tasks.TIMEOUT_S", 30)
    monkeypatch.setattr(tasks, "_ask", slow)
    transport = httpx2.ASGITransport(door.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://darkroom.test", headers=ANN
    ) as http:
        reads = [asyncio.create_task(http.get(f"/tasks/{ONE}"))]
        await asked.wait()
        stray = progress_subject("CREATE", "nonsense")
        stored = await house.client.jetstream().publish(stray, b"{")
        assert await tasks.projects(stored.seq, 10)
        reads += [asyncio.create_task(http.get(f"/tasks/{ONE}")) for _ in range(50)]
        await eventually(lambda: len(tasks._asked.get(ONE, ())) == 50)  # noqa: SLF001
        answers.set()
        told = await asyncio.gather(*reads)

    assert {each.status_code for each in told} == {200}
    ours = [each for each in caplog.records if each.name.startswith("gateway.")]
    assert [each for each in ours if each.levelno >= logging.ERROR] == []
    with pytest.raises(ValueError, match="can't be a task's id"):
        await tasks.get("nonsense")


async def test_what_happens_while_a_task_on_hold_is_read_is_not_followed_by_an_older_state(
    task_store: House, door: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, tasks = task_store, door.parts.tasks
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    await house.projected()
    stream = await _followed(door, "owner")
    stray = await _put_aside(house)
    assert (await stream.next("task")).data["metadata"]["parked"]
    get, ends = tasks.get, list[int]()

    async def overtaken(task_id: str) -> Any:
        """An answer that is old when it comes."""
        found = await get(task_id)
        if not ends:
            ends.append(await house.tell(completed(**own(ONE))))
            await eventually(lambda: door.parts.streams.feed.sequence >= ends[0])
        return found

    monkeypatch.setattr(tasks, "get", overtaken)
    order = {"who": "ops", "sequences": [stray], "note": "a stray"}
    await house.ask(queries.DROP_DEAD_LETTERS, **order)
    first, last = await stream.some(2, "task")

    assert (first.id, first.data["status"]) == (ends[0], "completed")
    assert (last.data["status"], last.data["sequence"]) == ("completed", ends[0])


@pytest.mark.parametrize(
    ("what", "after", "read"),
    [("task", None, "get"), ("owner", None, "snapshot"), ("owner", 2, "changes")],
)
async def test_who_joins_is_told_no_notice_that_is_older_than_what_it_has_read(
    task_store: House,
    door: Listening,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    after: int | None,
    read: str,
) -> None:
    house, tasks = task_store, door.parts.tasks
    await house.tell(requested(**own(ONE)), started(**own(ONE)))
    await house.projected()
    record, _ = await tasks.get(ONE)
    assert record is not None
    notice = notice_of(record, door.parts.views.told)
    await house.tell(progressed(40, **own(ONE)))
    await house.projected()
    real = getattr(tasks, read)

    async def overtaken(*question: Any) -> Any:
        """A notice of before comes with the answer."""
        answer = await real(*question)
        for follow in list(door.parts.streams.feed.followers.of("ann", ONE)):
            follow.tell(notice)
        return answer

    monkeypatch.setattr(tasks, read, overtaken)
    stream = await (door.task(ONE, after) if what == "task" else door.events(after=after))
    first = await stream.next("task")
    await stream.ready()
    end = await house.tell(completed(**own(ONE)))
    last = await stream.next("task")

    assert (first.id, first.data["progress"]) == (3, 40)
    assert (last.id, last.data["status"]) == (end, "completed")
