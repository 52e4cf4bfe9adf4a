"""However the broker's bytes are cut, what arrives is what nats-py itself would have read."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.errors import ProtocolError
from nats.protocol.parser import Parser

from delivery import incoming
from delivery.incoming import Incoming

LISTENED, OTHER = 7, 8


@dataclass
class Told:
    """Stands where nats-py's client does behind its parser, and writes down what it is told."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        self.calls.append((sid, bytes(subject), bytes(reply), data, headers or b""))

    async def _process_ping(self) -> None:
        self.calls.append(("PING",))

    async def _process_pong(self) -> None:
        self.calls.append(("PONG",))

    async def _process_info(self, info: dict[str, Any]) -> None:
        self.calls.append(("INFO", info))

    async def _process_err(self, error: str) -> None:
        self.calls.append(("-ERR", error))


subjects = st.sampled_from([b"a", b"live.generation.finished.create.1", b"_INBOX.x.y", b"a.\xff"])
payloads = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"\r\n", b"MSG a 7 1\r\nx\r\n"]))
heads = st.sampled_from([b"NATS/1.0\r\n\r\n", b"NATS/1.0 503\r\n\r\n", b"NATS/1.0\r\nA: b\r\n\r\n"])
sids = st.sampled_from([LISTENED, OTHER])


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    reply = draw(st.sampled_from([b"", b"$JS.ACK.GENERATION.c.1.2.3.4.5"]))
    words = [draw(subjects), b"%d" % draw(sids), *([reply] if reply else [])]
    data = draw(payloads)
    if draw(st.booleans()):
        head = draw(heads)
        sizes = [b"%d" % len(head), b"%d" % len(head + data)]
        return b" ".join([b"HMSG", *words, *sizes]) + b"\r\n" + head + data + b"\r\n"
    return b" ".join([b"MSG", *words, b"%d" % len(data)]) + b"\r\n" + data + b"\r\n"


lines = st.sampled_from(
    [b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b"-ERR 'Slow Consumer'\r\n", b'INFO {"a":1}\r\n']
)
wires = st.lists(st.one_of(messages(), lines), max_size=8).map(b"".join)


def cut(wire: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(wire)) for place in places} | {len(wire)})
    return [wire[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def shortcut(told: Told) -> incoming.Shortcut:
    return incoming.Shortcut(told)  # type: ignore[arg-type]


@given(wires, st.lists(st.integers(0, 400), max_size=8))
async def test_however_it_is_cut_the_same_is_read(wire: bytes, places: list[int]) -> None:
    theirs, ours = Told(), Told()
    await Parser(theirs).parse(wire)
    parser = shortcut(ours)
    for piece in cut(wire, places):
        await parser.parse(piece)

    assert ours.calls == theirs.calls


@given(wires, st.lists(st.integers(0, 400), max_size=8))
async def test_who_listens_gets_its_messages_and_nobody_else_does(
    wire: bytes, places: list[int]
) -> None:
    theirs, ours = Told(), Told()
    await Parser(theirs).parse(wire)
    received: list[Incoming] = []
    parser = shortcut(ours)
    parser.receivers[LISTENED] = received.append
    for piece in cut(wire, places):
        await parser.parse(piece)

    expected = [each for each in theirs.calls if each[0] == LISTENED]
    assert [
        (LISTENED, each.subject, each.reply.encode(), each.data, each.head) for each in received
    ] == [(sid, subject.decode(errors="replace"), *rest) for sid, subject, *rest in expected]
    assert ours.calls == [each for each in theirs.calls if each[0] != LISTENED]


@given(wires, st.integers(0, 400))
async def test_it_goes_on_where_nats_py_stopped_reading(wire: bytes, place: int) -> None:
    whole, told = Told(), Told()
    await Parser(whole).parse(wire)
    before, after = wire[:place], wire[place:]
    client = Client()
    client._ps = Parser(told)  # noqa: SLF001
    await client._ps.parse(before)  # noqa: SLF001
    parser = incoming.shortcut_of(client)
    parser.nc = told
    await parser.parse(after)

    assert told.calls == whole.calls


async def test_what_was_read_of_a_lost_connection_is_forgotten() -> None:
    told = Told()
    parser = shortcut(told)
    await parser.parse(b"MSG a 8 10\r\nhalf")
    parser.reset()
    await parser.parse(b"PING\r\n")

    assert told.calls == [("PING",)]


async def test_what_follows_an_error_that_ends_the_connection_is_not_read() -> None:
    class Ending(Told):
        async def _process_err(self, error: str) -> None:
            parser.reset()

    told = Ending()
    parser = shortcut(told)
    await parser.parse(b"-ERR 'Stale Connection'\r\nMSG a 8 1\r\nx\r\nMSG a 8 5\r\n")
    await parser.parse(b"PING\r\n")

    assert told.calls == [("PING",)]


async def test_a_broken_message_ends_the_connection_as_nats_py_does() -> None:
    with pytest.raises(ProtocolError):
        await shortcut(Told()).parse(b"MSG a b c\r\n")


async def test_a_receiver_that_fails_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        logging.getLogger(incoming.__name__), "exception", lambda *a: said.append(a)
    )
    told = Told()
    parser = shortcut(told)
    parser.receivers[LISTENED] = lambda _: 1 // 0
    await parser.parse(b"MSG a 7 1\r\nx\r\nPING\r\n")

    assert told.calls == [("PING",)]
    assert said == [("a message on %r could not be received", b"a")]


async def test_what_nats_py_can_not_read_stops_nobody() -> None:
    class Strict(Told):
        async def _process_msg(
            self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
        ) -> None:
            subject.decode()
            await super()._process_msg(sid, subject, reply, data, headers)

    told = Strict()
    await shortcut(told).parse(b"MSG a.\xff 8 1\r\nx\r\nMSG a 8 1\r\ny\r\n")

    assert told.calls == [(OTHER, b"a", b"", b"y", b"")]


@pytest.mark.parametrize("token", [b"\x0b", b"\x0c", b"\r", b"\x00", b"\xc2\xa0"])
async def test_a_subject_ends_where_the_broker_ends_it(token: bytes) -> None:
    received: list[Incoming] = []
    parser = shortcut(Told())
    parser.receivers[LISTENED] = received.append
    await parser.parse(b"MSG a.%bb 7 1\r\nx\r\n" % token)

    assert [(each.subject, each.data) for each in received] == [(f"a.{token.decode()}b", b"x")]


def test_headers_are_read_one_by_one_or_all_together() -> None:
    message = Incoming("a", "", b"NATS/1.0\r\nNats-Sequence: 12\r\nA:b:c\r\n\r\n", b"")

    assert message.header(b"Nats-Sequence") == "12"
    assert message.header(b"Sequence") is None
    assert message.headers == {"Nats-Sequence": "12", "A": "b:c"}


def test_a_status_is_a_header_too() -> None:
    message = Incoming("a", "", b"NATS/1.0 503 No Responders\r\n\r\n", b"")

    assert message.headers == {"Status": "503", "Description": "No Responders"}


def test_a_status_that_a_sender_wrote_is_none() -> None:
    message = Incoming("a", "", b"NATS/1.0\r\nStatus: 404\r\nDescription: x\r\n\r\n", b"")

    assert message.headers == {}


def test_headers_that_are_no_text_are_read_as_far_as_they_go() -> None:
    message = Incoming("a", "", b"NATS/1.0\r\nA: \xff\r\n\xfe: c\r\n\r\n", b"")

    assert message.header(b"A") == "\N{REPLACEMENT CHARACTER}"
    assert message.headers == {"A": "\N{REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}": "c"}


def test_headers_without_an_end_are_read_to_where_they_stop() -> None:
    message = Incoming("a", "", b"NATS/1.0\r\nA: b", b"")

    assert (message.header(b"A"), message.headers) == ("b", {"A": "b"})


def test_what_the_broker_adds_comes_behind_what_a_sender_wrote() -> None:
    message = Incoming("a", "", b"NATS/1.0\r\nA: theirs\r\nA: the broker's\r\n\r\n", b"")

    assert (message.header(b"A"), message.last_header(b"A")) == ("theirs", "the broker's")


def test_a_message_without_headers_has_none() -> None:
    message = Incoming("a", "", b"", b"x")

    assert (message.headers, message.header(b"A")) == ({}, None)


@given(
    st.dictionaries(
        st.sampled_from(["A", "Nats-Sequence"]), st.text("abc:1", min_size=1, max_size=5)
    )
)
def test_headers_that_nats_py_read_are_written_again(headers: dict[str, str]) -> None:
    assert Incoming("a", "", incoming.encoded(headers), b"").headers == headers
