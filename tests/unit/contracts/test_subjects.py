"""Where events lie on the bus, and under which names."""

from datetime import timedelta

import pytest

from builders import (
    accepted,
    annotated,
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
from contracts.events import EVENT_CLASSES, Event, event_type
from contracts.subjects import (
    ALL_EVENTS,
    ALL_FINISHED,
    CANCEL_SUBJECTS,
    LIVE_EVENTS,
    LaneConsumerSpec,
    StreamSpec,
    band_of,
    beginnings_of,
    callbacks_of,
    cancel_subject,
    facts_after_request,
    lane_of,
    provider_of,
    replay_stream,
    replay_subject,
    requests_of,
    restore_subject,
    subject_of,
    task_id_of,
)

IMAGE = {"task": "t-1", "tasktype": "WHITE_BACKGROUND"}
PROGRESS = "generation.progress.white_background.t-1"
FINISHED = "generation.finished.white_background.t-1"

TABLE: list[tuple[Event, str]] = [
    (requested(lane="kie", **IMAGE), "generation.requested.white_background.kie.t-1"),
    (accepted(**IMAGE), PROGRESS),
    (started(**IMAGE), PROGRESS),
    (progressed(**IMAGE), PROGRESS),
    (submitting(**IMAGE), PROGRESS),
    (retrying(**IMAGE), PROGRESS),
    (annotated(**IMAGE), PROGRESS),
    (uploaded(**IMAGE), PROGRESS),
    (late_result(**IMAGE), PROGRESS),
    (completed(**IMAGE), FINISHED),
    (failed(**IMAGE), FINISHED),
    (timed_out(**IMAGE), FINISHED),
    (cancelled(**IMAGE), FINISHED),
    (erased(**IMAGE), FINISHED),
]


def matches(pattern: str, subject: str) -> bool:
    """Whether a NATS pattern matches."""
    wanted, found = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, found = wanted[:-1], found[: len(wanted) - 1]
    return len(wanted) == len(found) and all(
        one in ("*", other) for one, other in zip(wanted, found, strict=True)
    )


@pytest.mark.parametrize(("event", "subject"), TABLE, ids=[each.type for each, _ in TABLE])
def test_every_event_has_its_subject(event: Event, subject: str) -> None:
    assert subject_of(event) == subject
    assert task_id_of(subject) == "t-1"
    assert matches(ALL_EVENTS, subject)
    assert matches(LIVE_EVENTS, f"live.{subject}")
    assert matches(ALL_FINISHED, subject) == (subject == FINISHED)


def test_no_event_is_missing_in_the_table() -> None:
    assert {each.type for each, _ in TABLE} == {event_type(each) for each in EVENT_CLASSES}


def test_a_task_is_found_by_its_id_alone() -> None:
    request, progress = TABLE[0][1], PROGRESS

    assert matches(requests_of("t-1"), request)
    assert not matches(requests_of("t-2"), request)
    assert matches(beginnings_of("t-1"), progress)
    assert not matches(beginnings_of("t-1"), request)


@pytest.mark.parametrize(("event", "subject"), TABLE, ids=[each.type for each, _ in TABLE])
def test_all_that_is_told_of_a_task_but_its_request_is_found_at_once(
    event: Event, subject: str
) -> None:
    asked = event.type == "generation.requested"

    assert matches(facts_after_request("WHITE_BACKGROUND", "t-1"), subject) == (not asked)
    assert not matches(facts_after_request("WHITE_BACKGROUND", "t-2"), subject)
    assert not matches(facts_after_request("CREATE", "t-1"), subject)


def test_a_cancellation_has_a_subject_of_its_own() -> None:
    assert cancel_subject("t-1") == "cancel.t-1"
    assert matches(CANCEL_SUBJECTS, cancel_subject("t-1"))
    assert task_id_of("cancel.t-1") == "t-1"


def test_what_is_told_again_is_on_no_subject_of_the_log() -> None:
    subject = subject_of(completed())

    again, back = replay_subject("audit", subject), restore_subject(subject)

    assert again == f"replay.audit.{subject}"
    assert back == f"restore.{subject}"
    assert not any(matches(ALL_EVENTS, each) for each in (again, back))
    assert replay_stream("audit") == "REPLAY_audit"


def test_a_lane_is_a_durable_consumer_of_its_requests_alone() -> None:
    lane = LaneConsumerSpec("WHITE_BACKGROUND", "kie")

    assert lane.durable == "generator-white_background-kie"
    assert lane.filter_subject == "generation.requested.white_background.kie.>"
    assert matches(lane.filter_subject, TABLE[0][1])
    assert lane.ack_wait == timedelta(seconds=30)


def test_the_stream_keeps_every_event() -> None:
    spec = StreamSpec(max_age=timedelta(days=30), max_bytes=1)

    assert (spec.name, spec.subjects, spec.replicas) == ("GENERATION", ("generation.>",), 1)


@pytest.mark.parametrize(("band", "lane"), [(0, "kie"), (1, "kie~1"), (2, "kie~2")])
def test_a_lane_tells_its_provider_and_how_far_back_it_is(band: int, lane: str) -> None:
    assert lane_of("kie", band) == lane
    assert (provider_of(lane), band_of(lane)) == ("kie", band)


def test_the_lanes_of_a_provider_are_served_in_the_order_of_their_names() -> None:
    lanes = [lane_of("kie", band) for band in range(3)]
    assert lanes == sorted(lanes)


def test_a_tasks_callbacks_are_found_whoever_serves_it() -> None:
    assert matches(callbacks_of("t-1"), "$KV.HOOKS.kie.t-1")
    assert not matches(callbacks_of("t-1"), "$KV.HOOKS.kie.t-2")
