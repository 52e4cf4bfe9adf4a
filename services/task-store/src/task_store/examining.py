"""Finding out how things are, for `task_store.checks` to judge: in the log and in the database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from nats.js.api import ConsumerInfo

from contracts.subjects import LaneConsumerSpec
from delivery.log import LogReader, LogUnavailable, StreamState
from delivery.standing import lane_positions, stream_drift
from delivery.subscribers import judge, subscribers_among
from task_store import checks
from task_store.checks import Clock, Line
from task_store.raw_copy import Rows, compare_recent
from task_store.sql import CHECKS, STATEMENTS
from telemetry.findings import Finding

MOST_NAMED = 100
"""Tasks without a request that are named, of one lane."""
MOST_COUNTED = 100_000
MOST_IN_WORK = 500
"""Tasks in work whose requests are looked for: those that were silent for longest."""
CATCH_UP_S = 3.0
_POLL_S = 0.02


async def examine(rows: Rows, log: LogReader) -> list[Finding]:
    """What the task-store watches by itself. Bounded: of the raw copy the newest events.

    Raises `LogUnavailable`, and what the database raises.
    """
    state, clocks, postgres = await look_at_clocks(rows, log)
    return [
        checks.judge_log(stream_drift(await log.settings())),
        checks.judge_room(state.bytes, state.max_bytes),
        *await _lines(rows, log, state),
        await _subscribers(log, state),
        await _copy(rows, log, state),
        checks.judge_clocks(clocks),
        postgres,
    ]


async def _lines(rows: Rows, log: LogReader, state: StreamState) -> list[Finding]:
    try:
        lines = await look_at_lines(rows, log, state)
    except LogUnavailable as problem:
        return [_untold(name, problem) for name in ("lanes", "leases")]
    return [checks.judge_lanes(lines), checks.judge_leases(lines)]


async def _subscribers(log: LogReader, state: StreamState) -> Finding:
    try:
        told = await log.consumers()
    except LogUnavailable as problem:
        return _untold("subscribers", problem)
    found = subscribers_among(ConsumerInfo.from_response(each) for each in told)
    return judge(found, state.first_sequence)


async def _copy(rows: Rows, log: LogReader, state: StreamState) -> Finding:
    checkpoint = await rows.fetchrow(STATEMENTS["read_checkpoint"])
    assert checkpoint is not None
    try:
        compared = await compare_recent(rows, log, state.first_sequence, checkpoint["sequence"])
    except LogUnavailable as problem:
        return _untold("copy", problem)
    return checks.judge_copy(compared)


def _untold(name: str, problem: LogUnavailable) -> Finding:
    """The broker tells of its state, and not of this: rights or a setting are missing."""
    return Finding(name, ok=None, detail=f"the broker does not tell ({problem})")


async def look_at_clocks(rows: Rows, log: LogReader) -> tuple[StreamState, list[Clock], Finding]:
    """How the broker's and the database's clocks differ from ours; the log, and the database."""
    asked = datetime.now(UTC)
    state = await log.state()
    heard = datetime.now(UTC)
    told = await rows.fetchrow(CHECKS["clock"])
    assert told is not None
    clocks = [
        checks.clock("NATS", asked, state.now, heard),
        checks.clock("Postgres", heard, told["now"], datetime.now(UTC)),
    ]
    return state, clocks, checks.judge_postgres(divmod(told["version"], 10_000))


async def look_at_lines(rows: Rows, log: LogReader, state: StreamState) -> list[Line] | None:
    """The lanes with live tasks in them, against the broker's consumers.

    Who works on a task tells its outcome before its request is acknowledged: rows as of what the
    log had *after* the consumers were looked at have no live task whose request is gone. None
    where the rows don't get there in time: then nothing can be said.
    """
    positions = lane_positions(await log.consumers())
    told = (await log.state()).last_sequence
    if not await caught_up(rows, told):
        return None
    lanes = [(row["type"], row["lane"]) for row in await rows.fetch(CHECKS["lines_in_use"])]
    at = [(lane, positions.get(LaneConsumerSpec(*lane).durable)) for lane in lanes]
    there = {lane: position for lane, position in at if position is not None}
    left = state.first_sequence - 1
    waiting = await rows.fetch(
        CHECKS["waiting_in_line"],
        [tasktype for tasktype, _ in there],
        [lane for _, lane in there],
        [max(position.floor, left) for position in there.values()],
        [position.delivered for position in there.values()],
        state.last_sequence,
        MOST_NAMED,
        MOST_COUNTED,
    )
    dropped = {(row["type"], row["lane"]): list(row["dropped"]) for row in waiting}
    given = {(row["type"], row["lane"]): row["given"] for row in waiting}
    ahead = {(row["type"], row["lane"]): row["ahead"] for row in waiting}
    for row in await rows.fetch(CHECKS["longest_unheard"], MOST_IN_WORK):
        lane = row["type"], row["lane"]
        if lane in there and row["ticket"] is not None:
            if row["ticket"] <= max(there[lane].floor, left):
                dropped[lane].append(row["task_id"])
            elif row["ticket"] <= there[lane].delivered:
                given[lane] += 1
    return [
        Line(*lane, position, dropped.get(lane, ()), given.get(lane, 0), ahead.get(lane, 0))
        for lane, position in at
    ]


async def caught_up(rows: Rows, sequence: int, within_s: float = CATCH_UP_S) -> bool:
    """Wait until the rows are as of a sequence; False if they are not in time."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        row = await rows.fetchrow(STATEMENTS["read_checkpoint"])
        if row is not None and row["sequence"] >= sequence:
            return True
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
