"""Events taken out of the log and told again, as a user does it: with the command line."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from nats.aio.msg import Msg

from builders import OWNER, task_id
from contracts.events import encode
from contracts.subjects import STREAM
from integration.cli.conftest import Shell, ended
from integration.cli.oldlog import ODD, OldLog, life, old_log
from servers import Server, eventually


@pytest.fixture
async def log(nats_server: Server) -> AsyncIterator[OldLog]:
    async with old_log(nats_server) as made:
        yield made


def told(messages: list[Msg]) -> list[tuple[str, bytes, str | None]]:
    """What was said, but for where and when it is stored."""
    return [(each.subject, each.data, (each.headers or {}).get("Nats-Msg-Id")) for each in messages]


async def exported(shell: Shell, *words: str) -> list[dict[str, Any]]:
    ran = await shell("events", "export", "-o", "-", *words)
    assert ran.exit_code == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


async def test_each_filter_chooses_from_the_log(bare: Shell, log: OldLog) -> None:
    await log.tell(*life(1), *life(2, tasktype="VIDEO", owner="ann"), *life(3))
    everything = await exported(bare)
    middle = everything[5]["logtime"]

    async def sequences(*words: str) -> list[int]:
        return [each["sequence"] for each in await exported(bare, *words)]

    assert [each["sequence"] for each in everything] == list(range(1, 13))
    assert await sequences("--type", "video") == [5, 6, 7, 8]
    assert await sequences("--event", "completed", "--event", "generation.requested") == (
        [1, 4, 5, 8, 9, 12]
    )
    assert await sequences("--event", "failed") == []
    assert await sequences("--task", task_id(3)) == [9, 10, 11, 12]
    assert await sequences("--owner", "ann", "--event", "started") == [6]
    assert await sequences("--since", middle) == [6, 7, 8, 9, 10, 11, 12]
    assert await sequences("--until", middle) == [1, 2, 3, 4, 5, 6]
    assert await sequences("--since", "1h", "--since-sequence", "11") == [11, 12]
    assert await sequences("--since-sequence", "3", "--until-sequence", "4") == [3, 4]


async def test_where_nothing_matches_that_is_said(bare: Shell, log: OldLog, tmp_path: Path) -> None:
    await log.tell(*life(1))
    filters = ("--type", "nope", "--event", "failed")

    export = await bare("events", "export", "-o", str(tmp_path / "none.jsonl"), *filters, "--json")
    replay = await bare("events", "replay", "--to", "x", *filters, "--json")
    tail = await bare("events", "tail", *filters)
    known = await bare("events", "tail", "--type", "create")

    for ran in (export, replay, tail):
        assert ran.exit_code == 0
        assert "--type NOPE: no such type is declared; there are CREATE, " in ran.stderr
    assert "No event matches: the export is empty." in export.stderr
    assert "No event matches: REPLAY_x is empty." in replay.stderr
    assert (export.json["events"], replay.json["events"]) == (0, 0)
    assert (known.stderr, len(known.stdout.splitlines())) == ("", 4)


async def test_tail_has_the_same_filters(bare: Shell, log: OldLog) -> None:
    await log.tell(*life(1), *life(2, owner="ann"), *life(3))

    async def sequences(*words: str) -> list[int]:
        ran = await bare("events", "tail", "--json", *words)
        assert ran.exit_code == 0, ran.stderr
        return [json.loads(line)["sequence"] for line in ran.stdout.splitlines()]

    assert await sequences("--event", "completed", "-n", "2") == [8, 12]
    assert await sequences("--owner", "ann") == [5, 6, 7, 8]
    assert await sequences("--since", "1h", "--until-sequence", "2") == [1, 2]
    ever = ("--since", "0001-01-01T00:00:00Z", "--until", "9999-12-31T23:59:59Z")
    assert await sequences(*ever) == list(range(1, 13))
    assert await sequences("--task", task_id(3), "-n", "3") == [10, 11, 12]


async def test_following_shows_only_what_is_wanted(bare: Shell, log: OldLog) -> None:
    await log.tell(*life(1))
    process = await bare.start(
        *("events", "tail", "-f", "--json", "--owner", "ann", "--event", "completed"),
        *("--until-sequence", "12"),
    )
    await eventually(lambda: _is_reading(log), 30)
    await log.tell(*life(2, owner="ann"), *life(3))

    ran = await ended(process)

    assert ran.exit_code == 0, ran.stderr
    assert [json.loads(line)["sequence"] for line in ran.stdout.splitlines()] == [8]


async def _is_reading(log: OldLog) -> bool:
    return bool(await log.client.jetstream().consumers_info(STREAM))


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
async def test_an_export_replayed_from_its_file_is_the_log_byte_for_byte(
    name: str, bare: Shell, log: OldLog, tmp_path: Path
) -> None:
    await log.tell(*life(1))
    await log.tell_odd(task_id(1))
    await log.tell(*life(2))
    original = await log.all_of(STREAM)

    made = await bare("events", "export", "-o", str(tmp_path / name), "--json")
    ran = await bare("events", "replay", "--to", "audit", "--from-file", str(tmp_path / name))

    assert made.json["events"] == 12
    assert (made.json["first"], made.json["last"]) == (1, 12)
    assert ran.exit_code == 0, ran.stderr
    copied = await log.all_of("REPLAY_audit")
    assert [(f"replay.audit.{subject}", *rest) for subject, *rest in told(original)] == told(copied)
    assert [each.data for each in copied[4:8]] == list(ODD)


@pytest.mark.parametrize("source", ["the log", "a file"])
async def test_what_is_no_text_is_exported_and_replayed_and_nothing_else_suffers(
    source: str, bare: Shell, log: OldLog, tmp_path: Path
) -> None:
    await log.tell(*life(1))
    await log.tell_no_text(task_id(1))
    await log.tell(*life(2))
    path = tmp_path / "events.jsonl"

    made = await bare("events", "export", "-o", str(path), "--json")
    words = ("--from-file", str(path)) if source == "a file" else ()
    ran = await bare("events", "replay", "--to", "audit", *words, "--json")

    assert made.json["events"] == 13
    assert (ran.exit_code, ran.json["events"]) == (0, 13), ran.stderr
    lines = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    assert [(each["subject"], each["id"]) for each in lines[4:9]] == [
        ("generation.progress.create.\ufffd", ""),
        (f"generation.progress.create.{task_id(1)}", "\ufffd"),
        (f"generation.progress.create.{task_id(1)}", "\ufffd"),
        (f"generation.progress.create.{task_id(1)}", "a\nb"),
        ("generation.progress.a\x0bb\x00.c", "c"),
    ]
    js = log.client.jetstream()
    copies = [await js.get_msg("REPLAY_audit", sequence) for sequence in range(1, 14)]
    assert [each.subject for each in copies] == [
        f"replay.audit.{each['subject']}" for each in lines
    ]
    fine = [each for number, each in enumerate(copies) if not 4 <= number < 9]
    assert [each.data for each in fine] == [encode(each) for each in (*life(1), *life(2))]


async def test_the_tail_shows_what_is_no_text(bare: Shell, log: OldLog) -> None:
    await log.tell_no_text(task_id(1))
    await log.tell(*life(2))

    ran = await bare("events", "tail")
    one = await bare("events", "tail", "--task", task_id(1), "--json")

    assert len(ran.stdout.splitlines()) == 9
    assert "completed" in ran.stdout
    assert [json.loads(line)["sequence"] for line in one.stdout.splitlines()] == [2, 3, 4]


async def test_a_replay_says_what_was_when_and_never_touches_the_log(
    bare: Shell, log: OldLog
) -> None:
    await log.tell(*life(1), *life(2), *life(3))
    times = [each["logtime"] for each in await exported(bare, "--task", task_id(2))]
    before = await log.client.jetstream().stream_info(STREAM)

    ran = await bare(
        *("events", "replay", "--to", "new-subscriber", "--task", task_id(2), "--json")
    )

    assert ran.exit_code == 0, ran.stderr
    assert (ran.json["stream"], ran.json["events"]) == ("REPLAY_new-subscriber", 4)
    copied = await log.all_of("REPLAY_new-subscriber")
    heads = [each.headers or {} for each in copied]
    assert [each["Darkroom-Sequence"] for each in heads] == list("5678")
    assert [each["Darkroom-Logtime"] for each in heads] == times
    after = await log.client.jetstream().stream_info(STREAM)
    assert (after.state, after.config) == (before.state, before.config)


async def test_the_same_command_goes_on_with_what_came_since(bare: Shell, log: OldLog) -> None:
    words = ("events", "replay", "--to", "x", "--event", "completed", "--since", "2h", "--json")
    await log.tell(*life(1), *life(2))
    first = (await bare(*words)).json
    await log.tell(*life(3))

    again = (await bare(*words)).json
    once_more = (await bare(*words)).json

    assert [(each["events"], each["added"]) for each in (first, again, once_more)] == [
        (2, 2),
        (3, 1),
        (3, 0),
    ]


async def test_a_replay_that_is_killed_goes_on_without_gap_or_repeat(
    bare: Shell, log: OldLog
) -> None:
    for number in range(0, 2500, 50):
        lives = [event for each in range(number, number + 50) for event in life(each)]
        await asyncio.gather(*map(log.publisher.publish, lives))
    words = ("events", "replay", "--to", "x")
    js = log.client.jetstream()

    async def has_begun() -> bool:
        return (
            await log.exists("REPLAY_x") and (await js.stream_info("REPLAY_x")).state.messages > 0
        )

    process = await bare.start(*words)
    await eventually(has_begun, 30)
    process.kill()
    await process.wait()
    reached = (await js.stream_info("REPLAY_x")).state.messages

    ran = await bare(*words)

    assert ran.exit_code == 0, ran.stderr
    assert reached > 0
    original, copied = await log.all_of(STREAM), await log.all_of("REPLAY_x")
    assert len(copied) == 10_000
    assert [(f"replay.x.{subject}", *rest) for subject, *rest in told(original)] == told(copied)


async def test_an_event_that_the_log_has_twice_is_replayed_twice(
    bare: Shell, log: OldLog, tmp_path: Path
) -> None:
    """Published again after the broker's memory of ids had ended."""
    await log.tell(*life(1))
    lines = [
        json.dumps(each | {"sequence": each["sequence"] + shift})
        for shift in (0, 100)
        for each in await exported(bare)
    ]
    (tmp_path / "twice.jsonl").write_text("\n".join(lines))

    ran = await bare("events", "replay", "--to", "x", "--from-file", str(tmp_path / "twice.jsonl"))
    again = await bare(
        "events", "replay", "--to", "x", "--from-file", str(tmp_path / "twice.jsonl")
    )

    assert (ran.exit_code, again.exit_code) == (0, 0), ran.stderr
    copied = await log.all_of("REPLAY_x")
    assert [each.data for each in copied[:4]] == [each.data for each in copied[4:]]
    heads = [each.headers or {} for each in copied]
    assert [each["Darkroom-Sequence"] for each in heads] == [*"1234", "101", "102", "103", "104"]
    assert [each["Darkroom-Event-Id"] for each in heads[4:]] == [
        each["Nats-Msg-Id"] for each in heads[:4]
    ]


async def test_at_its_original_pace_an_event_waits_for_its_time(
    bare: Shell, log: OldLog, tmp_path: Path
) -> None:
    await log.tell(*life(1))
    lines = await exported(bare)
    begin = datetime.fromisoformat(lines[0]["logtime"])
    for number, line in enumerate(lines):
        line["logtime"] = (begin + timedelta(seconds=10 * number)).isoformat()
    path = tmp_path / "slow.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))

    words = ("events", "replay", "--from-file", str(path))
    ran = await bare(*words, "--to", "quick", "--speed", "50x")

    assert ran.exit_code == 0, ran.stderr
    stamps = [each.metadata.timestamp for each in await log.all_of("REPLAY_quick")]
    gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(stamps)]
    assert all(gap >= 0.15 for gap in gaps), gaps


async def test_ctrl_c_says_how_to_go_on_and_another_pace_may_do_so(
    bare: Shell, log: OldLog, tmp_path: Path
) -> None:
    await log.tell(*life(1))
    first, second, *_ = await exported(bare)
    second["logtime"] = "2999-01-01T00:00:00Z"
    path = tmp_path / "far.jsonl"
    path.write_text("\n".join(map(json.dumps, (first, second))))
    words = ("events", "replay", "--to", "x", "--from-file", str(path))
    process = await bare.start(*words, "--speed", "original")

    async def has_begun() -> bool:
        js = log.client.jetstream()
        return (
            await log.exists("REPLAY_x") and (await js.stream_info("REPLAY_x")).state.messages > 0
        )

    await eventually(has_begun, 30)
    process.send_signal(signal.SIGINT)
    stopped = await ended(process)
    ran = await bare(*words, "--json")

    assert (stopped.exit_code, len(stopped.stderr.splitlines())) == (1, 1)
    assert "The same command goes on" in stopped.stderr
    assert (ran.json["events"], ran.json["added"]) == (2, 1)


async def test_a_replay_is_deleted_by_its_name_and_nothing_else_is(
    bare: Shell, log: OldLog
) -> None:
    await log.tell(*life(1))
    await bare("events", "replay", "--to", "x")
    await bare("events", "replay", "--to", "y")
    await log.client.jetstream().add_stream(name="REPLAY_other", subjects=["something.else"])

    deleted = await bare("events", "replay", "--to", "x", "--delete")
    again = await bare("events", "replay", "--to", "x", "--delete")
    other = await bare("events", "replay", "--to", "other", "--delete")
    as_json = await bare("events", "replay", "--to", "y", "--delete", "--json")

    assert [each.exit_code for each in (deleted, again, other)] == [0, 1, 1]
    assert (deleted.stdout, as_json.json) == (
        "Deleted REPLAY_x.\n",
        {"stream": "REPLAY_y", "deleted": True},
    )
    assert "no replay to x" in again.stderr
    assert "no replay of ours" in other.stderr
    assert not await log.exists("REPLAY_x")
    assert await log.exists("REPLAY_other")
    assert await log.exists(STREAM)


async def test_a_replay_of_something_else_is_not_mixed_with_the_first(
    bare: Shell, log: OldLog
) -> None:
    await log.tell(*life(1), *life(2))
    chosen = ("--owner", OWNER, "--type", "create", "--event", "started", "--event", "completed")
    await bare("events", "replay", "--to", "x", *chosen)

    ran = await bare("events", "replay", "--to", "x", "--owner", "ann")

    assert ran.exit_code == 1
    for option in (f"--owner {OWNER}", "--type create", "--event completed --event started"):
        assert f", {option}" in ran.stderr
    assert "--delete" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["replay"], 2, "--to NAME"),
        (["replay", "--to", "a.b"], 2, "--to NAME"),
        (["replay", "--to", ">"], 2, "--to NAME"),
        (["replay", "--to", "x", "--speed", "never"], 2, "original, max"),
        (["replay", "--restore", "--to", "x"], 2, "without --to"),
        (["replay", "--to", "x", "--from-file", "/nowhere"], 1, "can't be read"),
        (["export", "-o", "/nowhere/x.jsonl"], 1, "-o"),
        (["export", "-o", "-", "--since", "soon"], 2, "how long ago"),
        (["tail", "--event", "done"], 2, "completed"),
    ],
)
async def test_what_cannot_be_done_says_why(
    words: list[str], exit_code: int, said: str, bare: Shell, log: OldLog
) -> None:
    ran = await bare("events", *words)

    assert ran.exit_code == exit_code
    assert said in ran.stderr.splitlines()[-1]
    assert ran.stdout == ""


@pytest.mark.parametrize("words", [["export", "-o", "-"], ["replay", "--to", "x"]])
async def test_without_a_log_there_is_nothing_to_tell(words: list[str], bare: Shell) -> None:
    ran = await bare("events", *words)

    assert ran.exit_code == 3
    assert "darkroom doctor" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
