"""Reads through the gateway: one task, and everything unfinished of an owner."""

from __future__ import annotations

import asyncio
import json
import statistics
from dataclasses import replace

import asyncpg

from measuring import absent
from measuring.client import Order
from measuring.context import Context, Loaded, empty_server, task_body
from measuring.figures import Figure, at_least, at_most

_PART = "poll"
_FINISHED = 1000
_UNFINISHED = 20
_PAUSE_S = 0.002

_FILL = """
INSERT INTO live.tasks SELECT
    gen_random_uuid(), t.owner, t.type, t.phase, t.status, t.stage, t.progress, t.attempt, t.lane,
    t.ticket, t.retry_at, t.prompt, t.prompt_id, t.reference_images, t.provider_params, t.run_at,
    t.body_sha256, t.metadata, t.provider, t.external_task_id, t.handle, t.artifacts,
    t.late_artifacts, t.error, t.created_at - n * interval '1 second', t.started_at, t.updated_at,
    t.finished_at, t.heard_at, t.sequence
FROM (SELECT * FROM live.tasks WHERE status = 'completed' LIMIT 1) t,
     generate_series($1::bigint, $2) n
"""


def measure(run: Context) -> list[Figure]:
    polls, empty = _polls(run)
    few, many = _recoveries(run)
    return [
        Figure(
            _PART,
            "GET /tasks/{id}",
            polls.rate,
            "/s",
            floor=empty.rate,
            floor_name="empty GET /s",
            target=at_least(0.35),
            details={f"{name} ms CPU": each for name, each in polls.cpu_ms.items()}
            | {"p50 ms": polls.seen["latency_ms"]["p50"]},
        ),
        Figure(
            _PART,
            "gateway CPU per GET",
            polls.cpu_ms["gateway"],
            "ms",
            floor=empty.cpu_ms["empty"],
            floor_name="empty GET ms",
        ),
        Figure(
            _PART,
            f"recovery among {run.sizes.many_tasks:,}, p50",
            many,
            "ms",
            floor=few,
            floor_name=f"ms among {run.sizes.few_tasks:,}",
            target=at_most(1.5),
        ),
    ]


def _polls(run: Context) -> tuple[Loaded, Loaded]:
    sizes, system = run.sizes, run.system
    tasks = Order("wait", system.port, sizes.connections, 60, body=task_body("noop"))
    count = min(_FINISHED, sizes.few_tasks)
    finished = run.load(system.tree, replace(tasks, count=count, keep=count))
    paths = [f"/tasks/{json.loads(body)['task_id']}" for body in finished.seen["kept"]]
    system.wait_until_projected()
    with empty_server() as (port, tree):
        reads = Order("repeat", port, sizes.connections, sizes.warm_up_s, paths=paths)
        run.load(tree, reads)
        empty = run.load(tree, replace(reads, seconds=sizes.seconds))
    reads = replace(reads, port=system.port)
    run.load(system.tree, reads)
    polls = run.load(system.tree, replace(reads, seconds=sizes.seconds))
    if set(polls.seen["statuses"]) != {"200"}:
        raise RuntimeError(f"not all polls were answered: {polls.seen['statuses']}")
    return polls, empty


def _recoveries(run: Context) -> tuple[float, float]:
    """Milliseconds, among few tasks and among many; a score of them unfinished."""
    sizes, system = run.sizes, run.system
    absent.announce(system.nats_url)
    waiting = Order("repeat", system.port, 1, 60, _UNFINISHED, task_body(absent.NAME))
    run.load(system.tree, waiting)
    system.wait_until_projected()
    asyncio.run(_only_unfinished(system.database_url, _UNFINISHED))
    asked = Order(
        "repeat",
        system.port,
        1,
        120,
        sizes.recoveries,
        paths=["/tasks/processing"],
        pause_s=_PAUSE_S,
    )
    took, first = [], 1
    for last in (sizes.few_tasks, sizes.many_tasks):
        run.say(f"filling the table up to {last:,} tasks")
        asyncio.run(_fill(system.database_url, first, last))
        first = last + 1
        run.load(system.tree, asked)
        medians = [run.load(system.tree, asked).seen["latency_ms"]["p50"] for _ in range(3)]
        took.append(statistics.median(medians))
    return took[0], took[1]


async def _fill(database_url: str, first: int, last: int) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_FILL, first, last, timeout=600)
        await connection.execute("VACUUM ANALYZE live.tasks", timeout=600)
        await connection.execute("CHECKPOINT", timeout=600)
    finally:
        await connection.close()


async def _only_unfinished(database_url: str, count: int) -> None:
    """Put the tasks that other parts left waiting aside: only the last few are to be found."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "UPDATE live.tasks SET owner = 'nobody' WHERE status IN ('pending', 'processing')"
            " AND task_id NOT IN (SELECT task_id FROM live.tasks"
            " WHERE status IN ('pending', 'processing') ORDER BY created_at DESC LIMIT $1)",
            count,
            timeout=600,
        )
    finally:
        await connection.close()
