"""A task as a flat record: what lies in Postgres and travels between services."""

import json
from typing import Any

import pytest

from builders import (
    NOON,
    OWNER,
    TASK_ID,
    TIMEOUT,
    accepted,
    after,
    annotated,
    artifact,
    cancelled,
    completed,
    erased,
    folded,
    late_result,
    progressed,
    requested,
    retrying,
    started,
    timed_out,
)
from contracts.events import Event
from contracts.lifecycle import CancelledState
from contracts.records import Record, from_record, to_record

WAITING: Record = {
    "task_id": TASK_ID,
    "owner": OWNER,
    "type": "CREATE",
    "phase": "waiting",
    "status": "processing",
    "stage": "queued",
    "progress": 0,
    "attempt": 0,
    "lane": "studio",
    "ticket": 1,
    "retry_at": None,
    "prompt": "a red bicycle",
    "prompt_id": None,
    "reference_images": [],
    "provider_params": {},
    "run_at": None,
    "body_sha256": "b" * 64,
    "metadata": {},
    "provider": None,
    "external_task_id": None,
    "handle": None,
    "artifacts": [],
    "late_artifacts": [],
    "error": None,
    "created_at": NOON,
    "started_at": None,
    "updated_at": NOON,
    "finished_at": None,
    "heard_at": NOON,
    "sequence": 1,
}
RUNNING: Record = WAITING | {
    "phase": "running",
    "stage": "generating",
    "attempt": 1,
    "ticket": None,
    "provider": "studio",
    "started_at": after(1),
    "updated_at": after(1),
    "heard_at": after(1),
    "sequence": 2,
}
PICTURE = {
    "key": "artifacts/local/result.png",
    "content_type": "image/png",
    "bytes": 1024,
    "sha256": "a" * 64,
    "width": 512,
    "height": 512,
}

CASES: list[tuple[str, tuple[Event, ...], Record]] = [
    ("waiting", (requested(),), WAITING),
    (
        "pending",
        (accepted(tasktype="CREATE", prompt="a red bicycle", run_at=after(60), prompt_id="p1"),),
        WAITING
        | {
            "phase": "pending",
            "status": "pending",
            "ticket": None,
            "run_at": after(60),
            "prompt_id": "p1",
        },
    ),
    (
        "running",
        (requested(), started(), progressed(40, external_task_id="job-9", handle={"id": 9})),
        RUNNING
        | {
            "progress": 40,
            "external_task_id": "job-9",
            "handle": {"id": 9},
            "updated_at": after(3),
            "heard_at": after(3),
            "sequence": 3,
        },
    ),
    (
        "backing off",
        (requested(), started(), retrying()),
        RUNNING
        | {
            "phase": "backing_off",
            "stage": "queued",
            "retry_at": after(5),
            "updated_at": after(4),
            "heard_at": after(4),
            "sequence": 3,
        },
    ),
    (
        "completed",
        (requested(), started(), completed(), annotated({"starred": True}, at=20)),
        RUNNING
        | {
            "phase": "completed",
            "status": "completed",
            "stage": "saving",
            "progress": 100,
            "artifacts": [PICTURE],
            "metadata": {"starred": True},
            "updated_at": after(20),
            "finished_at": after(10),
            "heard_at": after(10),
            "sequence": 4,
        },
    ),
    (
        "failed, with a late result",
        (requested(), started(), timed_out(), late_result()),
        RUNNING
        | {
            "phase": "failed",
            "status": "failed",
            "error": {
                "code": "timeout",
                "message": TIMEOUT.message,
                "retryable": True,
                "attempts": 1,
                "params": {"seconds": 300},
            },
            "late_artifacts": [PICTURE | {"key": "artifacts/local/late.png"}],
            "updated_at": after(320),
            "finished_at": after(310),
            "heard_at": after(310),
            "sequence": 4,
        },
    ),
    (
        "cancelled",
        (requested(), started(), cancelled()),
        RUNNING
        | {
            "phase": "cancelled",
            "status": "cancelled",
            "error": {
                "code": "cancelled",
                "message": "The task was cancelled.",
                "retryable": True,
                "attempts": 1,
                "params": {},
            },
            "updated_at": after(10),
            "finished_at": after(10),
            "heard_at": after(10),
            "sequence": 3,
        },
    ),
    (
        "erased",
        (requested(), started(), completed(), erased()),
        WAITING
        | {
            "phase": "erased",
            "status": "cancelled",
            "stage": "",
            "lane": "",
            "ticket": None,
            "prompt": None,
            "body_sha256": "",
            "created_at": after(400),
            "updated_at": after(400),
            "finished_at": after(400),
            "heard_at": after(400),
            "sequence": 4,
        },
    ),
]


@pytest.mark.parametrize(
    ("events", "record"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_task_has_one_record_and_is_made_from_it_again(
    events: tuple[Event, ...], record: Record
) -> None:
    assert to_record(folded(*events)) == record
    assert to_record(from_record(record)) == record
    assert to_record(from_record(json.loads(json.dumps(record, default=str)))) == record


def test_all_that_the_fold_needs_of_a_task_is_in_its_record() -> None:
    task = folded(requested(stage="queued", submission=""), started(), completed(), late_result())

    # The request's first stage is the one thing that no later event asks for.
    request = task.request.model_copy(update={"stage": task.stage})
    assert from_record(to_record(task)).state == task.state
    assert from_record(to_record(task)).request == request
    assert from_record(to_record(task)).late_artifacts == (artifact("artifacts/local/late.png"),)


def test_the_error_of_a_cancelled_task_is_told_and_not_kept() -> None:
    record = to_record(folded(requested(), cancelled()))

    assert from_record(record).state == CancelledState(after(10))


@pytest.mark.parametrize("zone", ["Z", "+00:00"])
def test_times_are_read_from_either_spelling_of_utc(zone: str) -> None:
    times: dict[str, Any] = dict.fromkeys(
        ("created_at", "updated_at"), f"2026-11-21T12:00:00.000000{zone}"
    )

    assert to_record(from_record(WAITING | times)) == WAITING
