"""The OpenAPI 3.1 document of everything that is served. Needs no network."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRouter

from contracts.api import Problem
from contracts.generation_types import GENERATION_TYPES
from gateway.refusals import REFUSALS, TOGETHER
from gateway.routes import changes, files, history, operations, sessions, streams, tasks

TITLE = "Darkroom"
VERSION = "0.1.0"
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
