"""Nobody heard whether a job was taken: it is looked for, and never paid for twice unasked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from builders import NOON, annotated, cancelled, requested, started, submitting, task_id
from contracts.breaker import BreakerState
from contracts.events import Completed, Event, Failed, MetadataAnnotated, Submitting
from generator.attempts import unknown_submit, unreadable
from generator.provider import Job, Offer, Submitted
from integration.generator.floor import Floor
from integration.generator.scripted_provider import ScriptedFinding
from integration.generator.test_circuit_breaker import breaker
from servers import eventually

FINDING = ScriptedFinding.name
REMOTE = "scripted-remote"
DOUBT = {"provider": FINDING.upper()}


def calls(floor: Floor, task: str) -> list[str]:
    return [call for call, _ in floor.stage.calls(task)]


async def doubts(floor: Floor, task: str) -> list[Any]:
    """What the owner was told, in order, about whether the task was taken."""
    events = await floor.events(task)
    patches = [each.data.patch for each in events if isinstance(each, MetadataAnnotated)]
    return [patch["submit_unknown"] for patch in patches]


async def keys(floor: Floor, task: str) -> list[str]:
    return [each.data.key for each in await floor.events(task) if isinstance(each, Submitting)]


def says_that_it_is_unknown(end: Event, attempts: int, lane: str = FINDING) -> bool:
    return isinstance(end, Failed) and end.data.error == unknown_submit(lane, attempts).error


async def test_a_job_whose_answer_was_lost_is_found_and_followed(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=FINDING, unheard=1)

    end = await floor.ended(task)

    assert isinstance(end, Completed)
    assert end.data.external_task_id == f"job-{task}-1"
    assert calls(floor, task) == ["submit", "find", "follow"]
    assert await keys(floor, task) == [f"{task}:1"]


async def test_what_was_found_is_on_the_log_before_it_is_followed(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=FINDING, unheard=1, until="go")
    await floor.followed(task, attempt=2)

    row = await floor.task(task)
    floor.stage.release("go")

    assert (row.external_task_id, row.handle) == (f"job-{task}-1", {"file": f"job-{task}-1"})
    assert (await floor.ended(task)).type == "generation.completed"


async def test_a_job_that_certainly_was_not_taken_is_submitted_under_a_new_key(
    floor: Floor,
) -> None:
    await floor.start()
    task = await floor.ask(lane=FINDING, unreached=1)

    end = await floor.ended(task)

    assert isinstance(end, Completed)
    assert calls(floor, task) == ["submit", "find", "submit", "follow"]
    assert await keys(floor, task) == [f"{task}:1", f"{task}:2"]
    assert end.data.external_task_id == f"job-{task}-2"


async def test_where_the_answer_tells_nothing_the_task_fails_and_says_so(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=FINDING, unheard=1, find_unknown=True)

    assert says_that_it_is_unknown(await floor.ended(task), attempts=2)
    assert calls(floor, task) == ["submit", "find"]


async def test_where_the_answer_tells_nothing_it_is_submitted_again_by_policy(
    floor: Floor,
) -> None:
    await floor.start(submit_unknown="resubmit")
    task = await floor.ask(lane=FINDING, unheard=1, find_unknown=True)

    assert isinstance(await floor.ended(task), Completed)
    assert calls(floor, task) == ["submit", "find", "submit", "follow"]
    assert await doubts(floor, task) == [DOUBT, None]


@pytest.mark.parametrize(
    ("policy", "asked"), [("fail", ["submit"]), ("resubmit", ["submit", "submit", "follow"])]
)
async def test_a_service_that_can_not_be_asked_gets_it_again_by_policy_alone(
    floor: Floor, policy: str, asked: list[str]
) -> None:
    await floor.start(submit_unknown=policy)
    task = await floor.ask(lane=REMOTE, unheard=1)

    end = await floor.ended(task)

    assert calls(floor, task) == asked
    if policy == "fail":
        assert says_that_it_is_unknown(end, attempts=1, lane=REMOTE)
    else:
        assert isinstance(end, Completed)


async def test_the_owner_is_told_while_it_is_found_out_and_that_it_was(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=FINDING, unheard=1, find_until="asked", until="go")
    await eventually(lambda: "find" in calls(floor, task), 60)
    meanwhile = (await floor.task(task)).metadata
    floor.stage.release("asked")
    await floor.followed(task, attempt=2)
    found = (await floor.task(task)).metadata
    floor.stage.release("go")
    await floor.ended(task)

    assert meanwhile == {"submit_unknown": DOUBT}
    assert found == {}


async def test_a_service_that_can_not_be_asked_now_is_asked_later(floor: Floor) -> None:
    floor.stage.release("down")
    await floor.start(provider_attempts=50)
    task = await floor.ask(lane=FINDING, unheard=1, find_down="down")
    await eventually(lambda: calls(floor, task).count("find") >= 3, 60)
    floor.stage.withdraw("down")

    assert isinstance(await floor.ended(task), Completed)
    assert calls(floor, task).count("submit") == 1
    assert await doubts(floor, task) == [DOUBT, None]
    assert "retrying" not in await floor.story(task)


async def test_who_can_not_be_asked_until_the_tries_are_over_leaves_it_unknown(
    floor: Floor,
) -> None:
    floor.stage.release("down")
    await floor.start(provider_attempts=3)
    task = await floor.ask(lane=FINDING, unheard=1, find_down="down")

    assert says_that_it_is_unknown(await floor.ended(task), attempts=3)
    assert calls(floor, task) == ["submit", "find", "find"]


async def test_a_breaker_that_stays_open_costs_what_is_looked_for_no_try(floor: Floor) -> None:
    floor.stage.release("down")
    await floor.start(provider_attempts=3, breaker_threshold=2, breaker_cooldown_s=0.05)
    task = await floor.ask(lane=FINDING, unheard=1, find_down="down")

    async def tried_often() -> bool:
        return (await breaker(floor, FINDING)).failures >= 6

    await eventually(tried_often, 30)
    floor.stage.withdraw("down")

    assert isinstance(await floor.ended(task), Completed)
    assert calls(floor, task).count("submit") == 1
    assert (await breaker(floor, FINDING)).state is BreakerState.CLOSED


async def test_a_provider_that_breaks_while_it_looks_submits_nothing_again(floor: Floor) -> None:
    await floor.start()
    task = await floor.ask(lane=FINDING, unheard=1, find_breaks=2)

    assert isinstance(await floor.ended(task), Completed)
    assert calls(floor, task) == ["submit", "find", "find", "follow"]


class Careless(ScriptedFinding):
    """Says of a job that it was given what no log can keep, and so of one that it finds, twice."""

    def __init__(self, floor: Floor, said: Any, key_lasts_s: float | None = None) -> None:
        super().__init__(floor.stage.folder)
        self.offers = {"CREATE": Offer({"type": "object"}, "Careless", key_lasts_s=key_lasts_s)}
        self._said, self._found = said, 0

    async def submit(self, job: Job, key: str) -> Submitted:
        await super().submit(job, key)
        said: Submitted = self._said
        return said

    async def find(self, job: Job, key: str) -> Submitted | None:
        self._found += 1
        right = await super().find(job, key)
        said: Submitted | None = self._said
        return said if self._found <= 2 else right


NO_TEXT: Any = 4711
UNTELLABLE = {
    "an id that is no text": Submitted(NO_TEXT, {"file": "job"}),
    "a handle that is no JSON": Submitted("job", {"file": "job", "client": object()}),
    "a handle that is no text": Submitted("job", {"file": "job", "name": "\ud800"}),
    "a handle that is no object": Submitted("job", ["job"]),  # type: ignore[arg-type]
    "nothing": None,
}


@pytest.mark.parametrize("what", UNTELLABLE)
async def test_a_job_of_which_its_provider_says_what_can_not_be_told_is_not_submitted_again(
    floor: Floor, what: str
) -> None:
    said = UNTELLABLE[what]
    await floor.start([Careless(floor, said, key_lasts_s=3600)], submit_unknown="resubmit")
    task = await floor.ask(lane=FINDING)

    end = await floor.ended(task)
    await floor.acknowledged(FINDING)

    assert isinstance(end, Failed)
    assert end.data.error == unreadable(FINDING, 1).error
    assert await floor.story(task) == ["requested", "started", "submitting", "failed"]
    can_be_cancelled = what not in ("a handle that is no object", "nothing")
    await eventually(lambda: floor.held() == set())
    assert calls(floor, task) == ["submit", *["cancel"] * can_be_cancelled]
    assert (await breaker(floor, FINDING)).failures == 0


async def test_what_can_not_be_told_of_a_job_that_was_found_submits_nothing_again(
    floor: Floor,
) -> None:
    careless = Careless(floor, UNTELLABLE["an id that is no text"])
    await floor.start([careless], provider_attempts=5)
    task = await floor.ask(lane=FINDING, unheard=1)

    assert isinstance(await floor.ended(task), Completed)
    assert calls(floor, task) == ["submit", "find", "find", "find", "follow"]


async def test_a_job_that_was_taken_when_its_generator_was_killed_is_found(floor: Floor) -> None:
    process = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=FINDING, submit_until="never", find_until="asked", until="go")
    await eventually(lambda: calls(floor, task) == ["submit"], 60)
    process.kill()
    await process.wait()
    # The service had taken it; the answer would have come next.
    floor.stage.release(f"job-{task}-1")

    await floor.start(lease_s=1)
    await eventually(lambda: "find" in calls(floor, task), 30)
    meanwhile = (await floor.task(task)).metadata
    floor.stage.release("asked")
    await floor.followed(task, attempt=2)
    found = (await floor.task(task)).metadata
    floor.stage.release("go")

    assert isinstance(await floor.ended(task), Completed)
    assert calls(floor, task) == ["submit", "find", "follow"]
    assert (meanwhile, found) == ({"submit_unknown": DOUBT}, {})


async def test_a_generator_that_is_killed_while_it_looks_is_followed_by_one_that_finds(
    floor: Floor,
) -> None:
    process = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=FINDING, unheard=1, find_until="asked")
    await eventually(lambda: "find" in calls(floor, task), 60)
    process.kill()
    await process.wait()

    await floor.start(lease_s=1)
    floor.stage.release("asked")

    assert isinstance(await floor.ended(task), Completed)
    assert calls(floor, task) == ["submit", "find", "find", "follow"]
    assert await doubts(floor, task) == [DOUBT, None]


async def test_a_doubt_that_was_cleared_up_untold_is_cleared_up_by_who_resumes(
    floor: Floor,
) -> None:
    process = await floor.start_process(lease_s=1)
    task = await floor.ask(lane=FINDING, unheard=1, until="go")
    await floor.followed(task, attempt=2)
    process.kill()
    await process.wait()
    await floor.tell(annotated({"submit_unknown": DOUBT}, task=task))

    await floor.start(lease_s=1)
    floor.stage.release("go")

    assert isinstance(await floor.ended(task), Completed)
    assert calls(floor, task) == ["submit", "find", "follow", "resume", "follow"]
    assert (await floor.task(task)).metadata == {}


async def test_a_task_that_is_called_off_while_it_is_looked_for_submits_nothing(
    floor: Floor,
) -> None:
    await floor.start()
    task = await floor.ask(lane=FINDING, unreached=1, find_until="never")
    await eventually(lambda: "find" in calls(floor, task), 60)
    await floor.end(cancelled(task=task))
    await floor.acknowledged(FINDING)

    assert calls(floor, task) == ["submit", "find"]


async def test_a_replayed_request_of_a_task_that_may_have_been_taken_is_looked_for(
    floor: Floor,
) -> None:
    task = task_id(920)
    # Long enough ago that nobody waits for the answer any more.
    before = (datetime.now(UTC) - NOON).total_seconds() - 200
    await floor.tell(requested(task=task, lane=FINDING, provider_params={}))
    await floor.tell(started(task=task, provider=FINDING))
    await floor.tell(submitting(task=task, provider=FINDING, at=before))
    floor.stage.release(f"job-{task}-1")

    await floor.start()

    assert isinstance(await floor.ended(task), Completed)
    assert calls(floor, task) == ["find", "follow"]
