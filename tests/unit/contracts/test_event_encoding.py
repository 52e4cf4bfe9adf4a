"""Events as bytes: CloudEvents in JSON, read by older and newer services alike."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from builders import (
    NOON,
    OWNER,
    TASK_ID,
    annotated,
    cancelled,
    completed,
    progressed,
    requested,
    started,
)
from contracts.events import (
    EVENT_CLASSES,
    Erased,
    Started,
    StartedData,
    decode,
    encode,
    envelope,
    event_type,
    schema_urn,
)

STARTED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "generator",
    "type": "generation.started",
    "subject": TASK_ID,
    "time": "2026-11-21T12:00:00Z",
    "datacontenttype": "application/json",
    "owner": OWNER,
    "tasktype": "CREATE",
    "data": {
        "attempt": 1,
        "stage": "generating",
        "provider": "studio",
        "worker": "w-1",
        "progress": 0,
    },
}


def as_bytes(**changes: Any) -> bytes:
    return json.dumps(STARTED | changes).encode()


def test_an_event_is_a_cloud_event_without_nulls() -> None:
    event = Started(
        **envelope(
            event_id="e-1",
            source="generator",
            task_id=TASK_ID,
            owner=OWNER,
            tasktype="CREATE",
            time=NOON,
        ),
        data=StartedData(attempt=1, stage="generating", provider="studio", worker="w-1"),
    )

    assert json.loads(encode(event)) == STARTED
    assert decode(encode(event)) == event
    assert event.task_id == TASK_ID
    assert event.correlation_id is None


def test_an_envelope_carries_where_a_fact_comes_from() -> None:
    event = Erased(
        **envelope(
            event_id="e-2",
            source="gateway",
            task_id=TASK_ID,
            owner=OWNER,
            tasktype="CREATE",
            time=NOON,
            traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            causationid="e-1",
        )
    )

    told = json.loads(encode(event))

    assert told["traceparent"] == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert told["causationid"] == "e-1"
    assert event.correlation_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert told["data"] == {}


def test_a_null_in_a_patch_is_kept_because_it_removes() -> None:
    event = annotated({"gone": None, "nested": {"gone": None}})

    assert json.loads(encode(event))["data"] == {"patch": {"gone": None, "nested": {"gone": None}}}


def test_a_null_that_a_provider_was_told_is_kept() -> None:
    event = requested(provider_params={"seed": None}, metadata={"note": None})

    assert decode(encode(event)) == event


def test_unknown_fields_of_a_newer_version_are_ignored() -> None:
    newer = as_bytes(region="eu", data=STARTED["data"] | {"gpu": "h100", "cost": {"cents": 3}})

    assert decode(newer) == decode(as_bytes())


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "generation.teleported"},
        {"type": None},
        {"specversion": "2.0"},
        {"time": "2026-11-21T12:00:00"},
        {"id": ""},
        {"subject": ""},
        {"data": {}},
        {"data": None},
        {"data": STARTED["data"] | {"attempt": -1}},
        {"data": STARTED["data"] | {"attempt": 2**31}},
        {"data": STARTED["data"] | {"progress": 101}},
    ],
)
def test_what_is_no_event_of_ours_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        decode(as_bytes(**changes))


@pytest.mark.parametrize("payload", [b"", b"nonsense", b"[]", b"{}", b"\xff\xfe", b"null"])
def test_what_is_no_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(ValidationError):
        decode(payload)


def test_an_event_never_changes() -> None:
    event = progressed(40)

    with pytest.raises(ValidationError, match="frozen"):
        event.data.progress = 50  # type: ignore[misc]


def test_a_completed_task_is_at_a_hundred_and_a_cancelled_one_needs_no_attempt() -> None:
    assert completed().data.progress == 100
    assert json.loads(encode(cancelled()))["data"] == {"attempt": 0}
    with pytest.raises(ValidationError):
        completed(progress=99)


def test_every_type_has_a_name_and_a_schema() -> None:
    names = [event_type(each) for each in EVENT_CLASSES]

    assert len(set(names)) == len(names)
    assert all(name.startswith("generation.") for name in names)
    assert schema_urn("generation.started") == "urn:darkroom:schema:generation.started:1"
    assert started().dataschema == schema_urn("generation.started")
