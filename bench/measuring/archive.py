"""Finished tasks that leave the hot tables, and what reads and writes take before and after.

The tasks are copies of one that was done here, put into rows and raw copy as if the log had told of
them and forgotten them again.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import nats

from contracts.subjects import STREAM
from measuring.client import Order
from measuring.commands import command_of
from measuring.context import Context, task_body
from measuring.figures import Figure, at_most

_PART = "archive"
_PAUSE_S = 0.002
_LONG_S = 3600
_FILL_EVENTS = """
INSERT INTO log.events (sequence, logtime, task_id, event_id, subject, payload)
SELECT $2 + n * $4 + e.nth, now() - interval '1 hour', made.task_id, made.task_id || e.nth,
    replace(e.subject, $1, made.task_id),
    convert_to(replace(convert_from(e.payload, 'UTF8'), $1, made.task_id), 'UTF8')
FROM generate_series(0, $3::bigint - 1) n
CROSS JOIN LATERAL (SELECT md5(n::text || 'archived')::uuid::text AS task_id) made
CROSS JOIN (
    SELECT row_number() OVER (ORDER BY sequence) AS nth, subject, payload
    FROM log.events WHERE task_id = $1) e
"""
_FILL_TASKS = """
INSERT INTO live.tasks SELECT
    md5(n::text || 'archived')::uuid, t.owner, t.type, t.phase, t.status, t.stage, t.progress,
    t.attempt, t.lane, t.ticket, t.retry_at, t.prompt, t.prompt_id, t.reference_images,
    t.provider_params, t.run_at, t.body_sha256, t.metadata, t.provider, t.external_task_id,
    t.handle, t.artifacts, t.late_artifacts, t.error,
    t.created_at - ($3::bigint - n) * interval '1 second', t.started_at, t.updated_at,
    t.finished_at, t.heard_at, $2 + n * $4 + $4
FROM (SELECT * FROM live.tasks WHERE task_id = $1::uuid) t, generate_series(0, $3::bigint - 1) n
"""
_FILL_ARCHIVE = """
INSERT INTO archive.tasks SELECT
    md5(n::text || 'of old')::uuid, CASE n % 10 WHEN 0 THEN t.owner ELSE 'owner ' || n % 9999 END,
    t.type, t.phase, t.status, t.stage, t.progress, t.attempt, t.lane, t.ticket, t.retry_at,
    t.prompt, t.prompt_id, t.reference_images, t.provider_params, t.run_at, t.body_sha256,
    t.metadata, t.provider, t.external_task_id, t.handle, t.artifacts, t.late_artifacts, t.error,
    t.created_at - interval '1 year' - ($2::bigint - n) * interval '1 second', t.started_at,
    t.updated_at, t.finished_at, t.heard_at, t.sequence, t.sequence, true
FROM (SELECT * FROM live.tasks WHERE task_id = $1::uuid) t, generate_series(0, $2::bigint - 1) n
"""
"""One in ten is the owner's whose history is read. No segment has their events."""
_FILL_CONTENTS = """
INSERT INTO archive.contents
SELECT md5(n::text || 'of old')::uuid, 0, 0 FROM generate_series(0, $1::bigint - 1) n
"""
_SIZE = """
SELECT pg_total_relation_size('live.tasks') + pg_total_relation_size('log.events')
"""


def measure(run: Context) -> list[Figure]:
    sizes = run.sizes
    template = _done(run)
    asyncio.run(_room_in_the_log(run.system, 0))
    before = _reads(run, template)
    if sizes.archived_before:
        run.say(f"filling the archive with {sizes.archived_before:,} tasks")
        asyncio.run(_archived_before(run, template))
    run.say(f"filling the tables with {sizes.archived:,} finished tasks")
    filled_mb = asyncio.run(_fill(run, template, sizes.archived))
    full = _reads(run, template)
    run.say("archiving and pruning them")
    took_s, peak_mb = command_of(run, "archive", "run", "--older-than", "60")
    pruned_mb, archived = asyncio.run(_pruned(run))
    if archived["tasks"] != sizes.archived:
        raise RuntimeError(f"{archived['tasks']} of {sizes.archived} tasks were pruned")
    after = _reads(run, template)
    cold = _ask(run, f"/tasks/{archived['one']}")
    return [
        Figure(_PART, "tasks archived and pruned", sizes.archived / took_s, "/s", details=archived),
        Figure(_PART, "memory at most", peak_mb, "MB", target=at_most(300.0)),
        Figure(
            _PART,
            "hot tables afterwards",
            pruned_mb,
            "MB",
            floor=filled_mb,
            floor_name="MB before",
            target=at_most(0.1),
        ),
        *(
            Figure(
                _PART,
                f"{name}, p50",
                after[name],
                "ms",
                floor=before[name],
                floor_name="ms without any",
                target=at_most(1.5),
                details={"ms with all in the hot tables": full[name]},
            )
            for name in before
        ),
        Figure(
            _PART,
            "GET of a pruned task, p50",
            cold,
            "ms",
            floor=after["GET"],
            floor_name="ms of a hot one",
        ),
    ]


def _done(run: Context) -> str:
    """One task that was completed here."""
    order = Order("wait", run.system.port, 1, 60, 1, task_body("noop"), keep=1)
    [body] = run.load(run.system.tree, order).seen["kept"]
    run.system.wait_until_projected()
    task_id: str = json.loads(body)["task_id"]
    return task_id


def _reads(run: Context, task_id: str) -> dict[str, float]:
    """Milliseconds of a read, of a page of the history, and of a submit until it is stored."""
    submit = Order(
        *("repeat", run.system.port, 1, 60, run.sizes.recoveries),
        body=task_body("noop"),
        pause_s=_PAUSE_S,
    )
    run.load(run.system.tree, submit)
    submitted = run.load(run.system.tree, submit).seen["latency_ms"]["p50"]
    run.system.wait_until_projected()
    return {
        "GET": _ask(run, f"/tasks/{task_id}"),
        "history": _ask(run, "/tasks?limit=50"),
        "submit": submitted,
    }


def _ask(run: Context, path: str) -> float:
    asked = Order(
        *("repeat", run.system.port, 1, 120, run.sizes.recoveries),
        paths=[path],
        pause_s=_PAUSE_S,
    )
    run.load(run.system.tree, asked)
    return float(run.load(run.system.tree, asked).seen["latency_ms"]["p50"])


async def _room_in_the_log(system: Any, events: int) -> int:
    """Let the log forget all, and go on so many sequences later; the last one before."""
    client = await nats.connect(system.nats_url)
    last = (await client.jetstream().stream_info(STREAM)).state.last_seq
    await client.jetstream().purge_stream(STREAM, seq=last + events + 1)
    await client.close()
    return last


async def _fill(run: Context, template: str, tasks: int) -> float:
    """Returns the size of the tables, in MB."""
    connection = await asyncpg.connect(run.system.database_url)
    try:
        await connection.execute("DELETE FROM log.events WHERE task_id <> $1", template)
        events = await connection.fetchval(
            "SELECT count(*) FROM log.events WHERE task_id = $1", template
        )
        last = await _room_in_the_log(run.system, tasks * events)
        for statement in (_FILL_EVENTS, _FILL_TASKS):
            await connection.execute(statement, template, last, tasks, events, timeout=_LONG_S)
        # Young, and before the others: nothing behind it would be old enough.
        await connection.execute("DELETE FROM log.events WHERE task_id = $1", template)
        await _settle(connection)
        return float(await connection.fetchval(_SIZE)) / 1e6
    finally:
        await connection.close()


async def _archived_before(run: Context, template: str) -> None:
    connection = await asyncpg.connect(run.system.database_url)
    try:
        tasks = run.sizes.archived_before
        await connection.execute(_FILL_ARCHIVE, template, tasks, timeout=_LONG_S)
        await connection.execute(_FILL_CONTENTS, tasks, timeout=_LONG_S)
    finally:
        await connection.close()


async def _pruned(run: Context) -> tuple[float, dict[str, Any]]:
    """The size of the hot tables, and what the archive has."""
    connection = await asyncpg.connect(run.system.database_url)
    try:
        await _settle(connection)
        archived = await connection.fetchrow(
            "SELECT count(*) AS tasks, max(task_id::text) AS one,"
            " (SELECT sum(bytes)::bigint FROM archive.segments) AS bytes,"
            " (SELECT sum(events)::bigint FROM archive.segments) AS events"
            " FROM archive.tasks WHERE pruned AND task_id IN"
            " (SELECT md5(n::text || 'archived')::uuid FROM generate_series(0, $1::bigint - 1) n)",
            run.sizes.archived,
            timeout=_LONG_S,
        )
        assert archived is not None
        return float(await connection.fetchval(_SIZE)) / 1e6, dict(archived)
    finally:
        await connection.close()


async def _settle(connection: asyncpg.Connection) -> None:
    """What is deleted leaves the files too, so that sizes compare."""
    for table in ("live.tasks", "log.events"):
        await connection.execute(f"VACUUM (FULL, ANALYZE) {table}", timeout=_LONG_S)
    for table in ("archive.tasks", "archive.contents"):
        await connection.execute(f"VACUUM ANALYZE {table}", timeout=_LONG_S)
    await connection.execute("CHECKPOINT", timeout=_LONG_S)
