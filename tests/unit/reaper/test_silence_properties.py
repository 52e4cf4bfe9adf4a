"""Property 6 of the product's first design: stale tasks are cleaned up, under both its readings.

Inactive for: nothing was heard of the task for the timeout. Processing for: the task has been
running for the deadline, heard of or not.
"""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    accepted,
    after,
    cancelled,
    completed,
    failed,
    fold,
    folded,
    progressed,
    requested,
    retrying,
    started,
    task_id,
    timed_out,
)
from contracts.lifecycle import Task
from histories import histories
from reaper.silence import Leave, Limits, Release, TimeOut, UploadFailed, Verdict, decide

FIVE_MINUTES = 300
NEVER = 1e9
INACTIVE_FOR = Limits(timeout_s=FIVE_MINUTES, deadline_s=NEVER, photo_ttl_s=NEVER)
PROCESSING_FOR = Limits(timeout_s=NEVER, deadline_s=FIVE_MINUTES, photo_ttl_s=NEVER)
BOTH = pytest.mark.parametrize("limits", [INACTIVE_FOR, PROCESSING_FOR])

spans = st.integers(0, 700) | st.sampled_from([299, 300, 301])
moments = st.integers(0, 3000)


@dataclass(frozen=True)
class Story:
    """A task with the numbers that decide about it, in seconds after noon."""

    task: Task
    is_started: bool
    waits: bool
    started: float
    last_sign: float


@st.composite
def stories(draw: st.DrawFn, number: int) -> Story:
    task = task_id(number)
    asked = draw(moments)
    start = asked + draw(spans)
    heard = start + draw(spans)
    due = heard + draw(spans)
    where = {"task": task, "at": heard}
    line = [requested(task=task, at=asked)]
    run = [*line, started(task=task, at=start), progressed(task=task, at=heard)]
    told = {
        "waiting": line,
        "running": run,
        "backing_off": [*run, retrying(**where, retry_at=after(due))],
        "completed": [*run, completed(**where)],
        "failed": [*run, failed(**where)],
        "timed_out": [*run, timed_out(**where)],
        "cancelled": [*line, cancelled(**where)],
    }
    phase = draw(st.sampled_from(sorted(told)))
    return Story(
        task=folded(*told[phase]),
        is_started=phase in ("running", "backing_off"),
        waits=phase in ("waiting", "backing_off"),
        started=start,
        last_sign={"waiting": asked, "backing_off": due}.get(phase, heard),
    )


populations = st.integers(0, 8).flatmap(lambda n: st.tuples(*(stories(i) for i in range(n))))


def judged(task: Task, now: float, limits: Limits, served: float | None = None) -> Verdict:
    return decide(
        task,
        served_at=after(now if served is None else served),
        now=after(now),
        watching_since=after(0),
        limits=limits,
    )


def ended(
    population: tuple[Story, ...], now: float, limits: Limits, served: float | None = None
) -> set[str]:
    """The tasks that a sweep ends; while every lane is being served, if not said otherwise."""
    return {
        each.task.task_id
        for each in population
        if isinstance(judged(each.task, now, limits, served), TimeOut)
    }


@given(populations, moments, spans)
def test_exactly_the_tasks_inactive_for_5_minutes_are_ended(
    population: tuple[Story, ...], now: int, ago: int
) -> None:
    """Of one that waits for a worker, its lane's activity is its own."""
    served = now - ago
    assert ended(population, now, INACTIVE_FOR, served) == {
        each.task.task_id
        for each in population
        if (each.is_started or each.waits)
        and now - (max(each.last_sign, served) if each.waits else each.last_sign) >= FIVE_MINUTES
    }


@given(populations, moments)
def test_exactly_the_tasks_processing_for_5_minutes_are_ended(
    population: tuple[Story, ...], now: int
) -> None:
    assert ended(population, now, PROCESSING_FOR) == {
        each.task.task_id
        for each in population
        if each.is_started and now - each.started >= FIVE_MINUTES
    }


@BOTH
@given(history=histories(), now=moments, served=moments)
def test_a_terminal_task_is_never_touched(
    limits: Limits, history: list, now: int, served: int
) -> None:
    task = folded(*history)

    if task.status.is_terminal:
        assert judged(task, now, limits, served) == Leave()


@BOTH
@given(history=histories(may_end=False), now=moments, ago=st.integers(0, FIVE_MINUTES - 1))
def test_a_waiting_task_in_a_served_lane_is_never_touched(
    limits: Limits, history: list, now: int, ago: int
) -> None:
    task = folded(*history)

    if task.phase == "waiting" or (task.phase == "backing_off" and limits is INACTIVE_FOR):
        assert judged(task, now, limits, served=now - ago) == Leave()


@BOTH
@given(history=histories(), now=moments, served=moments, later=moments)
def test_what_was_dealt_with_once_is_not_dealt_with_again(
    limits: Limits, history: list, now: int, served: int, later: int
) -> None:
    before = folded(*history)
    verdict = judged(before, now, limits, served)
    where = {"task": before.task_id, "tasktype": before.type, "owner": before.owner, "at": now}
    match verdict:
        case TimeOut(error=error):
            event = timed_out(before.attempt, error=error, **where)
        case UploadFailed(stage=stage, error=error):
            event = failed(before.attempt, error=error, stage=stage, **where)
        case Release(request=request):
            event = requested(**request.model_dump(), **where)
        case Leave():
            assert judged(before, now, limits, served) == verdict
            return

    task = fold(event, start=before.sequence + 1, task=before)

    assert task is not None
    assert task.sequence == before.sequence + 1
    if isinstance(verdict, Release):
        assert judged(task, now + later, limits, served=now + later) == Leave()
    else:
        assert task.status == "failed"
        assert judged(task, now + later, limits, served) == Leave()


@BOTH
@given(history=histories(may_end=False), now=moments, served=moments, later=moments)
def test_silence_only_grows(
    limits: Limits, history: list, now: int, served: int, later: int
) -> None:
    task = folded(*history)

    if isinstance(judged(task, now, limits, served), TimeOut):
        assert isinstance(judged(task, now + later, limits, served), TimeOut)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_pending_task_is_released_exactly_from_its_time_on(due: int, now: int) -> None:
    task = folded(accepted(tasktype="CREATE", run_at=after(due)))

    assert isinstance(judged(task, now, INACTIVE_FOR), Release) is (now >= due)
