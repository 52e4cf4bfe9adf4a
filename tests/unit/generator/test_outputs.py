"""Results get a key of their own in the store, and leave it when no end refers to them."""

from __future__ import annotations

import hashlib

import pytest

from artifacts.keys import artifact_key
from artifacts.store import ArtifactStore, StoreUnavailable
from contracts.events import Artifact
from generator import outputs
from generator.outputs import discard, extension, store_outputs
from generator.provider import Output


class Moody(ArtifactStore):
    """A store that is away for a while."""

    away = 0

    async def put(self, key: str, content: bytes, content_type: str) -> str:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("the disk is full")
        return await super().put(key, content, content_type)

    async def delete(self, keys: object) -> None:
        raise StoreUnavailable("the disk is gone")


async def stored(store: ArtifactStore, *contents: bytes) -> tuple[Artifact, ...]:
    made = [Output(content, "image/webp", 4, 3) for content in contents]
    return await store_outputs(store, made, owner="local", task_id="task-1", attempt=2)


async def test_each_result_has_a_key_made_of_attempt_index_and_content() -> None:
    store = ArtifactStore.open("memory://")
    large = b"x" * 600_000

    first, second = await stored(store, b"small", large)

    for index, artifact, content in ((0, first, b"small"), (1, second, large)):
        sha256 = hashlib.sha256(content).hexdigest()
        key = artifact_key("local", "task-1", 2, index, sha256, "webp")
        assert artifact == Artifact(
            key=key,
            content_type="image/webp",
            bytes=len(content),
            sha256=sha256,
            width=4,
            height=3,
        )
        assert await store.get(key) == content


async def test_a_store_that_is_away_for_a_moment_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outputs, "_FIRST_PAUSE_S", 0.001)
    store = Moody.open("memory://")
    store.away = 2

    (artifact,) = await stored(store, b"content")

    assert await store.get(artifact.key) == b"content"


async def test_a_store_that_stays_away_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "_PATIENCE_S", 0.0)
    store = Moody.open("memory://")
    store.away = 10**6

    with pytest.raises(StoreUnavailable, match="full"):
        await stored(store, b"content")


async def test_results_that_came_too_late_are_deleted_but_not_those_of_the_winner() -> None:
    store = ArtifactStore.open("memory://")
    mine = await stored(store, b"same", b"other")

    await discard(store, mine, kept=mine[:1])

    assert [each.key async for each in store.list()] == [mine[0].key]


async def test_results_that_can_not_be_deleted_are_left() -> None:
    store = Moody.open("memory://")
    mine = await stored(store, b"content")

    await discard(store, mine)

    assert [each.key async for each in store.list()] == [mine[0].key]


@pytest.mark.parametrize(
    ("content_type", "ext"),
    [
        ("image/png", "png"),
        ("image/jpeg", "jpg"),
        ("IMAGE/PNG; charset=binary", "png"),
        ("model/gltf-binary", "glb"),
        ("video/mp4", "mp4"),
        ("application/pdf", "pdf"),
        ("application/x-nobody-knows", "bin"),
    ],
)
def test_the_extension_says_what_it_is(content_type: str, ext: str) -> None:
    assert extension(content_type) == ext
