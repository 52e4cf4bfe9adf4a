"""References come from the owner's own keys or from the public internet, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO

import pytest
from PIL import Image

from artifacts.fetch import Fetcher
from artifacts.keys import artifact_key, sidecar_key, upload_key
from artifacts.store import ArtifactStore, StoreUnavailable
from generator.inputs import Inputs
from generator.provider import Rejected, Unavailable

ME, OTHER = "me", "somebody-else"


class Broken(ArtifactStore):
    async def get(self, key: str) -> bytes:
        raise StoreUnavailable("no route to host")


@asynccontextmanager
async def inputs(store: ArtifactStore | None = None) -> AsyncIterator[Inputs]:
    async def loopback(_: str) -> list[str]:
        return ["127.0.0.1"]

    async with Fetcher(resolver=loopback, allow=lambda _: True) as fetcher:
        yield Inputs(store or ArtifactStore.open("memory://"), fetcher)


@asynccontextmanager
async def website(content: bytes) -> AsyncIterator[int]:
    """A web server that has one file; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "key", [upload_key(ME, "u1"), artifact_key(ME, "task-1", 1, 0, "a" * 64, "png")]
)
async def test_own_uploads_and_artifacts_come_from_the_store(key: str) -> None:
    store = ArtifactStore.open("memory://")
    await store.put(key, b"picture", "image/png")
    async with inputs(store) as given:
        assert await given.fetch(ME, key) == b"picture"


@pytest.mark.parametrize(
    "reference",
    [
        upload_key(OTHER, "u1"),
        artifact_key(OTHER, "task-1", 1, 0, "a" * 64, "png"),
        sidecar_key(upload_key(ME, "u1")),
        "/etc/passwd",
        "file:///etc/passwd",
        "uploads/../../secret",
    ],
)
async def test_what_is_not_the_owners_is_refused_without_a_look(reference: str) -> None:
    async with inputs(Broken.open("memory://")) as given:
        with pytest.raises(Rejected) as refusal:
            await given.fetch(ME, reference)
    assert refusal.value.code == "invalid_input"


async def test_a_reference_that_is_gone_is_invalid_input() -> None:
    async with inputs() as given:
        with pytest.raises(Rejected, match="no longer there") as refusal:
            await given.fetch(ME, upload_key(ME, "gone"))
    assert refusal.value.code == "invalid_input"


async def test_a_store_that_is_down_is_worth_another_attempt() -> None:
    async with inputs(Broken.open("memory://")) as given:
        with pytest.raises(Unavailable):
            await given.fetch(ME, upload_key(ME, "u1"))


async def test_a_public_picture_is_downloaded() -> None:
    file = BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    async with website(file.getvalue()) as port, inputs() as given:
        url = f"http://pictures.example.com:{port}/a.png"
        assert await given.fetch(ME, url) == file.getvalue()


async def test_a_web_page_is_no_picture() -> None:
    async with website(b"<html>") as port, inputs() as given:
        with pytest.raises(Rejected) as refusal:
            await given.fetch(ME, f"http://pictures.example.com:{port}/")
    assert (refusal.value.code, refusal.value.params) == (
        "invalid_input",
        {"reason": "unsupported_media"},
    )


async def test_an_address_inside_is_refused() -> None:
    async with inputs() as given:
        with pytest.raises(Rejected) as refusal:
            await given.fetch(ME, "http://169.254.169.254/latest/meta-data")
    assert (refusal.value.code, refusal.value.params) == (
        "invalid_input",
        {"reason": "reference_not_public"},
    )
