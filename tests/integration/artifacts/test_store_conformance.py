"""What every object store does alike: a folder, a server that speaks S3, and memory."""

import asyncio
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from artifacts.keys import InvalidKey
from artifacts.store import CHUNK_BYTES, ArtifactStore, Content, NotFound, StoreUnavailable
from s3 import s3_server

BIG = bytes(range(256)) * 4 * 1024 * 3  # 3 MiB, more than one chunk


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    with s3_server("darkroom") as endpoint:
        yield endpoint


@pytest.fixture(params=["file", "s3", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    """An empty store of each kind."""
    match request.param:
        case "file":
            url = (tmp_path / "not yet" / "there").as_uri()
        case "s3":
            request.getfixturevalue("s3_endpoint")
            url = f"s3://darkroom/{tmp_path.name}"
        case _:
            url = "memory://"
    return ArtifactStore.open(url)


async def keys(store: ArtifactStore, prefix: str = "") -> list[str]:
    return sorted([stored.key async for stored in store.list(prefix)])


async def read(store: ArtifactStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in store.stream(key, start, end)])


async def test_what_was_put_is_got(store: ArtifactStore) -> None:
    await store.put("a/b/cat.png", b"meow", "image/png")
    assert await store.get("a/b/cat.png") == b"meow"


@pytest.mark.parametrize("content", [b"", b"\0", BIG, bytes(6 * 1024 * 1024)])
async def test_content_of_any_size_comes_back_the_same(
    store: ArtifactStore, content: bytes
) -> None:
    await store.put("cat.png", content, "image/png")
    assert await store.get("cat.png") == content
    assert await read(store, "cat.png") == content
    stored = await store.head("cat.png")
    assert stored
    assert stored.bytes == len(content)


async def test_the_head_tells_type_size_and_age(store: ArtifactStore) -> None:
    etag = await store.put("a/cat.png", b"meow", "image/png")
    stored = await store.head("a/cat.png")
    assert stored
    assert (stored.key, stored.bytes, stored.content_type) == ("a/cat.png", 4, "image/png")
    assert stored.etag == etag
    assert stored.etag.startswith('"')
    assert stored.etag.endswith('"')
    assert abs(stored.last_modified - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("key", "content_type"),
    [
        ("a.png", "image/png"),
        ("a.jpg", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.mp4", "video/mp4"),
        ("a.webm", "video/webm"),
        ("a.mov", "video/quicktime"),
        ("a.glb", "model/gltf-binary"),
        ("a.json", "application/json"),
        ("a", "application/octet-stream"),
    ],
)
async def test_the_type_agrees_with_the_extension(
    store: ArtifactStore, key: str, content_type: str
) -> None:
    await store.put(key, b"x", content_type)
    stored = await store.head(key)
    assert stored
    assert stored.content_type == content_type
    assert [listed.content_type async for listed in store.list()] == [content_type]


async def test_what_is_missing_is_not_found(store: ArtifactStore) -> None:
    await store.put("a/b.png", b"x", "image/png")
    for key in ("nothing.png", "a", "a/b", "a/b.png.json"):
        assert await store.head(key) is None
        with pytest.raises(NotFound) as missing:
            await store.get(key)
        assert missing.value.key == key
        for start, end in ((0, None), (0, 1), (5, None)):
            with pytest.raises(NotFound):
                await read(store, key, start, end)


async def test_new_content_replaces_the_old_and_its_etag(store: ArtifactStore) -> None:
    first = await store.put("cat.png", b"old and long", "image/png")
    second = await store.put("cat.png", b"new", "image/png")
    assert await store.get("cat.png") == b"new"
    assert first != second
    stored = await store.head("cat.png")
    assert stored
    assert stored.etag == second


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, None, b"0123456789"),
        (0, 10, b"0123456789"),
        (0, 1, b"0"),
        (3, 6, b"345"),
        (9, 10, b"9"),
        (7, None, b"789"),
        (7, 99, b"789"),
        (4, 4, b""),
        (10, None, b""),
        (12, 20, b""),
    ],
)
async def test_a_range_is_that_part(
    store: ArtifactStore, start: int, end: int | None, expected: bytes
) -> None:
    await store.put("a.bin", b"0123456789", "application/octet-stream")
    assert await read(store, "a.bin", start, end) == expected


async def test_a_range_of_nothing_is_nothing(store: ArtifactStore) -> None:
    await store.put("empty.bin", b"", "application/octet-stream")
    for start, end in ((0, None), (0, 0), (0, 5), (5, None), (5, 6)):
        assert await read(store, "empty.bin", start, end) == b""


@pytest.mark.parametrize(("start", "end"), [(-1, None), (-5, -1), (5, 2)])
async def test_a_range_that_runs_backwards_is_an_error(
    store: ArtifactStore, start: int, end: int | None
) -> None:
    with pytest.raises(ValueError, match="no such range"):
        await read(store, "a.bin", start, end)


async def test_big_content_comes_in_chunks(store: ArtifactStore) -> None:
    await store.put("big.bin", BIG, "application/octet-stream")
    chunks = [chunk async for chunk in store.stream("big.bin", 1)]
    assert b"".join(chunks) == BIG[1:]
    assert all(type(chunk) is bytes for chunk in chunks)
    assert all(len(chunk) >= CHUNK_BYTES for chunk in chunks[:-1])


async def test_a_reader_that_leaves_early_disturbs_nothing(store: ArtifactStore) -> None:
    await store.put("big.bin", BIG, "application/octet-stream")
    stream = store.stream("big.bin")
    assert await anext(stream)
    await stream.aclose()
    assert len(await store.get("big.bin")) == len(BIG)


@pytest.mark.parametrize("size", [0, 1, len(BIG), 9 * 1024 * 1024])
async def test_content_of_any_size_is_copied_from_another_store(
    store: ArtifactStore, tmp_path: Path, size: int
) -> None:
    """Also what is too large for one request, in parts."""
    content = (BIG * 3)[:size]
    other = ArtifactStore.open((tmp_path / "other").as_uri())
    await other.put("a/b.png", content, "image/png")

    copied = await store.copy_from(other, "a/b.png", "objects/a/b.png")
    back = await other.copy_from(store, "objects/a/b.png", "c/d.png")

    digest = Content(size, hashlib.sha256(content).hexdigest())
    assert copied == back == await store.content("objects/a/b.png") == digest
    assert await store.get("objects/a/b.png") == content
    assert await other.get("c/d.png") == content
    head = await store.head("objects/a/b.png")
    assert head is not None
    assert head.content_type == "image/png"


async def test_what_is_missing_is_not_copied(store: ArtifactStore, tmp_path: Path) -> None:
    other = ArtifactStore.open((tmp_path / "other").as_uri())

    with pytest.raises(NotFound):
        await store.copy_from(other, "a/b.png", "c.png")
    with pytest.raises(NotFound):
        await store.content("a/b.png")
    assert await store.head("c.png") is None


async def test_a_listing_goes_by_folders(store: ArtifactStore) -> None:
    for key in ("a/b/1.png", "a/b/c/2.png", "a/bc/3.png", "a/b.png", "d/4.png"):
        await store.put(key, b"x", "image/png")
    assert await keys(store, "a/b") == ["a/b/1.png", "a/b/c/2.png"]
    assert await keys(store, "a") == ["a/b.png", "a/b/1.png", "a/b/c/2.png", "a/bc/3.png"]
    assert len(await keys(store)) == 5
    assert await keys(store, "nothing") == []


async def test_a_listing_tells_what_the_head_tells(store: ArtifactStore) -> None:
    await store.put("a/cat.png", b"meow", "image/png")
    assert [stored async for stored in store.list("a")] == [await store.head("a/cat.png")]


async def test_a_long_listing_is_whole(store: ArtifactStore) -> None:
    names = [f"many/{number:04}.png" for number in range(1001)]
    for at in range(0, len(names), 50):
        await asyncio.gather(*(store.put(name, b"x", "image/png") for name in names[at : at + 50]))
    assert await keys(store, "many") == names
    await store.delete(names)
    assert await keys(store, "many") == []


async def test_the_deleted_is_gone_and_the_rest_stays(store: ArtifactStore) -> None:
    for key in ("a/1.png", "a/2.png", "a/3.png"):
        await store.put(key, b"x", "image/png")
    await store.delete(["a/1.png", "a/3.png"])
    assert await keys(store) == ["a/2.png"]


async def test_deleting_what_is_gone_is_no_error_and_stops_nothing(store: ArtifactStore) -> None:
    await store.put("a/1.png", b"x", "image/png")
    await store.put("a/9.png", b"x", "image/png")
    gone = [f"gone/{number}.png" for number in range(30)]
    await store.delete(["a/1.png", *gone, "a/9.png"])
    await store.delete(["a/1.png"])
    await store.delete([])
    assert await keys(store) == []


@pytest.mark.parametrize("key", ["../secret", "a/../../b", "/etc/passwd", "", "a//b", "a\\b", "é"])
async def test_no_key_leads_out_of_the_store(store: ArtifactStore, key: str) -> None:
    with pytest.raises(InvalidKey):
        await store.put(key, b"x", "text/plain")
    with pytest.raises(InvalidKey):
        await store.get(key)
    with pytest.raises(InvalidKey):
        await store.head(key)
    with pytest.raises(InvalidKey):
        await read(store, key)
    with pytest.raises(InvalidKey):
        await store.delete(["fine.png", key])
    if key:
        with pytest.raises(InvalidKey):
            await keys(store, key)


async def test_a_reader_sees_the_old_bytes_or_the_new_never_both(store: ArtifactStore) -> None:
    old, new = b"o" * 500_000, b"n" * 700_000
    await store.put("a.bin", old, "application/octet-stream")

    async def overwrite() -> None:
        for content in (new, old) * 5:
            await store.put("a.bin", content, "application/octet-stream")

    writing = asyncio.create_task(overwrite())
    while not writing.done():
        assert await store.get("a.bin") in (old, new)
    await writing


async def test_writers_and_removers_of_one_folder_do_not_disturb_each_other(
    store: ArtifactStore,
) -> None:
    async def write_and_remove(name: str) -> None:
        for _ in range(20):
            await store.put(f"a/b/{name}.png", b"x", "image/png")
            assert await store.get(f"a/b/{name}.png") == b"x"
            await store.delete([f"a/b/{name}.png"])

    await asyncio.gather(*(write_and_remove(name) for name in "cdefgh"))
    assert await keys(store) == []


async def test_two_prefixes_of_a_bucket_are_two_stores(s3_endpoint: str) -> None:
    assert s3_endpoint
    one, other = ArtifactStore.open("s3://darkroom/one"), ArtifactStore.open("s3://darkroom/other")
    await one.put("a.png", b"x", "image/png")
    assert await other.head("a.png") is None
    assert await keys(ArtifactStore.open("s3://darkroom"), "one") == ["one/a.png"]


async def test_a_folder_keeps_its_content_for_the_next_start(tmp_path: Path) -> None:
    url = (tmp_path / "ä b").as_uri()
    await ArtifactStore.open(url).put("a/cat.png", b"meow", "image/png")
    assert await ArtifactStore.open(url).get("a/cat.png") == b"meow"
    assert (tmp_path / "ä b" / "a" / "cat.png").read_bytes() == b"meow"
    assert [stored.key async for stored in ArtifactStore.open(url).list()] == ["a/cat.png"]


async def test_what_was_put_into_a_folder_is_on_disk_with_every_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, int]] = []
    sync = os.fsync

    def recorded(descriptor: int) -> None:
        sync(descriptor)
        told = os.fstat(descriptor)
        synced.append((told.st_ino, told.st_size if stat.S_ISREG(told.st_mode) else -1))

    monkeypatch.setattr(os, "fsync", recorded)
    store = ArtifactStore.open(tmp_path.as_uri())
    await store.put("a/b/c.png", b"content", "image/png")

    file = tmp_path / "a/b/c.png"
    inside_out = (tmp_path / "a/b", tmp_path / "a", tmp_path)
    assert synced == [(file.stat().st_ino, 7)] + [(each.stat().st_ino, -1) for each in inside_out]


async def test_what_cannot_be_brought_to_disk_is_not_said_to_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StoreUnavailable):
        await ArtifactStore.open(tmp_path.as_uri()).put("a/b.png", b"content", "image/png")
