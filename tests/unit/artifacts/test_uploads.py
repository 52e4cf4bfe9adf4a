"""Uploads: saved, found, expired, swept."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from artifacts.intake import Unusable
from artifacts.keys import sidecar_key, upload_key
from artifacts.store import ArtifactStore, StoreUnavailable
from artifacts.uploads import SweepResult, Upload, Uploads, sanitised_filename

NOW = datetime(2030, 11, 21, 10, 0, tzinfo=UTC)
TTL = timedelta(days=3)
GRACE = timedelta(hours=1)


def png(colour: str = "teal") -> bytes:
    out = BytesIO()
    Image.new("RGB", (30, 20), colour).save(out, "png")
    return out.getvalue()


PNG = png()


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    return ArtifactStore.open({"memory": "memory://", "file": tmp_path.as_uri()}[request.param])


@pytest.fixture
def uploads(store: ArtifactStore) -> Uploads:
    ids: Iterator[int] = count(1)
    return Uploads(store, TTL, lambda: f"u{next(ids):06}")


async def nothing(keys: list[str]) -> set[str]:
    """No task refers to anything."""
    assert 0 < len(keys) <= 500
    return set()


async def listed(store: ArtifactStore) -> set[str]:
    return {stored.key async for stored in store.list("uploads")}


async def test_a_saved_upload_is_found_with_all_that_was_learnt(
    store: ArtifactStore, uploads: Uploads
) -> None:
    saved = await uploads.save("alice", PNG, "C:\\photos\\cat.html", NOW)
    assert saved == await uploads.find("alice", saved.upload_id, NOW)
    assert (saved.content_type, saved.width, saved.height) == ("image/png", 30, 20)
    assert (saved.bytes, saved.filename) == (len(PNG), "cat.png")
    assert (saved.created_at, saved.expires_at) == (NOW, NOW + TTL)
    assert saved.key == upload_key("alice", saved.upload_id)
    assert await store.get(saved.key) == PNG


async def test_an_upload_is_its_owners_alone(uploads: Uploads) -> None:
    saved = await uploads.save("alice", PNG, None, NOW)
    assert await uploads.find("bob", saved.upload_id, NOW) is None


@pytest.mark.parametrize("upload_id", ["u999999", "", "..", "../../x", "a/b", "u000001.json", "é"])
async def test_an_unknown_or_impossible_id_finds_nothing(uploads: Uploads, upload_id: str) -> None:
    await uploads.save("alice", PNG, None, NOW)
    assert await uploads.find("alice", upload_id, NOW) is None


async def test_an_upload_is_gone_at_the_moment_it_expires(uploads: Uploads) -> None:
    saved = await uploads.save("alice", PNG, None, NOW)
    just_before = NOW + TTL - timedelta(microseconds=1)
    assert await uploads.find("alice", saved.upload_id, just_before)
    assert await uploads.find("alice", saved.upload_id, NOW + TTL) is None


async def test_unusable_bytes_leave_nothing_behind(store: ArtifactStore, uploads: Uploads) -> None:
    with pytest.raises(Unusable):
        await uploads.save("alice", b"<html>", "cat.png", NOW)
    assert not await listed(store)


async def test_limits_are_those_of_the_settings(store: ArtifactStore) -> None:
    small = Uploads(store, TTL, lambda: "u1", max_bytes=10)
    with pytest.raises(Unusable, match="10 bytes allowed"):
        await small.save("alice", PNG, None, NOW)


@pytest.mark.parametrize("sidecar", [b"", b"{}", b"[]", b"null", b"\xff", b'{"upload_id": 1}'])
async def test_an_upload_without_a_whole_sidecar_is_not_there(
    store: ArtifactStore, uploads: Uploads, sidecar: bytes
) -> None:
    saved = await uploads.save("alice", PNG, None, NOW)
    await store.put(sidecar_key(saved.key), sidecar, "application/json")
    assert await uploads.find("alice", saved.upload_id, NOW) is None
    assert [upload async for upload in uploads.expired(NOW + 2 * TTL)] == []


async def test_a_store_that_dies_between_content_and_sidecar_shows_no_upload(
    store: ArtifactStore, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = store.put

    async def put_content_only(key: str, content: bytes, content_type: str) -> str:
        if key.endswith(".json"):
            raise StoreUnavailable("the disk is full")
        return await put(key, content, content_type)

    monkeypatch.setattr(store, "put", put_content_only)
    with pytest.raises(StoreUnavailable):
        await uploads.save("alice", PNG, None, NOW)
    assert await uploads.find("alice", "u000001", NOW) is None
    assert await listed(store) == {upload_key("alice", "u000001")}


async def test_a_deleted_upload_is_gone_with_its_sidecar(
    store: ArtifactStore, uploads: Uploads
) -> None:
    saved = await uploads.save("alice", PNG, None, NOW)
    await uploads.delete(saved)
    await uploads.delete(saved)
    assert not await listed(store)


async def test_expired_uploads_of_every_owner_are_told(uploads: Uploads) -> None:
    old = [await uploads.save(owner, PNG, None, NOW) for owner in ("alice", "bob")]
    await uploads.save("alice", PNG, None, NOW + timedelta(hours=1))
    found = [upload async for upload in uploads.expired(NOW + TTL)]
    assert sorted(found, key=by_id) == old


def by_id(upload: Upload) -> str:
    return upload.upload_id


async def test_the_sweep_waits_for_the_grace_to_be_over(
    store: ArtifactStore, uploads: Uploads
) -> None:
    await uploads.save("alice", PNG, None, NOW)
    early = NOW + TTL + GRACE - timedelta(seconds=1)
    assert await uploads.sweep(early, nothing, GRACE) == SweepResult(0, 0, 0, 0)
    assert len(await listed(store)) == 2
    assert await uploads.sweep(NOW + TTL + GRACE, nothing, GRACE) == SweepResult(1, 0, 0, 0)
    assert not await listed(store)


async def test_an_upload_that_a_task_refers_to_outlives_its_expiry(
    store: ArtifactStore, uploads: Uploads
) -> None:
    needed = await uploads.save("alice", PNG, None, NOW)
    await uploads.save("alice", PNG, None, NOW)

    async def referenced(keys: list[str]) -> set[str]:
        return {key for key in keys if key == needed.key}

    assert await uploads.sweep(NOW + 2 * TTL, referenced, GRACE) == SweepResult(1, 1, 0, 0)
    assert await store.get(needed.key) == PNG
    assert await uploads.sweep(NOW + 2 * TTL, nothing, GRACE) == SweepResult(1, 0, 0, 0)


async def test_the_sweep_asks_for_at_most_500_keys_at_once() -> None:
    store = ArtifactStore.open("memory://")
    ids = count(1)
    uploads = Uploads(store, TTL, lambda: f"u{next(ids):06}")
    await asyncio.gather(*(uploads.save("alice", PNG, None, NOW) for _ in range(1001)))
    asked: list[int] = []

    async def referenced(keys: list[str]) -> set[str]:
        asked.append(len(keys))
        return set(keys[:1])

    assert await uploads.sweep(NOW + 2 * TTL, referenced, GRACE) == SweepResult(998, 3, 0, 0)
    assert asked == [500, 500, 1]
    assert len(await listed(store)) == 6


async def test_content_that_a_crash_left_without_sidecar_goes_after_a_day(
    store: ArtifactStore, uploads: Uploads
) -> None:
    kept = await uploads.save("alice", PNG, None, NOW)
    orphan = upload_key("alice", "lost")
    await store.put(orphan, PNG, "image/png")
    written = await store.head(orphan)
    assert written
    day = timedelta(days=1)
    assert await uploads.sweep(written.last_modified + day, nothing, GRACE) == SweepResult(
        0, 0, 0, 0
    )
    later = written.last_modified + day + timedelta(seconds=1)
    assert await uploads.sweep(later, nothing, GRACE) == SweepResult(0, 0, 1, 0)
    assert await listed(store) == {kept.key, sidecar_key(kept.key)}


async def test_the_sweep_leaves_artifacts_and_foreign_files_alone(
    store: ArtifactStore, uploads: Uploads
) -> None:
    for key in ("artifacts/x/y.png", "uploads/README", "uploads/a/b/c"):
        await store.put(key, b"x", "text/plain")
    assert await uploads.sweep(NOW + 9 * TTL, nothing, GRACE) == SweepResult(0, 0, 0, 0)
    assert await listed(store) == {"uploads/README", "uploads/a/b/c"}


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("cat.png", "cat.png"),
        ("cat.HTML", "cat.png"),
        ("my cat.jpeg", "my cat.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\photos\\cat.png", "cat.png"),
        ("a\r\nSet-Cookie: x.png", "aSet-Cookie x.png"),
        ('"><script>.png', "script.png"),
        ("Käse.png", "Käse.png"),
        ("\u202egnp.exe", "gnp.png"),
        (".png", "png.png"),
        ("...", "upload.png"),
        ("", "upload.png"),
        (None, "upload.png"),
    ],
)
def test_a_file_name_is_made_harmless(given_name: str | None, kept: str) -> None:
    assert sanitised_filename(given_name, "png") == kept


@given(st.text(max_size=400))
def test_any_file_name_ends_as_one_short_printable_name(name: str) -> None:
    kept = sanitised_filename(name, "png")
    assert kept.endswith(".png")
    assert kept.isprintable()
    assert not set(kept) & set('/\\<>:"|?*')
    assert len(kept) <= 204
    assert kept.lstrip(" .") == kept
