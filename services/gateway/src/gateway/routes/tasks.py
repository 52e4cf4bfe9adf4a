"""``POST /tasks`` and ``GET /tasks/{task_id}``: asked for most, so plain Starlette routes.

`documented` has the same two for the OpenAPI document; it is never served.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from contracts.api import MAX_WAIT_S, SubmitTask, TaskView
from contracts.lifecycle import Task
from contracts.records import Record, from_record, to_record
from gateway import admission
from gateway.bodies import headers_of, preferred_wait_s, read_json_body, require_json
from gateway.metrics import SUBMIT_SECONDS
from gateway.parts import Parts, parts_of
from gateway.submissions import Asked, Submitted
from gateway.views import etag, json_response
from gateway.wellformed import invalid
from telemetry.tracing import current_traceparent

_LARGEST_SEQUENCE = 2**63 - 1


async def submit_task(request: Request) -> Response:
    began = time.perf_counter()
    parts = parts_of(request)
    headers = headers_of(request)
    owner = parts.auth.owner(headers, request.scope)
    require_json(headers)
    submission = admission.read_submission(await read_json_body(request, headers))
    wanted = admission.want(submission, owner, parts.views.root_url)
    asked = asked_for(headers, owner)
    submitted = await parts.submissions.submit(wanted, asked)
    if not asked.wait_s:
        SUBMIT_SECONDS.observe(time.perf_counter() - began)
    return submitted_response(parts, submitted, asked)


def asked_for(headers: Mapping[str, str], owner: str, *, retry: bool = False) -> Asked:
    """How a submit was made, from its headers."""
    return Asked(
        owner=owner,
        key=headers.get("idempotency-key"),
        wait_s=preferred_wait_s(headers.get("prefer")),
        traceparent=current_traceparent()
        or admission.usable_traceparent(headers.get("traceparent"))
        or admission.untraced(os.urandom(24)),
        retry=retry,
    )


def submitted_response(parts: Parts, submitted: Submitted, asked: Asked) -> Response:
    """202 with a new task; 200 when it is known from before, or has ended already."""
    record = submitted.record
    headers = {"Location": f"/tasks/{record['task_id']}"}
    if submitted.replayed:
        headers["Idempotency-Replayed"] = "true"
    if asked.wait_s is not None:
        headers["Preference-Applied"] = f"wait={asked.wait_s}"
    ended = record["status"] not in ("pending", "processing")
    done = submitted.replayed or (asked.wait_s is not None and ended)
    return json_response(parts.views.task(record), 200 if done else 202, headers)


async def show_task(request: Request) -> Response:
    parts = parts_of(request)
    headers = headers_of(request)
    owner = parts.auth.owner(headers, request.scope)
    task_id: str = request.path_params["task_id"]
    if request.scope["query_string"]:
        wait_s, after = _wait_and_after(request)
        if wait_s:
            record = await _waited(parts, owner, task_id, wait_s, after)
            return _task_response(headers, parts, record)
    return _task_response(headers, parts, await parts.reader.read(owner, task_id))


async def _waited(
    parts: Parts, owner: str, task_id: str, wait_s: float, after: int | None
) -> Record:
    """The task once it has moved past ``after``: by default past what it is now, unless ended."""
    first = await parts.reader.read(owner, task_id)
    if after is not None and first["sequence"] > after:
        return first
    if after is None and from_record(first).status.is_terminal:
        return first
    async with parts.live.watch(task_id) as watcher:
        record = await parts.reader.read_watched(owner, task_id, watcher)
        seen = first["sequence"] if after is None else after

        def moved(task: Task) -> bool:
            return task.sequence > seen

        task = await parts.reader.wait(watcher, from_record(record), moved, wait_s)
    if task.sequence > record["sequence"]:
        await parts.reader.settled(task)
        return to_record(task)
    if record["sequence"] > seen:
        return record
    # Its place in the line may have moved, which is no event. What was read from the log may be
    # ahead of the projection still.
    latest = await parts.reader.read(owner, task_id)
    return latest if latest["sequence"] >= record["sequence"] else record


def _task_response(headers: Mapping[str, str], parts: Parts, record: Record) -> Response:
    view = parts.views.task(record)
    tag = etag(record, view)
    sent = headers.get("if-none-match")
    if sent is not None and (sent.strip() == "*" or tag in map(str.strip, sent.split(","))):
        return Response(status_code=304, headers={"ETag": tag})
    return json_response(view, 200, {"ETag": tag})


def _wait_and_after(request: Request) -> tuple[float | None, int | None]:
    wait, after = request.query_params.get("wait"), request.query_params.get("after")
    try:
        wait_s = None if wait is None else float(wait)
        if wait_s is not None and not (math.isfinite(wait_s) and 0 <= wait_s <= MAX_WAIT_S):
            raise ValueError
    except ValueError:
        message = f"a number of seconds from 0 to {MAX_WAIT_S}"
        raise invalid([(("query", "wait"), message)]) from None
    if after is not None and not (after.isdecimal() and int(after[:20]) <= _LARGEST_SEQUENCE):
        raise invalid([(("query", "after"), "a sequence: the one of the task as last seen")])
    return wait_s, None if after is None else int(after[:20])


class _Endpoint:
    """A handler as an ASGI application, without the layer that a plain function gets."""

    def __init__(self, handler: Callable[[Request], Awaitable[Response]]) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handler(Request(scope, receive, send))
        await response(scope, receive, send)


class _HotRoute(Route):
    """Tells its template, which answers are counted by, as FastAPI's own routes do.

    It is tried before its literal neighbour ``/tasks/processing`` and leaves that alone.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["path"] == _PROCESSING:
            return Match.NONE, {}
        match, child_scope = super().matches(scope)
        if child_scope:
            child_scope["route"] = self
        return match, child_scope


_PROCESSING = "/tasks/processing"
SUBMIT = _HotRoute("/tasks", _Endpoint(submit_task), methods=["POST"])
SHOW = _HotRoute("/tasks/{task_id}", _Endpoint(show_task), methods=["GET"])

documented = APIRouter(tags=["tasks"])


@documented.post(
    "/tasks",
    name="submit_task",
    status_code=202,
    response_model=TaskView,
    responses={
        200: {
            "model": TaskView,
            "description": "The task that this `Idempotency-Key` named before "
            "(`Idempotency-Replayed: true`), or, with `Prefer: wait`, one that has ended.",
        }
    },
)
async def _submit_task(
    body: SubmitTask,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            description="The same key and body name the same task, however often they are sent.",
        ),
    ] = None,
    prefer: Annotated[
        str | None,
        Header(examples=["wait=10"], description="`wait=N`, N ≤ 60: answer when the task ends."),
    ] = None,
) -> None:
    """Ask for something to be generated.

    The task is on disk in the log before the answer. It is `processing` (or `pending`, with a
    `run_at` in the future); follow it at `Location`.
    """


@documented.get(
    "/tasks/{task_id}",
    name="show_task",
    response_model=TaskView,
    responses={304: {"description": "Nothing has changed since `If-None-Match`."}},
)
async def _show_task(
    task_id: str,
    wait: Annotated[
        float | None,
        Query(ge=0, le=MAX_WAIT_S, description="Hold the answer until the task moves, seconds."),
    ] = None,
    after: Annotated[
        int | None,
        Query(ge=0, description="With `wait`: until its `sequence` is greater than this."),
    ] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> None:
    """A task as it is now. Never 404 after its 202."""
