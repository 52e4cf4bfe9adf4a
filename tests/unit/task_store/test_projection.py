"""What a batch of the log changes, as a pure function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from hypothesis import given as every
from hypothesis import strategies as st

from builders import (
    OWNER,
    TASK_ID,
    accepted,
    after,
    annotated,
    cancelled,
    completed,
    erased,
    failed,
    folded,
    late_result,
    progressed,
    requested,
    retrying,
    started,
    task_id,
    timed_out,
)
from contracts.events import Event, encode
from contracts.subjects import progress_subject, subject_of
from task_store.projection import (
    LEVELS,
    Changes,
    CountKey,
    Fold,
    Known,
    Lane,
    LaneKey,
    Pace,
    Read,
    eta_seconds,
    read,
    unknown,
)

LINE: LaneKey = ("CREATE", "studio")


@dataclass(frozen=True)
class Stored:
    subject: str
    sequence: int
    logtime: datetime
    payload: bytes
    event_id: str = "id"


def stored(event: Event, sequence: int) -> Stored:
    return Stored(subject_of(event), sequence, event.time, encode(event), event.id)


def reads(*events: Event, start: int = 1) -> list[Read]:
    return [read(stored(event, sequence)) for sequence, event in enumerate(events, start)]


def nothing_known() -> Known:
    return Known({})


def project(batch: list[Read], known: Known) -> Changes:
    fold = Fold(known)
    for each in batch:
        fold.take(each)
    return fold.changes()


def after_batches(*batches: list[Read]) -> tuple[Known, list[Changes]]:
    """What is known after batches were applied one after the other, as the projector does."""
    known, all_changes = nothing_known(), []
    for batch in batches:
        changes = project(batch, known)
        all_changes.append(changes)
        counts = {k: n for k, n in {**known.counts, **changes.counts}.items() if n > 0}
        parked = {task: n for task, n in known.parked.items() if task not in changes.erased}
        known = Known(
            {**known.tasks, **changes.tasks},
            counts,
            {**known.lanes, **changes.lanes},
            {**parked, **changes.newly_parked},
        )
    return known, all_changes


def test_a_batch_folds_each_task() -> None:
    other = task_id(2)
    changes = project(reads(requested(), requested(task=other), started()), nothing_known())

    assert changes.tasks[TASK_ID].phase == "running"
    assert changes.tasks[other].phase == "waiting"
    assert (changes.applied, changes.late, changes.parked) == (3, 0, [])


def test_tickets_far_apart_are_counted_together_where_buckets_are_large() -> None:
    far = read(stored(requested(task=task_id(2)), 600))
    changes = project([*reads(requested()), far], nothing_known())

    assert changes.counts == {
        (*LINE, 1, 0): 1,
        (*LINE, 1, 600 >> 8): 1,
        (*LINE, 2, 0): 2,
        (*LINE, 3, 0): 2,
    }


def test_late_events_are_counted_and_change_nothing() -> None:
    changes = project(reads(requested(), cancelled(), started(), completed()), nothing_known())

    assert changes.tasks[TASK_ID].phase == "cancelled"
    assert (changes.applied, changes.late) == (2, 2)


def test_what_was_dropped_is_kept_and_changes_nothing() -> None:
    fold = Fold(nothing_known())
    stray = stored(requested(), 1)

    fold.pass_over(stray)

    assert fold.changes() == Changes(kept=[(stray, TASK_ID)])


def test_a_lane_was_served_when_its_last_event_was_told_in_whatever_order_they_are_applied() -> (
    None
):
    other = task_id(2)
    known, _ = after_batches(reads(requested(), requested(task=other), started(task=other, at=9)))

    # Parked before, and applied now.
    earlier = project(reads(started(at=5), start=9), known)

    assert earlier.lanes[LINE].running == 2
    assert earlier.lanes[LINE].served_at == after(9)


def test_a_waiting_task_is_counted_once_at_each_level() -> None:
    changes = project(reads(requested(), start=70_000), nothing_known())

    assert changes.counts == {(*LINE, level, 70_000 >> 8 * level): 1 for level in LEVELS}
    assert changes.lanes[LINE] == Lane(waiting=1)


def test_whatever_is_told_of_an_archived_task_brings_its_row_back_once() -> None:
    task = folded(requested(), started(), completed())
    known = Known({TASK_ID: task}, archived={TASK_ID})

    late = project(reads(progressed(60), progressed(70), start=4), known)
    patched = project(reads(annotated({"a": 1}), annotated({"b": 2}), start=4), known)

    assert (late.tasks, late.begun, late.thawed) == ({TASK_ID: task}, {TASK_ID}, {TASK_ID})
    assert (late.late, late.lanes, late.counts) == (2, {}, {})
    assert patched.tasks[TASK_ID].metadata == {"a": 1, "b": 2}
    assert patched.begun == patched.thawed == {TASK_ID}


def test_what_was_dropped_brings_an_archived_task_back_too() -> None:
    task = folded(requested(), started(), completed())
    fold = Fold(Known({TASK_ID: task}, archived={TASK_ID}))

    fold.pass_over(stored(annotated({"a": 1}), 4))

    assert fold.changes().tasks == {TASK_ID: task}
    assert fold.changes().thawed == {TASK_ID}


def test_whatever_ends_the_wait_takes_the_task_out_of_the_line() -> None:
    for end in (started(), cancelled(), failed(), timed_out(), completed(), erased()):
        changes = project(reads(requested(), end), nothing_known())

        assert set(changes.counts.values()) == {0}, end.type
        assert changes.lanes[LINE].waiting == 0, end.type


def test_a_pending_task_stands_in_no_line_until_it_is_requested() -> None:
    waiting = requested(tasktype="PHOTO_TO_3D", at=5)
    known, changes = after_batches(reads(accepted()), reads(waiting, start=2))

    assert changes[0].counts == {}
    assert known.lanes["PHOTO_TO_3D", "studio"].waiting == 1


def test_a_lane_knows_who_runs_when_it_was_served_and_how_long_tasks_take() -> None:
    known, _ = after_batches(
        reads(requested(), started(at=10), progressed(50, at=12), completed(at=20))
    )
    assert known.lanes[LINE] == Lane(
        waiting=0, running=0, finished=1, mean_s=10.0, served_at=after(20)
    )

    other = task_id(2)
    known, _ = after_batches(
        reads(requested(), started(at=10), completed(at=20)),
        reads(
            requested(task=other), started(task=other, at=30), completed(task=other, at=50), start=4
        ),
    )
    assert known.lanes[LINE].mean_s == 10 + 0.2 * (20 - 10)


def test_a_task_that_backs_off_is_not_running() -> None:
    changes = project(reads(requested(), started(), retrying()), nothing_known())

    assert changes.lanes[LINE].running == 0
    assert changes.lanes[LINE].served_at == after(4)


def test_a_task_completed_without_a_start_leaves_the_mean_alone() -> None:
    changes = project(reads(requested(), completed()), nothing_known())

    assert (changes.lanes[LINE].finished, changes.lanes[LINE].mean_s) == (1, None)


def test_what_others_tell_is_no_service_of_the_lane() -> None:
    changes = project(reads(requested(), annotated(), timed_out()), nothing_known())

    assert changes.lanes[LINE].served_at is None


def test_what_comes_after_the_end_counts_no_second_completion() -> None:
    changes = project(
        reads(requested(), started(), completed(), late_result(), annotated(at=500)),
        nothing_known(),
    )

    assert changes.lanes[LINE].finished == 1


def test_an_unreadable_message_parks_itself_and_what_follows_of_its_task() -> None:
    poison = Stored(progress_subject("CREATE", TASK_ID), 2, after(1), b"{")
    batch = [*reads(requested()), read(poison), *reads(started(), start=3)]

    changes = project(batch, nothing_known())

    assert changes.tasks[TASK_ID].phase == "waiting"
    assert [(each.message.sequence, each.behind) for each in changes.parked] == [(2, None), (3, 2)]
    assert changes.newly_parked == {TASK_ID: 2}


def test_a_task_parked_before_stays_parked_and_others_go_on() -> None:
    known = Known({TASK_ID: folded(requested())}, parked={TASK_ID: 2})
    other = task_id(2)

    changes = project(reads(started(), requested(task=other), start=3), known)

    assert [each.reason for each in changes.parked] == ["behind"]
    assert list(changes.tasks) == [other]


def test_an_erasure_applies_to_a_parked_task_and_frees_it() -> None:
    known = Known({TASK_ID: folded(requested())}, parked={TASK_ID: 2})
    unreadable = read(Stored(progress_subject("CREATE", TASK_ID), 3, after(1), b"x"))

    changes = project([unreadable, *reads(erased(), start=4)], known)

    assert changes.tasks[TASK_ID].phase == "erased"
    assert (changes.parked, changes.newly_parked, changes.erased) == ([], {}, {TASK_ID: 4})


def test_what_comes_after_an_erasure_waits_behind_nothing() -> None:
    known = Known({TASK_ID: folded(requested())}, parked={TASK_ID: 2})

    changes = project([*reads(erased(), annotated(), start=4)], known)

    assert (changes.late, changes.parked, changes.newly_parked) == (1, [], {})


def test_what_can_not_be_read_after_an_erasure_parks_the_task_anew() -> None:
    known = Known({TASK_ID: folded(requested())}, parked={TASK_ID: 2})
    unreadable = read(Stored(progress_subject("CREATE", TASK_ID), 5, after(1), b"x"))

    changes = project([*reads(erased(), start=4), unreadable], known)

    assert changes.newly_parked == {TASK_ID: 5}


def test_a_task_has_begun_in_the_batch_that_makes_its_row() -> None:
    other = task_id(2)
    known = Known({TASK_ID: folded(requested())})

    changes = project(reads(started(), requested(task=other), started(task=other), start=2), known)

    assert changes.tasks.keys() == {TASK_ID, other}
    assert changes.begun == {other}


def test_the_raw_copy_keeps_everything_but_what_comes_to_an_erased_task() -> None:
    other = task_id(2)
    batch = reads(requested(), erased(), annotated(), requested(task=other), cancelled(task=other))

    changes = project(batch, nothing_known())

    assert [(each.sequence, task) for each, task in changes.kept] == [
        (1, TASK_ID),
        (2, TASK_ID),
        (4, other),
        (5, other),
    ]


def test_the_erasure_of_a_task_that_left_the_log_makes_a_tombstone_and_no_lane() -> None:
    changes = project(reads(erased()), nothing_known())

    assert changes.tasks[TASK_ID].phase == "erased"
    assert changes.tasks[TASK_ID].owner == OWNER
    assert changes.lanes == {}


def test_an_event_of_an_unknown_task_is_parked() -> None:
    changes = project(reads(started()), nothing_known())

    assert [each.reason for each in changes.parked] == ["unknown_task"]


def test_each_way_of_being_unreadable_has_its_reason() -> None:
    good = requested()
    subject = subject_of(good)
    reasons = {
        read(Stored(subject, 1, after(0), payload)).reason.partition(":")[0]
        for payload in (b"", b"\xff", b'{"a": 1}', b"[]")
    }
    assert reasons == {"undecodable"}
    nul = encode(requested(prompt="a\x00b"))
    assert read(Stored(subject, 1, after(0), nul)).reason == "nul_character"
    behind_backslash = encode(requested(prompt="a\\\x00b"))
    assert read(Stored(subject, 1, after(0), behind_backslash)).reason == "nul_character"
    elsewhere = Stored(subject_of(requested(task=task_id(9))), 1, after(0), encode(good))
    assert read(elsewhere).reason == "subject_mismatch"
    assert read(stored(requested(task="t1"), 1)).reason == "task_id_not_a_uuid"


def test_text_that_only_looks_like_an_escaped_nul_is_read() -> None:
    for prompt in ("\\u0000", "a \\\\u0000", "\\u0000\\u0000"):
        event = requested(prompt=prompt)
        assert read(Stored(subject_of(event), 1, after(0), encode(event))).event == event


def test_rows_are_looked_for_unless_their_tasks_are_known_or_begin() -> None:
    begins, goes_on, is_known, nobody = (task_id(n) for n in range(4))
    batch = [
        stored(requested(task=begins), 1),
        stored(started(task=begins), 2),
        stored(started(task=goes_on), 3),
        stored(requested(task=goes_on), 4),
        stored(started(task=is_known), 5),
        Stored("generation.progress.create.t1", 6, after(0), b"{}"),
        Stored(progress_subject("CREATE", nobody), 7, after(0), b"{"),
    ]
    tasks = {is_known: folded(requested(task=is_known))}

    assert unknown(batch, tasks, sure=False) == {goes_on, nobody}
    assert unknown(batch, tasks, sure=True) == {begins, goes_on, nobody}


def _place(counts: dict[CountKey, int], waiting: list[int], ticket: int) -> int:
    """The place as the SQL computes it: three ranges of counters, then the tickets themselves."""

    def between(level: int, low: int, high: int) -> int:
        return sum(n for key, n in counts.items() if key[2] == level and low <= key[3] < high)

    ahead = between(3, 0, ticket >> 24)
    ahead += between(2, ticket >> 24 << 8, ticket >> 16)
    ahead += between(1, ticket >> 16 << 8, ticket >> 8)
    return 1 + ahead + sum(1 for each in waiting if ticket >> 8 << 8 <= each < ticket)


@every(
    st.lists(st.integers(1, 2**20), min_size=1, max_size=40).map(
        lambda gaps: list(accumulate(gaps))
    ),
    st.sets(st.integers(0, 39)),
)
def test_the_counters_give_every_waiting_task_its_exact_place(
    tickets: list[int], gone: set[int]
) -> None:
    batch = [r for n, t in enumerate(tickets) for r in reads(requested(task=task_id(n)), start=t)]
    end = tickets[-1] + 1
    leaving = [
        r
        for n in sorted(gone)
        if n < len(tickets)
        for r in reads(started(task=task_id(n)), start=end + n)
    ]
    known, _ = after_batches(batch, leaving)
    waiting = [t for n, t in enumerate(tickets) if n not in gone]

    places = [_place(dict(known.counts), waiting, ticket) for ticket in waiting]

    assert places == list(range(1, len(waiting) + 1))


@every(st.data())
def test_how_the_log_is_cut_into_batches_changes_nothing(data: st.DataObject) -> None:
    stories = [
        [requested(task=task_id(n)), started(task=task_id(n)), completed(task=task_id(n))]
        for n in range(4)
    ]
    order = data.draw(st.permutations([n for n in range(4) for _ in range(3)]))
    told = [stories[n].pop(0) for n in order]
    cut = data.draw(st.integers(0, len(told)))

    whole, _ = after_batches(reads(*told))
    parts, _ = after_batches(reads(*told[:cut]), reads(*told[cut:], start=cut + 1))

    assert whole == parts


def test_an_eta_is_told_from_measured_durations_alone() -> None:
    assert eta_seconds("waiting", 1, None, None, 0) is None
    assert eta_seconds("waiting", 1, None, 10.0, 0) == 10.0
    assert eta_seconds("waiting", 5, None, 10.0, 2) == 30.0
    assert eta_seconds("running", None, 4.0, 10.0, 1) == 6.0
    assert eta_seconds("running", None, 40.0, 10.0, 1) == 0.0
    assert eta_seconds("running", None, None, 10.0, 1) is None
    assert eta_seconds("backing_off", None, 4.0, 10.0, 1) is None
    assert eta_seconds("waiting", None, None, 10.0, None) is None


def pauses(rate: float, seconds: float = 2.0) -> list[float]:
    """What is gathered for when so many events come every second, evenly."""
    pace, now, told = Pace(), 100.0, []
    while now < 100.0 + seconds:
        pause_s = pace.pause_s(max(1, round(rate * (told[-1] if told else 0))), now)
        told.append(pause_s)
        now += max(1 / rate, pause_s)
    return told


def test_what_is_quiet_is_written_at_once() -> None:
    assert pauses(1) == [0.0, 0.0]
    assert set(pauses(200)) == {0.0}


def test_the_busier_it_is_the_longer_a_batch_is_gathered() -> None:
    busy, busier, busiest = (pauses(rate)[-1] for rate in (300, 500, 5000))

    assert 0 < busy < busier < busiest == 0.02


def test_what_was_busy_is_soon_quiet_again() -> None:
    pace = Pace()

    assert pace.pause_s(1000, 1.0) == 0.02
    assert pace.pause_s(1, 3.0) == 0.0


def test_a_clock_that_goes_back_does_no_harm() -> None:
    pace = Pace()
    pace.pause_s(10, 5.0)

    assert pace.pause_s(10, 4.0) == 0.0
