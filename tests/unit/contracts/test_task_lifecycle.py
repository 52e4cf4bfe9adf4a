"""What is true of a task after a fact: every arrow of the state machine, and every missing one."""

import pytest

from builders import (
    NOON,
    OWNER,
    PROVIDER_ERROR,
    TASK_ID,
    TIMEOUT,
    accepted,
    after,
    annotated,
    artifact,
    cancelled,
    completed,
    erased,
    failed,
    fold,
    folded,
    given,
    late_result,
    progressed,
    requested,
    retrying,
    started,
    submitting,
    timed_out,
    uploaded,
)
from contracts.events import EVENT_CLASSES, Event, RequestData, event_type
from contracts.generation_types import GENERATION_TYPES
from contracts.lifecycle import (
    MOVES,
    STATUS_OF,
    BackingOff,
    CancelledState,
    CompletedState,
    ErasedState,
    FailedState,
    Pending,
    Phase,
    Running,
    Status,
    Task,
    Unapplicable,
    Waiting,
    evolve,
)

REACHED: dict[Phase | None, tuple[Event, ...]] = {
    None: (),
    Phase.PENDING: (accepted(),),
    Phase.WAITING: (requested(),),
    Phase.RUNNING: (requested(), started()),
    Phase.BACKING_OFF: (requested(), started(), retrying()),
    Phase.COMPLETED: (requested(), started(), completed()),
    Phase.FAILED: (requested(), started(), failed()),
    Phase.CANCELLED: (requested(), cancelled()),
    Phase.ERASED: (requested(), erased()),
}
"""The facts that lead to each state."""

NEWS: dict[str, Event] = {
    event.type: event
    for event in (
        requested(at=1000, lane="kie", attempt=2),
        accepted(at=1000),
        started(2, at=1000),
        submitting(at=1000),
        progressed(at=1000),
        retrying(at=1000),
        annotated(at=1000),
        uploaded(at=1000),
        late_result(at=1000),
        completed(at=1000),
        failed(at=1000),
        timed_out(at=1000),
        cancelled(at=1000),
        erased(at=1000),
    )
}
"""One fact of every type, none of them of an older attempt."""

MISSING = [(phase, name) for phase in REACHED for name in NEWS if (phase, name) not in MOVES]


def test_every_state_can_be_reached_and_every_event_told() -> None:
    assert set(REACHED) == {None, *Phase}
    assert set(NEWS) == {event_type(each) for each in EVENT_CLASSES}


@pytest.mark.parametrize(("before", "name"), MOVES)
def test_every_arrow_leads_where_the_table_says(before: Phase | None, name: str) -> None:
    task = folded(*REACHED[before], NEWS[name])

    assert task.phase is MOVES[before, name]
    assert task.status is STATUS_OF[task.phase]
    assert task.sequence == len(REACHED[before]) + 1


@pytest.mark.parametrize(("before", "name"), [each for each in MISSING if each[0] is not None])
def test_an_event_without_an_arrow_changes_nothing(before: Phase, name: str) -> None:
    given(*REACHED[before]).when(NEWS[name]).then_nothing()


@pytest.mark.parametrize("name", [name for phase, name in MISSING if phase is None])
def test_a_task_that_never_began_takes_only_a_beginning_or_an_erasure(name: str) -> None:
    with pytest.raises(Unapplicable) as refusal:
        fold(NEWS[name])

    assert refusal.value.reason == "unknown_task"


@pytest.mark.parametrize("status", Status)
def test_only_pending_and_processing_are_not_terminal(status: Status) -> None:
    assert status.is_terminal == (status.value in ("completed", "failed", "cancelled"))


def test_a_task_in_the_line_of_one_provider_may_join_that_of_another() -> None:
    there = requested(
        at=5, lane="kie", attempt=1, substituted_from="STUDIO", provider_params={"seed": 1}
    )
    task = folded(requested(metadata={"page": "create"}), started(), retrying(), there)

    assert task.state == Waiting(ticket=4)
    assert (task.request.lane, task.stage, task.attempt) == ("kie", "queued", 1)
    assert task.request.provider_params == {"seed": 1}
    assert task.metadata == {"page": "create", "substituted_from": "STUDIO"}


def test_a_request_for_the_line_in_which_a_task_is_changes_nothing() -> None:
    given(requested(), started()).when(requested(at=5)).then_nothing()


def test_who_is_behind_sends_no_task_to_another_provider() -> None:
    there = requested(at=5, lane="kie", attempt=1, substituted_from="STUDIO")
    given(requested(), started(), started(2, at=2)).when(there).then_nothing()


def test_a_requested_task_is_processing_and_in_line() -> None:
    event = requested(metadata={"page": "create"}, reference_images=("uploads/local/a.png",))

    task = evolve(None, event, 7, after(0.2))

    assert task == Task(
        task_id=TASK_ID,
        owner=OWNER,
        type="CREATE",
        request=event.data,
        state=Waiting(ticket=7),
        stage="queued",
        created_at=NOON,
        updated_at=NOON,
        heard_at=after(0.2),
        sequence=7,
        metadata={"page": "create"},
    )
    assert task is not None
    assert (task.status, task.progress, task.attempt) == ("processing", 0, 0)


def test_an_accepted_task_is_pending_and_in_no_line() -> None:
    event = accepted(metadata={"page": "3d"})

    assert folded(event) == Task(
        task_id=TASK_ID,
        owner=OWNER,
        type="PHOTO_TO_3D",
        request=event.data,
        state=Pending(),
        stage="pending",
        created_at=NOON,
        updated_at=NOON,
        heard_at=NOON,
        sequence=1,
        metadata={"page": "3d"},
    )


def test_a_photo_is_a_reference_of_the_pending_task() -> None:
    task = given(accepted()).when(uploaded("uploads/local/photo.jpg"))

    task.then(request=accepted().data.model_copy(update={"reference_images": (PHOTO,)}))


def test_a_photo_told_twice_is_one_reference() -> None:
    given(accepted(), uploaded(PHOTO)).when(uploaded(PHOTO, at=2)).then()


def test_a_pending_task_gets_its_place_from_its_request() -> None:
    event = requested(tasktype="PHOTO_TO_3D", reference_images=(PHOTO,), at=5)

    given(accepted(metadata={"a": 1}), uploaded(), annotated({"b": 2})).when(event).then(
        request=event.data,
        state=Waiting(ticket=4),
        stage="uploaded",
        status="processing",
        metadata={"a": 1, "b": 2},
    )


def test_a_started_task_runs_its_first_attempt() -> None:
    given(requested()).when(started()).then(
        state=Running(0),
        stage="generating",
        attempt=1,
        provider="studio",
        started_at=after(1),
        status="processing",
    )


def test_a_started_told_twice_keeps_the_progress_of_its_attempt() -> None:
    given(requested(), started(), progressed(40)).when(started(at=4)).then(progress=40)


def test_a_new_attempt_begins_at_zero_and_keeps_the_first_start() -> None:
    given(requested(), started(), progressed(80)).when(started(2, at=40, provider="kie")).then(
        state=Running(0), attempt=2, provider="kie", started_at=after(1)
    )


def test_progress_moves_percent_and_stage_and_keeps_the_handle() -> None:
    handle = {"id": "job-9", "url": "https://provider.example/job-9"}
    first = progressed(10, external_task_id="job-9", handle=handle)

    task = given(requested(), started()).when(first, progressed(80, at=4, stage="saving"))

    task.then(state=Running(80), stage="saving", external_task_id="job-9", handle=handle)


def test_progress_never_falls_within_an_attempt() -> None:
    given(requested(), started(), progressed(40)).when(progressed(20, at=4)).then(progress=40)


def test_progress_stays_below_a_hundred_until_the_task_is_completed() -> None:
    running = given(requested(), started())

    running.when(progressed(100)).then(state=Running(99))
    assert running.when(progressed(100), completed()).then_status("completed").progress == 100


@pytest.mark.parametrize("late", [progressed(90), submitting(), retrying(), started()])
def test_an_older_attempt_is_not_heard_any_more(late: Event) -> None:
    given(requested(), started(), started(2, at=40)).when(late).then_nothing()


def test_a_provider_call_about_to_be_made_is_only_a_sign_of_life() -> None:
    task = given(requested(), started()).when(submitting(at=9)).then()

    assert task.heard_at == after(9)


def test_a_failed_attempt_backs_off_until_the_next() -> None:
    given(requested(), started(), progressed(60)).when(retrying()).then(
        state=BackingOff(retry_at=after(5)), stage="queued", progress=0, status="processing"
    )


def test_a_failed_attempt_that_starts_once_more_stays_failed() -> None:
    given(requested(), started(), retrying()).when(started(at=6)).then_nothing()


def test_the_attempt_after_a_backoff_runs() -> None:
    given(requested(), started(), retrying()).when(started(2, at=6)).then(
        state=Running(0), stage="generating", attempt=2
    )


def test_a_completed_task_has_its_artifacts() -> None:
    pictures = (artifact("artifacts/local/1.png"), artifact("artifacts/local/2.png"))

    given(requested(), started()).when(
        completed(artifacts=pictures, external_task_id="job-9", at=12)
    ).then(
        state=CompletedState(after(12), pictures),
        stage="saving",
        progress=100,
        external_task_id="job-9",
        status="completed",
    )


def test_a_failed_task_tells_why_and_shows_no_progress() -> None:
    given(requested(), started(), progressed(60)).when(failed(2)).then(
        state=FailedState(after(10), PROVIDER_ERROR), progress=0, attempt=2, status="failed"
    )


def test_a_timed_out_task_has_failed() -> None:
    given(requested(), started()).when(timed_out()).then(
        state=FailedState(after(310), TIMEOUT), status="failed"
    )


PHOTO = "uploads/local/photo.jpg"
THREE_D = {"tasktype": "PHOTO_TO_3D"}


@pytest.mark.parametrize(
    ("reached", "shown"),
    [
        ("uploaded", "bgr_removal_failed"),
        ("bgr_removed", "job_creation_failed"),
        ("job_created", "model_generation_failed"),
        ("model_generated", "model_saving_failed"),
    ],
)
def test_a_3d_task_fails_in_the_stage_after_the_one_it_reached(reached: str, shown: str) -> None:
    passed = GENERATION_TYPES["PHOTO_TO_3D"].steps_to("uploaded", reached)
    steps = (progressed(stage=each, **THREE_D) for each in passed)

    given(requested(**THREE_D), started(**THREE_D), *steps).when(timed_out(**THREE_D)).then(
        state=FailedState(after(310), TIMEOUT), progress=0, stage=shown
    )


def test_a_photo_that_never_comes_fails_the_upload() -> None:
    given(accepted()).when(failed(0, **THREE_D)).then(
        state=FailedState(after(10), PROVIDER_ERROR), stage="upload_failed"
    )


def test_a_failure_that_names_its_stage_is_believed_where_the_chart_has_an_arrow_to_it() -> None:
    given(requested(**THREE_D), started(**THREE_D)).when(
        failed(stage="upload_failed", **THREE_D)
    ).then(state=FailedState(after(10), PROVIDER_ERROR), stage="upload_failed")


def test_a_failure_that_names_a_stage_out_of_reach_shows_the_one_after_the_reached() -> None:
    given(requested(**THREE_D), started(**THREE_D)).when(
        failed(stage="model_saving_failed", **THREE_D)
    ).then(state=FailedState(after(10), PROVIDER_ERROR), stage="bgr_removal_failed")


_PHOTO = GENERATION_TYPES["PHOTO_TO_3D"]
_CHART = {
    ("pending", "uploaded"),
    ("pending", "upload_failed"),
    ("uploaded", "bgr_removed"),
    ("uploaded", "upload_failed"),
    ("uploaded", "bgr_removal_failed"),
    ("bgr_removed", "job_created"),
    ("bgr_removed", "job_creation_failed"),
    ("job_created", "model_generated"),
    ("job_created", "model_generation_failed"),
    ("model_generated", "model_saved"),
    ("model_generated", "model_saving_failed"),
}


@pytest.mark.parametrize("after_", _PHOTO.stages)
@pytest.mark.parametrize("before", _PHOTO.stages)
def test_a_photos_task_moves_exactly_where_the_chart_has_an_arrow(before: str, after_: str) -> None:
    arrow = (before, after_) in _CHART
    assert _PHOTO.allows(before, after_) == arrow
    task = _in_stage(before)

    moved = evolve(task, _to_stage(after_), 100, after(100))

    if task.status.is_terminal or not arrow:
        # A move that isn't on the chart leaves the stage, or ends the task in one that is.
        assert moved is not None
        assert moved.stage == before or (before, moved.stage) in _CHART
        assert moved.stage != after_ or before == after_
    else:
        assert moved is not None
        assert moved.stage == after_


def _in_stage(stage: str) -> Task:
    """A task of a photo that came to this stage in the only way."""
    happy = _PHOTO.happy_stages
    source = next((at for at, failed_in in _PHOTO.failure_stages.items() if failed_in == stage), "")
    reached = source or stage
    events: list[Event] = [accepted()]
    if reached != "pending":
        events += [requested(at=1, **THREE_D), started(at=2, **THREE_D)]
        events += [
            progressed(stage=each, at=3, **THREE_D)
            for each in _PHOTO.steps_to("uploaded", reached)
            if each != happy[-1]
        ]
    if source:
        events.append(failed(0 if source == "pending" else 1, stage=stage, at=4, **THREE_D))
    elif stage == happy[-1]:
        events.append(completed(stage=stage, at=4, **THREE_D))
    task = fold(*events)
    assert task is not None
    assert task.stage == stage
    return task


def _to_stage(stage: str) -> Event:
    """The event that tells of this stage."""
    if stage in _PHOTO.failure_stages.values():
        return failed(stage=stage, at=99, **THREE_D)
    if stage == "uploaded":
        return requested(at=99, **THREE_D)
    return progressed(stage=stage, at=99, **THREE_D)


def test_a_type_that_only_a_deployment_knows_keeps_the_stage_in_which_it_failed() -> None:
    assert "FRESCO" not in GENERATION_TYPES
    fresco = {"tasktype": "FRESCO"}

    given(requested(**fresco), started(stage="plastering", **fresco)).when(failed(**fresco)).then(
        state=FailedState(after(10), PROVIDER_ERROR)
    )


def test_a_cancelled_task_keeps_its_stage_and_its_attempt() -> None:
    given(requested(), started(2), progressed(60, 2)).when(cancelled()).then(
        state=CancelledState(after(10)), progress=0, status="cancelled"
    )


def test_an_end_counts_whichever_attempt_tells_it() -> None:
    given(requested(), started(), started(2, at=40)).when(completed(1, at=41)).then(
        state=CompletedState(after(41), (artifact(),)), stage="saving"
    )


@pytest.mark.parametrize("end", [completed(), failed(), timed_out(), cancelled()])
def test_the_first_end_is_the_end(end: Event) -> None:
    ended = given(requested(), started(), end)

    for later in (completed(at=500), failed(at=500), timed_out(at=500), cancelled(at=500)):
        ended.when(later).then_nothing()


def test_a_late_result_is_kept_beside_the_end() -> None:
    given(requested(), started(), timed_out()).when(late_result()).then(
        late_artifacts=(artifact("artifacts/local/late.png"),)
    )


def test_metadata_is_patched_at_any_time() -> None:
    begun = requested(metadata={"a": 1, "nested": {"x": 1, "y": 2}})
    patch = annotated({"a": None, "b": 2, "nested": {"x": 3}}, at=500)

    given(begun).when(patch).then(metadata={"b": 2, "nested": {"x": 3, "y": 2}})
    given(begun, started(), completed()).when(patch).then(
        metadata={"b": 2, "nested": {"x": 3, "y": 2}}
    )


def test_all_that_remains_of_an_erased_task_is_that_it_was() -> None:
    tombstone = Task(
        task_id=TASK_ID,
        owner=OWNER,
        type="CREATE",
        request=RequestData(lane="", stage=""),
        state=ErasedState(after(400)),
        stage="",
        created_at=after(400),
        updated_at=after(400),
        heard_at=after(400),
        sequence=4,
    )

    assert fold(requested(), started(), completed(), erased()) == tombstone
    assert fold(erased(), start=4) == tombstone
    assert (tombstone.status, tombstone.progress) == ("cancelled", 0)


def test_an_event_at_a_sequence_already_reached_changes_nothing() -> None:
    task = folded(requested(), started(), start=10)

    assert evolve(task, progressed(40), 11, after(3)) is task
    assert evolve(task, progressed(40), 3, after(3)) is task


def test_only_what_a_worker_tells_is_a_sign_of_life() -> None:
    running = folded(requested(), started(), progressed(10, at=3))

    told = evolve(running, progressed(20, at=8), 4, after(8.5))
    patched = evolve(running, annotated(at=8), 4, after(8.5))

    assert told is not None
    assert patched is not None
    assert (told.heard_at, told.updated_at) == (after(8.5), after(8))
    assert (patched.heard_at, patched.updated_at) == (after(3), after(8))


def test_a_writer_whose_clock_is_behind_never_turns_the_time_back() -> None:
    task = folded(requested(), started(at=10))

    slow = evolve(task, progressed(50, at=4), 3, after(12))

    assert slow == task._replace(state=Running(50), heard_at=after(12), sequence=3)
