"""A lost log comes back from Postgres or from a file, and a lost Postgres from the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from builders import (
    cancelled,
    completed,
    erased,
    requested,
    task_id,
)
from contracts.events import Event
from contracts.subjects import STREAM, LaneConsumerSpec, finished_subject, restore_subject
from darkroom.cli.settings import CommandLineSettings
from delivery import copying, provision, restoring
from delivery.ends import publish_erasure
from delivery.log import LogReader
from delivery.publisher import LogUnreachable
from delivery.requests import Requests
from integration.cli.conftest import Ran, Shell
from integration.cli.oldlog import OldLog, life, lives, old_log
from servers import Server, eventually, fresh_database
from task_store import restore, store
from task_store.rebuild import alone

RESTORE = ("events", "replay", "--restore")
SPEC = CommandLineSettings().stream
_WHOLE = "SELECT * FROM {} ORDER BY 1, 2, 3"
_SEQUENCES = ("sequence", "ticket", "behind", "bucket")


@pytest.fixture
async def log(bare: Shell, nats_server: Server) -> AsyncIterator[OldLog]:
    """A log as `darkroom setup` makes it."""
    ran = await bare("setup")
    assert ran.exit_code == 0, ran.stderr
    async with old_log(nats_server, SPEC) as made:
        yield made


@asynccontextmanager
async def projecting(shell: Shell) -> AsyncIterator[None]:
    process = await shell.start("task-store")
    # Who isn't read is held up once the pipe is full.
    said = asyncio.create_task(process.communicate())
    try:
        yield
    finally:
        process.terminate()
        await said


@asynccontextmanager
async def database(shell: Shell) -> AsyncIterator[asyncpg.Connection]:
    connection = await store.open_connection(shell.settings["DATABASE_URL"])
    try:
        yield connection
    finally:
        await connection.close()


async def caught_up(shell: Shell, log: OldLog) -> None:
    """Wait until the projection has all that the log has."""
    last = (await log.client.jetstream().stream_info(STREAM)).state.last_seq
    async with database(shell) as connection:

        async def there() -> bool:
            return (await store.load_checkpoint(connection)).sequence >= last

        await eventually(there, 30, "the projection does not come to the end of the log")


async def contents(shell: Shell, leave_out: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """All rows of all tables with all their columns, but for those left out."""
    tables = ("live.tasks", "live.lanes", "live.parked", "live.waiting_counts", "log.events")
    async with database(shell) as connection:
        return {
            table: sorted(
                str([(name, value) for name, value in row.items() if name not in leave_out])
                for row in await connection.fetch(f"SELECT * FROM {table}")
            )
            for table in tables
        }


async def lose(log: OldLog) -> None:
    await log.client.jetstream().delete_stream(STREAM)


async def kept(shell: Shell, log: OldLog, events: list[Event]) -> None:
    """Tell events, and stop projecting when all are kept."""
    async with projecting(shell):
        for start in range(0, len(events), 200):
            await asyncio.gather(*map(log.publisher.publish, events[start : start + 200]))
        await caught_up(shell, log)


async def verified(shell: Shell) -> Ran:
    ran = await shell("projection", "verify")
    assert ran.exit_code == 0, ran.stdout + ran.stderr
    return ran


async def test_a_lost_log_comes_back_and_the_rows_differ_in_their_sequences_alone(
    bare: Shell, log: OldLog
) -> None:
    async with projecting(bare):
        await log.tell(*lives(60))
        await log.tell_odd(task_id(70))
        await log.tell_no_text(task_id(72))
        # Its lane counts it still, which no log tells any more; so it has one of its own.
        gone = {"task": task_id(71), "tasktype": "VIDEO"}
        await log.tell(requested(**gone), cancelled(**gone))
        requests = Requests(log.client)
        await requests.start()
        tombstone = erased(**gone)
        await publish_erasure(log.publisher, LogReader(requests), tombstone)
        await caught_up(bare, log)
        before = await contents(bare, leave_out=_SEQUENCES)
        old_end = (await log.client.jetstream().stream_info(STREAM)).state.last_seq
        await lose(log)
        with pytest.raises(LogUnreachable):
            await log.publisher.publish(requested(task=task_id(90)), budget_s=0.5)

        ran = await bare(*RESTORE, "--json")

        assert ran.exit_code == 0, ran.stderr
        assert ran.json["events"] == len(before["log.events"])
        assert ran.json["first"] > old_end + 1
        assert (await bare("setup", "--check")).exit_code == 0
        await verified(bare)
        after = await contents(bare, leave_out=_SEQUENCES)
        for rows in (before, after):
            del rows["live.waiting_counts"]
            rows["live.lanes"] = [row for row in rows["live.lanes"] if "VIDEO" not in row]
        assert after == before
        await log.tell(*life(91))
        await caught_up(bare, log)
        await verified(bare)
        status = (await bare("projection", "status", "--json")).json
    assert (status["projector"], status["parked"]["tasks"]) == ("active", 4)
    assert status["sequence"] == ran.json["last"] + 4


async def test_a_lost_database_is_made_again_from_the_log_sequences_and_raw_copy_too(
    bare: Shell, log: OldLog
) -> None:
    await log.tell_odd(task_id(70))
    await kept(bare, log, lives(60))
    before = await contents(bare)
    async with fresh_database(bare.settings["DATABASE_URL"]) as url:
        anew = bare.having(DATABASE_URL=url)
        assert (await anew("setup")).exit_code == 0

        async with projecting(anew):
            await caught_up(anew, log)
            await verified(anew)
            assert await contents(anew) == before


async def test_a_database_made_from_a_restored_log_is_the_same_too(
    bare: Shell, log: OldLog
) -> None:
    await kept(bare, log, lives(60))
    await lose(log)
    assert (await bare(*RESTORE)).exit_code == 0
    before = await contents(bare)
    async with fresh_database(bare.settings["DATABASE_URL"]) as url:
        anew = bare.having(DATABASE_URL=url)
        assert (await anew("setup")).exit_code == 0

        async with projecting(anew):
            await caught_up(anew, log)
            assert await contents(anew) == before


async def test_without_postgres_a_log_comes_back_from_an_export(
    bare: Shell, log: OldLog, tmp_path: Path
) -> None:
    await log.tell_odd(task_id(70))
    await kept(bare, log, lives(60))
    before = await contents(bare, leave_out=_SEQUENCES)
    file = str(tmp_path / "all.jsonl.gz")
    assert (await bare("events", "export", "-o", file)).exit_code == 0
    await lose(log)
    async with fresh_database(bare.settings["DATABASE_URL"]) as url:
        anew = bare.having(DATABASE_URL=url)
        no_schema = await anew(*RESTORE, "--from-file", file)
        await anew("setup")
        bound = await anew(*RESTORE, "--from-file", file)

        ran = await anew(*RESTORE, "--from-file", file, "--unbind", "--json")

        assert (no_schema.exit_code, bound.exit_code) == (1, 1)
        assert "darkroom setup" in no_schema.stderr
        assert "--unbind" in bound.stderr
        assert ran.exit_code == 0, ran.stderr
        async with projecting(anew):
            await caught_up(anew, log)
            await verified(anew)
            after = await contents(anew, leave_out=_SEQUENCES)
    del before["live.waiting_counts"], after["live.waiting_counts"]
    assert after == before


async def test_a_restore_that_is_killed_again_and_again_goes_on_and_comes_to_its_end(
    bare: Shell, log: OldLog
) -> None:
    await kept(bare, log, [event for number in range(1, 1500) for event in life(number)])
    before = await contents(bare, leave_out=_SEQUENCES)
    await lose(log)
    js = log.client.jetstream()

    async def stored() -> int:
        return (await js.stream_info(STREAM)).state.messages if await log.exists(STREAM) else 0

    for _ in range(3):
        await _kill_on_the_way(bare, stored)

    ran = await bare(*RESTORE)

    if ran.exit_code:
        assert "it is not lost" in ran.stderr, ran.stderr
    after = await contents(bare, leave_out=_SEQUENCES)
    del before["live.waiting_counts"], after["live.waiting_counts"]
    assert after == before
    assert await stored() == len(before["log.events"])
    assert (await bare("setup", "--check")).exit_code == 0
    async with projecting(bare):
        await caught_up(bare, log)
        await verified(bare)


async def _kill_on_the_way(shell: Shell, stored: Callable[[], Awaitable[int]]) -> None:
    """Kill a restore as soon as it has got on."""
    before = await stored()
    process = await shell.start(*RESTORE)

    async def got_on() -> bool:
        return process.returncode is not None or await stored() > before

    await eventually(got_on, 30)
    if process.returncode is None:
        process.kill()
    await process.communicate()


@pytest.mark.parametrize("reached", ["begun", "half", "copied", "renumbered"])
async def test_from_wherever_it_was_left_a_restore_goes_on(
    reached: str, bare: Shell, log: OldLog
) -> None:
    await kept(bare, log, lives(60))
    before = await contents(bare, leave_out=_SEQUENCES)
    await lose(log)
    await _begin(bare, log, reached)
    lane = LaneConsumerSpec("CREATE", "studio")
    with pytest.raises(provision.BeingRestored):
        await provision.ensure_lane(log.client, lane)
    setup, doctor = await bare("setup"), await bare("doctor", "--json")

    ran = await bare(*RESTORE, "--json")

    assert (setup.exit_code, len(setup.stderr.splitlines())) == (1, 1)
    assert " ".join(RESTORE) in setup.stderr
    assert " ".join(RESTORE) in next(x for x in doctor.json if x["name"] == "log")["mend"]
    assert ran.exit_code == 0, ran.stderr
    after = await contents(bare, leave_out=_SEQUENCES)
    del before["live.waiting_counts"], after["live.waiting_counts"]
    assert after == before
    await verified(bare)
    assert (await bare("setup", "--check")).exit_code == 0


async def _begin(shell: Shell, log: OldLog, reached: str) -> None:
    """What a command has done that was killed when it had come so far."""
    url = shell.settings["DATABASE_URL"]
    requests = Requests(log.client)
    await requests.start()
    async with alone(url) as live:
        found = await restore.kept_since(live, datetime.now(UTC) - timedelta(days=30))
        plan = restoring.Plan("the raw copy in Postgres", found.events, found.first, found.last)
        first = await restore.highest_sequence(live) + restore.NEVER_TOLD + 1
        await restoring.begin(log.client, SPEC, plan, first)
        if reached == "begun":
            return

        async def source(after: int) -> Any:
            async for batch in restore.raw_copy(live, after):
                yield batch[:50] if reached == "half" else batch

        await copying.copy(log.client, STREAM, source, restore_subject, lambda _: None)
        if reached == "renumbered":
            await restore.renumber(url, log.client, requests, live, plan.first, lambda *_: None)


async def test_what_is_too_old_for_the_log_stays_in_the_raw_copy(bare: Shell, log: OldLog) -> None:
    await kept(bare, log, lives(60))
    async with database(bare) as connection:
        middle = await connection.fetchval("SELECT max(sequence) / 2 FROM log.events")
        old = await connection.execute(
            "UPDATE log.events SET logtime = logtime - interval '40 days' WHERE sequence <= $1",
            middle,
        )
    await lose(log)

    ran = await bare(*RESTORE, "--json")

    assert ran.exit_code == 0, ran.stderr
    async with database(bare) as connection:
        everything = await connection.fetchval("SELECT count(*) FROM log.events")
        still = await connection.fetchval(
            "SELECT count(*) FROM log.events WHERE sequence <= $1", middle
        )
    assert old == f"UPDATE {still}"
    assert ran.json["events"] == everything - still
    await verified(bare)


async def test_of_an_erased_task_a_file_brings_back_nothing(
    bare: Shell, log: OldLog, tmp_path: Path
) -> None:
    secret = requested(task=task_id(1), prompt="a secret")
    file = tmp_path / "old.jsonl"
    await kept(bare, log, [secret, completed(task=task_id(1)), *life(2)])
    await bare("events", "export", "-o", str(file))
    requests = Requests(log.client)
    await requests.start()
    async with projecting(bare):
        await publish_erasure(log.publisher, LogReader(requests), erased(task=task_id(1)))
        await caught_up(bare, log)
    await bare("events", "export", "-o", str(tmp_path / "new.jsonl"))
    # What a copy has that was made in between: all of it, and the erasure.
    lines = file.read_text().splitlines()
    lines += (tmp_path / "new.jsonl").read_text().splitlines()[-1:]
    file.write_text("\n".join(lines))
    await lose(log)

    ran = await bare(*RESTORE, "--from-file", str(file), "--json")

    assert ran.exit_code == 0, ran.stderr
    assert ran.json["events"] == 5
    messages = await log.all_of(STREAM)
    assert not any(b"a secret" in each.data for each in messages)
    assert messages[-1].subject == finished_subject("CREATE", task_id(1))
    await verified(bare)


async def test_a_log_that_is_there_is_refused(bare: Shell, log: OldLog) -> None:
    await kept(bare, log, life(1))
    before = await log.client.jetstream().stream_info(STREAM)

    ran = await bare(*RESTORE, "--unbind")

    assert (ran.exit_code, len(ran.stderr.splitlines())) == (1, 1)
    assert "it is not lost" in ran.stderr
    assert await log.client.jetstream().stream_info(STREAM) == before


async def test_an_empty_log_with_generators_on_it_is_refused_unless_told(
    bare: Shell, log: OldLog
) -> None:
    await kept(bare, log, life(1))
    await lose(log)
    await provision.ensure_stream(log.client, SPEC)
    await provision.ensure_lane(log.client, LaneConsumerSpec("CREATE", "studio"))

    refused = await bare(*RESTORE)
    ran = await bare(*RESTORE, "--unbind")

    assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 1)
    assert "generator-create-studio" in refused.stderr
    assert "--unbind" in refused.stderr
    assert ran.exit_code == 0, ran.stderr
    await verified(bare)


async def test_setup_makes_no_new_log_where_one_was_lost(bare: Shell, log: OldLog) -> None:
    await kept(bare, log, life(1))
    await lose(log)

    setup = await bare("setup")
    doctor = await bare("doctor", "--json")

    assert (setup.exit_code, len(setup.stderr.splitlines())) == (1, 1)
    assert " ".join(RESTORE) in setup.stderr
    assert " ".join(RESTORE) in next(x for x in doctor.json if x["name"] == "log")["mend"]
    assert not await log.exists(STREAM)


async def test_where_the_raw_copy_is_empty_there_is_nothing_to_restore(
    bare: Shell, log: OldLog
) -> None:
    await lose(log)

    ran = await bare(*RESTORE)

    assert (ran.exit_code, len(ran.stderr.splitlines())) == (1, 1)
    assert "--from-file" in ran.stderr


async def test_a_file_that_ends_before_the_raw_copy_is_refused(
    bare: Shell, log: OldLog, tmp_path: Path
) -> None:
    file = str(tmp_path / "old.jsonl")
    await kept(bare, log, [*life(1), *life(2)])
    await bare("events", "export", "-o", file, "--until-sequence", "7")
    await lose(log)

    ran = await bare(*RESTORE, "--from-file", file)

    assert (ran.exit_code, len(ran.stderr.splitlines())) == (1, 1)
    assert "Restore without --from-file" in ran.stderr
    assert not await log.exists(STREAM)


async def test_a_log_that_is_too_small_says_what_to_set_and_the_restore_then_goes_on(
    bare: Shell, log: OldLog
) -> None:
    events = [event for number in range(1, 100) for event in life(number)]
    await kept(bare, log, events)
    await lose(log)
    async with database(bare) as connection:
        size = (await restore.kept_since(connection, datetime.now(UTC) - timedelta(1))).bytes

    small = await bare.having(STREAM_MAX_BYTES=str(size))(*RESTORE)
    ran = await bare(*RESTORE)

    assert (small.exit_code, len(small.stderr.splitlines())) == (1, 1)
    assert "DARKROOM_STREAM_MAX_BYTES" in small.stderr
    assert ran.exit_code == 0, ran.stderr


@pytest.mark.parametrize(
    "words",
    [
        [*RESTORE, "--to", "x"],
        [*RESTORE, "--owner", "ann"],
        [*RESTORE, "--delete"],
        [*RESTORE, "--speed", "2"],
        ["events", "replay", "--to", "x", "--unbind"],
    ],
)
async def test_a_restore_is_of_everything(words: list[str], bare: Shell) -> None:
    ran = await bare(*words)

    assert ran.exit_code == 2
    assert "--restore" in ran.stderr.splitlines()[-1]
