"""Many uploads at once: a bounded part of them is taken in, and few are in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from artifacts.uploads import Uploads
from gateway import backlog, forms
from integration.gateway.house import House
from integration.gateway.test_files import png
from servers import eventually

FORM = {"Content-Type": "multipart/form-data; boundary=b"}
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
TAIL = b"\r\n--b--\r\n"


def form(content: bytes) -> bytes:
    return HEAD + content + TAIL


class Sender:
    """Sends the head of a form, and the rest when told so."""

    def __init__(self, http: httpx2.AsyncClient, content: bytes, **headers: str) -> None:
        self._http = http
        self._content = content
        self._headers = FORM | headers
        self._on = asyncio.Event()
        self.asked_for = 0
        self.answer = asyncio.create_task(self._send())

    def go_on(self) -> None:
        self._on.set()

    async def _send(self) -> httpx2.Response:
        return await self._http.post("/uploads", content=self._body(), headers=self._headers)

    async def _body(self) -> AsyncIterator[bytes]:
        self.asked_for += 1
        yield HEAD
        await self._on.wait()
        self.asked_for += 1
        yield self._content + TAIL


async def test_what_there_is_no_room_for_is_refused_before_it_is_read(house: House) -> None:
    body = form(png())
    http = await house.gateway(upload_backlog_bytes=3 * len(body))
    length = {"Content-Length": str(len(body))}
    taken = [Sender(http, png(), **length) for _ in range(3)]
    await eventually(lambda: all(each.asked_for for each in taken))
    refused = [Sender(http, png(), **length) for _ in range(20)]
    answers = await asyncio.gather(*(each.answer for each in refused))
    for each in taken:
        each.go_on()
    stored = await asyncio.gather(*(each.answer for each in taken))
    afterwards = await http.post("/uploads", content=body, headers=FORM)

    assert [each.status_code for each in answers] == [503] * 20
    assert {each.json()["code"] for each in answers} == {"uploads_busy"}
    assert {each.headers["retry-after"] for each in answers} == {"2"}
    assert [each.asked_for for each in refused] == [0] * 20
    assert [each.status_code for each in (*stored, afterwards)] == [201] * 4
    kept = [each.key async for each in house.parts[0].store.list("uploads")]
    assert len(kept) == 8


async def test_a_body_without_a_length_may_be_as_large_as_any(house: House) -> None:
    http = await house.gateway(upload_max_bytes=5000, upload_backlog_bytes=100_000)
    first = Sender(http, png())
    await eventually(lambda: first.asked_for)
    second = await Sender(http, png()).answer
    first.go_on()

    assert (second.status_code, second.json()["code"]) == (503, "uploads_busy")
    assert (await first.answer).status_code == 201


async def test_one_alone_has_room_whatever_is_set(house: House) -> None:
    http = await house.gateway(upload_backlog_bytes=1)

    assert (await http.post("/uploads", content=form(png()), headers=FORM)).status_code == 201


async def test_few_are_in_memory_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    http = await house.gateway()
    save = Uploads.save
    at_once: list[int] = []
    now = 0

    async def counted(*arguments: Any) -> Any:
        nonlocal now
        now += 1
        at_once.append(now)
        try:
            return await save(*arguments)
        finally:
            now -= 1

    monkeypatch.setattr(Uploads, "save", counted)
    answers = await asyncio.gather(
        *(http.post("/uploads", content=form(png(64, 64)), headers=FORM) for _ in range(40))
    )

    assert [each.status_code for each in answers] == [201] * 40
    assert max(at_once) == backlog.IN_HAND


async def test_room_is_not_held_for_one_that_sends_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = await house.gateway(upload_backlog_bytes=1)
    monkeypatch.setattr(forms, "TRANSFER_S", 0.2)
    answer = await Sender(http, png()).answer

    assert (answer.status_code, answer.json()["code"]) == (408, "upload_too_slow")
    assert answer.headers["connection"] == "close"
    assert (await http.post("/uploads", content=form(png()), headers=FORM)).status_code == 201
