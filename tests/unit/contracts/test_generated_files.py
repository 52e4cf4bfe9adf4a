"""What is generated from the contracts is checked in, current, and right."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

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
from contracts import generate, queries
from contracts.events import EVENT_CLASSES, Event, encode, event_type, schema_urn
from contracts.generation_types import GENERATION_TYPES
from contracts.lifecycle import MOVES, Phase
from contracts.subjects import (
    PROJECTED,
    cancel_subject,
    finished_subject,
    progress_subject,
    requested_subject,
)

ROOT = Path(__file__).parents[3]
NAMES = [event_type(each) for each in EVENT_CLASSES]
EVENTS: list[Event] = [
    requested(),
    accepted(),
    started(),
    submitting(),
    progressed(),
    retrying(),
    annotated(),
    uploaded(),
    late_result(),
    completed(),
    failed(),
    timed_out(),
    cancelled(),
    erased(),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The generated files, elsewhere."""
    for path in generate.artefacts(ROOT):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def schema(name: str) -> dict[str, Any]:
    text = (ROOT / generate.SCHEMAS / f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / generate.ASYNCAPI).read_text(encoding="utf-8"))
    return loaded


def references(value: Any) -> Iterator[str]:
    """Every ``$ref`` in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def resolve(whole: dict[str, Any], reference: str) -> Any:
    found: Any = whole
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


# The files


def test_the_generated_files_are_current() -> None:
    assert generate.stale(ROOT) == []


def test_a_stale_file_is_named(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "asyncapi.json").write_text("{}")
    (copy / "contracts/schemas/generation.started.json").unlink()
    (copy / "contracts/schemas/generation.forgotten.json").write_text("{}")

    assert generate.main(["--check", "--root", str(copy)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{path} is stale: run python -m contracts.generate"
        for path in (
            "asyncapi.json",
            "contracts/schemas/generation.forgotten.json",
            "contracts/schemas/generation.started.json",
        )
    ]


def test_generating_mends_what_is_stale_and_nothing_else(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "contracts/schemas/generation.started.json").unlink()
    (copy / "contracts/schemas/generation.forgotten.json").write_text("{}")

    assert generate.main(["--root", str(copy)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "wrote contracts/schemas/generation.forgotten.json",
        "wrote contracts/schemas/generation.started.json",
    ]
    assert generate.main(["--check", "--root", str(copy)]) == 0
    assert not (copy / "contracts/schemas/generation.forgotten.json").exists()


def test_a_page_without_its_markers_is_not_overwritten(copy: Path) -> None:
    (copy / generate.STATE_MACHINE).write_text("# The life of a task\n")

    with pytest.raises(SystemExit, match="generated: chart"):
        generate.main(["--root", str(copy)])


# The schemas


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_named_as_its_events_say(name: str) -> None:
    found = schema(name)

    Draft202012Validator.check_schema(found)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["$id"] == schema_urn(name)
    assert found["description"]
    assert all(resolve(found, each) for each in references(found))


@pytest.mark.parametrize("event", EVENTS, ids=[each.type for each in EVENTS])
def test_an_event_is_valid_by_its_schema_alone(event: Event) -> None:
    told = json.loads(encode(event))

    assert [name for name in NAMES if Draft202012Validator(schema(name)).is_valid(told)] == [
        event.type
    ]


@pytest.mark.parametrize("name", ["id", "type", "specversion", "subject", "time", "data"])
def test_what_a_cloud_event_needs_is_required(name: str) -> None:
    told = json.loads(encode(started()))
    del told[name]

    assert not Draft202012Validator(schema("generation.started")).is_valid(told)


def test_a_schema_allows_what_a_newer_version_adds() -> None:
    told = json.loads(encode(started())) | {"region": "eu"}
    told["data"]["gpu"] = "h100"

    assert Draft202012Validator(schema("generation.started")).is_valid(told)


# AsyncAPI


def test_every_reference_of_the_document_resolves() -> None:
    whole = document()

    found = list(references(whole))
    assert found
    assert all(each.startswith("#/") for each in found)
    assert all(resolve(whole, each) is not None for each in found)


def test_every_subject_is_a_channel() -> None:
    addresses = {each["address"] for each in document()["channels"].values()}

    events = {
        requested_subject("{type}", "{lane}", "{task_id}"),
        progress_subject("{type}", "{task_id}"),
        finished_subject("{type}", "{task_id}"),
    }
    assert addresses == {
        *events,
        *(f"live.{each}" for each in events),
        cancel_subject("{task_id}"),
        PROJECTED,
        *queries.ALL,
        None,
    }


def test_a_channel_describes_each_token_of_its_subject() -> None:
    for channel in document()["channels"].values():
        tokens = re.findall(r"\{(\w+)\}", channel["address"] or "")

        assert list(channel.get("parameters", {})) == tokens


def test_every_event_lies_in_one_channel_and_its_live_copy() -> None:
    channels = document()["channels"]

    for name in NAMES:
        holding = [each for each, channel in channels.items() if name in channel["messages"]]
        assert holding[1:] == [f"live-{holding[0]}"]


def test_an_operation_sends_and_receives_only_what_its_channel_carries() -> None:
    whole = document()

    for operation in whole["operations"].values():
        channel = operation["channel"]["$ref"]
        assert operation["action"] in ("send", "receive")
        assert operation["bindings"]["nats"]["bindingVersion"] == "0.1.0"
        assert operation["messages"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


def test_every_event_is_sent_by_those_who_may_tell_it_and_received() -> None:
    senders: dict[str, set[str]] = {}
    receivers: dict[str, set[str]] = {}
    for operation in document()["operations"].values():
        for message in operation["messages"]:
            name = message["$ref"].rpartition("/")[2]
            side = senders if operation["action"] == "send" else receivers
            side.setdefault(name, set()).add(operation["tags"][0]["name"])

    assert {name: senders[name] for name in NAMES} == {
        name: set(writers) for name, writers in generate.WRITERS.items()
    }
    assert all({"task-store", "gateway"} <= receivers[name] for name in NAMES)


def test_every_query_is_asked_and_answered() -> None:
    operations = document()["operations"]

    for subject in queries.ALL:
        channel = {"$ref": f"#/channels/{subject.replace('.', '-')}"}
        sides = [each for each in operations.values() if each["channel"] == channel]
        assert {each["action"] for each in sides} == {"send", "receive"}
        assert all("reply" in each for each in sides)
        assert [each["bindings"]["nats"].get("queue") for each in sides][-1] == "task-store"


def test_the_document_names_no_real_host() -> None:
    server = document()["servers"]["nats"]

    assert (server["protocol"], server["host"]) == ("nats", "{address}")
    assert list(server["variables"]) == ["address"]


# The pages


def charts() -> dict[str, str]:
    """The chart of each type in docs/pipelines.md."""
    page = (ROOT / generate.PIPELINES).read_text(encoding="utf-8")
    found = re.findall(
        r"^(`[^\n]+`):\n\n```mermaid\n(.+?)```", page, flags=re.MULTILINE | re.DOTALL
    )
    return {name: chart for names, chart in found for name in re.findall(r"`(\w+)`", names)}


def test_the_chart_of_a_type_has_each_move_of_its_tasks_and_no_other() -> None:
    assert charts().keys() == GENERATION_TYPES.keys()
    for name, chart in charts().items():
        kind = GENERATION_TYPES[name]
        found = set(re.findall(r"^    (\S+) --> (\S+)$", chart, flags=re.MULTILINE))

        assert {move for move in found if "[*]" not in move} == kind.moves
        assert {start for start, end in found if end == "[*]"} == {
            kind.working_stages[-1],
            *kind.failure_stages.values(),
        }
        assert {end for start, end in found if start == "[*]"} == {
            kind.pending_stage,
            kind.waiting_stage,
        }


def arrows() -> set[tuple[str, str, str]]:
    """Every arrow of the chart: from, event, to."""
    page = (ROOT / generate.STATE_MACHINE).read_text(encoding="utf-8")
    found = re.findall(r"^    (\S+) --> (\S+): (.+)$", page, flags=re.MULTILINE)
    return {(start, name, end) for start, end, names in found for name in names.split(", ")}


def test_the_chart_shows_every_move_and_no_other() -> None:
    assert arrows() == {
        (
            "[*]" if before is None else before.value,
            name.removeprefix("generation."),
            end.value,
        )
        for (before, name), end in MOVES.items()
    }


def test_the_page_names_every_state_event_and_stage() -> None:
    page = (ROOT / generate.STATE_MACHINE).read_text(encoding="utf-8")

    stages = {stage for kind in GENERATION_TYPES.values() for stage in kind.stages}
    for word in (*Phase, *NAMES, *GENERATION_TYPES, *stages):
        assert f"`{word}`" in page or f"**{word}**" in page
