"""Live updates as event streams: ``GET /events``, and ``GET /tasks/{task_id}/events``.

Plain ASGI: a connection is open for hours and there are thousands, so each keeps two small
coroutines and an outbox, and nothing of its request.
"""

from __future__ import annotations

import asyncio
import random
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from delivery.log import LogUnavailable
from delivery.publisher import LogUnreachable
from gateway.admission import generation_type
from gateway.bodies import headers_of
from gateway.cursors import read_sequence
from gateway.followers import Follow
from gateway.following import error_message
from gateway.joining import Joining
from gateway.outbox import Ending, Outbox
from gateway.parts import Parts, parts_of
from gateway.refusals import Refusal
from gateway.serving import abort_of
from gateway.streams import Found, Streams
from gateway.views import Views

EVENT_STREAM = "text/event-stream"
PING_S = 15.0
COMES_BACK_MS = (1000, 3000)
"""When a client comes back that lost its connection: not all at once, where a gateway was lost."""
COMES_BACK_FROM_STOPPED_MS = (500, 3000)
PATIENCE_S = 5.0
"""How long a stream of one task waits for those who know the task, before it says that they are
away: a browser's ``EventSource`` takes such an answer for final."""
_AGAIN_S = 0.25
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", EVENT_STREAM.encode()),
        (b"cache-control", b"no-store, no-transform"),
        (b"x-accel-buffering", b"no"),
    ],
}
_END = {"type": "http.response.body", "body": b"", "more_body": False}
_PING = b": ping\n\n"


async def follow_owner(scope: Scope, receive: Receive, send: Send) -> None:
    """Everything that happens to an owner's tasks."""
    parts, owner, after, type_name = _asked(Request(scope))
    with parts.streams.connection("events") as outbox:
        follow = Follow(owner, outbox, type_name=type_name)
        await _stream(parts.streams, follow, after, scope, receive, send)


async def follow_task(scope: Scope, receive: Receive, send: Send) -> None:
    """Everything that happens to one task, until it has ended."""
    parts, owner, after, _ = _asked(Request(scope))
    task_id: str = scope["path_params"]["task_id"]
    with parts.streams.connection("task") as outbox:
        found = await _found(parts, owner, task_id)
        if await parts.streams.is_at_end(found, after):
            outbox.end(Ending.DONE)
            await Response(status_code=204)(scope, receive, send)
            return
        del found
        follow = Follow(owner, outbox, task_id=task_id, on_end=lambda: outbox.end(Ending.DONE))
        await _stream(parts.streams, follow, after, scope, receive, send)


async def _stream(
    streams: Streams, follow: Follow, after: int | None, scope: Scope, receive: Receive, send: Send
) -> None:
    outbox = follow.outbox
    await send(_START)
    if scope["method"] == "HEAD":
        await send(_END)
        return
    await send(_part(retry(COMES_BACK_MS, random.random())))
    watching = asyncio.create_task(_until_gone(receive, outbox))
    pings = Pings(outbox)
    try:
        with outbox.cut_by(abort_of(scope)), Joining(streams, follow, after):
            await _write(outbox, send, streams.views)
    finally:
        pings.stop()
        watching.cancel()


async def _write(outbox: Outbox, send: Send, views: Views) -> None:
    while True:
        messages = await outbox.take()
        body = b"".join([message.sse for message in messages])
        if outbox.ping:
            outbox.ping = False
            body += _PING
        if body:
            await send(_part(body))
        elif outbox.ending is not None:
            break
    match outbox.ending:
        case Ending.SLOW_READER:
            await send(_part(error_message(views.problem(slow_reader())).sse))
        case Ending.STOPPING:
            # All who followed here come back at once, if they are not told to come one by one.
            await send(_part(retry(COMES_BACK_FROM_STOPPED_MS, random.random())))
    await send(_END)


async def _until_gone(receive: Receive, outbox: Outbox) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    outbox.end(Ending.GONE)


class Pings:
    """Now and then something is written, so that neither end takes the other for dead."""

    __slots__ = ("_next", "_outbox")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._next = asyncio.get_running_loop().call_later(PING_S, self._ping)

    def stop(self) -> None:
        self._next.cancel()

    def _ping(self) -> None:
        self._outbox.due()
        self._next = asyncio.get_running_loop().call_later(PING_S, self._ping)


async def _found(parts: Parts, owner: str, task_id: str) -> Found:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while True:
        try:
            return await parts.streams.find(owner, task_id)
        except (LogUnavailable, LogUnreachable):
            if loop.time() >= deadline:
                raise
        except Refusal as refusal:
            if refusal.status < 500 or loop.time() >= deadline:
                raise
        await asyncio.sleep(_AGAIN_S)


def _asked(request: Request) -> tuple[Parts, str, int | None, str | None]:
    """The parts, the owner, after which sequence, and of which type."""
    parts = parts_of(request)
    headers = headers_of(request)
    owner = parts.auth.owner(headers, request.scope)
    query = request.query_params
    after = None
    # A browser that connects again has the newer one in the header.
    if headers.get("last-event-id"):
        after = read_sequence(headers["last-event-id"], "header", "last-event-id")
    elif "after" in query:
        after = read_sequence(query["after"], "query", "after")
    type_name = query.get("type")
    if type_name is not None:
        generation_type(type_name)
    return parts, owner, after, type_name


def _part(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}


def retry(within_ms: tuple[int, int], chance: float) -> bytes:
    """Tells when to come back: ``chance``, 0 to 1, of the way from the least to the most."""
    least, most = within_ms
    return b"retry: %d\n\n" % (least + chance * (most - least))


def slow_reader() -> Refusal:
    return Refusal(
        "slow_reader",
        "More happened than this connection took. Connect again with the last id: nothing is lost.",
    )


class _App:
    """An endpoint as an ASGI application; a function would be called with a request."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class _EventStreamRoute(Route):
    """Tells its template; with ``only``, it is there for those who accept an event stream."""

    def __init__(self, path: str, app: Any, *, only: bool = False) -> None:
        super().__init__(path, _App(app), methods=["GET"])
        self._only = only

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        if match is not Match.NONE and self._only and not accepts_event_stream(scope):
            return Match.NONE, {}
        if child_scope:
            child_scope["route"] = self
        return match, child_scope


def accepts_event_stream(scope: Scope) -> bool:
    return any(
        name == b"accept" and EVENT_STREAM.encode() in value.lower()
        for name, value in scope["headers"]
    )


FOLLOW_OWNER = _EventStreamRoute("/events", follow_owner)
FOLLOW_TASK = _EventStreamRoute("/tasks/{task_id}/events", follow_task, only=True)

documented = APIRouter(tags=["live"])


@documented.get(
    "/events",
    name="follow_tasks",
    response_class=Response,
    responses={
        200: {
            "description": "An event stream. `task`: `data` is the whole task (`TaskView`) as it "
            "was at `id`, a sequence of the log. `erased`: `{task_id}`. `position`, without an "
            "`id`: `PlaceView`. `reset`: forget what was told, a snapshot follows. `error`: a "
            "`Problem`, and the connection ends.",
            "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
        },
    },
)
async def _follow_tasks(
    type_name: Annotated[str | None, Query(alias="type", max_length=64)] = None,
    after: Annotated[
        int | None, Query(ge=0, description="As `Last-Event-ID`, which counts where both are sent.")
    ] = None,
    last_event_id: Annotated[
        int | None,
        Header(ge=0, description="Go on after this: no snapshot, every change since, none twice."),
    ] = None,
) -> None:
    """Live updates of all tasks (of a type): first those that have not ended, then each change.

    The same over a WebSocket at `/ws`. See docs/live-updates.md.
    """
