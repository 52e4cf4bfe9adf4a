"""The projection is made anew from the log, beside the live one, and gives the same rows."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from builders import (
    OWNER,
    accepted,
    annotated,
    cancelled,
    completed,
    erased,
    failed,
    progressed,
    requested,
    retrying,
    started,
    task_id,
    uploaded,
)
from contracts import queries
from contracts.events import Event
from contracts.subjects import STREAM, progress_subject
from delivery import provision
from integration.task_store.conftest import SPEC, Bus
from servers import Server
from task_store import store
from task_store.history import History
from task_store.queries import Queries
from task_store.rebuild import Busy, LogUnfit, Rebuilt, alone, rebuild
from task_store.verify import Verified, verify

pytestmark = pytest.mark.usefixtures("task_store")

_TABLES = ("tasks", "lanes", "waiting_counts", "parked")


def lives(first: int, last: int) -> list[Event]:
    """The lives of some tasks, each another one, told in turns."""
    told: list[list[Event]] = []
    for number in range(first, last):
        of = {"task": task_id(number)}
        told.append(
            [
                [requested(**of), started(**of), progressed(50, **of), completed(**of)],
                [requested(**of), annotated({"n": {"a": 1.50}}, **of), cancelled(**of)],
                [requested(**of), started(**of), retrying(**of), started(2, **of)],
                [requested(**of), started(**of), failed(**of), annotated({"x": "é"}, **of)],
                [
                    accepted(**of),
                    uploaded(**of),
                    requested(tasktype="PHOTO_TO_3D", prompt=None, **of),
                ],
                [requested(**of)],
            ][number % 6]
        )
    longest = max(map(len, told))
    return [life[turn] for turn in range(longest) for life in told if turn < len(life)]


async def rows(database: asyncpg.Connection) -> dict[str, list[Any]]:
    """Everything in the live projection but its checkpoint."""
    return {
        table: sorted(map(str, await database.fetch(f"SELECT * FROM live.{table}")))
        for table in _TABLES
    }


async def schemas(database: asyncpg.Connection) -> list[str]:
    found = await database.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname ~ '^(rebuild|verify|retired)_'"
    )
    return [row["nspname"] for row in found]


class Workshop:
    """Rebuilds and verifies this test's projection."""

    def __init__(self, bus: Bus, database_url: str) -> None:
        self._bus = bus
        self._url = database_url

    async def rebuild(self, **options: Any) -> Rebuilt:
        return await rebuild(self._url, self._bus.client, self._bus.requests, **options)

    async def verify(self, **options: Any) -> Verified:
        return await verify(self._url, self._bus.client, self._bus.requests, **options)


@pytest.fixture
async def workshop(bus: Bus, database_url: str) -> Workshop:
    return Workshop(bus, database_url)


async def test_a_rebuild_gives_the_same_rows(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    last = await bus.tell(*lives(1, 60))
    await bus.projected(last)
    before = await rows(database)

    rebuilt = await workshop.rebuild()

    assert rebuilt == Rebuilt(build=2, sequence=last, resumed_at=0, dropped=(), retired=None)
    assert await rows(database) == before
    assert await schemas(database) == []


async def test_a_rebuild_under_load_loses_nothing_and_queries_answer_throughout(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    first = task_id(1)
    await bus.projected(await bus.tell(*lives(1, 300)))
    over = asyncio.Event()

    async def keep_telling() -> int:
        number, last = 300, 0
        while not over.is_set() or number < 600:
            last = await bus.tell(*lives(number, number + 6))
            number += 6
        return last

    async def keep_asking() -> int:
        answered = 0
        while not over.is_set():
            answer = await bus.ask(queries.GET, task_ids=[first])
            assert first in answer["ok"]["records"], answer
            page = await bus.ask(queries.HISTORY, owner="local", limit=200)
            assert len(page["ok"]["records"]) == 200
            answered += 1
        return answered

    telling, asking = asyncio.create_task(keep_telling()), asyncio.create_task(keep_asking())
    builds = [(await workshop.rebuild()).build for _ in range(3)]
    over.set()

    await bus.projected(await telling)
    assert await asking > 0
    assert builds == [2, 3, 4]
    verified = await workshop.verify()
    assert verified.differences == ()
    assert verified.rows > 600


async def test_the_log_and_the_raw_copy_together_are_enough(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    last = await bus.tell(*lives(1, 60))
    await bus.projected(last)
    before = await rows(database)
    await bus.client.jetstream().purge_stream(STREAM, seq=last // 2)

    await workshop.rebuild()
    half = await rows(database)
    await bus.client.jetstream().purge_stream(STREAM)
    await workshop.rebuild()

    assert half == before
    assert await rows(database) == before


async def test_what_ages_out_of_the_log_while_it_is_read_comes_from_the_raw_copy(
    bus: Bus, database: asyncpg.Connection
) -> None:
    last = await bus.tell(*lives(1, 1500))
    await bus.projected(last)

    async with History(bus.client, bus.requests, database) as history:
        taken = [message.sequence for message in await history.take(last)]
        await bus.client.jetstream().purge_stream(STREAM, seq=last - 500)
        while batch := await history.take(last):
            taken += [message.sequence for message in batch]

    assert taken == list(range(1, last + 1))


async def test_a_rebuild_after_an_erasure_keeps_the_tombstone_and_nothing_else(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    await bus.tell(*lives(1, 30))
    gone = task_id(6)
    last = await bus.tell(erased(task=gone))
    await bus.projected(last)
    js = bus.client.jetstream()
    await js.purge_stream(STREAM, subject=f"generation.requested.*.*.{gone}")
    await js.purge_stream(STREAM, subject=progress_subject("CREATE", gone))
    await js.purge_stream(STREAM, subject=f"generation.finished.create.{gone}", keep=1)
    before = await rows(database)

    verified = await workshop.verify()
    await workshop.rebuild()

    assert verified.differences == ()
    assert (await rows(database))["tasks"] == before["tasks"]
    assert await database.fetchval("SELECT phase FROM live.tasks WHERE task_id = $1", gone) == (
        "erased"
    )


async def test_parked_events_are_parked_again(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    await bus.tell(requested(), *lives(2, 20))
    await bus.client.jetstream().publish(progress_subject("CREATE", task_id(1)), b"not json")
    await bus.projected(await bus.tell(started(task=task_id(1)), progressed(1, task=task_id(99))))
    before = await rows(database)

    await workshop.rebuild()

    assert len(before["parked"]) == 3
    assert await rows(database) == before
    assert (await workshop.verify()).differences == ()


async def test_a_rebuild_mends_what_was_tampered_with(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    await bus.projected(await bus.tell(*lives(1, 20)))
    before = await rows(database)
    await database.execute("UPDATE live.tasks SET prompt = 'forged', progress = 7")
    await database.execute("DELETE FROM live.waiting_counts")

    await workshop.rebuild()

    assert await rows(database) == before


async def test_verify_names_each_row_that_differs_and_its_columns(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    await bus.projected(await bus.tell(*lives(1, 20)))
    await database.execute(
        "UPDATE live.tasks SET metadata = '{\"forged\": 1}', stage = 'x' WHERE task_id = $1",
        task_id(1),
    )
    await database.execute("DELETE FROM live.tasks WHERE task_id = $1", task_id(2))
    await database.execute(
        "UPDATE live.tasks SET task_id = $2 WHERE task_id = $1", task_id(3), task_id(777)
    )
    await database.execute("UPDATE live.lanes SET waiting = waiting + 1 WHERE type = 'CREATE'")

    verified = await workshop.verify()

    assert [str(each) for each in verified.differences] == [
        f"tasks {task_id(1)}: stage, metadata",
        f"tasks {task_id(2)}: missing from the projection",
        f"tasks {task_id(3)}: missing from the projection",
        f"tasks {task_id(777)}: the log does not tell of it",
        "lanes CREATE studio: waiting",
    ]
    assert verified.different == 5
    assert await schemas(database) == []


async def test_verify_tells_how_many_differ_and_names_the_first(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    await bus.projected(await bus.tell(*lives(1, 40)))
    await database.execute("UPDATE live.tasks SET owner = 'mallory'")

    verified = await workshop.verify(most=4)

    assert (verified.different, len(verified.differences)) == (39, 4)


async def test_a_killed_rebuild_leaves_the_live_projection_and_the_next_one_goes_on(
    bus: Bus,
    database: asyncpg.Connection,
    database_url: str,
    nats_server: Server,
    workshop: Workshop,
) -> None:
    await bus.projected(await bus.tell(*lives(1, 400)))
    before = await rows(database)
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _DIES_MIDWAY, nats_server.url, database_url
    )
    assert await killed.wait() == -signal.SIGKILL
    assert await schemas(database) == ["rebuild_2"]
    assert await rows(database) == before
    reached = await database.fetchval("SELECT sequence FROM rebuild_2.checkpoint")
    last = await bus.tell(*lives(400, 500))
    await bus.projected(last)
    after = await rows(database)
    told: list[int] = []

    rebuilt = await workshop.rebuild(tell=lambda done, _of: told.append(done))

    assert rebuilt == Rebuilt(build=2, sequence=last, resumed_at=reached, dropped=(), retired=None)
    assert 0 < reached < told[0]
    assert await rows(database) == after
    assert await schemas(database) == []
    assert (await workshop.verify()).differences == ()


_DIES_MIDWAY = """
import asyncio, os, signal, sys
import nats
from delivery.requests import Requests
from task_store.queries import Queries
from task_store.rebuild import rebuild

async def main(nats_url, database_url):
    client = await nats.connect(nats_url)
    requests = Requests(client)
    await requests.start()
    die = lambda done, of: os.kill(os.getpid(), signal.SIGKILL)
    await rebuild(database_url, client, requests, tell=die)

asyncio.run(main(*sys.argv[1:]))
"""


async def break_off(workshop: Workshop) -> None:
    """A rebuild that gets no further than its first batch."""

    def fails(_done: int, _of: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await workshop.rebuild(tell=fails)


async def test_a_rebuild_that_fails_changes_nothing_and_a_verification_leaves_it_be(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    last = await bus.tell(*lives(1, 600))
    await bus.projected(last)
    before = await rows(database)

    await break_off(workshop)

    assert await rows(database) == before
    assert (await workshop.verify()).differences == ()
    assert await schemas(database) == ["rebuild_2"]
    assert (await workshop.rebuild()).resumed_at > 0
    assert await rows(database) == before


async def test_a_rebuild_begins_anew_on_request(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    last = await bus.tell(*lives(1, 60))
    await bus.projected(last)
    await break_off(workshop)

    rebuilt = await workshop.rebuild(fresh=True)

    assert rebuilt == Rebuilt(
        build=2, sequence=last, resumed_at=0, dropped=("rebuild_2",), retired=None
    )
    assert await schemas(database) == []


@pytest.mark.parametrize("changed", ["the code or the types", "what was dropped"])
async def test_what_was_begun_under_other_rules_is_not_gone_on_with(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop, changed: str
) -> None:
    await bus.tell(*lives(1, 20))
    poison = await bus.client.jetstream().publish(progress_subject("CREATE", task_id(1)), b"no")
    await bus.projected(poison.seq)
    await break_off(workshop)
    if changed == "what was dropped":
        await bus.ask(queries.DROP_DEAD_LETTERS, sequences=[poison.seq], who="ann", note="stray")
    else:
        await database.execute("COMMENT ON SCHEMA rebuild_2 IS 'of another version'")

    rebuilt = await workshop.rebuild()

    assert (rebuilt.resumed_at, rebuilt.dropped) == (0, ("rebuild_2",))
    assert (await workshop.verify()).differences == ()


async def test_the_old_projection_is_kept_on_request(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    await bus.projected(await bus.tell(*lives(1, 7)))

    rebuilt = await workshop.rebuild(keep_old=True)

    assert rebuilt.retired == "retired_1"
    assert await database.fetchval("SELECT count(*) FROM retired_1.tasks") == 6


async def test_the_live_projector_goes_on_after_a_rebuild(bus: Bus, workshop: Workshop) -> None:
    await bus.projected(await bus.tell(requested()))
    await workshop.rebuild()

    await bus.projected(await bus.tell(started(), completed()))

    answer = await bus.ask(queries.GET, task_ids=[task_id(1)])
    assert answer["ok"]["records"][task_id(1)]["status"] == "completed"
    assert (await workshop.verify()).differences == ()


async def test_no_answer_is_of_both_the_old_and_the_new_projection(
    bus: Bus, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = await bus.tell(*lives(1, 7))
    await bus.projected(last)
    question = {"owner": OWNER, "type": None, "limit": 10, "sequence": last}
    before = await bus.ask(queries.SNAPSHOT, **question)
    of_one_moment = Queries._at_one_moment  # noqa: SLF001
    rebuilt: list[Rebuilt] = []

    @asynccontextmanager
    async def switched_meanwhile(self: Queries) -> AsyncIterator[tuple[Any, int]]:
        async with of_one_moment(self) as moment:
            if not rebuilt:
                rebuilt.append(await workshop.rebuild(keep_old=True))
            yield moment

    monkeypatch.setattr(Queries, "_at_one_moment", switched_meanwhile)
    answer = await bus.ask(queries.SNAPSHOT, **question)

    assert [each.build for each in rebuilt] == [2]
    assert len(answer["ok"]["records"]) == 3
    assert answer == before


async def test_only_one_rebuild_works_at_a_time(
    bus: Bus, database_url: str, workshop: Workshop
) -> None:
    await bus.projected(await bus.tell(requested()))
    async with alone(database_url):
        with pytest.raises(Busy):
            await workshop.verify()
    await workshop.rebuild()


async def test_the_log_of_another_stream_is_refused_and_nothing_changes(
    bus: Bus, database: asyncpg.Connection, workshop: Workshop
) -> None:
    await bus.projected(await bus.tell(*lives(1, 7)))
    before = await rows(database)
    js = bus.client.jetstream()
    await js.delete_stream(STREAM)
    await provision.ensure_stream(bus.client, SPEC)
    await bus.tell(requested(task=task_id(50)))

    with pytest.raises(LogUnfit, match="recreated"):
        await workshop.rebuild()

    assert await rows(database) == before


async def test_an_empty_log_makes_an_empty_projection(
    database: asyncpg.Connection, workshop: Workshop
) -> None:
    assert (await workshop.verify()).rows == 0
    assert (await workshop.rebuild()).sequence == 0
    assert await store.schema_version(database) > 0
