"""For operators: events that could not be applied, and what becomes of them."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from contracts.api import DeadLetters, DropDeadLetter, MendedDeadLetters, RetryDeadLetters
from gateway.bodies import headers_of, read_json_body, require_json
from gateway.parts import Admin, InParts
from gateway.refusals import Refusal
from gateway.views import json_response, utc
from gateway.wellformed import NUL_IN_JSON, refuse_nul, shape_refusal

router = APIRouter(tags=["operations"])

_Model = TypeVar("_Model", bound=BaseModel)
Sequence = Annotated[int, Path(ge=1, le=2**63 - 1)]
_TIMES = ("first_at", "last_at")


def _body(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.get("/dead-letters", response_model=DeadLetters)
async def list_dead_letters(
    parts: InParts,
    admin: Admin,
    reason: Annotated[str | None, Query(max_length=500)] = None,
    task_id: Annotated[str | None, Query(max_length=200)] = None,
    dropped: bool = False,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Events that could not be applied, each with what waits behind it; for admins.

    `reason` is how it begins. With `dropped`, those that were dropped.
    """
    refuse_nul({"reason": reason, "task_id": task_id})
    told = await parts.tasks.dead_letters(
        reason=reason, task_id=task_id, dropped=dropped, after=after, limit=limit
    )
    for letter in (*told["dead_letters"], *told["exhausted"]):
        letter |= {name: utc(letter[name]) for name in _TIMES}
    return json_response(told | {"oldest": utc(told["oldest"])})


@router.post(
    "/dead-letters/retry",
    response_model=MendedDeadLetters,
    openapi_extra=_body(RetryDeadLetters),
)
async def retry_dead_letters(request: Request, parts: InParts, admin: Admin) -> Response:
    """Apply several as if they came now, with what waits behind them, up to 1,000 tasks; for
    admins."""
    chosen = await _read(request, RetryDeadLetters)
    return json_response(await parts.tasks.retry_dead_letters(admin, **chosen.model_dump()))


@router.post("/dead-letters/{sequence}/retry", response_model=MendedDeadLetters)
async def retry_dead_letter(parts: InParts, admin: Admin, sequence: Sequence) -> Response:
    """Apply one as if it came now, with what waits behind it; for admins."""
    done = await parts.tasks.retry_dead_letters(admin, sequences=[sequence])
    return json_response(_present(done, sequence))


@router.post(
    "/dead-letters/{sequence}/drop",
    response_model=MendedDeadLetters,
    openapi_extra=_body(DropDeadLetter),
)
async def drop_dead_letter(
    request: Request, parts: InParts, admin: Admin, sequence: Sequence
) -> Response:
    """Set one aside for good, and apply what waits behind it; for admins."""
    why = await _read(request, DropDeadLetter)
    done = await parts.tasks.drop_dead_letter(admin, sequence, why.note)
    return json_response(_present(done, sequence))


def _present(done: dict[str, Any], sequence: int) -> dict[str, Any]:
    if done["absent"]:
        raise Refusal(
            "dead_letter_not_found",
            f"Nothing is put aside at {sequence}: it was tried again or dropped by now.",
        )
    return done


async def _read(request: Request, model: type[_Model]) -> _Model:
    headers = headers_of(request)
    require_json(headers)
    body = await read_json_body(request, headers)
    try:
        made = model.model_validate_json(body)
    except ValidationError as error:
        raise shape_refusal(error) from None
    if NUL_IN_JSON in body:
        refuse_nul(made.model_dump())
    return made
