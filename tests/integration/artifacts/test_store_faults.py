"""A store that isn't there, can't be written or isn't one: told in one way."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from artifacts.keys import upload_key
from artifacts.store import ArtifactStore, StoreUnavailable
from s3 import s3_server

Ask = Callable[[ArtifactStore], Awaitable[object]]


async def stream_all(store: ArtifactStore) -> list[bytes]:
    return [chunk async for chunk in store.stream("a/b.png")]


async def list_all(store: ArtifactStore) -> list[object]:
    return [stored async for stored in store.list("a")]


ASKED: list[Ask] = [
    lambda store: store.put("a/b.png", b"x", "image/png"),
    lambda store: store.get("a/b.png"),
    lambda store: store.head("a/b.png"),
    lambda store: store.delete(["a/b.png"]),
    stream_all,
    list_all,
]


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> ArtifactStore:
    """An S3 store whose endpoint nobody listens at."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return ArtifactStore.open("s3://darkroom")


@pytest.mark.parametrize("ask", ASKED)
async def test_an_unreachable_store_is_unavailable(unreachable: ArtifactStore, ask: Ask) -> None:
    with pytest.raises(StoreUnavailable) as told:
        await ask(unreachable)
    assert "\n" not in str(told.value)


@pytest.fixture
def s3_without_bucket() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


@pytest.mark.parametrize("ask", [ask for ask in ASKED if ask is not ASKED[2]])
async def test_a_missing_bucket_is_no_missing_key(s3_without_bucket: str, ask: Ask) -> None:
    assert s3_without_bucket
    with pytest.raises(StoreUnavailable):
        await ask(ArtifactStore.open("s3://never-made"))


async def test_a_store_that_returns_is_used_again(s3_without_bucket: str) -> None:
    store = ArtifactStore.open("s3://made-later")
    with pytest.raises(StoreUnavailable):
        await store.put("a/b.png", b"x", "image/png")
    async with httpx2.AsyncClient(trust_env=False) as client:
        (await client.put(f"{s3_without_bucket}/made-later")).raise_for_status()
    await store.put("a/b.png", b"x", "image/png")
    assert await store.get("a/b.png") == b"x"


async def test_a_folder_that_became_a_file_is_unavailable(tmp_path: Path) -> None:
    store = ArtifactStore.open((tmp_path / "kept").as_uri())
    (tmp_path / "kept").rmdir()
    (tmp_path / "kept").write_text("in the way")
    for ask in (ASKED[0], ASKED[1], ASKED[2], ASKED[3], stream_all):
        with pytest.raises(StoreUnavailable):
            await ask(store)


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="no artifacts can be kept"):
        ArtifactStore.open((tmp_path / "file" / "folder").as_uri())


BRIEF_LIFE = """
import asyncio, sys
from artifacts.store import ArtifactStore

async def main():
    store = ArtifactStore.open(sys.argv[1])
    await asyncio.gather(*(store.put(f"a/{n}.png", b"x", "image/png") for n in range(20)))
    await asyncio.gather(*(store.get(f"a/{n}.png") for n in range(20)))

asyncio.run(main())
"""


async def test_a_process_that_ends_right_after_using_the_store_ends_well(tmp_path: Path) -> None:
    """obstore's own async calls abort such a process about every seventh time."""
    for _ in range(3):
        lives = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", BRIEF_LIFE, (tmp_path / str(life)).as_uri()
            )
            for life in range(4)
        ]
        assert [await life.wait() for life in lives] == [0, 0, 0, 0]


async def test_what_a_killed_writer_left_half_written_is_discarded(tmp_path: Path) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    key = upload_key("alice", "u1")
    await store.put(key, b"whole", "image/png")
    written = await store.head(key)
    assert written
    half = tmp_path / f"{key}#1"
    foreign = [tmp_path / "notes#1", tmp_path / f"{key}#draft", tmp_path / "uploads" / "x#2"]
    for path in (half, *foreign):
        path.write_bytes(b"ha")

    moment = datetime.fromtimestamp(half.stat().st_mtime, UTC)
    assert f"{key}#1" not in [stored.key async for stored in store.list("uploads")]
    assert await store.discard_leftovers(moment - timedelta(seconds=1)) == 0
    assert await store.discard_leftovers(moment + timedelta(seconds=1)) == 1
    assert await store.get(key) == b"whole"
    assert all(path.exists() for path in foreign)


async def test_folders_that_stood_empty_are_removed_from_the_inside_out(tmp_path: Path) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    await store.put("artifacts/owner/task/1.png", b"x", "image/png")
    await store.put("artifacts/owner/other/1.png", b"x", "image/png")
    await store.delete(["artifacts/owner/task/1.png"])
    moment = datetime.fromtimestamp((tmp_path / "artifacts/owner/task").stat().st_mtime, UTC)
    await store.discard_leftovers(moment - timedelta(seconds=1))
    assert (tmp_path / "artifacts/owner/task").exists()
    await store.discard_leftovers(moment + timedelta(hours=1))
    assert not (tmp_path / "artifacts/owner/task").exists()
    assert await store.get("artifacts/owner/other/1.png") == b"x"


async def test_a_file_that_is_finished_meanwhile_is_no_leftover(tmp_path: Path) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    key = upload_key("alice", "u1")
    await store.put(key, b"whole", "image/png")
    (tmp_path / f"{key}#1").symlink_to(tmp_path / "gone")
    assert await store.discard_leftovers(datetime(2100, 1, 1, tzinfo=UTC)) == 0


async def test_only_a_folder_has_half_written_files() -> None:
    store = ArtifactStore.open("memory://")
    assert await store.discard_leftovers(datetime.now(UTC)) == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "artifacts",
        "/srv/artifacts",
        "http://pictures.example/",
        "ftp://pictures.example/",
        "file://",
        "file:///",
        "file://.darkroom/artifacts",
    ],
)
def test_what_is_no_store_is_told_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="ARTIFACTS_URL"):
        ArtifactStore.open(url)


def test_a_cloud_store_needs_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(ValueError, match="Account"):
        ArtifactStore.open("az://container/pictures")


@pytest.mark.parametrize(
    ("variable", "endpoint"),
    [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9000"),
        ("AWS_ENDPOINT_URL_S3", "http://localhost:9000"),
        ("AWS_ENDPOINT", "http://[::1]:9000"),
        ("AWS_ENDPOINT_URL", "https://minio:9000"),
    ],
)
def test_plain_http_is_fine_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, variable: str, endpoint: str
) -> None:
    monkeypatch.setenv(variable, endpoint)
    ArtifactStore.open("s3://darkroom")


def test_plain_http_to_another_machine_is_by_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000")
    with pytest.raises(ValueError, match="set AWS_ALLOW_HTTP=true"):
        ArtifactStore.open("s3://darkroom")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    ArtifactStore.open("s3://darkroom")
