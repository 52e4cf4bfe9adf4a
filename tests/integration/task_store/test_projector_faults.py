"""The projector through crashes: nothing skipped, nothing twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
import pytest

from builders import OWNER, completed, folded, progressed, requested, started, task_id
from contracts import queries
from contracts.events import Event
from contracts.records import to_record
from contracts.subjects import STREAM
from delivery import provision
from integration.task_store.conftest import SPEC, Bus, Starter
from servers import Server, eventually
from task_store import metrics
from task_store.rows import task_of_row
from task_store.writer import Projection

Story = list[Event]


def story(number: int) -> Story:
    task = task_id(number)
    return [
        requested(task=task),
        started(task=task),
        progressed(30, task=task),
        progressed(70, task=task),
        completed(task=task),
    ]


async def rows_are_the_folds(database_url: str, stories: list[Story]) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT * FROM live.tasks ORDER BY task_id")
        count = await connection.fetchval("SELECT count(*) FROM log.events")
    finally:
        await connection.close()
    found = [to_record(task_of_row(dict(row))) for row in rows]
    expected = [to_record(folded(*each)) for each in stories]
    for record in [*found, *expected]:
        record["heard_at"] = record["sequence"] = None
    assert found == expected
    assert count == sum(map(len, stories))


async def tell_slowly(bus: Bus, stories: list[Story]) -> int:
    last = 0
    for each in stories:
        last = await bus.tell(*each)
    return last


async def test_a_database_that_dies_mid_load_costs_nothing(
    bus: Bus, postgres: Server, database_url: str, task_store: None
) -> None:
    stories = [story(n) for n in range(1, 150)]
    telling = asyncio.create_task(tell_slowly(bus, stories))
    await bus.projected(100)
    await postgres.kill()
    await postgres.restart()

    await bus.projected(await telling)

    await rows_are_the_folds(database_url, stories)


async def test_a_broker_that_dies_mid_load_costs_nothing(
    bus: Bus, nats_server: Server, database_url: str, task_store: None
) -> None:
    stories = [story(n) for n in range(1, 150)]
    telling = asyncio.create_task(tell_slowly(bus, stories))
    await bus.projected(100)
    await nats_server.kill()
    await nats_server.restart()

    await bus.projected(await telling)

    await rows_are_the_folds(database_url, stories)


async def test_the_projectors_consumer_deleted_under_it_costs_nothing(
    bus: Bus, database_url: str, task_store: None
) -> None:
    stories = [story(n) for n in range(1, 60)]
    js = bus.client.jetstream()
    for each in stories:
        last = await bus.tell(*each)
        if last % 50 == 0:
            for info in await js.consumers_info(STREAM):
                assert info.name is not None
                await js.delete_consumer(STREAM, info.name)

    await bus.projected(last)

    await rows_are_the_folds(database_url, stories)


async def test_a_standby_takes_over_from_a_killed_projector(
    bus: Bus,
    nats_server: Server,
    database_url: str,
    database: asyncpg.Connection,
    start_task_store: Starter,
) -> None:
    environment = os.environ | {
        "DARKROOM_NATS_URL": nats_server.url,
        "DARKROOM_DATABASE_URL": database_url,
    }
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "task_store", env=dict(environment)
    )
    try:
        await bus.projected(0)
        await bus.projected(await bus.tell(*story(1)))
        await start_task_store()
        os.kill(first.pid, signal.SIGKILL)
        await first.wait()

        await bus.projected(await bus.tell(*story(2)))
    finally:
        if first.returncode is None:
            first.kill()
            await first.wait()
    await rows_are_the_folds(database_url, [story(1), story(2)])


async def test_the_lock_of_a_host_that_vanished_is_given_up_after_25_seconds(
    database: asyncpg.Connection,
) -> None:
    names = ["idle", "interval", "count"]
    idle, interval, count = [
        int(await database.fetchval("SELECT current_setting($1)", f"tcp_keepalives_{each}"))
        for each in names
    ]
    unanswered = await database.fetchval("SHOW tcp_user_timeout")

    assert (idle + interval * count, unanswered) == (25, "25000")


async def test_a_recreated_stream_halts_the_projector_instead_of_mixing_two_logs(
    bus: Bus, task_store: None
) -> None:
    await bus.projected(await bus.tell(*story(1)))
    await bus.client.jetstream().delete_stream(STREAM)
    await provision.ensure_stream(bus.client, SPEC)
    await bus.tell(*story(2), *story(3))

    async def halted() -> str | None:
        reason: str | None = (await bus.ask(queries.STATUS))["ok"]["halted"]
        return reason

    assert "was recreated" in await eventually(halted)
    records = (await bus.ask(queries.GET, task_ids=[task_id(1), task_id(2)]))["ok"]["records"]
    assert list(records) == [task_id(1)]


async def test_of_a_recreated_stream_no_partial_list_is_answered(
    bus: Bus, task_store: None
) -> None:
    await bus.projected(await bus.tell(*story(1)))
    await bus.client.jetstream().delete_stream(STREAM)
    await provision.ensure_stream(bus.client, SPEC)
    await bus.tell(requested(task=task_id(2)))
    log = await bus.log.state()
    as_of = {"sequence": log.last_sequence, "created": log.created.isoformat()}

    # Not even before the projector has noticed: to its sequence, the new one's is long passed.
    answers = await asyncio.gather(
        bus.ask(queries.PROCESSING, owner=OWNER, **as_of),
        bus.ask(queries.REFERENCED, keys=[], **as_of),
    )

    assert answers == [{"error": "behind"}] * 2


async def test_a_standby_answers_of_the_asked_log_only(
    bus: Bus, database: asyncpg.Connection, start_task_store: Starter
) -> None:
    await start_task_store()
    last = await bus.tell(*story(1))
    await bus.projected(last)
    log = await bus.log.state()
    assert await database.fetchval("SELECT stream_created FROM live.checkpoint") == log.created
    await start_task_store()

    async def answers(created: datetime) -> set[str]:
        question = {"keys": [], "sequence": last, "created": created.isoformat()}
        told = await asyncio.gather(*(bus.ask(queries.REFERENCED, **question) for _ in range(40)))
        return {"ok" if "ok" in each else each["error"] for each in told}

    assert await answers(log.created) == {"ok"}
    assert await answers(log.created + timedelta(microseconds=1)) == {"behind"}


async def test_of_a_recreated_stream_nothing_is_answered_once_it_is_noticed(
    bus: Bus, task_store: None
) -> None:
    """Whoever asks without naming the log, as the version before does, is refused then."""
    await bus.projected(await bus.tell(*story(1)))
    await bus.client.jetstream().delete_stream(STREAM)
    await provision.ensure_stream(bus.client, SPEC)
    last = await bus.tell(requested(task=task_id(2)))

    async def refused() -> bool:
        question = {"owner": OWNER, "sequence": last}
        return await bus.ask(queries.PROCESSING, **question) == {"error": "behind"}

    assert await eventually(refused)
    assert await bus.ask(queries.REFERENCED, keys=[], sequence=last) == {"error": "behind"}


async def test_every_task_store_goes_on_when_the_rows_are_of_the_log_again(
    bus: Bus,
    database: asyncpg.Connection,
    start_task_store: Starter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("task_store.projector._HALTED_PAUSE_S", 0.2)
    monkeypatch.setattr("task_store.projector._LOCK_PAUSE_S", 0.05)
    await start_task_store()
    last = await bus.tell(requested())
    await bus.projected(last)
    await start_task_store()

    async def be_of_a_log(later_by: timedelta) -> None:
        await database.execute(
            "UPDATE checkpoint SET stream_created = stream_created + $1", later_by
        )
        await database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE '%projector%'"
            " AND pid <> pg_backend_pid()"
        )

    async def told() -> set[str | None]:
        answers = await asyncio.gather(*(bus.ask(queries.STATUS) for _ in range(20)))
        return {each["ok"]["halted"] for each in answers}

    async def both_halted() -> bool:
        return None not in await told()

    async def both_go_on() -> bool:
        return await told() == {None}

    await be_of_a_log(timedelta(days=1))
    await eventually(both_halted)
    await be_of_a_log(timedelta(days=-1))
    await eventually(both_go_on)

    question = {"owner": OWNER, "sequence": last}
    answers = await asyncio.gather(*(bus.ask(queries.PROCESSING, **question) for _ in range(20)))
    assert all("ok" in each for each in answers)


async def test_a_log_that_ends_before_the_checkpoint_halts_the_projector(
    bus: Bus, database: asyncpg.Connection, start_task_store: Starter
) -> None:
    await bus.tell(requested())
    await database.execute("UPDATE checkpoint SET sequence = 1000")
    await start_task_store()

    async def halted() -> str | None:
        try:
            reason: str | None = (await bus.ask(queries.STATUS))["ok"]["halted"]
        except Exception:  # noqa: BLE001 - nobody answers yet
            return None
        return reason

    assert "the log lost events" in await eventually(halted)


@pytest.mark.parametrize(("projected", "missing"), [(0, 0), (2, 97)])
async def test_what_left_the_log_is_missed_by_who_had_seen_the_log_before(
    projected: int, missing: int, bus: Bus, database: asyncpg.Connection
) -> None:
    """An empty database misses nothing: a log that was restored begins far behind 1."""
    state = replace(await bus.log.state(), first_sequence=100, last_sequence=110)
    await database.execute("UPDATE live.checkpoint SET sequence = $1", projected)
    projection = Projection(database)
    await projection.load()

    await projection.adopt(state)

    assert metrics.LOST_EVENTS.collect()[0].samples[0].value == missing


async def test_the_same_facts_told_again_under_other_ids_change_nothing(
    bus: Bus, database_url: str, task_store: None
) -> None:
    once = story(1)
    again = [event.model_copy(update={"id": f"again-{event.id}"}) for event in once]
    await bus.projected(await bus.tell(*once))
    await bus.projected(await bus.tell(*again))

    connection = await asyncpg.connect(database_url)
    sequence = await connection.fetchval("SELECT sequence FROM live.tasks")
    await connection.close()

    assert sequence == len(once)


async def test_only_one_of_many_task_stores_projects(
    bus: Bus, start_task_store: Callable[[], Awaitable[None]]
) -> None:
    for _ in range(3):
        await start_task_store()
    await bus.projected(await bus.tell(*story(1)))

    async def active() -> int:
        answers = [(await bus.ask(queries.STATUS))["ok"]["active"] for _ in range(60)]
        return sum(answers)

    assert 0 < await active() < 60


@pytest.mark.parametrize("parts", [1, 7, 1000])
async def test_the_size_of_batches_changes_no_row(
    bus: Bus,
    database_url: str,
    start_task_store: Starter,
    monkeypatch: pytest.MonkeyPatch,
    parts: int,
) -> None:
    monkeypatch.setattr("task_store.writer.BATCH", parts)
    stories = [story(n) for n in range(1, 12)]
    last = await tell_slowly(bus, stories)
    await start_task_store()

    await bus.projected(last)

    await rows_are_the_folds(database_url, stories)
