"""Events of every release can be read for ever, and still mean the same."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.events import EVENT_CLASSES, decode, encode, event_type
from contracts.lifecycle import Task, evolve
from contracts.records import from_record, to_record

CORPUS = Path(__file__).parents[2] / "corpus"
RELEASES = sorted(each.stem for each in CORPUS.glob("*.jsonl"))


def events_of(release: str) -> list[bytes]:
    return (CORPUS / f"{release}.jsonl").read_bytes().splitlines()


def records_of(release: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(
        (CORPUS / f"{release}.records.json").read_text(encoding="utf-8")
    )
    return records


def test_every_event_type_is_in_the_corpus() -> None:
    told = {json.loads(line)["type"] for release in RELEASES for line in events_of(release)}

    assert told == {event_type(each) for each in EVENT_CLASSES}


@pytest.mark.parametrize("release", RELEASES)
def test_a_released_event_loses_nothing_when_it_is_read(release: str) -> None:
    for line in events_of(release):
        told, kept = json.loads(line), json.loads(encode(decode(line)))

        assert told == {name: kept[name] for name in told}


@pytest.mark.parametrize("release", RELEASES)
def test_released_events_make_the_same_tasks_for_ever(release: str) -> None:
    tasks: dict[str, Task | None] = {}
    for sequence, line in enumerate(events_of(release), 1):
        event = decode(line)
        tasks[event.task_id] = evolve(tasks.get(event.task_id), event, sequence, event.time)

    made = [
        json.loads(json.dumps(to_record(task), default=datetime.isoformat))
        for task in tasks.values()
        if task is not None
    ]
    frozen = records_of(release)
    assert [
        {name: record[name] for name in expected}
        for record, expected in zip(made, frozen, strict=True)
    ] == frozen


@pytest.mark.parametrize("release", RELEASES)
def test_released_records_are_the_tasks_they_were(release: str) -> None:
    for record in records_of(release):
        made = json.loads(json.dumps(to_record(from_record(record)), default=datetime.isoformat))

        assert record == {name: made[name] for name in record}
