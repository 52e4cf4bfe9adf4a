"""Hypothesis strategies: what can be told of a task, in the order of the log and out of it."""

from typing import Any

from hypothesis import strategies as st

from builders import (
    TASK_ID,
    accepted,
    after,
    annotated,
    artifact,
    cancelled,
    completed,
    erased,
    failed,
    late_result,
    progressed,
    requested,
    retrying,
    started,
    submitting,
    timed_out,
    uploaded,
)
from contracts.events import Event, TaskError
from contracts.generation_types import GENERATION_TYPES

MOST_ATTEMPTS = 3

_names = st.sampled_from(["a", "b", "ß"])
_leaves = st.sampled_from([None, True, 0, -(2**53), 1.5, "", "é\u2028", [], [1, None]])
json_objects = st.dictionaries(
    _names, _leaves | st.dictionaries(_names, _leaves, max_size=2), max_size=3
)
attempts = st.integers(0, MOST_ATTEMPTS)
percents = st.sampled_from((0, 1, 10, 50, 99, 100))
moments = st.integers(0, 10_000).map(lambda tenths: tenths / 10)
tasktypes = st.sampled_from(sorted(GENERATION_TYPES))
stages = st.none() | st.sampled_from(
    sorted({s for k in GENERATION_TYPES.values() for s in k.stages})
)
keys = st.sampled_from([f"artifacts/local/{number}.png" for number in range(6)])
texts = st.none() | st.text(min_size=1, max_size=8)
artifacts = st.lists(st.builds(artifact, keys), max_size=3).map(tuple)
errors = st.builds(
    TaskError,
    code=st.sampled_from(["timeout", "provider_error", "invalid_input", "internal"]),
    message=st.sampled_from(["No.", "Später vielleicht."]),
    retryable=st.booleans(),
    attempts=attempts,
    params=json_objects,
)


@st.composite
def requests(draw: st.DrawFn, tasktype: str | None = None, task: str = TASK_ID) -> dict[str, Any]:
    """What is asked for, as keywords of `requested` and `accepted`."""
    run_at = draw(st.none() | moments)
    return {
        "task": task,
        "owner": draw(st.sampled_from(["local", "ann", "bob"])),
        "tasktype": tasktype or draw(tasktypes),
        "prompt": draw(texts),
        "prompt_id": draw(st.sampled_from([None, "p1", "p2"])),
        "reference_images": draw(st.lists(keys, max_size=3, unique=True).map(tuple)),
        "provider_params": draw(json_objects),
        "metadata": draw(json_objects),
        "lane": draw(st.sampled_from(["studio", "kie", "fal"])),
        "run_at": None if run_at is None else after(run_at),
    }


@st.composite
def ends(draw: st.DrawFn, /, **where: Any) -> Event:
    """Any of the ends of a task."""
    attempt = draw(attempts)
    match draw(st.sampled_from(["completed", "failed", "timed_out", "cancelled"])):
        case "completed":
            return completed(attempt, artifacts=draw(artifacts), **where)
        case "failed":
            return failed(attempt, error=draw(errors), stage=draw(stages), **where)
        case "timed_out":
            return timed_out(attempt, **where)
        case _:
            return cancelled(attempt, **where)


@st.composite
def anything(draw: st.DrawFn, task: str = TASK_ID) -> Event:
    """Any fact of any attempt at any time, whether it fits or not."""
    where: dict[str, Any] = {"task": task, "at": draw(moments)}
    attempt = draw(attempts)
    match draw(st.integers(0, 10)):
        case 0:
            return requested(**{**draw(requests(task=task)), "at": where["at"]})
        case 1:
            return accepted(**{**draw(requests(task=task)), "at": where["at"]})
        case 2:
            return started(attempt, **where)
        case 3:
            return submitting(attempt, **where)
        case 4 | 5:
            return progressed(draw(percents), attempt, stage=draw(stages), **where)
        case 6:
            return retrying(attempt, **where)
        case 7:
            return annotated(draw(json_objects), **where)
        case 8:
            return draw(
                st.sampled_from([uploaded(**where), late_result(attempt, **where), erased(**where)])
            )
        case _:
            return draw(ends(**where))


@st.composite
def histories(draw: st.DrawFn, task: str = TASK_ID, *, may_end: bool = True) -> list[Event]:
    """A task's facts in log order, as the services tell them: attempts, then perhaps an end.

    Patches of the metadata come in between, and words of workers that were given up.
    """
    asked = draw(requests(task=task))
    where = {name: asked[name] for name in ("task", "owner", "tasktype")}
    told: list[Event] = []
    if draw(st.booleans()):
        told.append(accepted(**asked))
        if draw(st.booleans()):
            told.append(uploaded(draw(keys), **where))
    if not told or draw(st.booleans()):
        told.append(requested(**asked))
        for attempt in range(1, draw(attempts) + 1):
            told += draw(_attempts(attempt, where))
    if may_end and draw(st.booleans()):
        told.append(draw(ends(**where)))
        if draw(st.booleans()):
            told.append(late_result(artifacts=draw(artifacts), **where))
        if draw(st.booleans()):
            told.append(erased(**where))
    for _ in range(draw(st.integers(0, 2))):
        told.insert(draw(st.integers(1, len(told))), annotated(draw(json_objects), **where))
    return [_at(event, second) for second, event in enumerate(told)]


@st.composite
def _attempts(draw: st.DrawFn, attempt: int, where: dict[str, Any]) -> list[Event]:
    told: list[Event] = [started(attempt, **where)]
    if draw(st.booleans()):
        told.append(submitting(attempt, **where))
    for percent, stage in draw(st.lists(st.tuples(percents, stages), max_size=4)):
        told += [progressed(percent, attempt, stage=stage, **where)]
    if attempt > 1 and draw(st.booleans()):
        told.append(progressed(draw(percents), attempt - 1, **where))
    if draw(st.booleans()):
        told.append(retrying(attempt, **where))
    return told


def _at(event: Event, second: int) -> Event:
    return event.model_copy(update={"time": after(second), "id": f"{event.id}:{second}"})
