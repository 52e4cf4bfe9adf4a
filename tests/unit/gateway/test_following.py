"""What followers are told: a message for each event that changed a task, and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builders import (
    NOON,
    TASK_ID,
    accepted,
    annotated,
    completed,
    erased,
    folded,
    progressed,
    requested,
    started,
    submitting,
    task_id,
)
from contracts.events import Event, encode
from contracts.subjects import subject_of
from gateway.following import (
    STUCK,
    Cursor,
    Fact,
    changes,
    error_message,
    fact,
    is_beginning,
    message_of,
    place_message,
    reset_message,
    snapshot_message,
    told_now,
)
from gateway.following import (
    folded as folded_facts,
)


def facts(*events: Event, start: int = 1) -> list[Fact]:
    return [
        fact(subject_of(event), sequence, NOON, encode(event))
        for sequence, event in enumerate(events, start)
    ]


def unreadable(sequence: int) -> Fact:
    return fact(f"generation.progress.create.{TASK_ID}", sequence, NOON, b"{")


def view(record: Any) -> dict[str, Any]:
    return {"task_id": record["task_id"], "stage": record["stage"]}


def test_each_change_after_the_cursor_is_a_task() -> None:
    told = facts(requested(), started(), submitting(), progressed(0), progressed(50), completed())
    late = [*told, *facts(progressed(90), start=7)]

    assert [task.sequence for task in changes(late, 0)] == [1, 2, 3, 4, 5, 6]
    assert [(task.sequence, task.progress) for task in changes(late, 4)] == [(5, 50), (6, 100)]
    assert list(changes(late, 6)) == []


def test_changes_follow_on_what_a_task_was_before() -> None:
    base = folded(requested(), started(), completed())

    [task] = changes(facts(annotated({"a": 1}), start=9), 4, [base])

    assert (task.sequence, task.phase, task.metadata) == (9, "completed", {"a": 1})


def test_tasks_are_folded_side_by_side() -> None:
    other = task_id(7)
    told = facts(requested(), requested(task=other), started(task=other), started())

    assert [task.task_id for task in changes(told, 0)] == [TASK_ID, other, other, TASK_ID]


def test_what_cannot_be_read_holds_up_its_task_until_it_is_erased() -> None:
    told = [*facts(requested()), unreadable(2), *facts(started(), erased(), start=3)]

    assert [task.sequence for task in changes(told, 0)] == [1, 4]
    assert folded_facts(told, 4) is STUCK


def test_what_speaks_of_another_task_than_its_subject_is_unreadable() -> None:
    assert (
        fact(f"generation.progress.create.{task_id(9)}", 1, NOON, encode(started())).event is None
    )


def test_a_task_that_never_began_has_no_state() -> None:
    assert folded_facts([], 10) is None
    assert folded_facts(facts(requested()), 1) is None
    assert folded_facts(facts(started()), 2) is STUCK


@pytest.mark.parametrize(
    ("event", "begins"),
    [
        (requested(), True),
        (requested(tasktype="POEM"), True),
        (requested(run_at=NOON), False),
        (requested(lane="fal", substituted_from="KIE"), False),
        (requested(tasktype="PHOTO_TO_3D"), False),
        (accepted(), True),
        (erased(), True),
        (started(), False),
        (None, False),
    ],
)
def test_only_some_events_begin_a_task_for_sure(event: Event | None, begins: bool) -> None:
    assert is_beginning(event) is begins


def test_a_message_is_the_task_with_its_sequence() -> None:
    message = message_of(folded(requested(), started()), view)

    assert message.sse == (
        f'id: 2\nevent: task\ndata: {{"task_id":"{TASK_ID}","stage":"generating"}}\n\n'.encode()
    )
    assert json.loads(message.frame) == {
        "id": 2,
        "event": "task",
        "data": {"task_id": TASK_ID, "stage": "generating"},
    }
    assert (message.type, message.is_last) == ("CREATE", False)
    assert message_of(folded(requested(), completed()), view).is_last
    assert message_of(folded(requested(), completed(), annotated()), view).is_last


def test_an_erasure_tells_the_id_alone() -> None:
    message = message_of(folded(requested(), erased()), view)

    assert json.loads(message.frame) == {"id": 2, "event": "erased", "data": {"task_id": TASK_ID}}
    assert message.is_last


def test_what_has_no_place_in_the_log_has_no_id() -> None:
    assert place_message("t", 3, 1.5).sse == (
        b'event: position\ndata: {"task_id":"t","queue_position":3,"eta_seconds":1.5}\n\n'
    )
    assert reset_message().sse == b"event: reset\ndata: {}\n\n"
    assert json.loads(error_message({"code": "x"}).frame) == {
        "id": None,
        "event": "error",
        "data": {"code": "x"},
    }
    snapshot = snapshot_message({"task_id": "t", "stage": "s", "sequence": 4}, view)
    assert snapshot.sse.startswith(b"id: 4\nevent: task\n")


def test_a_cursor_is_an_id_and_no_event() -> None:
    assert Cursor(12).sse == b"id: 12\n\n"
    assert json.loads(Cursor(12).frame) == {"id": 12, "event": "ready", "data": {}}


def test_half_of_the_places_told_are_the_nearest_the_others_those_that_waited_longest() -> None:
    places = {"a": 5, "b": 4, "c": 2, "d": 1, "e": 3}

    assert told_now(places, 2) == ["d", "a"]
    assert told_now(places, 3) == ["d", "c", "a"]
    assert told_now(places, 9) == ["d", "c", "e", "b", "a"]
    assert told_now({}, 2) == []
