"""What can be done to one task, and what has happened to it."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from contracts.api import TaskEvents, TaskView
from delivery.log import LogUnavailable
from delivery.publisher import LogUnreachable
from gateway.admission import want_again
from gateway.bodies import expected_bytes, media_type, read_json_body, require_plain
from gateway.forms import FORM, FORM_OVERHEAD_BYTES, body_file, form_file
from gateway.parts import InParts, Owner, Parts
from gateway.refusals import Refusal
from gateway.routes.tasks import asked_for, submitted_response
from gateway.views import json_response, utc
from gateway.wellformed import read_patch

router = APIRouter(tags=["tasks"])
_PATCH_TYPES = ("application/merge-patch+json", "application/json")


@router.post("/tasks/{task_id}/cancel", status_code=202, response_model=TaskView)
async def cancel_task(parts: InParts, owner: Owner, task_id: str) -> Response:
    """Cancel a task, also while the task store is away; a 409 tells that it had ended before."""
    record = await parts.changes.cancel(owner, task_id)
    return json_response(parts.views.task(record), 202)


@router.post("/tasks/{task_id}/retry", status_code=202, response_model=TaskView)
async def retry_task(request: Request, parts: InParts, owner: Owner, task_id: str) -> Response:
    """Ask for the same once more, as a new task with `metadata.retry_of`."""
    record = await parts.reader.read(owner, task_id)
    if record["status"] in ("pending", "processing"):
        raise Refusal(
            "task_is_live",
            f"The task is {record['status']}. Wait until it ends, or cancel it first.",
        )
    asked = asked_for(request.headers, owner, retry=True)
    submitted = await parts.submissions.submit(want_again(record), asked)
    return submitted_response(parts, submitted, asked)


@router.patch(
    "/tasks/{task_id}/metadata",
    response_model=TaskView,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {name: {"schema": {"type": "object"}} for name in _PATCH_TYPES},
        }
    },
)
async def patch_metadata(request: Request, parts: InParts, owner: Owner, task_id: str) -> Response:
    """Change metadata by a merge patch (RFC 7396): objects merge, null removes."""
    if media_type(request.headers) not in _PATCH_TYPES:
        raise Refusal(
            "unsupported_media_type",
            "Send a merge patch, with Content-Type: application/merge-patch+json.",
            headers={"Accept-Patch": _PATCH_TYPES[0]},
        )
    patch = read_patch(await read_json_body(request, request.headers))
    record = await parts.changes.annotate(owner, task_id, patch)
    return json_response(parts.views.task(record))


@router.put(
    "/tasks/{task_id}/photo",
    status_code=202,
    response_model=TaskView,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                **FORM["requestBody"]["content"],
                "image/*": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
)
async def put_photo(request: Request, parts: InParts, owner: Owner, task_id: str) -> Response:
    """Send the photo that a pending task waits for, as a form or as the body itself.

    What can't be used as a photo ends the task; a transfer that breaks off leaves it as it was.
    """
    require_plain(request.headers)
    await parts.photos.check(owner, task_id)
    most_bytes = parts.settings.upload_max_bytes
    file_of = body_file
    if media_type(request.headers) == "multipart/form-data":
        file_of, most_bytes = form_file, most_bytes + FORM_OVERHEAD_BYTES
    with parts.backlog.room(expected_bytes(request.headers, most_bytes)):
        async with file_of(request, most_bytes) as file, parts.backlog.in_hand():
            record = await parts.photos.put(owner, task_id, await file.read(), file.filename)
    return json_response(parts.views.task(record), 202)


@router.delete("/tasks/{task_id}", status_code=204, response_class=Response)
async def erase_task(parts: InParts, owner: Owner, task_id: str) -> Response:
    """Erase a task, its prompt, references, events and artifacts; a live one is ended first.

    While the task store is away, what it keeps, and uploads that other tasks may need, follow when
    it is back.
    """
    await parts.changes.erase(owner, task_id)
    return Response(status_code=204)


@router.get(
    "/tasks/{task_id}/events",
    response_model=TaskEvents,
    responses={
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "With `Accept: text/event-stream` the task as it is, then each change "
            "of it until it has ended, as at `/events`.",
        },
        204: {"description": "An event stream, and `Last-Event-ID` is the end of the task."},
    },
)
async def list_task_events(parts: InParts, owner: Owner, task_id: str) -> Response:
    """What happened to a task, in order."""
    record = await parts.reader.read(owner, task_id)
    stored = await _stored(parts, owner, task_id)
    last = stored[-1]["sequence"] if stored else 0
    if last < record["sequence"]:
        # The task was read in the log: the projection has not all of it yet.
        stored += [each for each in await _logged(parts, task_id) if each["sequence"] > last]
    events = [
        {**each["event"], "sequence": each["sequence"], "logtime": utc(each["logtime"])}
        for each in stored
    ]
    return json_response({"events": events})


async def _stored(parts: Parts, owner: str, task_id: str) -> list[dict[str, Any]]:
    """The events as the task-store has them; none while it is away and the log has them all."""
    try:
        stored, _ = await parts.tasks.events(owner, task_id)
    except Refusal:
        if await parts.reader.from_log(task_id) is None:
            raise
        return []
    return stored


async def _logged(parts: Parts, task_id: str) -> list[dict[str, Any]]:
    """The events as the log has them; what is no JSON object is left out, as by the task-store."""
    try:
        messages = await parts.bus.link.log.history(task_id)
    except (LogUnavailable, LogUnreachable):
        return []
    events = []
    for message in messages:
        try:
            event = orjson.loads(message.payload)
        except orjson.JSONDecodeError:
            continue
        if isinstance(event, dict):
            told = {"sequence": message.sequence, "logtime": message.logtime, "event": event}
            events.append(told)
    return events
