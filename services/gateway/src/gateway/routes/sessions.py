"""Credentials for what can't send a header: a cookie for pages, a token for addresses."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from contracts.api import SessionView, TokenView
from gateway.auth import COOKIE, SESSION_S, check_same_origin
from gateway.parts import InParts
from gateway.views import json_response, utc

router = APIRouter(tags=["sessions"])
_NEVER_KEPT = {"Cache-Control": "no-store"}


@router.post("/session", response_model=SessionView)
async def begin_session(request: Request, parts: InParts) -> Response:
    """Exchange a key for a cookie, with which `EventSource`, `WebSocket` and `<img>` work.

    It is `HttpOnly`, `SameSite=Strict`, good for a week, and ends with its key. With it, only pages
    of this origin may change anything.
    """
    session = parts.auth.session(request.headers)
    told = {"owner": session.owner, "expires_at": _time(session.expires_at)}
    response = json_response(told, 200, _NEVER_KEPT)
    _set_cookie(response, session.text, SESSION_S, parts.views.root_url)
    return response


@router.delete("/session", status_code=204, response_class=Response)
async def end_session(request: Request, parts: InParts) -> Response:
    """Take the cookie back, and have the browser forget the files that it kept."""
    if "authorization" not in request.headers and COOKIE in request.cookies:
        check_same_origin(request.headers)
    response = Response(status_code=204, headers=_NEVER_KEPT | {"Clear-Site-Data": '"cache"'})
    _set_cookie(response, "", 0, parts.views.root_url)
    return response


@router.post("/tokens", status_code=201, response_model=TokenView)
async def make_token(request: Request, parts: InParts) -> Response:
    """A token for `?token=`, on GETs and on `/ws` only; good for ten minutes.

    A connection that it opened lives on.
    """
    token = parts.auth.token(request.headers, request.scope)
    told = {"token": token.text, "expires_at": _time(token.expires_at)}
    return json_response(told, 201, _NEVER_KEPT)


def _set_cookie(response: Response, value: str, life_s: int, root_url: str) -> None:
    response.set_cookie(
        COOKIE,
        value,
        max_age=life_s,
        path="/",
        secure=root_url.startswith("https:"),
        httponly=True,
        samesite="strict",
    )


def _time(seconds: int) -> str | None:
    return utc(datetime.fromtimestamp(seconds, UTC))
