"""A task that has ended is not worked on: here, and at the provider."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from artifacts.store import ArtifactStore
from builders import cancelled, timed_out
from contracts.events import Cancelled, Completed
from delivery.ends import Won, publish_start
from generator import worker
from generator.provider import Job, Submitted
from integration.generator.floor import Floor
from integration.generator.scripted_provider import ScriptedRemote
from servers import eventually

REMOTE = "scripted-remote"


async def test_a_cancelled_task_is_stopped_and_its_request_acknowledged(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(until="never")
    await floor.told(task, "progressed")

    assert isinstance(await floor.end(cancelled(task=task)), Won)

    await eventually(lambda: ("stopped", 1) in floor.stage.calls(task))
    await floor.acknowledged()
    assert (await floor.story(task))[-1] == "cancelled"


async def test_a_cancelled_task_is_cancelled_at_its_provider(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane="scripted-remote", until="never")
    await eventually(lambda: ("follow", 1) in floor.stage.calls(task))

    await floor.end(cancelled(task=task))

    await eventually(lambda: ("cancel", 1) in floor.stage.calls(task))
    await floor.acknowledged("scripted-remote")
    calls = [("submit", 1), ("follow", 1), ("stopped", 1), ("cancel", 1)]
    assert floor.stage.calls(task) == calls


async def test_a_task_cancelled_in_line_never_starts(floor: Floor) -> None:
    task = await floor.ask()
    await floor.end(cancelled(task=task))

    await floor.start()

    await floor.acknowledged()
    assert await floor.story(task) == ["requested", "cancelled"]
    assert floor.stage.calls(task) == []


async def test_a_task_cancelled_while_it_waits_for_a_slot_never_starts(floor: Floor) -> None:
    generator = await floor.start(remote_concurrency=1)
    parts = generator.parts
    assert parts is not None
    first = await floor.ask(lane="scripted-remote", until="first")
    await floor.told(first, "started")
    # One more lease than there are slots: what a second lane of the pool brings in.
    waiting = await floor.ask(lane="scripted-remote")
    for consumer in parts.lanes.consumers:
        consumer._room = lambda: 1  # noqa: SLF001
        consumer.wake()
    await eventually(lambda: waiting in parts.lanes.works)

    await floor.end(cancelled(task=waiting))

    await eventually(lambda: waiting not in parts.lanes.works)
    floor.stage.release("first")
    assert isinstance(await floor.ended(first), Completed)
    await floor.acknowledged("scripted-remote")
    assert await floor.story(waiting) == ["requested", "cancelled"]


async def test_a_heartbeat_finds_an_end_that_nobody_told_the_worker_of(floor: Floor) -> None:
    await floor.start(lease_s=0.3)
    task = await floor.ask(until="never")
    await floor.told(task, "progressed")

    await floor.tell(timed_out(task=task))

    await eventually(lambda: ("stopped", 1) in floor.stage.calls(task))
    await floor.acknowledged()


async def test_what_a_cancelled_task_had_saved_already_is_removed(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = ArtifactStore.put
    saving = asyncio.Event()

    async def slow(store: ArtifactStore, key: str, content: bytes, content_type: str) -> str:
        if content.endswith(b" 1"):
            saving.set()
            await asyncio.Event().wait()
        return await put(store, key, content, content_type)

    async def saved() -> int:
        return len([each async for each in floor.store.list("artifacts")])

    monkeypatch.setattr(ArtifactStore, "put", slow)
    await floor.start()
    task = await floor.ask(outputs=2)
    await asyncio.wait_for(saving.wait(), 30)
    assert await saved() == 1

    await floor.end(cancelled(task=task))

    await floor.acknowledged()
    assert await saved() == 0


async def test_a_cancel_without_an_end_on_the_log_stops_nothing(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(until="done")
    await floor.told(task, "progressed")

    await floor.client.publish(f"cancel.{task}")
    await floor.client.flush()
    floor.stage.release("done")

    assert isinstance(await floor.ended(task), Completed)


async def test_a_cancel_in_the_middle_of_a_submit_reaches_the_job(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane="scripted-remote", submit_until="answered", until="never")
    await eventually(lambda: ("submit", 1) in floor.stage.calls(task))

    end = await floor.end(cancelled(task=task))
    assert isinstance(end, Won)
    await eventually(lambda: floor.stopping(task))
    floor.stage.release("answered")

    await eventually(lambda: ("cancel", 1) in floor.stage.calls(task))
    await floor.acknowledged("scripted-remote")
    assert isinstance(await floor.ended(task), Cancelled)


async def test_a_request_is_kept_until_the_job_of_its_failed_task_is_stopped(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = ScriptedRemote.cancel

    async def slow(provider: ScriptedRemote, job: Job, submitted: Submitted) -> None:
        provider.stage.note("is asked to stop", job)
        await provider.stage.released("stopped")
        await cancel(provider, job, submitted)

    monkeypatch.setattr(ScriptedRemote, "cancel", slow)
    await floor.start()
    task = await floor.ask(lane=REMOTE, reject="Not this one.")
    await floor.ended(task)
    await eventually(lambda: ("is asked to stop", 1) in floor.stage.calls(task))

    consumer = f"generator-create-{REMOTE}"
    kept = await floor.client.jetstream().consumer_info("GENERATION", consumer)
    floor.stage.release("stopped")

    assert kept.num_ack_pending == 1
    await called_off(floor, task)


async def called_off(floor: Floor, task: str) -> None:
    """Wait until the provider was told, and the request is acknowledged."""
    await eventually(lambda: "cancel" in [call for call, _ in floor.stage.calls(task)], 30)
    await floor.acknowledged(REMOTE)
    assert not floor.stage.is_released(f"job-{task}-1")
    assert floor.stage.count("submit") == 1


async def test_a_cancel_between_two_attempts_reaches_the_job(floor: Floor) -> None:
    await floor.start(retry_base_s=1)
    task = await floor.ask(lane=REMOTE, fail_first=1, until="never")
    await floor.told(task, "retrying")

    await floor.end(cancelled(task=task))

    await called_off(floor, task)
    assert floor.stage.count("follow") == 1


async def test_a_cancel_after_the_worker_was_killed_reaches_the_job(floor: Floor) -> None:
    process = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=REMOTE, until="never")
    await floor.followed(task)
    process.kill()
    await process.wait()
    await floor.end(cancelled(task=task))

    await floor.start(lease_s=1)

    await called_off(floor, task)


async def test_a_cancel_while_the_next_attempt_waits_for_a_place_reaches_the_job(
    floor: Floor,
) -> None:
    task = await floor.ask_in_line(until="never")

    await floor.end(cancelled(task=task))

    await called_off(floor, task)
    assert floor.stage.count("resume") == 0


async def test_a_cancel_just_before_the_next_attempt_starts_reaches_the_job(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled_first(*told: Any) -> Any:
        if told[2].data.attempt == 2:
            await floor.tell(cancelled(task=told[2].task_id))
        return await publish_start(*told)

    monkeypatch.setattr(worker, "publish_start", cancelled_first)
    await floor.start()
    task = await floor.ask(lane=REMOTE, fail_first=1, until="never")

    await called_off(floor, task)


async def test_the_job_of_an_attempt_that_failed_after_its_task_was_cancelled_is_stopped(
    floor: Floor,
) -> None:
    await floor.start()
    task = await floor.ask(lane=REMOTE, fail_first=1, submit_until="taken")
    await eventually(lambda: ("submit", 1) in floor.stage.calls(task))
    await floor.tell(cancelled(task=task))
    floor.stage.release("taken")

    await called_off(floor, task)
