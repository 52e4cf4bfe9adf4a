"""The OpenAPI 3.1 document of everything that is served. Needs no network."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRouter

from contracts.api import Problem
from contracts.generation_types import GENERATION_TYPES
from gateway.refusals import REFUSALS, TOGETHER
from gateway.routes import (
    changes,
    dead_letters,
    files,
    history,
    operations,
    sessions,
    streams,
    tasks,
)

TITLE = "Darkroom"
VERSION = "0.2.0"
_SUMMARY = "Generation tasks that are never lost."
_OPEN = ("/healthz", "/readyz")
_COMMON = {
    "401": "The credential is missing or wrong (`unauthorized`).",
    "404": "There is no such thing, or it is someone else's.",
    "422": "The request can't be done as it is; `code` and `errors` say why.",
    "503": "The log or a store can't be reached now; `Retry-After` says when to ask again.",
}
_PLAIN_ERRORS = {
    ("delete", "/session"): {"403": "Sent from a page of another site (`cross_site`)."},
    ("post", "/tokens"): {"403": "A cookie, from a page of another site (`cross_site`)."},
    ("post", "/tasks"): {
        "422": f"The request can't be done as it is; `code` and `errors` say why. {TOGETHER} "
        "(`request_too_large`); metadata and provider_params at most 16 KiB each.",
        "413": "The body is over 1 MiB (`body_too_large`).",
        "415": "The body is not declared as JSON (`unsupported_media_type`).",
        "429": "The line of this type is full (`queue_full`).",
    },
    ("post", "/tasks/{task_id}/cancel"): {"409": "The task had ended (`already_finished`)."},
    ("post", "/tasks/{task_id}/retry"): {
        "409": "The task has not ended (`task_is_live`).",
        "429": "The line of this type is full (`queue_full`).",
    },
    ("patch", "/tasks/{task_id}/metadata"): {
        "413": "The body is over 1 MiB (`body_too_large`).",
        "415": "The body is no merge patch (`unsupported_media_type`).",
        "422": "The patch is no JSON object, or it or the metadata with it is over 16 KiB.",
    },
    ("post", "/uploads"): {
        "408": "The file did not come in time (`upload_too_slow`).",
        "413": "The file is too large (`upload_too_large`).",
        "415": "The body is no multipart form (`unsupported_media_type`).",
        "503": "Too much is being uploaded at once (`uploads_busy`), or the store can't be reached "
        "(`store_unavailable`); `Retry-After` says when to send it again.",
    },
}

_ADMINS = {"403": "The owner is no admin (`admin_only`), or a page of another site sent it."}
_PLAIN_ERRORS |= {
    ("get", "/system"): _ADMINS,
    ("get", "/dead-letters"): _ADMINS,
    ("post", "/dead-letters/{sequence}/retry"): _ADMINS,
    ("post", "/dead-letters/retry"): _ADMINS,
    ("post", "/dead-letters/{sequence}/drop"): _ADMINS,
}
_FILES = (("get", "/uploads/{upload_id}"), ("get", "/artifacts/{key}"))
_PLAIN_ERRORS |= {
    each: {"416": "The file has no such part (`range_not_satisfiable`)."} for each in _FILES
}
_CONDITIONS = {
    "Range": "A part of the file, as `bytes=0-1023`.",
    "If-Range": "The part only of this `ETag`, else the whole file.",
    "If-None-Match": "Not again what has this `ETag`.",
    "If-Modified-Since": "Not again what has not changed since.",
}
_ASKED_BY_HEADER: dict[tuple[str, str], dict[str, str]] = {
    ("post", "/tasks/{task_id}/retry"): {
        "Idempotency-Key": "The same key names the same new task, however often it is sent.",
        "Prefer": "`wait=N`, N ≤ 60: answer when the new task ends.",
    },
    **dict.fromkeys(_FILES, _CONDITIONS),
}
_ALSO_ANSWERED: dict[tuple[str, str], dict[str, str]] = {
    ("get", "/readyz"): {"503": "It can't; `checks` say why."},
    **{each: {"304": "Nothing has changed."} for each in _FILES},
}
_AGAIN = {"Retry-After": "Seconds until it is worth asking again."}
_PLACE = {"Location": "Where the task is."}
_TAG = {"ETag": "Of these bytes, for `If-None-Match` and `If-Range`."}
_TOLD_BY_HEADER: dict[tuple[str, str, str], dict[str, str]] = {
    ("post", "/tasks", "202"): _PLACE,
    ("post", "/tasks", "200"): _PLACE | {"Idempotency-Replayed": "`true` for a key seen before."},
    ("post", "/tasks/{task_id}/retry", "202"): _PLACE,
    ("post", "/uploads", "201"): {"Location": "Where the file is."},
    ("get", "/tasks/{task_id}", "200"): {"ETag": "Of the task as it is, for `If-None-Match`."},
    **{(*each, "200"): _TAG for each in _FILES},
    **{(*each, "206"): _TAG | {"Content-Range": "Which part it is."} for each in _FILES},
}


def document() -> dict[str, Any]:
    """The document, the same on every machine."""
    router = APIRouter()
    for each in (
        tasks.documented,
        streams.documented,
        history.router,
        changes.router,
        files.router,
        operations.router,
        dead_letters.router,
        sessions.router,
    ):
        router.include_router(each)
    made = get_openapi(
        title=TITLE,
        version=VERSION,
        summary=_SUMMARY,
        description=_description(),
        openapi_version="3.1.0",
        routes=FastAPI(routes=router.routes).routes,
    )
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for generated in ("HTTPValidationError", "ValidationError"):
        schemas.pop(generated, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "With `DARKROOM_AUTH=keys`."}
    }
    made["x-generation-types"] = {
        kind.name: {
            "title": kind.title,
            "stages": kind.stages,
            "prompt_required": kind.prompt_required,
            "references": kind.references,
            "default_provider": kind.default_provider.upper(),
        }
        for kind in GENERATION_TYPES.values()
    }
    made["x-problems"] = {
        code: {"status": status, "title": title} for code, (status, title) in REFUSALS.items()
    }
    for path, operations_of_path in made["paths"].items():
        for method, operation in operations_of_path.items():
            _complete(operation, method, path)
    return made


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    responses = operation["responses"]
    told = {} if path in _OPEN else dict(_COMMON)
    if "{" not in path:
        told.pop("404", None)
    told.update(_PLAIN_ERRORS.get((method, path), {}))
    for status, description in told.items():
        responses[status] = {
            "description": description,
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
    for status, description in _ALSO_ANSWERED.get((method, path), {}).items():
        responses[status] = {"description": description}
    for status, response in responses.items():
        told_by_header = _TOLD_BY_HEADER.get((method, path, status), {})
        if status in ("429", "503") and path not in _OPEN:
            told_by_header = told_by_header | _AGAIN
        if told_by_header:
            response["headers"] = {
                name: {"description": about, "schema": {"type": "string"}}
                for name, about in told_by_header.items()
            }
    for name, about in _ASKED_BY_HEADER.get((method, path), {}).items():
        operation.setdefault("parameters", []).append(
            {"name": name, "in": "header", "description": about, "schema": {"type": "string"}}
        )
    if path not in _OPEN:
        operation["security"] = [{"key": []}, {}]


def _description() -> str:
    rows = "\n".join(
        f"| `{kind.name}` | {kind.title} | {', '.join(f'`{each}`' for each in kind.stages)} |"
        for kind in GENERATION_TYPES.values()
    )
    return (
        "Submit with `POST /tasks`, follow with `GET /tasks/{task_id}?wait=20`, find everything "
        "again with `GET /tasks/processing`, see everything happen on `GET /events` (an event "
        "stream; the same over a WebSocket at `/ws`). Every error is `application/problem+json`."
        "\n\n"
        "The types built in, and the stages that their tasks show:\n\n"
        f"| type | | stages |\n|---|---|---|\n{rows}\n"
    )
