"""What lies in the object store and belongs to nothing: uploads that nobody swept, artifacts of
tasks that nobody knows. Found by ``darkroom doctor``, removed by its ``--fix``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg

from artifacts.keys import kind
from artifacts.store import ArtifactStore, Stored, StoreUnavailable
from artifacts.uploads import BATCH, SWEEP_GRACE, Uploads
from contracts.lifecycle import Phase
from contracts.queries import REFERENCED
from contracts.subjects import requests_of
from darkroom.cli.disks import artifacts_directory
from darkroom.cli.settings import CommandLineSettings
from delivery.log import LogReader, StreamState
from delivery.requests import NoReply, NoResponders, Requests, Unreachable
from task_store.raw_copy import known_tasks
from telemetry.findings import Finding

OVERDUE = timedelta(hours=1)
"""A gateway sweeps every ten minutes."""
SETTLED = timedelta(days=1)
"""Younger ones may be of something that is under way, or of a log that is only coming back."""
_EXAMPLES = 3
_ASK_S = 5.0


class NotAnswered(Exception):
    """No task-store tells what tasks refer to."""


@dataclass(frozen=True, slots=True)
class Stray:
    """An artifact of a task that is erased, or that nobody knows."""

    stored: Stored
    is_erased: bool

    def may_go(self, now: datetime, remembered_since: datetime | None) -> bool:
        """Whether it is sure that nobody misses it.

        Before an artifact its task's events are written. If the log has kept all since then, and
        there are none, there is no task; of what is older the rows may have been lost.
        """
        if self.is_erased:
            return True
        written = self.stored.last_modified
        return remembered_since is not None and remembered_since + SETTLED < written < now - SETTLED


@dataclass
class Strays:
    """What was met in the store: of known tasks, and the strays of each sort."""

    known: int = 0
    removable: list[int] = field(default_factory=lambda: [0, 0])
    others: list[int] = field(default_factory=lambda: [0, 0])
    examples: list[str] = field(default_factory=list)

    def note(self, stray: Stray, *, may_go: bool) -> None:
        counted = self.removable if may_go else self.others
        counted[0] += 1
        counted[1] += stray.stored.bytes
        if len(self.examples) < _EXAMPLES:
            self.examples.append(stray.stored.key)

    @property
    def is_plausible(self) -> bool:
        """Whether this looks like the store of this database, and not of another."""
        return self.known >= self.removable[0] + self.others[0]

    def judge(self) -> Finding:
        found = self.removable[0] + self.others[0]
        if not found:
            return Finding(
                "orphans", ok=True, detail=f"each of {self.known:,} artifacts has a task"
            )
        size = self.removable[1] + self.others[1]
        shown = ", ".join(self.examples) + (" …" if found > len(self.examples) else "")
        detail = f"{found:,} artifacts of no task, {size:,} bytes ({shown})"
        if not self.is_plausible:
            return Finding(
                "orphans",
                ok=None,
                detail=f"{detail}, and only {self.known:,} of tasks that are known",
                mend="is DARKROOM_ARTIFACTS_URL the store of this database? If rows were lost, "
                "bring them back first; nothing is removed",
            )
        if self.removable[0]:
            return Finding(
                "orphans",
                ok=False,
                detail=detail,
                mend=f"darkroom doctor --fix removes {self.removable[0]:,} of them",
            )
        return Finding(
            "orphans",
            ok=None,
            detail=detail,
            mend="too young, or older than the log: whether their tasks were lost can't be known",
        )


def open_store(settings: CommandLineSettings) -> ArtifactStore | None:
    """The store; None where there is none yet. Raises `StoreUnavailable`."""
    directory = artifacts_directory(settings)
    if directory is not None and not directory.is_dir():
        return None
    where = settings.artifacts_url or (settings.data_dir.resolve() / "artifacts").as_uri()
    try:
        return ArtifactStore.open(where)
    except ValueError as problem:
        raise StoreUnavailable(str(problem)) from None


async def strays(
    files: ArtifactStore, rows: asyncpg.Connection, log: LogReader, met: Strays
) -> AsyncIterator[Stray]:
    """Every artifact of a task that is erased or unknown; ``met`` counts those of known tasks."""
    batch: list[Stored] = []
    async for stored in files.list("artifacts"):
        if kind(stored.key) == "artifact":
            batch.append(stored)
        if len(batch) == BATCH:
            async for stray in _among(batch, rows, log, met):
                yield stray
            batch = []
    async for stray in _among(batch, rows, log, met):
        yield stray


async def _among(
    batch: list[Stored], rows: asyncpg.Connection, log: LogReader, met: Strays
) -> AsyncIterator[Stray]:
    tasks = {stored.key: stored.key.split("/")[2] for stored in batch}
    known = await known_tasks(rows, set(tasks.values()))
    in_log = {
        task_id for task_id in set(tasks.values()) - known.keys() if await _has_events(log, task_id)
    }
    for stored in batch:
        task_id = tasks[stored.key]
        is_erased = known.get(task_id) is Phase.ERASED
        if is_erased or (task_id not in known and task_id not in in_log):
            yield Stray(stored, is_erased)
        else:
            met.known += 1


async def _has_events(log: LogReader, task_id: str) -> bool:
    for subject in (f"generation.*.*.{task_id}", requests_of(task_id)):
        if await log.last(subject) is not None:
            return True
    return False


async def examine_orphans(
    files: ArtifactStore,
    rows: asyncpg.Connection,
    log: LogReader,
    remembered_since: datetime | None,
) -> Finding:
    met, now = Strays(), datetime.now(UTC)
    async for stray in strays(files, rows, log, met):
        met.note(stray, may_go=stray.may_go(now, remembered_since))
    return met.judge()


async def remove_orphans(
    files: ArtifactStore,
    rows: asyncpg.Connection,
    log: LogReader,
    remembered_since: datetime | None,
) -> list[str]:
    """Remove what is sure to be missed by nobody; what that was, in a line."""
    met, now = Strays(), datetime.now(UTC)
    going: list[Stray] = []
    async for stray in strays(files, rows, log, met):
        may_go = stray.may_go(now, remembered_since)
        met.note(stray, may_go=may_go)
        if may_go:
            going.append(stray)
    if not going or not met.is_plausible:
        return []
    for start in range(0, len(going), BATCH):
        await files.delete([stray.stored.key for stray in going[start : start + BATCH]])
    size = sum(stray.stored.bytes for stray in going)
    return [f"removed {len(going):,} artifacts of no task, {size:,} bytes"]


def uploads_of(files: ArtifactStore) -> Uploads:
    def none_made() -> str:
        raise AssertionError("uploads are made by the gateway")

    return Uploads(files, timedelta(0), none_made)


async def examine_uploads(files: ArtifactStore, requests: Requests, log: StreamState) -> Finding:
    """Uploads that expired long ago, that no task refers to, and that are still there."""
    overdue = 0
    batch: list[str] = []
    try:
        async for upload in uploads_of(files).expired(datetime.now(UTC) - OVERDUE):
            batch.append(upload.key)
            if len(batch) == BATCH:
                overdue += len(batch) - len(await referenced(requests, batch, log))
                batch = []
        overdue += len(batch) - len(await referenced(requests, batch, log))
    except NotAnswered:
        return Finding(
            "uploads",
            ok=None,
            detail="expired ones are there; what tasks refer to is not known",
            mend="see the task-store above",
        )
    if overdue:
        return Finding(
            "uploads",
            ok=False,
            detail=f"{overdue:,} expired more than an hour ago and were not swept",
            mend="a gateway sweeps them, darkroom doctor --fix does so now",
        )
    return Finding("uploads", ok=True, detail="none that should have been swept")


async def sweep_uploads(files: ArtifactStore, requests: Requests, log: StreamState) -> list[str]:
    """What a gateway's sweep does, now."""

    async def needed(keys: list[str]) -> set[str]:
        return await referenced(requests, keys, log)

    swept = await uploads_of(files).sweep(datetime.now(UTC), needed, SWEEP_GRACE)
    left = swept.orphans + swept.unfinished
    told = [f"swept {swept.removed:,} expired uploads"] if swept.removed else []
    return told + ([f"removed {left:,} halves of uploads that crashes left"] if left else [])


async def referenced(requests: Requests, keys: list[str], log: StreamState) -> set[str]:
    """Those that a task refers to, as of the log's end. Raises `NotAnswered`."""
    if not keys:
        return set()
    question = {"keys": keys, "sequence": log.last_sequence, "created": log.created.isoformat()}
    try:
        reply = await requests.call(REFERENCED, json.dumps(question).encode(), timeout=_ASK_S)
    except (NoReply, NoResponders, Unreachable):
        raise NotAnswered from None
    told = json.loads(reply.data).get("ok")
    if told is None:
        raise NotAnswered
    return set(told["keys"])
