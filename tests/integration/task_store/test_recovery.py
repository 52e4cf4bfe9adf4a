"""What comes back after a reload: every task that was accepted, in order, and only one's own."""

from __future__ import annotations

import pytest

from builders import accepted, completed, requested, started, task_id
from contracts import queries
from integration.task_store.conftest import Bus

pytestmark = pytest.mark.usefixtures("task_store")


async def test_recovery_shows_every_task_told_before_the_question(bus: Bus) -> None:
    for number in range(1, 21):
        last = await bus.tell(requested(task=task_id(number), at=number))

        answer = await bus.ask(queries.PROCESSING, owner="local", sequence=last)

        ids = [record["task_id"] for record in answer["ok"]["records"]]
        assert ids == [task_id(each) for each in range(1, number + 1)]


async def test_recovery_says_that_it_is_behind_rather_than_leave_something_out(bus: Bus) -> None:
    last = await bus.tell(requested())

    answer = await bus.ask(queries.PROCESSING, owner="local", sequence=last + 1)

    assert answer == {"error": "behind"}


async def test_the_history_shows_what_was_told_before_the_question_or_what_there_is(
    bus: Bus,
) -> None:
    for number in range(1, 21):
        last = await bus.tell(requested(task=task_id(number), at=number))
        page = (await bus.ask(queries.HISTORY, owner="local", limit=1, sequence=last))["ok"]
        assert [record["task_id"] for record in page["records"]] == [task_id(number)]

    late = (await bus.ask(queries.HISTORY, owner="local", limit=1, sequence=last + 1))["ok"]
    assert [record["task_id"] for record in late["records"]] == [task_id(20)]


async def test_recovery_leaves_out_the_finished_the_pending_if_asked_and_other_owners(
    bus: Bus,
) -> None:
    await bus.tell(
        requested(task=task_id(1)),
        accepted(task=task_id(2), at=1),
        requested(task=task_id(3)),
        started(task=task_id(3)),
        completed(task=task_id(3)),
        requested(task=task_id(4), owner="another"),
    )
    last = await bus.tell(requested(task=task_id(5), tasktype="WHITE_BACKGROUND", at=3))

    async def ids(**question: str) -> list[str]:
        answer = await bus.ask(queries.PROCESSING, owner="local", sequence=last, **question)
        return [record["task_id"] for record in answer["ok"]["records"]]

    assert await ids() == [task_id(1), task_id(2), task_id(5)]
    assert await ids(status="processing") == [task_id(1), task_id(5)]
    assert await ids(type="CREATE") == [task_id(1)]


async def test_history_comes_newest_first_in_pages_without_gap_or_repeat(bus: Bus) -> None:
    await bus.projected(
        await bus.tell(*(requested(task=task_id(n), at=n // 2) for n in range(1, 12)))
    )
    seen: list[str] = []
    after = None
    while True:
        page = (await bus.ask(queries.HISTORY, owner="local", limit=3, after=after))["ok"]
        seen += [record["task_id"] for record in page["records"]]
        after = page["next"]
        if after is None:
            break

    assert seen == [task_id(n) for n in range(11, 0, -1)]


async def test_history_can_be_of_one_prompt_type_or_status(bus: Bus) -> None:
    await bus.projected(
        await bus.tell(
            requested(task=task_id(1), prompt_id="p"),
            requested(task=task_id(2)),
            started(task=task_id(2)),
            completed(task=task_id(2)),
        )
    )

    async def ids(**question: str) -> list[str]:
        page = (await bus.ask(queries.HISTORY, owner="local", limit=10, **question))["ok"]
        return [record["task_id"] for record in page["records"]]

    assert await ids(prompt_id="p") == [task_id(1)]
    assert await ids(status="completed") == [task_id(2)]
    assert await ids(type="VIDEO") == []


async def test_the_events_of_a_task_are_its_owners_alone(bus: Bus) -> None:
    story = [requested(), started(), completed()]
    await bus.projected(await bus.tell(*story))

    mine = await bus.ask(queries.EVENTS, task_id=story[0].task_id, owner="local")
    theirs = await bus.ask(queries.EVENTS, task_id=story[0].task_id, owner="another")

    assert [each["event"]["id"] for each in mine["ok"]["events"]] == [each.id for each in story]
    assert theirs == {"ok": {"events": [], "dropped": []}}


async def test_a_reference_is_known_while_a_task_has_it(bus: Bus) -> None:
    last = await bus.tell(requested(reference_images=("uploads/a/1", "uploads/a/2")))

    answer = await bus.ask(queries.REFERENCED, keys=["uploads/a/2", "uploads/a/3"], sequence=last)

    assert answer == {"ok": {"keys": ["uploads/a/2"]}}


@pytest.mark.parametrize(
    ("subject", "question"),
    [
        (queries.GET, {}),
        (queries.GET, {"task_ids": ["not-a-uuid"]}),
        (queries.GET, {"task_ids": 5}),
        (queries.PROCESSING, {"owner": "local"}),
        (queries.HISTORY, {"owner": "local", "limit": 3, "after": ["yesterday", "x"]}),
        (queries.SILENT, {"log_now": "now"}),
    ],
)
async def test_a_question_that_makes_no_sense_is_answered_as_such(
    bus: Bus, subject: str, question: dict[str, object]
) -> None:
    assert await bus.ask(subject, **question) == {"error": "bad_query"}


async def test_places_stay_exact_over_thousands_of_tickets(bus: Bus) -> None:
    ids = [task_id(n) for n in range(1, 701)]
    await bus.projected(await bus.tell(*(requested(task=each) for each in ids)))
    gone = set(ids[::3])
    await bus.projected(await bus.tell(*(started(task=each) for each in ids[::3])))

    answer = (await bus.ask(queries.GET, task_ids=ids[:500]))["ok"]["records"]
    answer |= (await bus.ask(queries.GET, task_ids=ids[500:]))["ok"]["records"]

    left = [each for each in ids if each not in gone]
    assert [answer[each]["queue_position"] for each in left] == list(range(1, len(left) + 1))
    last = (await bus.log.state()).last_sequence
    whole = (await bus.ask(queries.PROCESSING, owner="local", sequence=last))["ok"]["records"]
    assert {each["task_id"]: each["queue_position"] for each in whole} == {
        each: record["queue_position"] for each, record in answer.items()
    }
    assert {answer[each]["queue_position"] for each in gone} == {0}


async def test_lanes_of_one_provider_are_one_line_the_front_first(bus: Bus) -> None:
    lanes = {1: "studio~2", 2: "studio~1", 3: "studio", 4: "studio~1", 5: "studio", 6: "kie"}
    told = [requested(task=task_id(n), lane=lane) for n, lane in lanes.items()]
    last = await bus.tell(*told)
    await bus.projected(last)
    expected = {3: 1, 5: 2, 2: 3, 4: 4, 1: 5, 6: 1}

    single = (await bus.ask(queries.GET, task_ids=[task_id(n) for n in lanes]))["ok"]["records"]
    whole = (await bus.ask(queries.PROCESSING, owner="local", sequence=last))["ok"]["records"]
    question = {"owners": ["local"], "from": []}
    places = (await bus.ask(queries.PLACES, **question))["ok"]["places"]

    by_id = {task_id(n): place for n, place in expected.items()}
    assert {each: record["queue_position"] for each, record in single.items()} == by_id
    assert {each["task_id"]: each["queue_position"] for each in whole} == by_id
    assert {each[0]: each[3] for each in places} == by_id


async def test_what_owners_have_waiting_is_told_of_those_who_have_much(bus: Bus) -> None:
    many = [requested(task=task_id(n), owner="ann") for n in range(1, 5)]
    behind = requested(task=task_id(5), owner="bob", lane="studio~1")
    few = requested(task=task_id(6), owner="cat")
    await bus.projected(await bus.tell(*many, behind, few))

    shares = (await bus.ask(queries.LINES, least=4))["ok"]["shares"]

    assert sorted(shares) == [["CREATE", "ann", "studio", 4, 0], ["CREATE", "bob", "studio", 1, 1]]
    assert (await bus.ask(queries.LINES))["ok"]["shares"] == []


async def test_an_answer_larger_than_the_brokers_limit_comes_whole(bus: Bus) -> None:
    long = "a" * 16_000
    events = [requested(task=task_id(n), prompt=long, at=n) for n in range(1, 151)]
    last = await bus.tell(*events)

    answer = await bus.ask(queries.PROCESSING, owner="local", sequence=last)

    records = answer["ok"]["records"]
    assert [record["task_id"] for record in records] == [task_id(n) for n in range(1, 151)]
    assert {record["prompt"] for record in records} == {long}
