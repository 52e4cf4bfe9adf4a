"""Request and reply over one inbox: what acknowledged publishes, reads and queries are built on.

nats-py's own `request` costs twice as much per call; this uses its public
publish, and `delivery.incoming` for the replies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, ConnectionDrainingError, OutboundBufferLimitError

from delivery.incoming import Incoming, leave, listen

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
        self._calls: dict[str, asyncio.Future[Incoming]] = {}
        self._parts: dict[str, list[bytes]] = {}
        self._numbers = count()
        self._inbox = ""
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        self._inbox = self.client.new_inbox()
        self._subscription = await listen(self.client, f"{self._inbox}.*", self._on_reply)

    async def stop(self) -> None:
        if self._subscription is not None:
            await leave(self._subscription, self.client)
        for call in self._calls.values():
            call.cancel()

    async def call(
        self,
        subject: str,
        payload: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float,
    ) -> Incoming:
        """The first reply. Raises `Unreachable`, `NoResponders` or `NoReply`."""
        if not self.client.is_connected:
            # nats-py would buffer it and send it much later.
            raise Unreachable
        token = format(next(self._numbers), "x")
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Incoming] = loop.create_future()
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
        if message.head and not message.data and message.headers.get(STATUS) == _NO_RESPONDERS:
            raise NoResponders(subject)
        return message

    def _on_reply(self, message: Incoming) -> None:
        token = message.subject.rpartition(".")[2]
        call = self._calls.get(token)
        if call is None or call.done():
            return
        if message.head and PART in message.headers and not self._is_whole(token, message):
            return
        call.set_result(message)

    def _is_whole(self, token: str, message: Incoming) -> bool:
        """Keep a part; with the last one, the message becomes the whole reply."""
        parts = self._parts.setdefault(token, [])
        parts.append(message.data)
        if len(parts) < int(message.headers[PART].partition("/")[2]):
            return False
        message.data = b"".join(parts)
        return True


async def respond(client: Client, request: Incoming, body: bytes) -> None:
    """Answer a request, in several messages where the server's limit asks for it.

    A connection's messages arrive in the order in which they were sent, so parts need no sorting.
    """
    most = client.max_payload - _HEADROOM
    if len(body) <= most:
        await client.publish(request.reply, body)
        return
    parts = [body[start : start + most] for start in range(0, len(body), most)]
    for number, part in enumerate(parts, 1):
        await client.publish(request.reply, part, headers={PART: f"{number}/{len(parts)}"})


def _give_up(reply: asyncio.Future[Incoming], subject: str) -> None:
    if not reply.done():
        reply.set_exception(NoReply(subject))
