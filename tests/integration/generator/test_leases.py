"""A lease is held for as long as the work lasts, through whatever happens to the broker."""

from __future__ import annotations

import asyncio
import json

import pytest
from nats.js.errors import NotFoundError

from builders import cancelled
from contracts.events import Completed, Failed
from contracts.subjects import finished_subject
from integration.delivery.line import line_to
from integration.generator.floor import Floor
from servers import Server, eventually


async def test_heartbeats_hold_the_lease_while_work_outlasts_it(floor: Floor) -> None:
    first = await floor.start(lease_s=0.3)
    await floor.start(lease_s=0.3)
    task = await floor.ask(until="done")
    await floor.told(task, "progressed")
    assert first.parts is not None
    beats = [generator.parts.heartbeat for generator in floor.generators if generator.parts]
    seen = beats[0].beaten_at

    # Three leases' worth of heartbeats, each a third of a lease apart.
    await eventually(lambda: beats[0].beaten_at - seen > 3 * 0.3)
    floor.stage.release("done")

    assert isinstance(await floor.ended(task), Completed)
    assert (await floor.story(task)).count("started") == 1
    await floor.acknowledged()


async def test_a_thousand_leases_are_held_while_the_broker_answers_nothing(
    floor: Floor, nats_server: Server
) -> None:
    lease_s = 2.0
    async with line_to(nats_server.url) as line:
        far = await floor.start(nats_url=line.url, lease_s=lease_s)
        parts = far.parts
        assert parts is not None
        for _ in range(10):
            await asyncio.gather(
                *(floor.ask(lane="scripted-remote", hang=True) for _ in range(100))
            )
        await eventually(lambda: floor.stage.count("follow") == 1000, 60)
        near = await floor.start(lease_s=lease_s)
        assert near.parts is not None

        line.deafen()
        beaten_at = parts.heartbeat.beaten_at
        await eventually(lambda: parts.heartbeat.beaten_at - beaten_at > 3 * lease_s, 60)

        assert len(parts.lanes.works) == 1000
        assert near.parts.lanes.works == {}
        line.cut()


async def test_a_deleted_consumer_comes_back_and_nothing_is_worked_on_twice(floor: Floor) -> None:
    await floor.start()
    held = await floor.ask(until="done")
    await floor.told(held, "progressed")

    await floor.client.jetstream().delete_consumer("GENERATION", "generator-create-scripted")
    task = await floor.ask()

    assert isinstance(await floor.ended(task), Completed)
    floor.stage.release("done")
    assert isinstance(await floor.ended(held), Completed)
    assert floor.stage.calls(held) == [("follow", 1)]
    await floor.acknowledged()


async def test_a_submit_of_another_generator_is_left_to_it_though_the_consumer_was_deleted(
    floor: Floor,
) -> None:
    generators = [await floor.start(), await floor.start()]
    works = [each.parts.lanes.works for each in generators if each.parts]
    tasks = [
        await floor.ask(lane="scripted-remote", submit_until="taken", until="go") for _ in range(6)
    ]
    for task in tasks:
        await eventually(lambda of=task: ("submit", 1) in floor.stage.calls(of))
    jetstream = floor.client.jetstream()
    await jetstream.delete_consumer("GENERATION", "generator-create-scripted-remote")

    async def handed_out_again() -> bool:
        try:
            seen = await jetstream.consumer_info("GENERATION", "generator-create-scripted-remote")
        except NotFoundError:
            return False
        assert seen.delivered is not None
        decided = all(work.attempt is not None for held in works for work in held.values())
        return decided and seen.delivered.consumer_seq >= len(tasks)

    await eventually(handed_out_again, 60)
    floor.stage.release("taken")
    floor.stage.release("go")

    assert {type(await floor.ended(task)) for task in tasks} == {Completed}
    # A job whose handle is on the log may be gone on with by either of them.
    submits = [[call for call in floor.stage.calls(task) if call[0] == "submit"] for task in tasks]
    assert submits == [[("submit", 1)]] * len(tasks)


@pytest.mark.parametrize("nats_sync", ["always"])
async def test_work_survives_a_restart_of_the_broker(floor: Floor, nats_server: Server) -> None:
    await floor.start(lease_s=1)
    task = await floor.ask(until="done")
    waiting = await floor.ask(lane="scripted-remote", until="done")
    await floor.told(task, "progressed")
    await floor.told(waiting, "started")

    await nats_server.kill()
    await nats_server.restart()
    floor.stage.release("done")

    assert isinstance(await floor.ended(task), Completed)
    assert isinstance(await floor.ended(waiting), Completed)
    assert floor.stage.calls(waiting)[:2] == [("submit", 1), ("follow", 1)]
    after = await floor.ask()
    assert isinstance(await floor.ended(after), Completed)
    await floor.acknowledged()


@pytest.mark.parametrize("nats_sync", ["always"])
async def test_an_end_told_while_the_broker_is_away_arrives(
    floor: Floor, nats_server: Server
) -> None:
    await floor.start()
    task = await floor.ask(until="done", outputs=2)
    await floor.told(task, "progressed")

    await nats_server.kill()
    floor.stage.release("done")
    await eventually(lambda: list((floor.data_dir / "artifacts").rglob("*.png")))
    await nats_server.restart()

    end = await floor.ended(task)
    assert isinstance(end, Completed)
    assert end.data.attempt == 1
    assert len(end.data.artifacts) == 2


async def test_two_workers_on_one_task_make_one_end(floor: Floor) -> None:
    # The second shortens the lease below the first one's heartbeat: the task comes to both.
    await floor.start(lease_s=30)
    task = await floor.ask(until="done")
    await floor.told(task, "progressed")
    await floor.start(lease_s=0.3)
    await floor.told(task, "started", times=2)

    floor.stage.release("done")

    end = await floor.ended(task)
    await floor.acknowledged()
    await eventually(lambda: floor.held() == set())
    assert isinstance(end, Completed)
    assert (await floor.story(task)).count("completed") == 1
    kept = [stored.key async for stored in floor.store.list("artifacts")]
    assert kept == [artifact.key for artifact in end.data.artifacts]


async def test_a_worker_that_lost_its_task_tells_no_failure_of_it(floor: Floor) -> None:
    slow = await floor.start(lease_s=30, provider_timeout_s=1.5)
    task = await floor.ask(until="done")
    await floor.told(task, "progressed")
    await floor.start(lease_s=0.3)
    await floor.told(task, "started", times=2)

    # The first one's time runs out while the second works.
    parts = slow.parts
    assert parts is not None
    await eventually(lambda: task not in parts.lanes.works)
    floor.stage.release("done")

    end = await floor.ended(task)
    assert isinstance(end, Completed)
    assert end.data.attempt == 2
    assert "retrying" not in await floor.story(task)


async def test_a_late_acknowledgement_takes_nothing_from_who_holds_the_task(floor: Floor) -> None:
    await floor.start(lease_s=30)
    task = await floor.ask(until="done", until_2="never")
    await floor.told(task, "progressed")
    await floor.start(lease_s=0.3)
    await floor.told(task, "started", times=2)

    # The first, whose lease is gone, ends the task and acknowledges; the second sees the end.
    floor.stage.release("done")

    end = await floor.ended(task)
    assert isinstance(end, Completed)
    assert end.data.attempt == 1
    await eventually(lambda: floor.held() == set())
    await floor.acknowledged()


async def test_an_end_told_by_another_wins_over_the_result(floor: Floor) -> None:
    generator = await floor.start()
    task = await floor.ask(until="done")
    await floor.told(task, "progressed")
    await floor.tell(cancelled(task=task))  # nobody says so to the worker

    floor.stage.release("done")

    await floor.acknowledged()
    assert generator.exit_code == 0
    assert not isinstance(await floor.ended(task), Completed | Failed)
    assert [stored.key async for stored in floor.store.list("artifacts")] == []


async def test_a_result_loses_to_an_end_that_only_a_newer_version_can_read(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(until="done")
    await floor.told(task, "progressed")
    await _end_in_other_words(floor, task)

    floor.stage.release("done")

    await floor.acknowledged()
    assert await _types(floor, task) == ["requested", "started", "progressed", "archived"]
    assert floor.stage.calls(task) == [("follow", 1)]
    assert len([stored async for stored in floor.store.list("artifacts")]) == 1


async def test_a_failure_after_an_end_of_a_newer_version_is_not_tried_again(floor: Floor) -> None:
    lane = "scripted-remote"
    await floor.start()
    task = await floor.ask(lane=lane, submit_until="answered", refuse_first=1)
    await eventually(lambda: ("submit", 1) in floor.stage.calls(task))
    await _end_in_other_words(floor, task)

    floor.stage.release("answered")

    await floor.acknowledged(lane)
    assert await _types(floor, task) == ["requested", "started", "submitting", "archived"]
    assert floor.stage.calls(task) == [("submit", 1)]


async def _end_in_other_words(floor: Floor, task: str) -> None:
    newer = cancelled(task=task).model_dump(mode="json") | {"type": "generation.archived"}
    subject = finished_subject("CREATE", task)
    await floor.client.jetstream().publish(subject, json.dumps(newer).encode())


async def _types(floor: Floor, task: str) -> list[str]:
    """What was told, the progress of saving left out."""
    told = [json.loads(message.payload) for message in await floor.log.history(task)]
    return [
        event["type"].removeprefix("generation.")
        for event in told
        if event["data"].get("stage") != "saving"
    ]
