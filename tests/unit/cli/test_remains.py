"""Telling what is left of an owner from the proof that it was erased."""

from __future__ import annotations

import json

import pytest

from builders import TASK_ID, erased, progressed, requested
from contracts.events import encode
from contracts.subjects import subject_of
from darkroom.cli.remains import Remains, Sought, judge, tasktype_of, type_of

ANN = Sought("ann")


@pytest.mark.parametrize(
    ("payload", "owned", "what"),
    [
        (encode(requested(owner="ann")), (), "remains"),
        (encode(progressed(owner="ann")), (TASK_ID,), "remains"),
        (encode(erased(owner="ann")), (), "erasure"),
        (encode(requested(owner="bob")), (), "other"),
        (encode(requested(owner="bob", prompt='"ann"')), (), "other"),
        (encode(requested(owner="bob", metadata={"owner": "ann"})), (), "other"),
        (b"broken", (TASK_ID,), "remains"),
        (b'broken "ann"', (), "remains"),
        (b"broken", (), "other"),
        (b'["ann"]', (), "remains"),
        (b'{"owner":"ann","type":"generation.erased","data":{"note":"x"}}', (), "remains"),
        (b'{"owner":"ann","data":{"type":"generation.erased"}}', (), "remains"),
    ],
)
def test_an_event_is_judged(payload: bytes, owned: tuple[str, ...], what: str) -> None:
    assert judge(payload, TASK_ID, owned, ANN) == what


@pytest.mark.parametrize("ascii_only", [True, False])
def test_an_owner_is_found_whichever_way_its_name_was_written(ascii_only: bool) -> None:
    payload = json.dumps({"owner": "Zoë"}, ensure_ascii=ascii_only).encode()

    assert judge(payload, TASK_ID, (), Sought("Zoë")) == "remains"


def test_of_one_task_nothing_else_is_looked_for() -> None:
    one = Sought("ann", TASK_ID)

    assert one.words == []
    assert judge(encode(requested(owner="ann", task="t-2")), "t-2", (TASK_ID,), one) == "other"


def test_what_is_left_is_counted_by_place_with_examples() -> None:
    found = Remains()
    assert found.nothing
    for number in range(5):
        found.note("events in the log", f"sequence {number}", TASK_ID, "CREATE")
    found.note("files in uploads", "uploads/x")

    assert found.lines() == [
        "events in the log: 5 (sequence 0, sequence 1, sequence 2 …)",
        "files in uploads: 1 (uploads/x)",
    ]
    assert (found.tasks, found.types, found.nothing) == ({TASK_ID}, {TASK_ID: "CREATE"}, False)
    assert found.as_json()["left"][0]["count"] == 5


def test_a_type_that_is_known_stays() -> None:
    found = Remains(types={TASK_ID: "CREATE"})
    found.note("callbacks", "kie", TASK_ID)

    assert found.types == {TASK_ID: "CREATE"}


def test_the_type_is_told_by_the_event_or_its_subject() -> None:
    event = requested(tasktype="PHOTO_TO_3D")

    assert type_of(subject_of(event)) == tasktype_of(encode(event)) == "PHOTO_TO_3D"
    assert (tasktype_of(b"broken"), tasktype_of(b"[]"), type_of("generation.x")) == ("", "", "")
