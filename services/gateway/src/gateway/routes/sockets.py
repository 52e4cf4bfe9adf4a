"""The same live updates over a WebSocket, several subscriptions at once: ``/ws``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection
from starlette.routing import WebSocketRoute
from starlette.types import Message as AsgiMessage
from starlette.types import Receive, Scope, Send

from delivery.log import LogUnavailable
from delivery.publisher import LogUnreachable
from gateway.auth import check_socket_origin
from gateway.followers import Follow
from gateway.following import Message, error_message
from gateway.joining import Joining
from gateway.outbox import Ending, Outbox
from gateway.parts import Parts
from gateway.problems import problem_response, refusal_of_fault
from gateway.refusals import Refusal
from gateway.routes.streams import Pings, slow_reader
from gateway.serving import abort_of
from gateway.subscriptions import Key, Said, read_message
from telemetry.logs import get_logger

_log = get_logger(__name__)

MOST_SUBSCRIPTIONS = 64
MOST_NONSENSE = 10
"""Messages that can't be understood, until the connection is taken for a mistake."""
_UNSUPPORTED = 1003
_POLICY = 1008
_GOING_AWAY = 1001
_INTERNAL = 1011
_TRY_AGAIN_LATER = 1013


class _Close(Exception):
    """Nothing more is heard: why, as a close code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def follow(scope: Scope, receive: Receive, send: Send) -> None:
    parts: Parts = scope["app"].state.parts
    headers: Mapping[str, str] = HTTPConnection(scope).headers
    await receive()
    try:
        check_socket_origin(headers, parts.settings.pages)
        owner = parts.auth.owner(headers, scope)
        with parts.streams.connection("socket") as outbox:
            await send({"type": "websocket.accept"})
            await _Conversation(parts, owner, outbox, receive, send).run(abort_of(scope))
    except Refusal as refusal:
        # Before the handshake: a status and a problem, as for any request.
        await problem_response(refusal, parts.settings.root_url)(scope, receive, send)


class _Conversation:
    """One connection: what is said is heard here, what is told is written beside it."""

    def __init__(
        self, parts: Parts, owner: str, outbox: Outbox, receive: Receive, send: Send
    ) -> None:
        self._parts = parts
        self._owner = owner
        self._outbox = outbox
        self._receive = receive
        self._send = send
        self._subscriptions: dict[Key, contextlib.ExitStack] = {}
        self._nonsense = 0
        self._closing: _Close | None = None

    async def run(self, abort: Any) -> None:
        hearing = asyncio.create_task(self._hear())
        pings = Pings(self._outbox)
        try:
            with self._outbox.cut_by(abort):
                await self._write()
        finally:
            pings.stop()
            hearing.cancel()
            for key in list(self._subscriptions):
                self._unsubscribe(key)

    async def _hear(self) -> None:
        try:
            while (heard := await self._receive())["type"] != "websocket.disconnect":
                await self._take(heard)
        except _Close as closing:
            self._close_with(closing)
        except Exception as problem:  # noqa: BLE001 - nobody would hear that the client goes
            _log.exception("a socket is not heard any more", reason=repr(problem))
            self._close_with(_Close(_INTERNAL, "something went wrong here: connect again"))
        else:
            self._outbox.end(Ending.GONE)

    def _close_with(self, closing: _Close) -> None:
        self._closing = closing
        self._outbox.end(Ending.DONE)

    async def _take(self, heard: AsgiMessage) -> None:
        text = heard.get("text")
        if text is None:
            raise _Close(_UNSUPPORTED, "send JSON as text")
        try:
            await self._answer(read_message(text))
        except Refusal as refusal:
            await self._refuse(refusal)
        except (LogUnavailable, LogUnreachable) as fault:
            await self._tell(error_message(self._parts.views.problem(refusal_of_fault(fault))))

    async def _refuse(self, refusal: Refusal) -> None:
        await self._tell(error_message(self._parts.views.problem(refusal)))
        if refusal.code == "invalid_message":
            self._nonsense += 1
            if self._nonsense >= MOST_NONSENSE:
                raise _Close(_POLICY, "too many messages that were not understood")

    async def _answer(self, said: Said) -> None:
        match said.what:
            case "ping":
                await self._tell(Message("pong", said.echo))
            case "unsubscribe":
                self._unsubscribe(said.key)
            case "subscribe":
                await self._subscribe(said.key, said.after)

    async def _subscribe(self, key: Key, after: int | None) -> None:
        """Follow; what was followed already is followed anew."""
        if key.task_id is not None:
            # Whether there is such a task is said at once.
            await self._parts.streams.find(self._owner, key.task_id)
        self._unsubscribe(key)
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            raise Refusal(
                "too_many_subscriptions",
                f"A connection has at most {MOST_SUBSCRIPTIONS} subscriptions.",
            )
        follow = Follow(
            self._owner,
            self._outbox,
            task_id=key.task_id,
            type_name=key.type_name,
            on_end=lambda: self._unsubscribe(key),
        )
        kept = contextlib.ExitStack()
        self._subscriptions[key] = kept
        kept.enter_context(Joining(self._parts.streams, follow, after))

    def _unsubscribe(self, key: Key) -> None:
        kept = self._subscriptions.pop(key, None)
        if kept is not None:
            kept.close()

    async def _tell(self, message: Message) -> None:
        await self._outbox.offer(message)

    async def _write(self) -> None:
        while True:
            messages = await self._outbox.take()
            for message in messages:
                await self._send({"type": "websocket.send", "text": message.frame})
            if self._outbox.ping:
                # The server sends them, and does not cut off who takes none.
                self._outbox.ping = False
            elif not messages and self._outbox.ending is not None:
                break
        match self._outbox.ending:
            case Ending.GONE:
                return
            case Ending.SLOW_READER:
                told = error_message(self._parts.views.problem(slow_reader()))
                await self._send({"type": "websocket.send", "text": told.frame})
                await self._close(_TRY_AGAIN_LATER, "slow_reader")
            case Ending.STOPPING:
                await self._close(_GOING_AWAY, "the gateway goes down: connect again")
            case _:
                closing = self._closing or _Close(1000, "")
                await self._close(closing.code, closing.reason)

    async def _close(self, code: int, reason: str) -> None:
        await self._send({"type": "websocket.close", "code": code, "reason": reason})


class _App:
    """The endpoint as an ASGI application; a function would be called with a `WebSocket`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await follow(scope, receive, send)


FOLLOW = WebSocketRoute("/ws", _App())
