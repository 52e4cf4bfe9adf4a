"""The events of a stream, however it is cut into pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.vendors.cog_stream import Event, events

STREAM = (
    "event: start\n"
    'data: {"id":"a"}\n\n'
    ": keep-alive\n\n"
    "event: log\r\n"
    'data: {"data":"a line\u2028and a half"}\r\n\r\n'
    "event: log\n"
    "data: no JSON\n\n"
    "event: completed\n"
    'data: {"status":"succeeded"}\n\n'
    "event: log\n"
    'data: {"data":"never ended"}\n'
).encode()
TOLD = [
    Event("start", {"id": "a"}),
    Event(),
    Event("log", {"data": "a line\u2028and a half"}),
    Event("log"),
    Event("completed", {"status": "succeeded"}),
]


class Pieces(httpx2.AsyncByteStream):
    def __init__(self, content: bytes, cuts: list[int]) -> None:
        self.places = [0, *sorted(cuts), len(content)]
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start, end in zip(self.places, self.places[1:], strict=False):
            yield self.content[start:end]


async def read(content: bytes, cuts: list[int]) -> list[Event]:
    response = httpx2.Response(200, stream=Pieces(content, cuts))
    return [each async for each in events(response)]


@pytest.mark.parametrize("cuts", [[], list(range(1, len(STREAM)))], ids=["whole", "by bytes"])
async def test_events_and_comments_come_in_order(cuts: list[int]) -> None:
    assert await read(STREAM, cuts) == TOLD


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
async def test_where_a_stream_is_cut_changes_nothing(cuts: list[int]) -> None:
    assert await read(STREAM, cuts) == TOLD
