"""What is generated from the contracts, and checked in: ``python -m contracts.generate``.

The JSON Schema of every event, the AsyncAPI document of the bus, the chart and the tables of
docs/state-machine.md, and the charts of docs/pipelines.md. ``--check`` writes nothing and exits 1
naming the files that are stale.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from contracts import queries
from contracts.events import (
    EVENT_CLASSES,
    Cancelled,
    Completed,
    Envelope,
    Erased,
    Failed,
    Requested,
    TimedOut,
    event_type,
    schema_urn,
)
from contracts.generation_types import GENERATION_TYPES
from contracts.lifecycle import MOVES, STATUS_OF, Phase
from contracts.stage_charts import stage_charts
from contracts.subjects import LIVE_PREFIX, PROJECTED, STREAM

_ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = Path("contracts/schemas")
ASYNCAPI = Path("asyncapi.json")
STATE_MACHINE = Path("docs/state-machine.md")
PIPELINES = Path("docs/pipelines.md")

VERSION = "0.2.0"
_NATS_BINDING = "0.1.0"
_MEDIA_TYPE = "application/cloudevents+json"

_FINISHED = (Completed, Failed, TimedOut, Cancelled, Erased)
_PROGRESS = tuple(each for each in EVENT_CLASSES if each not in (Requested, *_FINISHED))

WRITERS: Final[Mapping[str, tuple[str, ...]]] = {
    "generation.requested": ("gateway", "generator", "reaper"),
    "generation.accepted": ("gateway",),
    "generation.started": ("generator",),
    "generation.progressed": ("generator",),
    "generation.submitting": ("generator",),
    "generation.retrying": ("generator",),
    "generation.annotated": ("gateway", "generator"),
    "generation.uploaded": ("gateway",),
    "generation.late_result": ("generator",),
    "generation.completed": ("generator",),
    "generation.failed": ("generator", "gateway", "reaper"),
    "generation.timed_out": ("reaper",),
    "generation.cancelled": ("gateway",),
    "generation.erased": ("gateway",),
}
"""Which services tell which fact."""

_ASKERS: Mapping[str, tuple[str, ...]] = {
    queries.GET: ("gateway",),
    queries.PROCESSING: ("gateway",),
    queries.SNAPSHOT: ("gateway",),
    queries.CHANGES: ("gateway",),
    queries.PLACES: ("gateway",),
    queries.HISTORY: ("gateway",),
    queries.EVENTS: ("gateway",),
    queries.LINES: ("gateway",),
    queries.PROVIDERS: ("gateway",),
    queries.SILENT: ("reaper",),
    queries.REFERENCED: ("gateway",),
    queries.DEAD_LETTERS: ("gateway", "operator"),
    queries.DEAD_LETTER: ("operator",),
    queries.RETRY_DEAD_LETTERS: ("gateway", "operator"),
    queries.DROP_DEAD_LETTERS: ("gateway", "operator"),
    queries.STATUS: ("gateway", "operator"),
}


# JSON Schemas -------------------------------------------------------------------------------------


def event_schema(event_class: type[Envelope]) -> dict[str, Any]:
    """JSON Schema 2020-12 of an event as it is published."""
    name = event_type(event_class)
    schema = _published(event_class.model_json_schema(mode="serialization"))
    about = {"title": name, "description": _about(event_class)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_urn(name),
        **about,
        **{key: value for key, value in schema.items() if key not in about},
    }


def _about(event_class: type[Envelope]) -> str:
    """What the event tells: the first line of its data's docstring."""
    data_class = event_class.model_fields["data"].annotation
    return inspect.cleandoc(getattr(data_class, "__doc__", "") or "").partition("\n")[0]


def _published(schema: dict[str, Any]) -> dict[str, Any]:
    """Pydantic's schema without its titles, and with what every published event has as required."""
    for each in (schema, *schema.get("$defs", {}).values()):
        for field in each.get("properties", {}).values():
            field.pop("title", None)
    if "specversion" in schema["properties"]:
        schema["required"] = ["specversion", "type", *schema["required"]]
    return schema


# AsyncAPI -----------------------------------------------------------------------------------------


def asyncapi_document() -> dict[str, Any]:
    """The bus as an AsyncAPI 3.0 document: who sends and receives what, on which subjects."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Darkroom's bus",
            "version": VERSION,
            "description": (
                f"Every fact of a task is a CloudEvent in the JetStream stream {STREAM}; delivery "
                "is at least once. Subjects under live.generation are the broker's republished "
                "copies of what it stored, at most once. Queries are NATS request-reply. Browsers "
                "follow tasks on the gateway's event streams and WebSocket, see openapi.json."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": {
                "host": "{address}",
                "protocol": "nats",
                "description": "NATS 2.12.4 or newer with JetStream.",
                "variables": {
                    "address": {
                        "description": "Host and port, from the setting DARKROOM_NATS_URL.",
                    }
                },
            }
        },
        "channels": {
            **_event_channels(),
            **_cancel_channel(),
            **_projected_channel(),
            **_query_channels(),
        },
        "operations": {
            **_event_operations(),
            **_cancel_operations(),
            **_projected_operations(),
            **_query_operations(),
        },
        "components": {"messages": _messages(), "schemas": _component_schemas()},
    }


_TOKENS = {
    "type": "The generation type in lower case, such as create.",
    "lane": "The provider that is to serve the task.",
    "task_id": "The task's id.",
}
_SUBJECTS: tuple[tuple[str, str, tuple[type[Envelope], ...], str], ...] = (
    (
        "requested",
        "generation.requested.{type}.{lane}.{task_id}",
        (Requested,),
        "A task's place in line. Published only if the subject has no message yet.",
    ),
    (
        "progress",
        "generation.progress.{type}.{task_id}",
        _PROGRESS,
        "What happens to a task between its beginning and its end.",
    ),
    (
        "finished",
        "generation.finished.{type}.{task_id}",
        _FINISHED,
        "A task's one end. Published only if the subject has no message yet; then only erased.",
    ),
)


def _event_channels() -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for name, address, classes, about in _SUBJECTS:
        channels[name] = _channel(address, about, map(event_type, classes))
        channels[f"{LIVE_PREFIX}-{name}"] = _channel(
            f"{LIVE_PREFIX}.{address}",
            f"The broker's copy of what it stored on {address}, with its sequence in the header "
            "Nats-Sequence.",
            map(event_type, classes),
        )
    return channels


def _channel(address: str | None, about: str, messages: Iterable[str]) -> dict[str, Any]:
    tokens = re.findall(r"\{(\w+)\}", address or "")
    channel: dict[str, Any] = {
        "address": address,
        "description": about,
        "servers": [{"$ref": "#/servers/nats"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }
    if tokens:
        channel["parameters"] = {token: {"description": _TOKENS[token]} for token in tokens}
    return channel


def _event_operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for channel, _, classes, _ in _SUBJECTS:
        names = [event_type(each) for each in classes]
        writers = sorted({writer for name in names for writer in WRITERS[name]})
        for writer in writers:
            told = [name for name in names if writer in WRITERS[name]]
            operations[f"{writer}-sends-{channel}"] = _operation(
                "send", writer, channel, told, "Published to JetStream and acknowledged by it."
            )
        operations[f"task-store-receives-{channel}"] = _operation(
            "receive", "task-store", channel, names, "Read in order from the stream."
        )
        operations[f"gateway-receives-{LIVE_PREFIX}-{channel}"] = _operation(
            "receive", "gateway", f"{LIVE_PREFIX}-{channel}", names, "For live updates."
        )
    operations["generator-receives-requested"] = _operation(
        "receive",
        "generator",
        "requested",
        [event_type(Requested)],
        "A durable pull consumer for each type and lane, generator-<type>-<lane>, shared by all "
        "generators: a delivered request is a lease.",
    )
    return operations


def _cancel_channel() -> dict[str, Any]:
    return {
        "cancel": _channel(
            "cancel.{task_id}",
            "Tells the worker that holds the task to stop; core NATS, may be lost.",
            ["cancel"],
        )
    }


def _cancel_operations() -> dict[str, Any]:
    about = "After the task's end is on the log."
    return {
        "gateway-sends-cancel": _operation("send", "gateway", "cancel", ["cancel"], about),
        "reaper-sends-cancel": _operation("send", "reaper", "cancel", ["cancel"], about),
        "generator-receives-cancel": _operation(
            "receive", "generator", "cancel", ["cancel"], "The work stops at once."
        ),
    }


def _projected_channel() -> dict[str, Any]:
    about = "How far the projection is, after each of its transactions; core NATS, may be lost."
    return {"projected": _channel(PROJECTED, about, ["projected"])}


def _projected_operations() -> dict[str, Any]:
    names = ["projected"]
    return {
        "task-store-sends-projected": _operation(
            "send", "task-store", "projected", names, "By the one that projects."
        ),
        "gateway-receives-projected": _operation(
            "receive", "gateway", "projected", names, "Answers that wait for it are given."
        ),
    }


def _query_channels() -> dict[str, Any]:
    about = _documented(queries)
    channels = {_key(subject): _channel(subject, about[subject], ["query"]) for subject in _ASKERS}
    channels["replies"] = _channel(
        None, "The reply subject of a request, made by its sender.", ["reply"]
    )
    return channels


def _query_operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for subject, askers in _ASKERS.items():
        channel = _key(subject)
        query = subject.removeprefix("task-store.")
        reply = {
            "channel": {"$ref": "#/channels/replies"},
            "messages": [{"$ref": "#/channels/replies/messages/reply"}],
        }
        for asker in askers:
            operations[f"{asker}-asks-{query}"] = {
                **_operation("send", asker, channel, ["query"], "Asked by request-reply."),
                "reply": reply,
            }
        answered = _operation(
            "receive", "task-store", channel, ["query"], "Answered by one of the task-stores."
        )
        answered["bindings"]["nats"]["queue"] = queries.QUEUE_GROUP
        operations[f"task-store-answers-{query}"] = {**answered, "reply": reply}
    return operations


def _operation(
    action: str, service: str, channel: str, messages: Iterable[str], about: str
) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "description": about,
        "tags": [{"name": service}],
        "bindings": {"nats": {"bindingVersion": _NATS_BINDING}},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _messages() -> dict[str, Any]:
    messages: dict[str, Any] = {
        event_type(each): {
            "name": event_type(each),
            "title": each.__name__,
            "summary": _about(each),
            "contentType": _MEDIA_TYPE,
            "headers": {"$ref": "#/components/schemas/EventHeaders"},
            "payload": {"$ref": f"#/components/schemas/{each.__name__}"},
        }
        for each in EVENT_CLASSES
    }
    messages["cancel"] = {"name": "cancel", "summary": "No payload: the subject tells the task."}
    messages["projected"] = {
        "name": "projected",
        "summary": "The sequence up to which every event is in the rows, and the tasks that are "
        "put on hold, or whose hold was looked into.",
        "payload": {
            "type": "object",
            "required": ["sequence"],
            "properties": {
                "sequence": {"type": "integer", "minimum": 0},
                "holds": {"type": "array", "items": {"type": "string"}},
            },
        },
    }
    messages["query"] = {
        "name": "query",
        "summary": "A JSON object, as the channel describes it.",
        "payload": {"type": "object"},
    }
    messages["reply"] = {
        "name": "reply",
        "summary": "Either what was asked for or an error code.",
        "payload": {
            "oneOf": [
                {"type": "object", "required": ["ok"]},
                {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {"type": "string"}},
                },
            ]
        },
    }
    return messages


def _component_schemas() -> dict[str, Any]:
    _, document = models_json_schema(
        [(each, "serialization") for each in EVENT_CLASSES],
        ref_template="#/components/schemas/{model}",
    )
    schemas = {name: _published(schema) for name, schema in document["$defs"].items()}
    schemas["EventHeaders"] = {
        "type": "object",
        "required": ["Nats-Msg-Id"],
        "properties": {
            "Nats-Msg-Id": {
                "type": "string",
                "description": "The event's id: the broker stores it once within its window.",
            }
        },
    }
    return dict(sorted(schemas.items()))


def _key(subject: str) -> str:
    return subject.replace(".", "-")


def _documented(module: Any) -> dict[str, str]:
    """The strings that a module names, by value, with the docstring below each."""
    body = ast.parse(inspect.getsource(module)).body
    found: dict[str, str] = {}
    for statement, below in pairwise(body):
        match statement, below:
            case (
                ast.AnnAssign(value=ast.Constant(value=str(value))),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[value] = " ".join(text.split()).replace("``", "`")
    return found


# The state machine --------------------------------------------------------------------------------


def state_chart() -> str:
    """The arrows of `MOVES` as a Mermaid chart; events with the same two ends share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (before, name), after in MOVES.items():
        ends = ("[*]" if before is None else before.value, after.value)
        arrows.setdefault(ends, []).append(name.removeprefix("generation."))
    order = ["[*]", *(phase.value for phase in Phase)]
    lines = ["```mermaid", "stateDiagram-v2"]
    for (start, end), names in sorted(arrows.items(), key=lambda each: order.index(each[0][0])):
        lines.append(f"    {start} --> {end}: {', '.join(names)}")
    return "\n".join([*lines, "```"])


def state_table() -> str:
    """The states, with the status that machines see."""
    rows = [(f"`{phase.value}`", f"`{STATUS_OF[phase].value}`") for phase in Phase]
    return _table(("state", "status"), rows)


def writer_table() -> str:
    """Every event: who tells it, on which subject, and what it says."""
    rows = [
        (
            f"`{event_type(each)}`",
            f"`{channel}`",
            ", ".join(WRITERS[event_type(each)]),
            _about(each).replace("``", "`"),
        )
        for channel, _, classes, _ in _SUBJECTS
        for each in classes
    ]
    return _table(("event", "subject", "told by", "says"), rows)


def stage_tables() -> str:
    """The stages of every built-in generation type."""
    rows = []
    for kind in GENERATION_TYPES.values():
        failures = dict.fromkeys(kind.failure_stages.values())
        rows.append(
            (
                f"`{kind.name}`",
                f"`{kind.pending_stage}`",
                f"`{kind.waiting_stage}`",
                ", ".join(f"`{stage}`" for stage in kind.working_stages),
                ", ".join(f"`{stage}`" for stage in failures) or "the stage that it had reached",
            )
        )
    return _table(("type", "pending", "waiting", "running, the last one completed", "failed"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_PAGES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    STATE_MACHINE: {
        "chart": state_chart,
        "states": state_table,
        "writers": writer_table,
        "stages": stage_tables,
    },
    PIPELINES: {"pipelines": stage_charts},
}
"""Pages with parts that are generated, and what makes each part."""


def with_parts(path: Path, page: str) -> str:
    """The page with the parts between its ``generated`` markers made anew."""
    for name, make in _PAGES[path].items():
        begin, end = f"<!-- generated: {name} -->", "<!-- end -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise SystemExit(f"{path} has no {begin} … {end}")
        page = f"{before}{begin}\n{make()}\n{end}{after}"
    return page


# Files --------------------------------------------------------------------------------------------


def artefacts(root: Path) -> dict[Path, str]:
    """Every generated file below ``root``, with what it should hold."""
    files = {
        SCHEMAS / f"{event_type(each)}.json": _json(event_schema(each)) for each in EVENT_CLASSES
    }
    files[ASYNCAPI] = _json(asyncapi_document())
    for page in _PAGES:
        files[page] = with_parts(page, (root / page).read_text(encoding="utf-8"))
    return files


def stale(root: Path) -> list[Path]:
    """The files that are missing, differ, or are schemas of no event any more."""
    files = artefacts(root)
    left_over = {each.relative_to(root) for each in (root / SCHEMAS).glob("*.json")} - files.keys()
    differing = [path for path, text in files.items() if _read(root / path) != text]
    return sorted([*differing, *left_over])


def write(root: Path) -> list[Path]:
    """Make every file current; returns those that were not."""
    changed = stale(root)
    files = artefacts(root)
    for path in changed:
        if path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(files[path], encoding="utf-8")
        else:
            (root / path).unlink()
    return changed


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m contracts.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only look; exit 1 if any is stale")
    parser.add_argument("--root", type=Path, default=_ROOT, help="the repository")
    options = parser.parse_args(arguments)
    if not options.check:
        for path in write(options.root):
            print(f"wrote {path}")
        return 0
    paths = stale(options.root)
    for path in paths:
        print(f"{path} is stale: run python -m contracts.generate", file=sys.stderr)
    return 1 if paths else 0


if __name__ == "__main__":
    sys.exit(main())
