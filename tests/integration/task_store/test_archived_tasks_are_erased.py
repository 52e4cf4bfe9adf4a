"""What is erased goes from the archive, whenever that was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from artifacts.store import ArtifactStore
from builders import (
    annotated,
    erased,
    task_id,
)
from integration.task_store.archive_by_hand import Store, Watched, life, lives, nothing
from s3 import s3_server
from task_store.segments import messages_in


async def test_an_erased_task_leaves_rows_and_segments(kept: Store) -> None:
    await kept.tell(*life(1, prompt="secret one"), *life(2, prompt="open"))
    await kept.age_log()
    await kept.round()
    await kept.tell(annotated({"also": "secret two"}, task=task_id(1), at=20))
    await kept.round()
    assert len(await kept.segments()) == 2

    await kept.tell(erased(task=task_id(1), at=30))
    row = await kept.database.fetchval(
        "SELECT count(*) FROM archive.tasks WHERE task_id = $1", task_id(1)
    )
    rounds = [await kept.round() for _ in range(3)]

    assert row == 0
    assert [done.scrubbed for done in rounds] == [1, 1, 0]
    assert b"secret" not in await kept.segment_text()
    assert len(await kept.segments()) == 1
    assert await kept.history() == [task_id(2)]
    assert [each["event"]["type"] for each in await kept.events(2)][-1] == "generation.completed"
    assert await kept.events(1) == []
    erased_row = await kept.record(1)
    assert erased_row is not None
    assert erased_row["phase"] == "erased"
    assert await kept.differences() == []


async def test_what_is_told_while_a_segment_is_written_is_not_lost_and_not_kept(
    kept: Store, tmp_path: Path
) -> None:
    await kept.tell(*life(1, prompt="secret"), *lives(2, 3))
    watched = Watched.open((tmp_path / "artifacts").as_uri())

    async def tell() -> None:
        await kept.tell(erased(task=task_id(1), at=9), annotated({"b": 2}, task=task_id(2), at=9))
        watched.after_put = nothing

    watched.after_put = tell
    kept.files = watched

    first = await kept.round()
    second = await kept.round()
    await kept.age_log()
    third = await kept.round()

    assert (first.written.tasks, first.scrubbed, second.scrubbed) == (3, 1, 0)
    assert second.written.events == 1
    assert b"secret" not in await kept.segment_text()
    assert third.pruned == 2
    told = await kept.record(2)
    assert told is not None
    assert told["metadata"] == {"b": 2}
    assert await kept.differences() == []


async def test_a_segment_that_is_not_in_the_store_is_not_forgotten(
    kept: Store, tmp_path: Path
) -> None:
    """The store may be another one, or not mounted: what the segment has is told again later."""
    await kept.pruned(*life(1, prompt="secret"), *lives(2))
    await kept.pruned(*lives(3))
    events, segments = await kept.events(2), await kept.segments()
    await kept.tell(erased(task=task_id(1), at=30), erased(task=task_id(3), at=30))
    right = kept.files
    kept.files = ArtifactStore.open((tmp_path / "not mounted").as_uri())

    problems = await _scrub(kept)
    known = await kept.database.fetch("SELECT key FROM archive.segments")
    kept.files = right
    told = await kept.events(2)
    await _scrub(kept)

    assert problems == {1: f"{segments[0]} is not in the object store"}
    # Of the one with nothing else in it nothing needs to be known.
    assert [row["key"] for row in known] == segments[:1]
    assert told == events
    assert b"secret" not in await kept.segment_text()


@pytest.mark.parametrize("damaged", [b"no segment", b""])
async def test_a_segment_that_cannot_be_read_keeps_no_other_from_being_scrubbed(
    kept: Store, damaged: bytes
) -> None:
    for number in (1, 2, 3):
        await kept.tell(*life(number, prompt=f"secret {number}"), *lives(number + 10))
        await kept.round()
    first, *others = await kept.segments()
    content = await kept.files.get(first)
    await kept.files.put(first, damaged, "application/gzip")
    await kept.tell(*(erased(task=task_id(number), at=40) for number in (1, 2, 3)))

    problems = await _scrub(kept)
    left = await kept.database.fetch("SELECT segment FROM archive.contents WHERE scrub")
    texts = [await kept.files.get(key) for key in others]
    await kept.files.put(first, content, "application/gzip")
    mended = await _scrub(kept)

    assert list(problems) == [1]
    assert first in problems[1]
    assert [row["segment"] for row in left] == [1]
    for number, text in zip((2, 3), texts, strict=True):
        told = b"".join(each.payload for each in messages_in(text, "segment"))
        assert f"secret {number}".encode() not in told
        assert task_id(number + 10).encode() in told
    assert mended == {}
    assert b"secret" not in await kept.segment_text()


async def _scrub(kept: Store) -> dict[int, str]:
    """Returns what could not be scrubbed, and why."""
    async with kept.archive() as archive:
        while await archive.scrub():
            pass
        return archive.unreadable


@pytest.fixture
def s3() -> Iterator[ArtifactStore]:
    with s3_server("darkroom"):
        yield ArtifactStore.open("s3://darkroom")


async def test_a_bucket_holds_an_archive_too(kept: Store, s3: ArtifactStore) -> None:
    kept.files = s3
    await kept.pruned(*life(1, prompt="secret"), *lives(2))

    await kept.tell(erased(task=task_id(1), at=30))
    before = await kept.segment_text()
    await kept.round()

    [key] = await kept.segments()
    assert b"secret" in before
    assert b"secret" not in await kept.segment_text()
    assert len(list(messages_in(await s3.get(key), key))) == 4
