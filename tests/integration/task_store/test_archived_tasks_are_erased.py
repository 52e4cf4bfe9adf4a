"""What is erased goes from the archive, whenever that was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from moto.server import ThreadedMotoServer

from artifacts.store import ArtifactStore
from builders import (
    annotated,
    erased,
    task_id,
)
from integration.task_store.archive_by_hand import Store, Watched, life, lives, nothing
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


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[ArtifactStore]:
    """A bucket on a local server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    httpx2.put(f"http://{host}:{port}/darkroom", trust_env=False).raise_for_status()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    yield ArtifactStore.open("s3://darkroom")
    server.stop()


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
