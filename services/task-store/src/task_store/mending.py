"""Parked events tried again or dropped, by the writer of the projection, between two batches.

A task's parked events are folded in the order of the log, as they would have been when they came:
everything later of the task has waited behind them. Rows, what stays parked, and the audit change
in one transaction, so that a crash anywhere repeats nothing; sequences guard every row besides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contracts.messages import Message
from delivery.ordered import Delivered
from task_store import store
from task_store.projection import Fold, Known, Read, read, unknown
from task_store.rebuild import ALONE
from task_store.sql import DEAD_LETTERS
from task_store.writer import UNSTORABLE, Projection

MOST_TASKS = 1000
"""In one go; the log goes on between two."""
APPLIED = "applied"


class Busy(Exception):
    """A rebuild or a verification is at work, which must not see rows change that it has read."""


@dataclass(frozen=True, slots=True)
class Order:
    """Whose parked events are tried again, and which of them are dropped. ``who`` gave it."""

    who: str
    sequences: tuple[int, ...] | None = None
    task_id: str | None = None
    reason: str | None = None
    after: int = 0
    drop: bool = False
    note: str | None = None


@dataclass(slots=True)
class Mended:
    """What came of an order. ``following`` is where to go on, if there is more."""

    tried: int = 0
    applied: int = 0
    dropped: int = 0
    parked: int = 0
    absent: tuple[int, ...] = ()
    exhausted: tuple[int, ...] = ()
    """Of these a subscriber's deliveries are used up; nothing is published again for it."""
    following: int | None = None


async def mend(projection: Projection, order: Order) -> Mended:
    """Carry out an order, all of it or nothing.

    Raises `Busy`, and `store.Superseded` as any write does.
    """
    async with projection.connection.transaction():
        if not await projection.connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", ALONE):
            raise Busy
        return await _carry_out(projection, order)


async def _carry_out(projection: Projection, order: Order) -> Mended:
    connection = projection.connection
    sequences = None if order.sequences is None else list(order.sequences)
    mended = Mended()
    # An order that goes on was looked at before: what its part before has mended is absent now.
    if sequences is not None and not order.after:
        exhausted = await connection.fetch(DEAD_LETTERS["exhausted"], sequences)
        mended.exhausted = tuple(row["sequence"] for row in exhausted)
        absent = await connection.fetch(DEAD_LETTERS["absent"], sequences)
        mended.absent = tuple(
            row["sequence"] for row in absent if row["sequence"] not in mended.exhausted
        )
        if order.drop and mended.absent:
            return mended
        if order.drop and mended.exhausted:
            await connection.execute(
                DEAD_LETTERS["close_exhausted"], sequences, order.who, order.note
            )
    chosen = await connection.fetch(
        DEAD_LETTERS["chosen_tasks"],
        sequences,
        order.task_id,
        order.reason,
        order.after,
        MOST_TASKS,
    )
    if chosen:
        await _with_care(projection, order, [row["task_id"] for row in chosen], mended)
    if len(chosen) == MOST_TASKS:
        mended.following = chosen[-1]["first"]
    return mended


async def _with_care(
    projection: Projection, order: Order, task_ids: Sequence[str], mended: Mended
) -> None:
    """All at once; where a value fits into no row, that task by itself."""
    try:
        await _mend(projection, order, task_ids, mended)
    except UNSTORABLE:
        if len(task_ids) > 1:
            middle = len(task_ids) // 2
            await _with_care(projection, order, task_ids[:middle], mended)
            await _with_care(projection, order, task_ids[middle:], mended)
        else:
            await _around_poison(projection, order, task_ids[0], mended)


async def _around_poison(
    projection: Projection, order: Order, task_id: str, mended: Mended
) -> None:
    """The first event after which the task fits into no row stays parked, and what follows it."""
    poison = 0
    reason = ""

    def reading(message: Message) -> Read:
        made = read(message)
        return made if message.sequence != poison else made._replace(event=None, reason=reason)

    for row in await projection.connection.fetch(DEAD_LETTERS["parked_of_tasks"], [task_id]):
        try:
            await _try_until(projection, order, task_id, row["sequence"])
        except UNSTORABLE as error:
            poison, reason = row["sequence"], f"unstorable: {type(error).__name__}"
            break
    await _mend(projection, order, [task_id], mended, reading)


class _TakenBack(Exception):
    """It could have been written."""


async def _try_until(projection: Projection, order: Order, task_id: str, last: int) -> None:
    """Raises what the database raises when the task's events up to ``last`` are written."""
    try:
        async with projection.connection.transaction():
            await _mend(projection, order, [task_id], Mended(), last=last)
            raise _TakenBack
    except _TakenBack:
        return


async def _mend(
    projection: Projection,
    order: Order,
    task_ids: Sequence[str],
    mended: Mended,
    reading: Callable[[Message], Read] = read,
    *,
    last: int | None = None,
) -> None:
    connection, checkpoint = projection.connection, projection.checkpoint
    rows = await connection.fetch(DEAD_LETTERS["parked_of_tasks"], task_ids)
    messages = [_message(row) for row in rows if last is None or row["sequence"] <= last]
    dropped = set(order.sequences or ()) if order.drop else set()
    tasks = await store.load_tasks(connection, unknown(messages, {}, sure=True))
    counts, lanes, _ = await store.load_lines(connection)
    fold = Fold(Known(tasks, counts, lanes))
    for message in messages:
        if message.sequence not in dropped:
            fold.take(reading(message))
    changes = fold.changes()
    # The raw copy has them, and the position stays.
    batch = replace(
        store.batch_of(messages[-1], changes, tasks, messages[-1].sequence),
        sequence=checkpoint.sequence,
        logtime=checkpoint.logtime,
    )
    waiting = {each.message.sequence for each in changes.parked if each.behind is not None}
    reasons = {each.message.sequence: each.reason for each in changes.parked}
    audit = [
        ("dropped", sequence, "dropped")
        if sequence in dropped
        else ("retried", sequence, reasons.get(sequence, APPLIED))
        for sequence in (message.sequence for message in messages)
        if sequence not in waiting
    ]
    async with connection.transaction():
        columns = [list(column) for column in zip(*audit, strict=True)]
        await connection.execute(DEAD_LETTERS["keep_audit"], order.who, order.note, *columns)
        await connection.execute(DEAD_LETTERS["unpark"], task_ids)
        await store.write(connection, checkpoint, batch)
    projection.holds.update(task_ids)
    mended.dropped += sum(action == "dropped" for action, _, _ in audit)
    mended.tried += sum(action == "retried" for action, _, _ in audit)
    mended.applied += sum(outcome == APPLIED for _, _, outcome in audit)
    mended.parked += len(changes.parked)


def _message(row: Any) -> Delivered:
    return Delivered(
        subject=row["subject"],
        sequence=row["sequence"],
        logtime=row["logtime"],
        payload=row["payload"],
        event_id=row["event_id"],
    )
