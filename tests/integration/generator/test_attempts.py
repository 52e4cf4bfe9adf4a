"""What fails is tried again, a bounded number of times, and the user is told why in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from anybytes import publish_bytes
from builders import requested, retrying, started, task_id
from contracts.events import Completed, Failed, FailedData, Retrying, RetryingData, TaskError
from contracts.lifecycle import BackingOff
from generator import outputs
from integration.generator.floor import Floor

RAIN = "It is raining on the servers."


async def test_a_flaky_provider_is_tried_until_it_works(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(fail_first=2)

    end = await floor.ended(task)

    assert isinstance(end, Completed)
    assert end.data.attempt == 3
    assert await floor.story(task) == [
        *("requested", "started", "retrying", "started", "retrying"),
        *("started", "progressed", "completed"),
    ]
    first = next(event for event in await floor.events(task) if isinstance(event, Retrying))
    error = TaskError(code="provider_error", message=RAIN, retryable=True, attempts=1)
    assert first.data == RetryingData(
        attempt=1, retry_at=first.data.retry_at, error=error, stage="queued"
    )
    await floor.acknowledged()


async def test_each_pause_is_longer_than_the_one_before(floor: Floor) -> None:
    await floor.start(retry_base_s=0.05, provider_attempts=4)
    task = await floor.ask(fail_first=9)

    await floor.ended(task)

    events = await floor.events(task)
    pauses = [
        (event.data.retry_at - event.time).total_seconds()
        for event in events
        if isinstance(event, Retrying)
    ]
    assert len(pauses) == 3
    assert all(later > 1.5 * earlier for earlier, later in pairwise(pauses))
    begun = [event.time for event in events if event.type == "generation.started"]
    rests = [event.data.retry_at for event in events if isinstance(event, Retrying)]
    assert all(start >= rest for start, rest in zip(begun[1:], rests, strict=True))


async def test_the_last_failure_ends_the_task_with_its_reason(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(fail_first=9)

    end = await floor.ended(task)

    assert isinstance(end, Failed)
    error = TaskError(code="provider_error", message=RAIN, retryable=True, attempts=3)
    assert end.data == FailedData(attempt=3, error=error)
    await floor.acknowledged()


async def test_what_a_provider_rejects_fails_at_once(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(reject="Not in this house.")

    end = await floor.ended(task)

    assert isinstance(end, Failed)
    error = TaskError(code="provider_rejected", message="Not in this house.", attempts=1)
    assert end.data == FailedData(attempt=1, error=error)
    assert await floor.story(task) == ["requested", "started", "failed"]


async def test_a_provider_that_breaks_tells_the_user_nothing_of_its_code(floor: Floor) -> None:
    await floor.start(provider_attempts=2)
    task = await floor.ask(**{"break": True})

    end = await floor.ended(task)

    assert isinstance(end, Failed)
    message = "Something went wrong here. Please try again."
    error = TaskError(code="internal", message=message, retryable=True, attempts=2)
    assert end.data == FailedData(attempt=2, error=error)


async def test_a_silent_provider_is_tried_again_then_fails_without_a_picture(floor: Floor) -> None:
    await floor.start(provider_timeout_s=0.1, provider_attempts=2)
    task = await floor.ask(hang=True)

    end = await floor.ended(task)

    assert isinstance(end, Failed)
    assert end.data.error == TaskError(
        code="provider_timeout",
        message="scripted did not answer within 0.1 s. Please try again.",
        retryable=True,
        attempts=2,
        params={"provider": "scripted", "seconds": 0.1},
    )
    assert await floor.story(task) == ["requested", "started", "retrying", "started", "failed"]
    assert [stored.key async for stored in floor.store.list("artifacts")] == []


async def test_a_result_that_can_not_be_saved_is_made_again(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "_PATIENCE_S", 0.0)
    await floor.start(provider_attempts=2)
    folder = floor.data_dir / "artifacts"
    folder.rmdir()
    folder.write_text("in the way")
    task = await floor.ask()

    end = await floor.ended(task)

    assert isinstance(end, Failed)
    message = "The result could not be saved. Please try again."
    error = TaskError(code="internal", message=message, retryable=True, attempts=2)
    assert end.data == FailedData(attempt=2, error=error)


async def test_a_task_that_rests_leaves_its_slot_to_another(floor: Floor) -> None:
    await floor.start(generator_concurrency=1, retry_base_s=60)
    resting = await floor.ask(fail_first=1)
    await floor.told(resting, "retrying")

    other = await floor.ask()

    assert isinstance(await floor.ended(other), Completed)
    assert isinstance((await floor.task(resting)).state, BackingOff)


async def test_a_request_delivered_too_early_waits_for_its_time(floor: Floor) -> None:
    task = task_id(900)
    retry_at = datetime.now(UTC) + timedelta(seconds=0.3)
    await floor.tell(requested(task=task, lane="scripted"))
    await floor.tell(started(task=task))
    await floor.tell(retrying(task=task, retry_at=retry_at))

    await floor.start()

    end = await floor.ended(task)
    assert isinstance(end, Completed)
    assert end.data.attempt == 2
    begun = [event for event in await floor.events(task) if event.type == "generation.started"]
    assert begun[-1].time >= retry_at


async def test_a_task_whose_workers_all_died_fails_and_says_so(floor: Floor) -> None:
    task = task_id(901)
    await floor.tell(requested(task=task, lane="scripted"))
    for attempt in (1, 2, 3):
        await floor.tell(started(attempt, task=task))

    await floor.start()

    end = await floor.ended(task)
    assert isinstance(end, Failed)
    assert end.data.attempt == 3
    assert end.data.error == TaskError(
        code="internal",
        message="The work of scripted on this task was interrupted 3 times. Please try again.",
        retryable=True,
        attempts=3,
        params={"provider": "scripted", "times": 3},
    )
    assert floor.stage.calls(task) == []


async def test_a_request_of_a_finished_task_is_dropped(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask()
    await floor.ended(task)
    await floor.acknowledged()
    before = await floor.story(task)

    await floor.client.jetstream().delete_consumer("GENERATION", "generator-create-scripted")
    await floor.acknowledged()

    assert await floor.story(task) == before
    assert floor.stage.calls(task) == [("follow", 1)]


async def test_what_is_no_request_stands_in_nobodys_way(floor: Floor) -> None:
    await floor.start(generator_concurrency=1)
    jetstream = floor.client.jetstream()
    poison = f"generation.requested.create.scripted.{task_id(902)}"
    await jetstream.publish(poison, b"\x00 not json")
    no_text = b"Nats-Msg-Id: \xff\r\nDarkroom-Logtime: \xff\r\n"
    await publish_bytes(floor.client, b"generation.requested.create.scripted.\xff", b"{}", no_text)
    other = started(task=task_id(903)).model_dump_json().encode()
    await jetstream.publish(f"generation.requested.create.scripted.{task_id(903)}", other)

    task = await floor.ask()

    assert isinstance(await floor.ended(task), Completed)
    await floor.acknowledged()
