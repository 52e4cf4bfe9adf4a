"""Laws of the fold, for any history. Properties 1 to 4 are those of the product's first design."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import after, completed, failed, fold, folded, requested, task_id, timed_out
from contracts.events import Completed, Event, Failed, decode, encode
from contracts.lifecycle import (
    CompletedState,
    FailedState,
    Phase,
    Running,
    Status,
    Task,
    Unapplicable,
    Waiting,
    evolve,
)
from contracts.records import from_record, to_record
from histories import anything, artifacts, attempts, ends, errors, histories, requests

BEGINNINGS = ("generation.requested", "generation.accepted", "generation.erased")
ENDED = (Phase.COMPLETED, Phase.FAILED, Phase.CANCELLED)


def steps(events: list[Event]) -> list[tuple[Task | None, Event, Task]]:
    """Every step of a fold that leaves out what can't be applied."""
    task: Task | None = None
    taken = []
    for sequence, event in enumerate(events, 1):
        before = task
        if before is None and event.type not in BEGINNINGS:
            with pytest.raises(Unapplicable, match="unknown_task"):
                evolve(before, event, sequence, event.time)
            continue
        task = evolve(before, event, sequence, event.time)
        assert task is not None
        taken.append((before, event, task))
    return taken


# Property 1: task creation invariant


@given(requests(), st.integers(1, 2**53))
def test_a_new_task_is_processing_with_all_that_was_asked_for(
    asked: dict[str, Any], sequence: int
) -> None:
    event = requested(**asked)

    task = evolve(None, decode(encode(event)), sequence, after(0.1))

    assert task == Task(
        task_id=asked["task"],
        owner=asked["owner"],
        type=asked["tasktype"],
        request=event.data,
        state=Waiting(ticket=sequence),
        stage=event.data.stage,
        created_at=event.time,
        updated_at=event.time,
        heard_at=after(0.1),
        sequence=sequence,
        metadata=asked["metadata"],
    )
    assert task is not None
    assert (task.status, task.progress, task.attempt) == (Status.PROCESSING, 0, 0)
    record = to_record(task)
    for name in ("prompt", "prompt_id", "provider_params", "metadata", "run_at", "lane"):
        assert record[name] == asked[name]
    assert record["reference_images"] == list(asked["reference_images"])


# Property 2: task completion


@given(histories(may_end=False), attempts, artifacts)
def test_completion_makes_any_live_task_completed_with_its_results(
    history: list[Event], attempt: int, results: tuple[Any, ...]
) -> None:
    before = folded(*history)
    end = completed(attempt, artifacts=results, tasktype=before.type, at=900)

    task = folded(*history, end)

    assert not before.status.is_terminal
    assert task.state == CompletedState(end.time, results)
    assert (task.status, task.progress) == (Status.COMPLETED, 100)
    assert [each["key"] for each in to_record(task)["artifacts"]] == [each.key for each in results]


# Property 3: task failure


@given(histories(may_end=False), attempts, errors, st.booleans())
def test_failure_makes_any_live_task_failed_with_its_error(
    history: list[Event], attempt: int, error: Any, silent: bool
) -> None:
    before = folded(*history)
    tell = timed_out if silent else failed
    end = tell(attempt, error=error, tasktype=before.type, at=900)

    task = folded(*history, end)

    assert task.state == FailedState(end.time, error)
    assert (task.status, task.progress) == (Status.FAILED, 0)
    assert to_record(task)["error"] == error.model_dump()
    assert to_record(task)["artifacts"] == []


# Property 4: processing task recovery


def processing(tasks: list[Task], tasktype: str) -> set[str]:
    """What the recovery query answers, over tasks in memory."""
    return {each.task_id for each in tasks if not each.status.is_terminal and each.type == tasktype}


@given(st.data(), st.integers(0, 3))
def test_recovery_finds_exactly_the_tasks_that_have_no_end(data: st.DataObject, count: int) -> None:
    told = [data.draw(histories(task_id(number))) for number in range(count)]
    tasks = [folded(*history) for history in told]

    for tasktype in {each.type for each in tasks}:
        endless = {
            history[0].subject
            for history in told
            if history[0].tasktype == tasktype
            and not any(event.type in ENDING_TYPES for event in history)
        }
        assert processing(tasks, tasktype) == endless


ENDING_TYPES = (
    "generation.completed",
    "generation.failed",
    "generation.timed_out",
    "generation.cancelled",
    "generation.erased",
)


# Duplicates and reordering


@given(histories(), st.data())
def test_redeliveries_change_nothing(history: list[Event], data: st.DataObject) -> None:
    """Each event comes first in order, and again at any later moment, as often as one likes."""
    deliveries: list[tuple[int, Event]] = []
    for delivery in enumerate(history, 1):
        deliveries.append(delivery)
        deliveries += data.draw(st.lists(st.sampled_from(deliveries), max_size=3))

    task: Task | None = None
    for sequence, event in deliveries:
        task = evolve(task, event, sequence, event.time)

    assert task == fold(*history)


@given(histories())
def test_an_event_stored_twice_in_a_row_counts_once(history: list[Event]) -> None:
    once: Task | None = None
    twice: Task | None = None
    for number, event in enumerate(history, 1):
        once = evolve(once, event, 2 * number, event.time)
        twice = evolve(twice, event, 2 * number, event.time)
        twice = evolve(twice, event, 2 * number + 1, event.time)

    assert once is not None
    assert twice is not None
    assert twice._replace(sequence=once.sequence) == once


@given(histories(), st.randoms(use_true_random=False))
def test_no_order_of_the_events_breaks_the_fold(history: list[Event], random: Any) -> None:
    random.shuffle(history)

    for before, _, task in steps(history):
        assert before is None or task.sequence >= before.sequence


@given(st.lists(anything(), max_size=20))
def test_no_events_break_the_fold(events: list[Event]) -> None:
    for _, event, task in steps([requested(), *events]):
        assert task.task_id == event.subject
        assert to_record(from_record(to_record(task))) == to_record(task)


@given(histories(may_end=False), ends(), st.lists(anything(), max_size=20))
def test_a_terminal_task_never_moves_again(
    history: list[Event], end: Event, later: list[Event]
) -> None:
    first, *others = [task for _, _, task in steps([*history, end, *later]) if task.phase in ENDED]

    for task in others:
        assert (task.state, task.stage, task.attempt) == (first.state, first.stage, first.attempt)


@given(st.lists(anything(), max_size=20))
def test_an_erased_task_stays_erased(events: list[Event]) -> None:
    erased_tasks = [
        task for _, _, task in steps([requested(), *events]) if task.phase is Phase.ERASED
    ]

    assert len(set(map(id, erased_tasks))) <= 1


# Progress, attempts, sequences


@given(st.lists(anything(), max_size=30))
def test_progress_never_falls_within_an_attempt(events: list[Event]) -> None:
    highest: dict[int, int] = {}
    for _, _, task in steps([requested(), *events]):
        if isinstance(task.state, Running):
            assert task.progress >= highest.get(task.attempt, 0)
            highest[task.attempt] = task.progress


@given(st.lists(anything(), max_size=20))
def test_a_hundred_percent_means_completed_and_only_running_shows_less(
    events: list[Event],
) -> None:
    for _, _, task in steps([requested(), *events]):
        if task.phase is Phase.COMPLETED:
            assert task.progress == 100
        elif task.phase is Phase.RUNNING:
            assert 0 <= task.progress < 100
        else:
            assert task.progress == 0


@given(st.lists(anything(), max_size=20))
def test_the_sequence_only_grows_and_moves_with_every_change(events: list[Event]) -> None:
    for before, _, task in steps([requested(), *events]):
        assert before is None or task is before or task.sequence > before.sequence


@given(histories(), st.data())
def test_no_word_of_an_older_attempt_is_heard(history: list[Event], data: st.DataObject) -> None:
    task = folded(*history)
    event = data.draw(anything())

    if getattr(event.data, "attempt", task.attempt) < task.attempt:
        after_it = evolve(task, event, task.sequence + 1, event.time)
        assert after_it is task or event.type in (*ENDING_TYPES, "generation.late_result")


@given(histories())
def test_the_attempt_is_the_number_of_starts(history: list[Event]) -> None:
    """As long as nobody tells of a later attempt: ends may."""
    for _, event, task in steps(history):
        if isinstance(event, Completed | Failed) or task.status.is_terminal:
            break
        starts = [each for each in history[: task.sequence] if each.type == "generation.started"]
        assert task.attempt == len(starts)


# Records


@given(histories())
def test_a_record_is_the_task(history: list[Event]) -> None:
    record = to_record(folded(*history))

    assert to_record(from_record(record)) == record


@given(histories())
def test_a_record_survives_json(history: list[Event]) -> None:
    record = to_record(folded(*history))

    sent = json.loads(json.dumps(record, default=datetime.isoformat))

    assert to_record(from_record(sent)) == record


@given(histories(), st.data())
def test_a_fold_can_go_on_from_a_record(history: list[Event], data: st.DataObject) -> None:
    split = data.draw(st.integers(1, len(history)))
    kept = from_record(to_record(folded(*history[:split])))

    task = fold(*history[split:], start=split + 1, task=kept)

    assert task is not None
    assert to_record(task) == to_record(folded(*history))


@given(anything())
def test_an_event_survives_its_encoding(event: Event) -> None:
    assert decode(encode(event)) == event
