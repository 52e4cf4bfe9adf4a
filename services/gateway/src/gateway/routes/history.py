"""Many tasks at once: what is going on, what was, and the tasks of one prompt."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.api import PromptTaskView, TaskList, TaskPage
from delivery.log import LogRefused, StreamState
from gateway.admission import generation_type
from gateway.cursors import read_cursor, write_cursor
from gateway.parts import InParts, Owner, Parts
from gateway.views import json_response
from gateway.wellformed import refuse_nul

router = APIRouter(tags=["tasks"])
_PAGE = 200
_MOST_OF_A_PROMPT = 1000

Status = Literal["pending", "processing", "completed", "failed", "cancelled"]
TypeName = Annotated[str | None, Query(alias="type", max_length=64, examples=["CREATE"])]


@router.get("/tasks/processing", response_model=TaskList)
async def list_processing_tasks(
    parts: InParts,
    owner: Owner,
    type_name: TypeName = None,
    status: Literal["pending", "processing"] | None = None,
) -> Response:
    """Recovery: every task that has not ended, oldest first; complete, or a 503.

    Includes every task whose 202 was given before the call.
    """
    _check_type(type_name)
    log = await parts.bus.link.log.state()
    records = await parts.tasks.processing(owner, type_name, status, log)
    return json_response({"tasks": parts.views.tasks(records)})


@router.get("/tasks", response_model=TaskPage)
async def list_tasks(
    parts: InParts,
    owner: Owner,
    type_name: TypeName = None,
    status: Status | None = None,
    prompt_id: Annotated[str | None, Query(max_length=256)] = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = 50,
    cursor: str | None = None,
) -> Response:
    """The history, newest first, in pages; the first has all that happened before the call."""
    _check_type(type_name)
    refuse_nul({"prompt_id": prompt_id})
    after = None if cursor is None else read_cursor(cursor)
    filters = {"type": type_name, "status": status, "prompt_id": prompt_id}
    log = await _end_of_log(parts) if after is None else None
    records, following = await parts.tasks.history(owner, filters, limit, after, log)
    next_cursor = None if following is None else write_cursor(*following)
    return json_response({"tasks": parts.views.tasks(records), "next_cursor": next_cursor})


@router.get("/api/generation/tasks", response_model=list[PromptTaskView])
async def list_prompt_tasks(
    parts: InParts,
    owner: Owner,
    prompt_id: Annotated[str, Query(alias="promptId", min_length=1, max_length=256)],
) -> Response:
    """The tasks of one prompt, newest first, for React Query hooks."""
    refuse_nul({"promptId": prompt_id})
    filters = {"type": None, "status": None, "prompt_id": prompt_id}
    tasks: list[dict[str, Any]] = []
    after, log = None, await _end_of_log(parts)
    while len(tasks) < _MOST_OF_A_PROMPT:
        records, after = await parts.tasks.history(owner, filters, _PAGE, after, log)
        tasks += [parts.views.prompt_task(record) for record in records]
        if after is None:
            break
    return json_response(tasks)


async def _end_of_log(parts: Parts) -> StreamState | None:
    """What a history should have; None where there is no log: then the rows as they are."""
    with suppress(LogRefused):
        return await parts.bus.link.log.state()
    return None


def _check_type(type_name: str | None) -> None:
    if type_name is not None:
        generation_type(type_name)
