"""Messages handed to a plain function the moment they arrive.

nats-py parses each message with several regular expressions, puts it into a queue and wakes a task
that calls a coroutine: 20 to 25 µs a message. `listen` takes a subscription of the same client out
of that path, 4 µs: a parser of ours goes before nats-py's own and hands on what it is not meant
for. Connecting, reconnecting and everything else stays nats-py's. See ADR 0012.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ProtocolError
from nats.protocol.parser import AWAITING_CONTROL_LINE, Parser

_log = logging.getLogger(__name__)

_HMSG = 4
_WITH_REPLY = 5
_OF_THE_STATUS_LINE = ("Status", "Description")


class Incoming:
    """A message as it came. ``head`` has its headers as on the wire, empty when it has none.

    The broker checks no sender's bytes: what is no text is read with U+FFFD in its place, as the
    broker itself writes it in JSON.
    """

    __slots__ = ("__dict__", "data", "head", "reply", "subject")

    def __init__(self, subject: str, reply: str, head: bytes, data: bytes) -> None:
        self.subject = subject
        self.reply = reply
        self.head = head
        self.data = data

    @cached_property
    def headers(self) -> dict[str, str]:
        """All headers; a status line (``NATS/1.0 503 No Responders``) as Status and Description.

        Only the broker writes that line: what a sender called so is left out.
        """
        first, *lines = text_of(self.head).split("\r\n") if self.head else [""]
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if colon and name.strip() not in _OF_THE_STATUS_LINE:
                headers[name.strip()] = value.strip()
        _, _, status = first.partition(" ")
        if status:
            code, _, description = status.strip().partition(" ")
            headers["Status"] = code
            if description:
                headers["Description"] = description
        return headers

    def header(self, name: bytes) -> str | None:
        """One header, spelled as the sender spelled it, without reading the others."""
        return self._value(name, self.head.find(b"\r\n" + name + b":"))

    def last_header(self, name: bytes) -> str | None:
        """The last header of that name: what the broker adds comes behind what the sender wrote."""
        return self._value(name, self.head.rfind(b"\r\n" + name + b":"))

    def _value(self, name: bytes, at: int) -> str | None:
        if at < 0:
            return None
        start = at + len(name) + 3
        end = self.head.find(b"\r\n", start)
        # A sender may have left out the end of its headers.
        return text_of(self.head[start : end if end >= 0 else len(self.head)]).strip()


Receive = Callable[[Incoming], None]


async def listen(
    client: Client, subject: str, receive: Receive, *, queue: str = ""
) -> Subscription:
    """Call ``receive`` with each message on ``subject``, in order, as it arrives.

    It must not take long: the connection waits for it. There is no limit on what is pending, since
    nothing is.
    """
    parser = shortcut_of(client)

    async def came_early(message: Msg) -> None:
        head = encoded(message.headers) if message.headers else b""
        receive(Incoming(message.subject, message.reply, head, message.data))

    subscription = await client.subscribe(subject, queue=queue, cb=came_early)
    parser.receivers[subscription._id] = receive  # noqa: SLF001 - the wire's name for it
    return subscription


async def leave(subscription: Subscription, client: Client) -> None:
    """Hear no more. Also while disconnected: the client would subscribe again to what nobody reads.

    Raises `nats.errors.Error` when it was left before.
    """
    shortcut_of(client).receivers.pop(subscription._id, None)  # noqa: SLF001
    if not client.is_closed:
        await subscription.unsubscribe()
        if client.is_reconnecting:
            # nats-py says nothing then. What was listened to since the connection broke would be
            # subscribed to when it is back, and of a queue group messages go to nobody.
            await client._send_unsubscribe(subscription._id)  # noqa: SLF001


async def drain(subscription: Subscription, client: Client) -> None:
    """Hear no more, once what is on its way has arrived."""
    await subscription.drain()  # type: ignore[no-untyped-call]
    shortcut_of(client).receivers.pop(subscription._id, None)  # noqa: SLF001


class Shortcut(Parser):
    """Whole messages for ``receivers``; nats-py's parser gets the other lines, one at a time."""

    def __init__(self, client: Client) -> None:
        self.receivers: dict[int, Receive] = {}
        self._resets = 0
        super().__init__(client)

    def reset(self) -> None:
        """The connection is another one: nothing read before counts."""
        self._resets += 1
        super().reset()

    async def parse(self, data: bytes = b"") -> None:
        received = bytes(self.buf) + data if self.buf else data
        resets, at, end = self._resets, 0, len(received)
        while at < end:
            line_end = received.find(b"\r\n", at)
            if line_end < 0:
                break
            if received.startswith((b"MSG ", b"HMSG "), at):
                # MSG subject sid [reply] size; HMSG subject sid [reply] head-size size
                # By spaces alone: other white space can be in a subject.
                fields = received[at:line_end].split(b" ")
                head_fields = 1 if len(fields[0]) == _HMSG else 0
                start = line_end + 2
                try:
                    sid, stop = int(fields[2]), start + int(fields[-1])
                    body = start + int(fields[-2]) if head_fields else start
                except (ValueError, IndexError):
                    raise ProtocolError("nats: malformed MSG") from None
                if stop + 2 > end:
                    break
                reply = fields[3] if len(fields) - head_fields == _WITH_REPLY else b""
                at = stop + 2
                head = received[start:body]
                receive = self.receivers.get(sid)
                if receive is not None:
                    _hand_over(receive, fields[1], reply, head, received[body:stop])
                    continue
                await self._pass_on(sid, fields[1], reply, received[body:stop], head or None)
            else:
                line, at = received[at : line_end + 2], line_end + 2
                await self._control(line)
            if self._resets != resets:
                return
        self.buf = bytearray(received[at:])

    async def _pass_on(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, head: bytes | None
    ) -> None:
        try:
            await self.nc._process_msg(sid, subject, reply, data, head)  # noqa: SLF001
        except (ValueError, IndexError):
            # What nats-py can't read would end the connection's reading, too.
            _log.exception("a message on %r could not be received", subject)

    async def _control(self, line: bytes) -> None:
        """One line of the protocol (INFO, PING, PONG, +OK, -ERR), by nats-py's own parser."""
        self.buf = bytearray(line)
        await super().parse()


def _hand_over(receive: Receive, subject: bytes, reply: bytes, head: bytes, data: bytes) -> None:
    try:
        receive(Incoming(text_of(subject), text_of(reply), head, data))
    except Exception:  # noqa: BLE001 - whatever a receiver raises
        # Raised further it would end the connection's reading, silently.
        _log.exception("a message on %r could not be received", subject)


def text_of(told: bytes) -> str:
    """What a sender wrote, whatever it is."""
    return told.decode("utf-8", "replace")


def shortcut_of(client: Client) -> Shortcut:
    parser = client._ps  # noqa: SLF001 - nats-py has no public place for a parser
    if isinstance(parser, Shortcut):
        return parser
    shortcut = Shortcut(client)
    shortcut.buf = bytearray(_unread(parser))
    client._ps = shortcut  # noqa: SLF001
    return shortcut


def _unread(parser: Parser) -> bytes:
    """What nats-py's parser has of a message that is not whole yet."""
    if parser.state == AWAITING_CONTROL_LINE:
        return bytes(parser.buf)
    argument = parser.msg_arg
    words = [argument["subject"], b"%d" % argument["sid"]]
    if argument["reply"]:
        words.append(argument["reply"])
    if parser.header_needed:
        words.append(b"%d" % parser.header_needed)
    words.append(b"%d" % parser.needed)
    operation = b"HMSG" if parser.header_needed else b"MSG"
    return b" ".join([operation, *words]) + b"\r\n" + bytes(parser.buf)


def encoded(headers: dict[str, str]) -> bytes:
    status = " ".join(headers[name] for name in _OF_THE_STATUS_LINE if name in headers)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    first = f"NATS/1.0 {status}".rstrip()
    return "\r\n".join([first, *lines, "", ""]).encode()
