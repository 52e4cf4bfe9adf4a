"""Events of every release can be read for ever, and still mean the same."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from contracts.events import EVENT_CLASSES, Envelope, TaskError, decode, encode, event_type
from contracts.generate import VERSION
from contracts.lifecycle import Phase, Task, evolve
from contracts.records import from_record, to_record
from corpus.write import frozen, stories

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


def test_every_field_of_every_event_is_in_the_corpus() -> None:
    """A field that is added needs the corpus of the version that adds it: tests/corpus/README.md"""
    told = [json.loads(line) for release in RELEASES for line in events_of(release)]
    missing = set(_untold(Envelope, told, "event"))
    for each in EVENT_CLASSES:
        name = event_type(each)
        data = [event["data"] for event in told if event["type"] == name]
        missing |= set(_untold(each.model_fields["data"].annotation, data, name))

    assert missing == set()


def _untold(model: Any, told: list[dict[str, Any]], where: str) -> Iterator[str]:
    """The fields of a model, and of those inside it, that nothing of what was told has."""
    for name, field in model.model_fields.items():
        values = [each[name] for each in told if each.get(name) is not None]
        if not values:
            yield f"{where}.{name}"
        each = [
            item for value in values for item in (value if isinstance(value, list) else [value])
        ]
        for inner in _models_in(field.annotation):
            yield from _untold(inner, each, f"{where}.{name}")


def _models_in(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def test_every_phase_of_a_task_is_in_the_corpus() -> None:
    told = {record["phase"] for release in RELEASES for record in records_of(release)}

    assert told == {phase.value for phase in Phase}


def test_the_corpus_of_this_version_is_of_its_events() -> None:
    """What `python -m corpus.write` writes is what was frozen, until it is released."""
    lines, records = frozen(stories())

    assert f"{VERSION}.jsonl" in {path.name for path in CORPUS.iterdir()}
    assert lines.splitlines() == events_of(VERSION)
    assert json.loads(records) == records_of(VERSION)


def test_a_field_that_no_version_told_is_missed() -> None:
    class Wider(TaskError):
        since: str | None = None

    assert list(_untold(Wider, [{"code": "x", "message": "y"}], "error")) == [
        "error.retryable",
        "error.attempts",
        "error.params",
        "error.since",
    ]


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
