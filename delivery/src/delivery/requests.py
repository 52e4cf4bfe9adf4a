"""Request and reply over one inbox: what acknowledged publishes, reads and queries are built on.

nats-py's own `request` costs twice as much per call (bench/results); this uses its public
subscribe and publish only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, ConnectionDrainingError, OutboundBufferLimitError

STATUS = "Status"
PART = "Darkroom-Part"
"""``2/3``: the second of three messages that together are one reply; see `respond`."""
DESCRIPTION = "Description"
_NO_RESPONDERS = "503"
_HEADROOM = 1024


class Unreachable(Exception):
    """The broker is not connected; nothing was sent."""


class NoResponders(Exception):
    """Nobody listens on the subject right now (an election, or a service that is down)."""


class NoReply(Exception):
    """The request was sent, and no reply came in time."""


class Requests:
    """Calls in flight, told apart by the last token of their reply subject."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._calls: dict[str, asyncio.Future[Msg]] = {}
        self._parts: dict[str, list[bytes]] = {}
        self._numbers = count()
        self._inbox = ""
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        self._inbox = self.client.new_inbox()
        self._subscription = await self.client.subscribe(f"{self._inbox}.*", cb=self._on_reply)

    async def stop(self) -> None:
        if self._subscription is not None and not self.client.is_closed:
            await self._subscription.unsubscribe()
        for call in self._calls.values():
            call.cancel()

    async def call(
        self,
        subject: str,
        payload: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float,
    ) -> Msg:
        """The first reply. Raises `Unreachable`, `NoResponders` or `NoReply`."""
        if not self.client.is_connected:
            # nats-py would buffer it and send it much later.
            raise Unreachable
        token = format(next(self._numbers), "x")
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Msg] = loop.create_future()
        self._calls[token] = reply
        patience: asyncio.TimerHandle | None = None
        try:
            await self.client.publish(
                subject,
                payload,
                f"{self._inbox}.{token}",
                None if headers is None else dict(headers),
            )
            # A third of what `asyncio.timeout` costs.
            patience = loop.call_later(timeout, _give_up, reply, subject)
            message = await reply
        except (ConnectionClosedError, ConnectionDrainingError, OutboundBufferLimitError) as error:
            raise Unreachable from error
        finally:
            if patience is not None:
                patience.cancel()
            self._calls.pop(token, None)
            self._parts.pop(token, None)
        if message.headers and message.headers.get(STATUS) == _NO_RESPONDERS and not message.data:
            raise NoResponders(subject)
        return message

    async def _on_reply(self, message: Msg) -> None:
        token = message.subject.rpartition(".")[2]
        call = self._calls.get(token)
        if call is None or call.done():
            return
        if message.headers and PART in message.headers and not self._is_whole(token, message):
            return
        call.set_result(message)

    def _is_whole(self, token: str, message: Msg) -> bool:
        """Keep a part; with the last one, the message becomes the whole reply."""
        parts = self._parts.setdefault(token, [])
        parts.append(message.data)
        if len(parts) < int((message.headers or {})[PART].partition("/")[2]):
            return False
        message.data = b"".join(parts)
        return True


async def respond(client: Client, request: Msg, body: bytes) -> None:
    """Answer a request, in several messages where the server's limit asks for it.

    A connection's messages arrive in the order in which they were sent, so parts need no sorting.
    """
    most = client.max_payload - _HEADROOM
    if len(body) <= most:
        await request.respond(body)
        return
    parts = [body[start : start + most] for start in range(0, len(body), most)]
    for number, part in enumerate(parts, 1):
        await client.publish(request.reply, part, headers={PART: f"{number}/{len(parts)}"})


def _give_up(reply: asyncio.Future[Msg], subject: str) -> None:
    if not reply.done():
        reply.set_exception(NoReply(subject))
