"""A task as its owner sees it, in both spellings."""

from typing import Any

from builders import (
    NOON,
    TASK_ID,
    after,
    annotated,
    artifact,
    cancelled,
    completed,
    failed,
    folded,
    progressed,
    requested,
    started,
)
from contracts.api import ON_HOLD, PromptTaskView, TaskView, prompt_task_view, task_view
from contracts.events import Event
from contracts.records import Record, to_record


def url_of(key: str) -> str:
    return f"http://studio.example/{key}"


def record(*events: Event) -> Record:
    return to_record(folded(*events))


def test_a_waiting_task_whose_place_is_not_known_yet() -> None:
    view = task_view(
        record(
            requested(
                prompt_id="p-1",
                reference_images=("uploads/local/a.png",),
                provider_params={"seed": 7},
                metadata={"page": "create"},
            )
        ),
        url_of,
    )

    assert view == {
        "task_id": TASK_ID,
        "type": "CREATE",
        "prompt_id": "p-1",
        "status": "processing",
        "stage": "queued",
        "progress": 0,
        "queue_position": None,
        "eta_seconds": None,
        "waiting_for": None,
        "attempt": 0,
        "prompt": "a red bicycle",
        "reference_images": ["http://studio.example/uploads/local/a.png"],
        "provider_params": {"seed": 7},
        "provider": None,
        "external_task_id": None,
        "image_url": None,
        "artifacts": [],
        "late_artifacts": [],
        "error": None,
        "error_msg": None,
        "metadata": {"page": "create"},
        "created_at": NOON,
        "started_at": None,
        "updated_at": NOON,
        "finished_at": None,
        "sequence": 1,
    }
    assert TaskView(**view).model_dump() == view


def test_the_place_and_the_time_left_come_from_the_task_store() -> None:
    view = task_view(record(requested()) | {"queue_position": 3, "eta_seconds": 12.5}, url_of)

    assert (view["queue_position"], view["eta_seconds"]) == (3, 12.5)


def test_a_task_that_is_not_waiting_has_place_0() -> None:
    view = task_view(record(requested(), started(), progressed(40)), url_of)

    assert (view["queue_position"], view["progress"], view["attempt"]) == (0, 40, 1)


def test_a_completed_task_shows_its_pictures_and_the_first_as_its_image() -> None:
    pictures = (artifact("artifacts/local/1.png"), artifact("artifacts/local/2.glb", width=None))

    view = task_view(record(requested(), started(), completed(artifacts=pictures)), url_of)

    picture: dict[str, Any] = {
        "content_type": "image/png",
        "bytes": 1024,
        "sha256": "a" * 64,
        "width": 512,
        "height": 512,
    }
    assert view["artifacts"] == [
        picture | {"url": "http://studio.example/artifacts/local/1.png"},
        picture | {"url": "http://studio.example/artifacts/local/2.glb", "width": None},
    ]
    assert view["image_url"] == "http://studio.example/artifacts/local/1.png"
    assert (view["status"], view["progress"], view["error_msg"]) == ("completed", 100, None)
    assert TaskView(**view).model_dump() == view


def test_a_failed_task_tells_why_twice() -> None:
    view = task_view(record(requested(), started(), failed()), url_of)

    assert view["error"] == {
        "code": "provider_error",
        "message": "The provider could not do it. Please try again.",
        "retryable": False,
        "attempts": 1,
        "params": {},
    }
    assert view["error_msg"] == "The provider could not do it. Please try again."
    assert TaskView(**view).model_dump() == view


def test_a_cancelled_task_tells_that_it_was() -> None:
    view = task_view(record(requested(), cancelled()), url_of)

    assert (view["status"], view["error_msg"]) == ("cancelled", "The task was cancelled.")
    assert view["error"]["code"] == "cancelled"


def test_the_tasks_of_a_prompt_in_camel_case() -> None:
    told = record(
        requested(prompt_id="p-1", provider_params={"model": "flux", "service": "KIE"}, lane="kie"),
        started(provider="kie"),
        progressed(50, external_task_id="job-9"),
        completed(artifacts=(artifact("artifacts/local/1.png"), artifact("artifacts/local/2.png"))),
        annotated(at=30),
    )

    view = prompt_task_view(told, url_of)

    assert view == {
        "id": TASK_ID,
        "taskId": TASK_ID,
        "promptId": "p-1",
        "type": "CREATE",
        "model": "flux",
        "service": "KIE",
        "externalTaskId": "job-9",
        "status": "SUCCESS",
        "stage": "saving",
        "progress": 100,
        "resultUrl": "http://studio.example/artifacts/local/1.png",
        "resultUrls": [
            "http://studio.example/artifacts/local/1.png",
            "http://studio.example/artifacts/local/2.png",
        ],
        "errorMessage": None,
        "createdAt": NOON,
        "updatedAt": after(30),
        "completedAt": after(10),
    }
    assert PromptTaskView(**view).model_dump() == view


def test_a_live_task_is_pending_and_its_service_is_its_lane_until_it_starts() -> None:
    waiting = prompt_task_view(record(requested(lane="fal")), url_of)
    running = prompt_task_view(record(requested(lane="fal"), started(provider="kie")), url_of)

    assert (waiting["status"], waiting["service"]) == ("PENDING", "FAL")
    assert (running["status"], running["service"]) == ("PENDING", "KIE")
    assert (waiting["resultUrl"], waiting["resultUrls"], waiting["completedAt"]) == (None, [], None)


def test_failed_and_cancelled_are_one_status_with_their_messages() -> None:
    failure = prompt_task_view(record(requested(), started(), failed()), url_of)
    cancellation = prompt_task_view(record(requested(), cancelled()), url_of)

    assert (failure["status"], failure["errorMessage"]) == (
        "FAILED",
        "The provider could not do it. Please try again.",
    )
    assert (cancellation["status"], cancellation["errorMessage"]) == (
        "FAILED",
        "The task was cancelled.",
    )


def test_a_task_on_hold_says_so_in_its_metadata_and_keeps_its_own() -> None:
    held = record(requested(metadata={"page": "create", "parked": "by me"}))

    as_it_is = task_view(held, url_of)["metadata"]
    on_hold = task_view(held | {"parked_since": NOON}, url_of)["metadata"]

    assert as_it_is == {"page": "create", "parked": "by me"}
    assert on_hold == {"page": "create", "parked": {"since": NOON, "reason": ON_HOLD}}
    assert held["metadata"] == as_it_is


def test_an_owner_can_not_write_that_a_task_is_on_hold() -> None:
    forged = record(requested(metadata={"n": 1, "parked": {"since": "yesterday", "reason": "x"}}))
    other = record(requested(metadata={"parked": {"level": 3}}))

    assert task_view(forged, url_of)["metadata"] == {"n": 1}
    assert task_view(other, url_of)["metadata"] == {"parked": {"level": 3}}
