"""What is said of things as they were found, as pure functions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import after, task_id
from delivery.standing import LanePosition
from task_store.checks import (
    Clock,
    Compared,
    Line,
    clock,
    judge_clocks,
    judge_copy,
    judge_lanes,
    judge_leases,
    judge_log,
    judge_postgres,
    judge_room,
)
from telemetry.findings import Finding

FINE = LanePosition(floor=10, delivered=20, in_hand=2, waiting=3)
LINE = Line("CREATE", "studio", FINE, given=2, ahead=3)
IDS = [task_id(number) for number in range(5)]


def said(finding: Finding) -> tuple[bool | None, str]:
    return finding.ok, finding.detail


def test_a_clock_is_read_halfway_between_question_and_answer() -> None:
    assert clock("NATS", after(0), after(7), after(2)) == Clock("NATS", ahead_s=6, margin_s=1)
    # Whole seconds are half a second behind, on average.
    in_seconds = clock("gateway", after(0), after(0), after(0), coarse_s=1)
    assert in_seconds == Clock("gateway", ahead_s=0.5, margin_s=0.5)


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        ([], (None, "nobody's clock could be asked")),
        ([Clock("NATS", 5.0, 0.0)], (True, "at most 5.0 s apart: NATS")),
        ([Clock("a", -0.2, 0.1), Clock("b", 0.1, 0.1)], (True, "at most 0.2 s apart: a, b")),
        ([Clock("NATS", 5.5, 1.0)], (True, "at most 5.5 s apart: NATS")),
        (
            [Clock("NATS", 7.0, 0.1), Clock("Postgres", 0.0, 0.1), Clock("gateway", -9.0, 0.5)],
            (False, "not as here: NATS 7.0 s ahead, gateway 9.0 s behind; the limit is 5 s"),
        ),
    ],
)
def test_a_clock_is_wrong_once_it_is_surely_over_the_limit(
    clocks: list[Clock], expected: tuple[bool | None, str]
) -> None:
    assert said(judge_clocks(clocks)) == expected


def test_a_stream_that_is_not_as_it_must_be_needs_setup() -> None:
    assert said(judge_log(())) == (True, "the stream is as it must be")
    assert said(judge_log(("a is 1, should be 2", "b"))) == (False, "a is 1, should be 2; b")


@pytest.mark.parametrize(
    ("used", "limit", "expected"),
    [
        (89, 100, (True, "the log uses 89.0% of its bytes")),
        (90, 100, (False, "the log uses 90.0% of its bytes")),
        (90, -1, (None, "the log has no limit")),
    ],
)
def test_a_log_is_full_where_new_tasks_are_refused(
    used: int, limit: int, expected: tuple[bool | None, str]
) -> None:
    assert said(judge_room(used, limit)) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((12, 0), (True, "12.0")),
        ((18, 1), (True, "18.1")),
        ((11, 22), (False, "11.22 is too old: 12.0 or newer is needed")),
    ],
)
def test_a_postgres_that_does_not_know_our_sql_is_too_old(
    version: tuple[int, int], expected: tuple[bool | None, str]
) -> None:
    assert said(judge_postgres(version)) == expected


@pytest.mark.parametrize(
    ("compared", "expected"),
    [
        (Compared(1, 9), (True, "the raw copy has what the log has, from 1 to 9")),
        (Compared(1, 0), (True, "nothing to compare yet")),
        (
            Compared(1, 9, is_all=False),
            (None, "more events came to erased tasks than can be looked at one by one"),
        ),
        (
            Compared(1, 9, missing=[2, 3, 4, 5]),
            (False, "4 events (2, 3, 4 …) of the log are not in the raw copy"),
        ),
        (
            Compared(1, 9, missing=[2], foreign=[7], is_all=False),
            (
                False,
                (
                    "at least 1 events (2) of the log are not in the raw copy; "
                    "1 events (7) of the raw copy are not in the log"
                ),
            ),
        ),
    ],
)
def test_events_that_only_one_side_has_are_told(
    compared: Compared, expected: tuple[bool | None, str]
) -> None:
    assert said(judge_copy(compared)) == expected


def test_only_what_the_log_has_can_be_copied() -> None:
    assert "--fix" in judge_copy(Compared(1, 9, missing=[2])).mend
    assert "--fix" not in judge_copy(Compared(1, 9, foreign=[2])).mend


def test_as_many_live_tasks_as_requests_is_well() -> None:
    expected = (True, "each live task is in line or under a lease")
    assert said(judge_leases([LINE])) == expected
    # Requests of tasks that have ended are out, too.
    assert said(judge_leases([replace(LINE, given=0, ahead=0)])) == expected
    # A lane without consumer says so itself.
    assert said(judge_leases([replace(LINE, position=None)])) == expected


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (replace(LINE, dropped=IDS[:1]), f"at least 1 tasks ({IDS[0]}) have"),
        (replace(LINE, dropped=IDS), f"at least 5 tasks ({', '.join(IDS[:3])} …) have"),
        (replace(LINE, given=4), "at least 2 tasks have"),
        (replace(LINE, ahead=4, dropped=IDS[:1]), f"at least 2 tasks ({IDS[0]}) have"),
    ],
)
def test_a_task_without_a_request_is_told_with_its_lane(line: Line, told: str) -> None:
    finding = judge_leases([LINE, line])

    assert finding.ok is False
    assert finding.detail.startswith(told)
    assert "no request in generator-create-studio any more" in finding.detail


def test_lanes_with_tasks_in_them_have_a_consumer() -> None:
    assert said(judge_lanes([LINE])) == (True, "1 with tasks in them, each has a consumer")
    gone = replace(LINE, lane="kie~1", position=None)
    drifted = replace(LINE, position=replace(FINE, drift=("max_deliver is 3, should be -1",)))
    assert said(judge_lanes([gone, drifted])) == (
        False,
        (
            "generator-create-kie~1 has tasks and no consumer; "
            "generator-create-studio: max_deliver is 3, should be -1"
        ),
    )


def test_rows_that_are_behind_tell_nothing_of_lanes() -> None:
    assert (judge_lanes(None).ok, judge_leases(None).ok) == (None, None)
