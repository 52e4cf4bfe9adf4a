"""What is put aside, handled with the command line."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg

from builders import annotated, requested, task_id
from contracts import queries
from contracts.subjects import STREAM, progress_subject, requested_subject
from darkroom.stack.addresses import discover
from delivery.connection import connection_options
from integration.cli.conftest import Shell
from integration.gateway.conftest import provisioned, running_task_store
from integration.gateway.house import House, own
from servers import Server, eventually
from system import System
from task_store import mending
from task_store.writer import Projection

STRAY = "0199f0c2-7e4a-7000-8000-0000000000ff"


async def _put_aside(system: System, payload: bytes) -> str:
    """A task of which something stray can't be applied, with a patch that waits behind it."""
    body = {"type": "CREATE", "prompt": "later", "run_at": "2999-01-01T00:00:00Z"}
    task_id: str = (await system.http.post("/tasks", json=body)).json()["task_id"]
    url = discover(system.data_dir).nats_url
    assert url is not None
    client = await nats.connect(url, **connection_options("test"))
    try:
        await client.jetstream().publish(progress_subject("CREATE", task_id), payload)
    finally:
        await client.close()
    answer = await system.http.patch(f"/tasks/{task_id}/metadata", json={"n": 1})
    assert answer.status_code in (200, 202), answer.text
    return task_id


async def test_what_is_put_aside_is_listed_shown_tried_again_and_dropped(
    darkroom: Shell, system: System
) -> None:
    task_id = await _put_aside(system, b'{"type": "generation.exploded"}')

    async def listed() -> list[dict[str, object]]:
        ran = await darkroom("dead-letters", "list", "--task", task_id, "--json")
        return [each for each in ran.json["dead_letters"] if each["waiting"]]

    [letter] = await eventually(listed, 15)
    sequence = str(letter["sequence"])
    on_hold = (await system.task(task_id))["metadata"]["parked"]
    recovered = (await system.http.get("/tasks/processing")).json()["tasks"]
    [in_recovery] = [each for each in recovered if each["task_id"] == task_id]
    as_table = await darkroom("dead-letters", "list", "--reason", "undecodable")
    shown = await darkroom("dead-letters", "show", sequence)
    retried = await darkroom("dead-letters", "retry", sequence, "--json")
    unexplained = await darkroom("dead-letters", "drop", sequence)
    dropped = await darkroom("dead-letters", "drop", sequence, "--note", "a stray publish")
    again = await darkroom("dead-letters", "drop", sequence, "--note", "a stray publish")

    assert (on_hold["since"][:19], on_hold["since"][-1]) == (str(letter["first_at"])[:19], "Z")
    assert "An operator has to look at it" in on_hold["reason"]
    assert in_recovery["metadata"] == {"parked": on_hold}
    assert (letter["type"], letter["tries"], letter["waiting"]) == ("generation.exploded", 1, 1)
    assert task_id in as_table.stdout
    assert '"type": "generation.exploded"' in shown.stdout
    assert (retried.exit_code, retried.json["tried"], retried.json["parked"]) == (1, 1, 2)
    assert (unexplained.exit_code, again.exit_code) == (2, 1)
    assert (dropped.exit_code, dropped.stdout) == (0, "1 dropped, 1 applied, 0 still put aside.\n")
    assert (await system.task(task_id))["metadata"] == {"n": 1}
    kept = (await darkroom("dead-letters", "list", "--dropped", "--json")).json["dead_letters"]
    assert [(each["who"], each["note"]) for each in kept if each["task_id"] == task_id] == [
        (getpass.getuser(), "a stray publish")
    ]
    history = await darkroom("dead-letters", "show", sequence)
    assert "retried by" in history.stdout
    assert "(a stray publish)" in history.stdout
    verified = await darkroom("projection", "verify")
    assert verified.exit_code == 0, verified.stdout


async def test_a_request_that_no_generator_can_read_is_among_them(
    darkroom: Shell, system: System
) -> None:
    url = discover(system.data_dir).nats_url
    assert url is not None
    client = await nats.connect(url, **connection_options("test"))
    try:
        js = client.jetstream()
        stored = await js.publish(requested_subject("CREATE", "studio", STRAY), b"no request")

        async def taken() -> bool:
            consumer = await js.consumer_info(STREAM, "generator-create-studio")
            assert consumer.ack_floor is not None
            return consumer.ack_floor.stream_seq >= stored.seq

        await eventually(taken, 30, "no generator has answered for it")
    finally:
        await client.close()

    async def listed() -> list[dict[str, object]]:
        ran = await darkroom("dead-letters", "list", "--task", STRAY, "--json")
        found: list[dict[str, object]] = ran.json["dead_letters"]
        return found

    [letter] = await eventually(listed, 15)
    shown = await darkroom("dead-letters", "show", str(stored.seq))

    assert letter["sequence"] == stored.seq
    assert "no request" in shown.stdout
    dropped = await darkroom("dead-letters", "drop", str(stored.seq), "--note", "stray")
    assert dropped.exit_code == 0


async def test_where_nobody_projects_that_is_said(bare: Shell) -> None:
    nothing_chosen = await bare("dead-letters", "retry")
    nobody = await bare("dead-letters", "retry", "--all")

    assert nothing_chosen.exit_code == 2
    assert nobody.exit_code == 3
    assert "No task-store projects right now" in nobody.stderr


async def test_nothing_put_aside_is_said(darkroom: Shell) -> None:
    nothing = await darkroom("dead-letters", "list", "--task", "nobody")
    absent = await darkroom("dead-letters", "show", "999999999")

    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert absent.exit_code == 1


@pytest.fixture
async def house(nats_server: Server, database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """What the `bare` command line speaks with: a task-store in this process."""
    async with (
        provisioned(nats_server.url, tmp_path) as house,
        running_task_store(house, database_url),
    ):
        yield house


async def _strays(house: House, tasks: int) -> list[str]:
    """So many tasks, of each of which something stray is put aside: where."""
    strays = []
    for each in map(task_id, range(tasks)):
        await house.tell(requested(**own(each)))
        stray = await house.client.jetstream().publish(progress_subject("CREATE", each), b"{")
        strays.append(str(stray.seq))
        await house.tell(annotated({"n": 1}, **own(each)))
    await house.projected()
    return strays


async def test_more_tasks_than_go_at_once_are_dropped_and_tried_again_whole(
    house: House, bare: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "MOST_TASKS", 2)
    strays = await _strays(house, 5)

    absent = await bare("dead-letters", "drop", "1", *strays, "--note", "x")
    retried = await bare("dead-letters", "retry", *strays, "--json")
    dropped = await bare("dead-letters", "drop", *strays[:3], "--note", "x")
    all_of_a_part = await bare("dead-letters", "drop", *strays[3:], "--note", "x", "--json")

    assert (absent.exit_code, absent.stdout) == (1, "")
    assert "Nothing is put aside at 1: nothing was dropped." in absent.stderr
    counts = ("tried", "applied", "parked", "absent")
    assert [retried.json[name] for name in counts] == [5, 0, 10, []]
    assert (dropped.exit_code, dropped.stdout) == (0, "3 dropped, 3 applied, 0 still put aside.\n")
    assert (all_of_a_part.exit_code, all_of_a_part.json["dropped"]) == (0, 2)


async def test_a_filter_that_nothing_matches_is_told_from_nothing_put_aside(
    house: House, bare: Shell
) -> None:
    nowhere = await bare("dead-letters", "list", "--task", "nope")
    first, second = await _strays(house, 2)
    others = [
        await bare("dead-letters", "list", *words)
        for words in (("--reason", "nomatch"), ("--task", "nope"))
    ]
    one = await bare("dead-letters", "list", "--task", task_id(0))
    whole = await bare("dead-letters", "list")
    await bare("dead-letters", "drop", first, "--note", "x")
    dropped = await bare("dead-letters", "list", "--dropped", "--json")
    none_dropped = await bare("dead-letters", "list", "--dropped", "--task", "nope")
    left = await bare("dead-letters", "list", "--task", task_id(1), "--json")

    assert nowhere.stderr == "Nothing is put aside.\n"
    for ran in others:
        assert (ran.exit_code, ran.stdout) == (0, "")
        assert "Nothing that is put aside matches. There are 4 events of 2 tasks" in ran.stderr
    assert one.stderr == "4 events of 2 tasks are put aside in all, these among them.\n"
    assert whole.stderr == "4 events of 2 tasks in all.\n"
    assert none_dropped.stderr == "Nothing that was dropped matches.\n"
    counts = ("events", "tasks", "put_aside")
    in_all = {"events": 2, "tasks": 1}
    assert [dropped.json[name] for name in counts] == [1, 1, in_all]
    assert [left.json[name] for name in counts] == [2, 1, in_all]
    assert left.json["dead_letters"][0]["sequence"] == int(second)


async def test_trying_again_what_nothing_matches_is_refused(house: House, bare: Shell) -> None:
    await _strays(house, 1)

    others = [
        await bare("dead-letters", "retry", *words, "--json")
        for words in (("--reason", "nomatch"), ("--task", "nope"))
    ]
    await bare("dead-letters", "drop", "2", "--note", "x")
    nothing_left = await bare("dead-letters", "retry", "--all")

    for ran in others:
        assert (ran.exit_code, ran.stdout, len(ran.stderr.splitlines())) == (1, "", 1)
    assert "matches --reason nomatch: nothing was tried again" in others[0].stderr
    assert "matches --task nope: nothing was tried again" in others[1].stderr
    assert nothing_left.exit_code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("list",), "can't reach its database"),
        (("show", "7"), "can't reach its database"),
        (("retry", "--all"), "can't write to its database"),
    ],
)
async def test_a_task_store_without_its_database_is_unreachable(
    words: tuple[str, ...], told: str, bare: Shell, nats_server: Server
) -> None:
    client = await nats.connect(nats_server.url, **connection_options("test"))

    async def unavailable(message: Msg) -> None:
        await message.respond(b'{"error":"unavailable"}')

    for subject in (queries.DEAD_LETTERS, queries.DEAD_LETTER, queries.RETRY_DEAD_LETTERS):
        await client.subscribe(subject, cb=unavailable)
    await client.flush()
    ran = await bare("dead-letters", *words)
    await client.close()

    assert ran.exit_code == 3
    assert told in ran.stderr
    assert "darkroom doctor" in ran.stderr


async def test_an_order_that_breaks_off_between_two_parts_says_what_was_done(
    house: House, bare: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "MOST_TASKS", 2)
    strays = await _strays(house, 3)
    carry_out, parts = mending._carry_out, list[mending.Order]()  # noqa: SLF001

    async def busy_from_the_second(projection: Projection, order: mending.Order) -> mending.Mended:
        parts.append(order)
        if len(parts) > 1:
            raise mending.Busy
        return await carry_out(projection, order)

    monkeypatch.setattr(mending, "_carry_out", busy_from_the_second)
    broken_off = await bare("dead-letters", "drop", *strays, "--note", "x")

    assert broken_off.exit_code == 1
    assert "2 dropped, 2 applied, 0 still put aside; then it broke off." in broken_off.stderr
