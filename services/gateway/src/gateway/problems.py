"""Every error as RFC 9457 ``application/problem+json``: never a stack trace, always what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from artifacts.store import StoreUnavailable
from delivery.log import LogUnavailable
from delivery.publisher import EventTooLarge, LogFull, LogUnreachable, OutcomeUnknown
from gateway.errors_page import type_of
from gateway.metrics import PROBLEMS
from gateway.refusals import Refusal, log_unreachable, request_too_large
from telemetry.logs import get_logger

PROBLEM_JSON = "application/problem+json"
SOON_S = 1
FULL_S = 30
_log = get_logger(__name__)


def problem_response(refusal: Refusal, root_url: str) -> Response:
    """The answer that a refusal becomes; ``root_url`` is where the gateway is."""
    headers = dict(refusal.headers)
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    return Response(
        orjson.dumps(problem_of(refusal, root_url)),
        status_code=refusal.status,
        headers=headers,
        media_type=PROBLEM_JSON,
    )


def problem_of(refusal: Refusal, root_url: str) -> dict[str, Any]:
    """The body of a problem; it is counted as told."""
    PROBLEMS.labels(refusal.code).inc()
    body: dict[str, Any] = {
        "type": type_of(refusal.code, root_url),
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
    }
    if refusal.errors:
        body["errors"] = [{"loc": list(loc), "msg": message} for loc, message in refusal.errors]
    return {**refusal.members, **body}


def refusal_of_fault(fault: Exception) -> Refusal:
    """What a fault of the bus or the object store means to the caller."""
    match fault:
        case LogUnreachable() | LogUnavailable():
            return log_unreachable()
        case OutcomeUnknown():
            return Refusal(
                "outcome_unknown",
                "It was sent to the log, which did not confirm it in time: it may have happened. "
                "Ask for the task, or repeat the request with the same Idempotency-Key.",
                retry_after_s=SOON_S,
            )
        case LogFull():
            return log_full()
        case EventTooLarge():
            return request_too_large()
        case StoreUnavailable():
            return Refusal(
                "store_unavailable",
                "The object store does not answer. Try again in a moment.",
                retry_after_s=SOON_S,
            )
        case _:  # pragma: no cover - `FAULTS` names no other
            raise fault


FAULTS = (
    LogUnreachable,
    LogUnavailable,
    OutcomeUnknown,
    LogFull,
    EventTooLarge,
    StoreUnavailable,
)


def log_full() -> Refusal:
    return Refusal(
        "log_full",
        "The log is almost full and takes no new tasks, so that the running ones can end. "
        "Its operator has to make room (DARKROOM_STREAM_MAX_BYTES). Try again later.",
        retry_after_s=FULL_S,
    )


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""
    app.add_exception_handler(Refusal, _on_refusal)
    for fault in FAULTS:
        app.add_exception_handler(fault, _on_fault)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_error)


def _answer(request: Request, refusal: Refusal) -> Response:
    return problem_response(refusal, request.app.state.parts.settings.root_url)


async def _on_refusal(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return _answer(request, refusal)


async def _on_fault(request: Request, fault: Exception) -> Response:
    return _answer(request, refusal_of_fault(fault))


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [(each["loc"], each["msg"]) for each in error.errors()]
    loc, message = errors[0]
    detail = f"{'.'.join(map(str, loc))}: {message}."
    return _answer(request, Refusal("invalid_request", detail, errors=errors))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(sorted(_allowed_methods(request)))
        detail = f"{request.method} is not possible here. Possible: {allowed}."
        return _answer(request, Refusal("method_not_allowed", detail, headers={"Allow": allowed}))
    if error.status_code == 404:
        detail = "There is nothing at this address. What there is: /docs."
        return _answer(request, Refusal("not_found", detail))
    return _other(request, error)


def _other(request: Request, error: HTTPException) -> Response:
    code = {413: "body_too_large", 415: "unsupported_media_type"}.get(error.status_code)
    if code is None:
        code = "internal" if error.status_code >= 500 else "invalid_request"
    headers: Mapping[str, str] = error.headers or {}
    return _answer(request, Refusal(code, str(error.detail), headers=headers))


def _allowed_methods(request: Request) -> set[str]:
    methods: set[str] = set()
    for route in request.app.router.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return methods


async def _on_error(request: Request, error: Exception) -> Response:
    _log.error("unexpected error", path=request.url.path, reason=repr(error))
    return _answer(
        request,
        Refusal(
            "internal",
            "Something went wrong here that should not have. It is in the log of the gateway.",
        ),
    )
