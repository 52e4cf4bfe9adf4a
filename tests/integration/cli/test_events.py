"""Reading the log with the command line."""

from __future__ import annotations

import json
import signal

from integration.cli.conftest import Shell, Submit, ended
from system import System

_QUICK = ("--param", "width=64", "--param", "height=64")


async def done(darkroom: Shell, submitted: Submit, *words: str) -> str:
    """The id of a task that has ended."""
    task_id = await submitted(*words, *_QUICK)
    await darkroom("tasks", "show", task_id, "--wait")
    return task_id


async def test_the_events_of_a_task_are_the_same_over_http_and_from_the_log(
    darkroom: Shell, submitted: Submit
) -> None:
    task_id = await done(darkroom, submitted, "CREATE", "x")

    over_http = (await darkroom("events", "show", task_id, "--json")).json
    tailed = await darkroom("events", "tail", "--task", task_id, "-n", "100", "--json")
    from_log = [json.loads(line) for line in tailed.stdout.splitlines()]

    assert over_http[0]["type"] == "generation.requested"
    assert over_http[-1]["type"] == "generation.completed"
    told = [(event["sequence"], event["id"], event["type"]) for event in from_log]
    assert told == [(event["sequence"], event["id"], event["type"]) for event in over_http]


async def test_the_tail_is_the_last_so_many_events_or_all_from_a_sequence_on(
    darkroom: Shell, submitted: Submit
) -> None:
    await done(darkroom, submitted, "CREATE", "x")

    last = (await darkroom("events", "tail", "-n", "3", "--json")).stdout.splitlines()
    first = json.loads(last[0])["sequence"]
    since = await darkroom("events", "tail", "--since-sequence", str(first), "--json")
    none = await darkroom("events", "tail", "-n", "0")
    other = await darkroom("events", "tail", "--type", "VIDEO")

    assert len(last) == 3
    assert since.stdout.splitlines()[:3] == last
    assert (none.stdout, other.stdout) == ("", "")


async def test_following_shows_what_happens_through_a_restart_of_the_broker(
    darkroom: Shell, system: System
) -> None:
    await system.ended(await system.submit("tail-0", type="CREATE", prompt="w"))
    process = await darkroom.start("events", "tail", "-f", "-n", "1", "--json")
    assert process.stdout is not None
    before = json.loads(await process.stdout.readline())["sequence"]
    first = await system.submit("tail-1", type="CREATE", prompt="x")
    while json.loads(line := await process.stdout.readline())["subject"] != first:
        pass
    await system.ended(first)
    await system.kill("nats")
    second = await system.submit("tail-2", type="CREATE", prompt="y")
    seen = [json.loads(line)["sequence"]]
    while True:
        event = json.loads(await process.stdout.readline())
        seen.append(event["sequence"])
        if (event["subject"], event["type"]) == (second, "generation.completed"):
            break
    process.send_signal(signal.SIGINT)

    assert (await ended(process)).exit_code == 0
    assert seen == list(range(seen[0], seen[-1] + 1))
    assert before < seen[0]
