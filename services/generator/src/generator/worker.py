"""One request from lease to outcome: read the log, start, pursue, save, tell the end."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import assert_never

from pydantic import ValidationError

from artifacts.store import ArtifactStore, StoreUnavailable
from contracts.events import (
    Artifact,
    Completed,
    End,
    Erased,
    Event,
    Requested,
    TimedOut,
    decode,
)
from contracts.subjects import finished_subject
from delivery.ends import Lost, publish_end, publish_first_start, publish_start
from delivery.log import LogReader, LogUnavailable
from delivery.publisher import LastSequence, Publisher, WrongLastSequence
from delivery.spans import message_attributes
from generator.attempts import (
    LONGEST_PAUSE_S,
    NOT_SAVED,
    AwaitLate,
    Decision,
    Drop,
    Fail,
    Failure,
    Fault,
    Find,
    GiveUp,
    Policy,
    Repeat,
    Resume,
    Retry,
    Start,
    WaitUntil,
    after,
    broken,
    decide,
    past_of,
    spared,
    turned_away,
)
from generator.detours import Detours
from generator.door import Door, WhileOpen
from generator.facts import Facts, now
from generator.history import is_untouched, read_task
from generator.hooks import Hooks
from generator.inputs import Inputs
from generator.metrics import LEASE_EXPIRIES, PARKED, RETRIES, attempts
from generator.outputs import delete_parts, discard, keep_part, parts_of, store_outputs
from generator.pace import resting_stage, saving_stages, starting_stage
from generator.provider import Callback, Job, Output, Submitted
from generator.pursuit import DOUBT, FAULTS, AttemptFailed, Leaving, Pursuit
from generator.work import Attempt, Lane, Stop, Work
from telemetry.logs import get_logger
from telemetry.tracing import Kind, current_traceparent, span

_log = get_logger(__name__)

_HAND_BACK_S = 0.2
_FAULT_PAUSE_S = 5.0
_LONGEST_FAULT_PAUSE_S = 60.0
_HAND_OVER_S = 0.8
_CANCEL_S = 10.0
_BUSY_S = 5.0
_LEAST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_LEAST_JITTER, _MOST_JITTER = 1.0, 1.25


class Worker:
    """What all tasks of a process are worked on with. ``name`` is unique to its start."""

    def __init__(
        self,
        name: str,
        publisher: Publisher,
        log: LogReader,
        store: ArtifactStore,
        inputs: Inputs,
        pursuit: Pursuit,
        policy: Policy,
        door: Door,
        detours: Detours,
        hooks: Hooks,
    ) -> None:
        self._name = name
        self._publisher = publisher
        self._log = log
        self._store = store
        self._inputs = inputs
        self._pursuit = pursuit
        self._policy = policy
        self._door = door
        self._detours = detours
        self._hooks = hooks

    async def work_on(self, work: Work) -> None:
        """Bring a request to an outcome, or leave it to a later delivery. Never raises."""
        work.begun = True
        try:
            if work.stop is None:
                await self._serve(work)
            else:
                await self._stopped(work)
        except (asyncio.CancelledError, Leaving):
            await self._stopped(work)
        except (LogUnavailable, *FAULTS) as fault:
            # Neither outcome nor acknowledgement: the request comes again.
            self._tell("the bus failed; left to a later delivery", work, reason=repr(fault))
            self._count(work, "left")
            await work.lease.give_back(_FAULT_PAUSE_S)
        except Exception:  # noqa: BLE001 - a request is never lost to a bug
            _log.exception("the worker failed; left to a later delivery", **_ids(work))
            self._count(work, "left")
            pause = min(_FAULT_PAUSE_S * work.lease.delivered, _LONGEST_FAULT_PAUSE_S)
            await work.lease.give_back(pause)
        finally:
            self._hooks.close(work.lease.task_id)

    async def _serve(self, work: Work) -> None:
        request = _read(work)
        if request is None:
            PARKED.labels(work.lane.name).inc()
            await work.lease.done()
            return
        work.request = request
        attributes = {
            **message_attributes(work.lease.subject, request.id, "process"),
            "messaging.consumer.group.name": work.lease.consumer,
            "darkroom.provider": work.lane.name,
        }
        producer = request.traceparent
        with span(
            f"process {request.type}",
            Kind.CONSUMER,
            producer,
            links=() if producer is None else (producer,),
            attributes=attributes,
        ):
            await self._serve_request(work, request)

    async def _serve_request(self, work: Work, request: Requested) -> None:
        is_open = self._door.is_open_for(work)
        if work.single_broker and work.lease.delivered == 1 and is_open:
            attempt = self._attempt(work, request, 1)
            started = attempt.facts.started(attempt.stage)
            if await publish_first_start(self._publisher, self._log, started):
                await self._pursue(work, request, attempt, Start(1))
                return
            work.attempt = None
        decision = await self._decide(work, request)
        match decision:
            case Drop():
                await work.lease.done()
            case WaitUntil(retry_at):
                delay = max(0.0, (retry_at - now()).total_seconds())
                await work.lease.give_back(delay)
            case GiveUp(number, error, submitted):
                attempt = self._attempt(work, request, number)
                attempt.submitted = submitted
                await self._fail(work, attempt, Fail(error))
            case Start() if not is_open:
                await self._turn_away(work, request, decision)
            case Start() | Resume() | Find():
                await self._try(work, request, decision)
            case AwaitLate(number, submitted, until, reached):
                attempt = self._attempt(work, request, number, reached)
                attempt.submitted = submitted
                work.ending = True
                await self._await_late(work, attempt, until)
            case _:  # pragma: no cover
                assert_never(decision)

    async def _decide(self, work: Work, request: Requested) -> Decision:
        again = work.lease.delivered > 1
        # Delivered again, it may have gone to another provider, of which its own subject tells
        # nothing yet.
        gone_on = again and work.lane.is_elsewhere
        surely = again or work.lane.is_remote
        if not gone_on and await is_untouched(self._log, request, surely=surely):
            return Start(1)
        history = await read_task(self._log, request, work.lease)
        if history.ended and (history.task is None or not history.task.status.is_terminal):
            # By what nobody here can read.
            return Drop()
        work.doubted = history.task is not None and DOUBT in history.task.metadata
        if again and history.was_left:
            LEASE_EXPIRIES.labels(work.lane.name).inc()
        return decide(
            history.task,
            past_of(history.events),
            provider=work.lane.name,
            key_lasts_s=work.lane.offer.key_lasts_s,
            finds=work.lane.finds,
            policy=self._policy,
            now=now(),
        )

    def _attempt(
        self, work: Work, request: Requested, number: int, reached: str | None = None
    ) -> Attempt:
        lane, task_id = work.lane, request.subject
        stage = starting_stage(lane.kind, reached)
        job = Job(
            task_id=task_id,
            owner=request.owner,
            type=request.tasktype,
            prompt=request.data.prompt,
            reference_images=request.data.reference_images,
            params=request.data.provider_params,
            attempt=number,
            fetch=functools.partial(self._inputs.fetch, request.owner),
            stage=stage,
            save=functools.partial(keep_part, self._store, request.owner, task_id),
            callback_url=self._hooks.url(lane.name, task_id) if lane.is_elsewhere else None,
            called_back=self._called_back(lane, task_id),
        )
        facts = Facts(
            request,
            number,
            provider=work.lane.name,
            worker=self._name,
            traceparent=current_traceparent() or request.traceparent,
        )
        work.attempt = Attempt(job, facts, stage)
        return work.attempt

    def _called_back(
        self, lane: Lane, task_id: str
    ) -> Callable[[float], Awaitable[Callback | None]]:
        return self._hooks.open(lane.name, task_id).next if lane.is_elsewhere else _nobody_calls

    async def _try(self, work: Work, request: Requested, decision: Start | Resume | Find) -> None:
        attempt = self._attempt(work, request, decision.attempt, decision.reached)
        started = attempt.facts.started(attempt.stage)
        if isinstance(await publish_start(self._publisher, self._log, started), Lost):
            await work.lease.done()
            return
        await self._pursue(work, request, attempt, decision)

    async def _pursue(
        self, work: Work, request: Requested, attempt: Attempt, decision: Start | Resume | Find
    ) -> None:
        """The attempt has started: bring it to results and an end, or to another attempt."""
        lane = work.lane
        try:
            outputs = await self._pursuit.outputs(work, attempt, decision)
            artifacts = await self._save(lane, attempt, outputs)
        except AttemptFailed as failed:
            await self._failed(work, request, attempt, failed.failure)
            return
        await self._tell_breaker(work, Fault.REQUEST)
        external_id = attempt.submitted.external_task_id if attempt.submitted else None
        stage = lane.kind.working_stages[-1]
        completed = attempt.facts.completed(artifacts, stage, external_id)
        await self._end(work, completed, artifacts)

    async def _save(
        self, lane: Lane, attempt: Attempt, outputs: list[Output]
    ) -> tuple[Artifact, ...]:
        if not outputs:
            return ()
        for stage in saving_stages(lane.kind, attempt.stage):
            await self._pursuit.tell(attempt, attempt.percent, stage)
            attempt.stage = stage
        job = attempt.job
        try:
            return await store_outputs(
                self._store,
                outputs,
                owner=job.owner,
                task_id=job.task_id,
                attempt=job.attempt,
                begun=attempt.results,
            )
        except StoreUnavailable as fault:
            raise AttemptFailed(broken(attempt.number, NOT_SAVED)) from fault

    async def _failed(
        self, work: Work, request: Requested, attempt: Attempt, failure: Failure
    ) -> None:
        """Try again or fail, unless another worker has the task by now."""
        await self._tell_breaker(work, failure.fault, failure.retry_after_s)
        if work.probe and failure.fault is Fault.PROVIDER:
            failure = spared(failure)
        history = await read_task(self._log, request, work.lease)
        if history.ended or history.task is None:
            self._count(work, "ended")
            await work.lease.done()
            return
        if history.task.attempt > attempt.number:
            self._tell("another worker has the task", work)
            self._count(work, "superseded")
            work.lease.abandon()
            return
        jitter = random.uniform(_LEAST_JITTER, _MOST_JITTER)
        tries = attempt.number - past_of(history.events).spared
        verdict = after(failure, tries, self._policy, jitter)
        match verdict:
            case Retry(delay_s, error, is_spared):
                retry_at = now() + timedelta(seconds=delay_s)
                stage = resting_stage(work.lane.kind, attempt.stage)
                event = attempt.facts.retrying(retry_at, error, stage, spared=is_spared)
                await self._publisher.publish(event)
                if attempt.answer_told is not None:
                    attempt.answer_told.set()
                RETRIES.labels(work.lane.name, error.code).inc()
                self._count(work, "retried")
                self._tell("will be tried again", work, code=error.code, delay_s=round(delay_s, 3))
                await work.lease.give_back(max(0.0, (retry_at - now()).total_seconds()))
            case Repeat(delay_s, is_spared):
                if is_spared:
                    # What this tells is that the attempt doesn't count; it answers no submit.
                    await self._publisher.publish(attempt.facts.handed_over(attempt.percent))
                await self._pursuit.tell_doubt(work, attempt)
                self._count(work, "unanswered")
                self._tell("will be submitted again under its key", work, delay_s=round(delay_s, 3))
                await work.lease.give_back(delay_s)
            case Fail():
                await self._fail(work, attempt, verdict)
            case _:  # pragma: no cover
                assert_never(verdict)

    async def _turn_away(self, work: Work, request: Requested, decision: Start) -> None:
        """The provider's breaker is open, and the task is not to wait for it."""
        provider = work.lane.name
        if self._door.while_open is WhileOpen.FALLBACK and decision.key is None:
            history = await read_task(self._log, request, work.lease)
            if history.ended or await self._detours.reroute(work.lane, request, history.task):
                self._count(work, "rerouted")
                await work.lease.done()
                return
        until = self._door.blocked_until(provider)
        if self._door.while_open is WhileOpen.REJECT:
            number = decision.attempt - 1
            attempt = self._attempt(work, request, number, decision.reached)
            error = turned_away(provider, number, until, now())
            await self._fail(work, attempt, Fail(error))
            return
        left = 0.0 if until is None else (until - now()).total_seconds()
        await work.lease.give_back(min(max(left, _LEAST_WAIT_S), _LONGEST_WAIT_S))

    async def _tell_breaker(
        self, work: Work, fault: Fault, retry_after_s: float | None = None
    ) -> None:
        """What became of a call: its provider's breaker hears of it."""
        lane, breakers = work.lane, self._door.breakers
        if not lane.is_elsewhere:
            return
        match fault:
            case Fault.PROVIDER:
                work.tried = True
                await breakers.failed(lane.name, work.probe)
            case Fault.REQUEST:
                work.tried = True
                await breakers.succeeded(lane.name, work.probe)
            case Fault.BUSY:
                pause = _BUSY_S if retry_after_s is None else min(retry_after_s, LONGEST_PAUSE_S)
                await breakers.held(lane.name, now() + timedelta(seconds=pause))
            case Fault.OURS:
                pass
            case _:  # pragma: no cover
                assert_never(fault)

    async def _fail(self, work: Work, attempt: Attempt, verdict: Fail) -> None:
        self._tell("failed", work, code=verdict.error.code, reason=verdict.error.message)
        kind, stage = work.lane.kind, verdict.stage
        if stage is not None:
            for passed in kind.steps_to_failure(attempt.stage, stage):
                await self._pursuit.tell(attempt, attempt.percent, passed)
                attempt.stage = passed
        # A stage that the chart has no arrow to is none; the fold then finds the one that fits.
        stage = stage if stage is not None and kind.allows(attempt.stage, stage) else None
        end = attempt.facts.failed(verdict.error, stage)
        if verdict.error.code == "provider_timeout" and self._may_come_late(work, attempt):
            # Perhaps it was only slow: what it makes was paid for.
            await self._end(work, end, (), acknowledge=False)
            until = end.time + timedelta(seconds=self._policy.late_s)
            await self._await_late(work, attempt, until)
            return
        await self._end(work, end, ())
        await self._cancel(work.lane, attempt, attempt.submitted)

    async def _end(
        self, work: Work, end: End, artifacts: tuple[Artifact, ...], *, acknowledge: bool = True
    ) -> None:
        """Tell the end; acknowledge once the log has one, this or another."""
        work.ending = True
        told = await publish_end(self._publisher, self._log, end)
        if isinstance(told, Lost):
            self._count(work, "lost")
            if told.event is None:
                self._tell("results may be referred to; they stay in the store", work)
            else:
                await discard(self._store, artifacts, kept=_artifacts_of(told.event))
        else:
            self._count(work, "completed" if isinstance(end, Completed) else "failed")
        if acknowledge:
            await work.lease.done()
            await self._drop_parts(work)

    def _may_come_late(self, work: Work, attempt: Attempt) -> bool:
        """Whether a job is at a provider that may still bring it to an end."""
        is_there = work.lane.is_remote and attempt.submitted is not None
        return is_there and self._policy.late_s > 0

    async def _await_late(self, work: Work, attempt: Attempt, until: datetime) -> None:
        """Follow the job of a task that has timed out; what it makes is kept, and told.

        The lease is held: whoever takes the request over follows it on.
        """
        try:
            outputs = await self._pursuit.late_outputs(work.lane, attempt, until)
            if outputs:
                await self._tell_late(work, attempt, outputs)
            else:
                await self._cancel(work.lane, attempt, attempt.submitted)
        except asyncio.CancelledError:
            await work.lease.give_back(_HAND_BACK_S)
            raise
        await work.lease.done()
        await self._drop_parts(work)

    async def _tell_late(self, work: Work, attempt: Attempt, outputs: list[Output]) -> None:
        kind, task_id = work.lane.kind, attempt.job.task_id
        end = await self._log.last(finished_subject(kind.name, task_id))
        try:
            if end is None or isinstance(decode(end.payload), Erased):
                return
            artifacts = await store_outputs(
                self._store,
                outputs,
                owner=attempt.job.owner,
                task_id=task_id,
                attempt=attempt.number,
                begun=attempt.results,
            )
            # Never behind an erasure: its purge would miss it.
            unchanged = LastSequence(end.sequence, finished_subject(kind.name, task_id))
            await self._publisher.publish(attempt.facts.late_result(artifacts), expect=unchanged)
        except (WrongLastSequence, StoreUnavailable, ValidationError) as fault:
            self._tell("a late result can't be kept", work, reason=type(fault).__name__)
            await discard(self._store, attempt.results)
            return
        self._count(work, "late")
        self._tell("a result came late", work)

    async def _drop_parts(self, work: Work) -> None:
        """Nobody needs the intermediate files of a task that has ended."""
        attempt = work.attempt
        if attempt is not None and (keys := parts_of(attempt.submitted)):
            await delete_parts(self._store, keys)

    async def _stopped(self, work: Work) -> None:
        work.ending = True
        if work.stop is not Stop.ENDED:
            await self._leave(work)
            return
        self._tell("stopped: the task has ended", work)
        self._count(work, "ended")
        attempt = work.attempt
        if attempt is not None:
            attempt.submitted = await _answer(attempt)
            until = await self._late_until(work, attempt)
            if until is not None:
                await self._await_late(work, attempt, until)
                return
            await self._cancel(work.lane, attempt, attempt.submitted)
            await self._tidy_up(work, attempt)
        await work.lease.done()
        await self._drop_parts(work)

    async def _late_until(self, work: Work, attempt: Attempt) -> datetime | None:
        """Until when a result is waited for, of a task that ended by running out of time."""
        if not self._may_come_late(work, attempt):
            return None
        try:
            told = await self._log.last(finished_subject(work.lane.kind.name, work.lease.task_id))
            end = None if told is None else decode(told.payload)
        except (LogUnavailable, ValidationError):
            return None
        if not isinstance(end, TimedOut):
            return None
        return end.time + timedelta(seconds=self._policy.late_s)

    async def _leave(self, work: Work) -> None:
        """Hand the task over to another worker: no attempt has failed by that."""
        attempt = work.attempt
        if attempt is not None and work.lease.open:
            try:
                event = attempt.facts.handed_over(attempt.percent)
                await self._publisher.publish(event, budget_s=_HAND_OVER_S)
            except FAULTS as fault:
                self._tell("handed over untold; it counts as an attempt", work, reason=repr(fault))
        self._count(work, "drained")
        await work.lease.give_back(_HAND_BACK_S)

    async def _tidy_up(self, work: Work, attempt: Attempt) -> None:
        """Take back what was stored of results that the task's end does not refer to."""
        if not attempt.results:
            return
        subject = finished_subject(work.lane.kind.name, work.lease.task_id)
        try:
            end = await self._log.last(subject)
            if end is not None:
                kept = _artifacts_of(decode(end.payload))
                await discard(self._store, attempt.results, kept=kept)
        except (LogUnavailable, ValidationError) as fault:
            self._tell("results nobody needs stay in the store", work, reason=type(fault).__name__)

    async def _cancel(self, lane: Lane, attempt: Attempt, submitted: Submitted | None) -> None:
        """Stop the job at the provider, which may not listen."""
        if submitted is None or not lane.is_remote:
            return
        try:
            async with asyncio.timeout(_CANCEL_S):
                await lane.provider.cancel(attempt.job, submitted)
        except Exception:  # noqa: BLE001 - a provider may raise anything
            _log.exception(
                "a job can't be cancelled at the provider",
                provider=lane.name,
                task_id=attempt.job.task_id,
                external_task_id=submitted.external_task_id,
            )

    def _count(self, work: Work, outcome: str) -> None:
        attempts(work.lane.name, outcome).inc()

    def _tell(self, what: str, work: Work, **more: object) -> None:
        _log.info(what, **_ids(work), **more)


async def _nobody_calls(timeout_s: float) -> None:
    await asyncio.sleep(timeout_s)


def _artifacts_of(end: Event) -> tuple[Artifact, ...]:
    return end.data.artifacts if isinstance(end, Completed) else ()


def _ids(work: Work) -> dict[str, object]:
    return {
        "task_id": work.lease.task_id,
        "event_id": None if work.request is None else work.request.id,
        "correlation_id": None if work.request is None else work.request.correlation_id,
        "attempt": None if work.attempt is None else work.attempt.number,
        "provider": work.lane.name,
    }


def _read(work: Work) -> Requested | None:
    """The request, or None when it is none: there is no task that it could fail."""
    try:
        event = decode(work.lease.payload)
    except ValidationError as problem:
        # The text of the problem would show the prompt.
        _log.error(
            "a request can't be read",
            task_id=work.lease.task_id,
            sequence=work.lease.sequence,
            errors=problem.error_count(),
        )
        return None
    if (
        not isinstance(event, Requested)
        or event.subject != work.lease.task_id
        or event.tasktype != work.lane.kind.name
    ):
        _log.error(
            "a message among the requests is none",
            task_id=work.lease.task_id,
            sequence=work.lease.sequence,
            event_id=event.id,
        )
        return None
    return event


async def _answer(attempt: Attempt) -> Submitted | None:
    """What the provider has of this attempt; a submit under way is waited for."""
    submission = attempt.submission
    if attempt.submitted is not None or submission is None:
        return attempt.submitted
    await asyncio.wait({submission}, timeout=_CANCEL_S)
    if not submission.done():
        submission.cancel()
        return None
    failed = submission.cancelled() or submission.exception() is not None
    return None if failed else submission.result()
