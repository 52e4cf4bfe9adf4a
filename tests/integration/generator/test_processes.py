"""Real generator processes: killed, asked to stop, started before there is a broker."""

from __future__ import annotations

import asyncio
import signal
import urllib.error
import urllib.request

from builders import requested, task_id
from contracts.events import Completed, Failed
from integration.generator.floor import PATIENCE_S, Floor, ended_with, terminate
from integration.generator.scripted_provider import ScriptedRemote
from servers import Server, eventually


async def test_a_killed_worker_costs_one_attempt(floor: Floor) -> None:
    first = await floor.start_process(lease_s=1)
    task = await floor.ask(until_1="never")
    await floor.told(task, "progressed")

    first.kill()
    await floor.start(lease_s=1)

    end = await floor.ended(task)
    assert isinstance(end, Completed)
    assert end.data.attempt == 2
    await floor.acknowledged()
    story = await floor.story(task)
    assert (story.count("started"), story.count("completed")) == (2, 1)
    assert len(floor.stage.pids(task)) == 2


async def test_a_task_that_kills_every_worker_fails(floor: Floor) -> None:
    task = await floor.ask(kill=True)
    for _ in range(2):
        dying = await floor.start_process(lease_s=0.5, provider_attempts=2)
        assert await ended_with(dying) == -signal.SIGKILL
    await floor.start(lease_s=0.5, provider_attempts=2)

    end = await floor.ended(task)
    assert isinstance(end, Failed)
    assert (end.data.error.code, end.data.error.attempts) == ("internal", 2)
    assert floor.stage.calls(task) == [("follow", 1), ("follow", 2)]


async def test_a_remote_job_outlives_its_worker_and_is_submitted_once(floor: Floor) -> None:
    lane = ScriptedRemote.name
    first = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=lane, until="done")
    await eventually(lambda: ("follow", 1) in floor.stage.calls(task), PATIENCE_S)

    first.kill()
    await floor.start(lease_s=1)
    await eventually(lambda: ("resume", 2) in floor.stage.calls(task), PATIENCE_S)
    floor.stage.release("done")

    end = await floor.ended(task)
    assert isinstance(end, Completed)
    assert (end.data.attempt, end.data.external_task_id) == (2, f"job-{task}-1")
    await floor.acknowledged(lane)
    calls = [("submit", 1), ("follow", 1), ("resume", 2), ("follow", 2)]
    assert floor.stage.calls(task) == calls


async def test_a_terminated_worker_finishes_what_it_can_and_hands_on_the_rest(
    floor: Floor,
) -> None:
    # Leases so long that nothing but handing them on explains the end of this test.
    leaving = await floor.start_process(drain_s=0.5, lease_s=600)
    lane = ScriptedRemote.name
    quick = await floor.ask(until="soon")
    slow = await floor.ask(until_1="never", until_2="done")
    remote = await floor.ask(lane=lane, until_1="never", until_2="done")
    await asyncio.gather(*(floor.told(task, "started") for task in (quick, slow, remote)))
    await eventually(lambda: ("follow", 1) in floor.stage.calls(remote))

    terminate(leaving)
    floor.stage.release("soon")
    assert await ended_with(leaving) == 0
    await floor.start(lease_s=600)
    floor.stage.release("done")

    ends = [await floor.ended(task) for task in (quick, slow, remote)]
    assert [end.type for end in ends] == ["generation.completed"] * 3
    assert [len(floor.stage.pids(task)) for task in (quick, slow, remote)] == [1, 2, 2]
    stopped = [("submit", 1), ("follow", 1), ("stopped", 1), ("resume", 2), ("follow", 2)]
    assert floor.stage.calls(remote) == stopped
    for task in (quick, slow, remote):
        assert "failed" not in await floor.story(task)


async def test_a_generator_waits_for_the_broker_and_is_not_ready_before(
    floor: Floor, nats_server: Server, unused_tcp_port: int
) -> None:
    await floor.tell(requested(task=task_id(920), lane="scripted"))
    await nats_server.stop()
    process = await floor.start_process(health_port=unused_tcp_port)
    assert await eventually(lambda: _status(unused_tcp_port, "readyz"), PATIENCE_S) == 503
    assert _status(unused_tcp_port, "healthz") == 200

    await nats_server.restart()

    await eventually(lambda: _status(unused_tcp_port, "readyz") == 200, PATIENCE_S)
    assert isinstance(await floor.ended(task_id(920)), Completed)
    terminate(process)
    assert await ended_with(process) == 0


async def test_a_generator_stops_although_the_broker_is_gone(
    floor: Floor, nats_server: Server
) -> None:
    process = await floor.start_process()
    task = await floor.ask(until="never")
    await floor.told(task, "progressed")

    await nats_server.kill()
    terminate(process)

    assert await ended_with(process) == 0


async def test_a_generator_that_never_met_a_broker_stops_when_asked(
    floor: Floor, nats_server: Server, unused_tcp_port: int
) -> None:
    await nats_server.kill()
    process = await floor.start_process(health_port=unused_tcp_port)
    await eventually(lambda: _status(unused_tcp_port, "healthz"), PATIENCE_S)

    terminate(process)

    assert await ended_with(process) == 0


def _status(port: int, path: str) -> int:
    """The status of an answer; 0 for none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as problem:
        problem.close()
        return problem.code
    except OSError:
        return 0
