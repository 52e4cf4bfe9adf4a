"""A task-store whose archive a test works on by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from artifacts.store import ArtifactStore
from builders import (
    completed,
    progressed,
    requested,
    started,
    task_id,
)
from contracts import queries
from contracts.events import Event
from contracts.subjects import STREAM
from task_store.archive import Archive, Done, opened
from task_store.rebuild import rebuild
from task_store.segments import messages_in
from task_store.verify import verify

if TYPE_CHECKING:
    from integration.task_store.conftest import Bus

UPLOAD = "uploads/0123456789abcdef0123/up1"


def life(number: int, **told: Any) -> list[Event]:
    of = {"task": task_id(number)}
    at = float(number)
    return [
        requested(prompt_id="p", reference_images=(UPLOAD,), at=at, **of, **told),
        started(at=at, **of),
        progressed(50, at=at, **of),
        completed(at=at + 1, **of),
    ]


def lives(*numbers: int) -> list[Event]:
    return [event for number in numbers for event in life(number)]


class Store:
    """The task-store of a test, and its archive worked on by hand."""

    def __init__(self, bus: Bus, url: str, database: asyncpg.Connection, files: ArtifactStore):
        self.bus = bus
        self.url = url
        self.database = database
        self.files = files

    async def tell(self, *events: Event) -> int:
        sequence = await self.bus.tell(*events)
        await self.bus.projected(sequence)
        return sequence

    @asynccontextmanager
    async def archive(self) -> AsyncIterator[Archive]:
        async with opened(self.url, self.bus.log, self.files) as archive:
            yield archive

    async def round(self) -> Done:
        """One round in which everything is old enough."""
        async with self.archive() as archive:
            return await archive.run_once(datetime.now(UTC) + timedelta(hours=1))

    async def age_log(self) -> None:
        """Everything leaves the log, as by age."""
        await self.bus.client.jetstream().purge_stream(STREAM)

    async def pruned(self, *events: Event) -> None:
        """Tell of tasks, and have them archived and pruned."""
        await self.tell(*events)
        await self.age_log()
        done = await self.round()
        assert done.pruned == done.written.tasks > 0

    async def hot(self) -> list[str]:
        rows = await self.database.fetch("SELECT task_id FROM live.tasks ORDER BY task_id")
        return [str(row["task_id"]) for row in rows]

    async def raw(self) -> int:
        return int(await self.database.fetchval("SELECT count(*) FROM log.events"))

    async def rows(self) -> dict[str, dict[str, Any]]:
        """Every task's columns, wherever its row is."""
        names = "task_id, owner, type, phase, status, stage, progress, attempt, lane, ticket,"
        names += " retry_at, prompt, prompt_id, reference_images::text, provider_params::text,"
        names += " run_at, body_sha256, metadata::text, provider, external_task_id, handle::text,"
        names += " artifacts::text, late_artifacts::text, error::text, created_at, started_at,"
        names += " updated_at, finished_at, heard_at, sequence"
        rows = await self.database.fetch(
            f"SELECT {names} FROM live.tasks UNION ALL"
            f" SELECT {names} FROM archive.tasks WHERE pruned"
        )
        found = {str(row["task_id"]): dict(row) for row in rows}
        assert len(found) == len(rows), "a task is in two places"
        return found

    async def record(self, number: int) -> dict[str, Any] | None:
        answer = await self.bus.ask(queries.GET, task_ids=[task_id(number)])
        record: dict[str, Any] | None = answer["ok"]["records"].get(task_id(number))
        return record

    async def history(self, **filters: Any) -> list[str]:
        """All pages, three tasks each."""
        found: list[str] = []
        after = None
        while True:
            question = {"owner": "local", "limit": 3, "after": after, **filters}
            page = (await self.bus.ask(queries.HISTORY, **question))["ok"]
            found += [record["task_id"] for record in page["records"]]
            after = page["next"]
            if after is None:
                return found

    async def events(self, number: int) -> list[dict[str, Any]]:
        answer = await self.bus.ask(queries.EVENTS, task_id=task_id(number), owner="local")
        events: list[dict[str, Any]] = answer["ok"]["events"]
        return events

    async def segments(self) -> list[str]:
        return sorted([each.key async for each in self.files.list("archive")])

    async def segment_text(self) -> bytes:
        """All that the archive's objects hold, in the clear."""
        found = b""
        for key in await self.segments():
            content = await self.files.get(key)
            found += b"".join(each.payload for each in messages_in(content, key))
        return found

    async def differences(self) -> list[str]:
        verified = await verify(self.url, self.bus.client, self.bus.requests)
        return [str(each) for each in verified.differences]

    async def rebuild(self) -> int:
        return (await rebuild(self.url, self.bus.client, self.bus.requests)).resumed_at


class Watched(ArtifactStore):
    """A store in which something happens right after an object was written."""

    after_put: Callable[[], Awaitable[object]]

    async def put(self, key: str, content: bytes, content_type: str) -> str:
        etag = await super().put(key, content, content_type)
        await self.after_put()
        return etag


async def nothing() -> None:
    pass
