"""One request from lease to outcome: read the log, start, pursue, save, tell the end."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from artifacts.store import ArtifactStore, StoreUnavailable
from contracts.events import (
    Artifact,
    Requested,
)
from delivery.ends import Lost, publish_first_start, publish_start
from delivery.log import LogReader, LogUnavailable
from delivery.publisher import Publisher
from delivery.spans import message_attributes
from generator.attempts import (
    LONGEST_PAUSE_S,
    NOT_SAVED,
    AwaitLate,
    CallOff,
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
from generator.endings import Endings
from generator.facts import Facts, now
from generator.history import is_in_its_line, is_untouched, read_request, read_task
from generator.hooks import Hooks
from generator.inputs import Inputs
from generator.metrics import LEASE_EXPIRIES, PARKED, RETRIES, attempts
from generator.outputs import keep_part, store_outputs
from generator.pace import resting_stage, saving_stages, starting_stage
from generator.provider import Callback, Job, Output
from generator.pursuit import DOUBT, FAULTS, AttemptFailed, Leaving, Overtaken, Pursuit
from generator.work import Attempt, Lane, Stop, Work
from telemetry.logs import get_logger
from telemetry.tracing import Kind, current_traceparent, span

_log = get_logger(__name__)

_HAND_BACK_S = 0.2
_FAULT_PAUSE_S = 5.0
_LONGEST_FAULT_PAUSE_S = 60.0
_HAND_OVER_S = 0.8
_BUSY_S = 5.0
_LEAST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_LOOK_AGAIN = timedelta(seconds=30)
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
        self._endings = Endings(publisher, log, store, pursuit, policy)
        self._door = door
        self._detours = detours
        self._hooks = hooks

    async def work_on(self, work: Work) -> None:
        """Bring a request to an outcome, or leave it to a later delivery. Never raises.

        One that `Work.is_late` then has come to its end, and needs no place any more: called once
        more, this follows its job.
        """
        work.begun = True
        try:
            await self._serve_until_stopped(work)
        except (LogUnavailable, *FAULTS) as fault:
            # Neither outcome nor acknowledgement: the request comes again.
            _log.info("the bus failed; left to a later delivery", **work.ids, reason=repr(fault))
            attempts(work.lane.name, "left").inc()
            await work.lease.give_back(_FAULT_PAUSE_S)
        except Exception:  # noqa: BLE001 - a request is never lost to a bug
            _log.exception("the worker failed; left to a later delivery", **work.ids)
            attempts(work.lane.name, "left").inc()
            pause = min(_FAULT_PAUSE_S * work.lease.delivered, _LONGEST_FAULT_PAUSE_S)
            await work.lease.give_back(pause)
        finally:
            self._hooks.close(work.lease.task_id)

    async def _serve_until_stopped(self, work: Work) -> None:
        try:
            if work.stop is None:
                await (self._await_late(work) if work.is_late else self._serve(work))
                return
        except (asyncio.CancelledError, Leaving):
            pass
        await self._stopped(work)

    async def _await_late(self, work: Work) -> None:
        attempt = work.attempt
        assert attempt is not None
        called_back = self._called_back(work.lane, work.lease.task_id)
        attempt.job = replace(attempt.job, called_back=called_back)
        await self._endings.await_late(work, attempt)

    async def _serve(self, work: Work) -> None:
        request = read_request(work)
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
        gone_on = await self._may_have_gone_on(work)
        if work.single_broker and work.lease.delivered == 1 and is_open and not gone_on:
            attempt = self._attempt(work, request, 1)
            started = attempt.facts.started(attempt.stage)
            sequence = await publish_first_start(self._publisher, self._log, started)
            if sequence is not None:
                work.seen = attempt.began = sequence
                await self._pursue(work, request, attempt, Start(1))
                return
            work.attempt = None
        decision = await self._decide(work, request, gone_on=gone_on)
        match decision:
            case Drop():
                await work.lease.done()
            case WaitUntil(retry_at):
                delay = max(0.0, (retry_at - now()).total_seconds())
                await work.lease.give_back(delay)
            case GiveUp(number, error, submitted):
                attempt = self._attempt(work, request, number)
                attempt.submitted = submitted
                await self._endings.fail(work, attempt, Fail(error))
            case Start() if not is_open:
                await self._turn_away(work, request, decision)
            case Start() | Resume() | Find():
                await self._try(work, request, decision)
            case AwaitLate() | CallOff():
                await self._see_to_job(work, request, decision)
            case _:  # pragma: no cover
                assert_never(decision)

    async def _see_to_job(
        self, work: Work, request: Requested, decision: AwaitLate | CallOff
    ) -> None:
        """The task has ended, and its job has perhaps not."""
        work.ending = True
        attempt = self._attempt(work, request, decision.attempt, decision.reached)
        attempt.submitted = decision.submitted
        match decision:
            case AwaitLate(until=until):
                work.stop, work.late_until = None, until
            case CallOff():
                await self._endings.call_off(work, attempt)
            case _:  # pragma: no cover
                assert_never(decision)

    async def _may_have_gone_on(self, work: Work) -> bool:
        """Whether it may be in another line by now, of which its own subject tells nothing yet.

        A first delivery tells nothing of that: the durable, or the whole log, may be a new one.
        """
        lane, lease = work.lane, work.lease
        if not lane.is_elsewhere:
            return False
        if lease.delivered > 1:
            return True
        return self._detours.lead_from(lane) and not await is_in_its_line(self._log, lease)

    async def _decide(self, work: Work, request: Requested, *, gone_on: bool) -> Decision:
        again = work.lease.delivered > 1
        surely = again or work.lane.is_remote
        if not gone_on and await is_untouched(self._log, request, surely=surely):
            work.seen = work.lease.sequence
            return Start(1)
        history = await read_task(self._log, request, work.lease)
        work.seen = history.last
        if history.ended and (history.task is None or not history.task.status.is_terminal):
            # By what nobody here can read.
            return Drop()
        work.doubted = history.task is not None and DOUBT in history.task.metadata
        past = past_of(history.events)
        if past.unanswered is not None and history.is_perhaps_held(work.lane_since):
            # Whoever submits it may still be told the answer. A handle is gone on with at once.
            answered_by = past.unanswered.time + timedelta(seconds=self._pursuit.limit_s(work.lane))
            if now() < answered_by:
                return WaitUntil(min(answered_by, now() + _LOOK_AGAIN))
        if again and history.was_left:
            LEASE_EXPIRIES.labels(work.lane.name).inc()
        return decide(
            history.task,
            past,
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
        if isinstance(decision, Resume):
            # Whoever stops the attempt before it gets there has to know of the job.
            attempt.submitted = decision.submitted
        started = attempt.facts.started(attempt.stage)
        told = await publish_start(self._publisher, self._log, started)
        if isinstance(told, Lost):
            await self._endings.settle(work, attempt)
            return
        attempt.began = told.sequence
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
        except Overtaken as overtaken:
            await self._leave_to_others(work, attempt, ended=overtaken.ended)
            return
        await self._tell_breaker(work, attempt, Fault.REQUEST)
        external_id = attempt.submitted.external_task_id if attempt.submitted else None
        stage = lane.kind.working_stages[-1]
        completed = attempt.facts.completed(artifacts, stage, external_id)
        await self._endings.complete(work, completed)

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
        await self._tell_breaker(work, attempt, failure.fault, failure.retry_after_s)
        if work.probe and failure.fault is Fault.PROVIDER:
            failure = spared(failure)
        history = await read_task(self._log, request, work.lease)
        if history.ended or history.task is None or history.task.attempt > attempt.number:
            ended = history.ended or history.task is None
            await self._leave_to_others(work, attempt, ended=ended)
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
                attempts(work.lane.name, "retried").inc()
                _log.info(
                    "will be tried again", **work.ids, code=error.code, delay_s=round(delay_s, 3)
                )
                await work.lease.give_back(max(0.0, (retry_at - now()).total_seconds()))
            case Repeat(delay_s, is_spared):
                if is_spared:
                    # What this tells is that the attempt doesn't count; it answers no submit.
                    await self._publisher.publish(attempt.facts.handed_over(attempt.percent))
                await self._pursuit.tell_doubt(work, attempt)
                attempts(work.lane.name, "unanswered").inc()
                _log.info(
                    "will be submitted again under its key", **work.ids, delay_s=round(delay_s, 3)
                )
                await work.lease.give_back(delay_s)
            case Fail():
                await self._endings.fail(work, attempt, verdict)
            case _:  # pragma: no cover
                assert_never(verdict)

    async def _leave_to_others(self, work: Work, attempt: Attempt, *, ended: bool) -> None:
        """The task has ended, or another worker has it."""
        if ended:
            attempts(work.lane.name, "ended").inc()
            await self._endings.settle(work, attempt)
            return
        _log.info("another worker has the task", **work.ids)
        attempts(work.lane.name, "superseded").inc()
        work.lease.abandon()

    async def _turn_away(self, work: Work, request: Requested, decision: Start) -> None:
        """The provider's breaker is open, and the task is not to wait for it."""
        provider = work.lane.name
        if self._door.while_open is WhileOpen.FALLBACK and decision.key is None:
            history = await read_task(self._log, request, work.lease)
            if history.ended or await self._detours.reroute(work.lane, request, history.task):
                attempts(work.lane.name, "rerouted").inc()
                await work.lease.done()
                return
        until = self._door.blocked_until(provider)
        if self._door.while_open is WhileOpen.REJECT:
            number = decision.attempt - 1
            attempt = self._attempt(work, request, number, decision.reached)
            error = turned_away(provider, number, until, now())
            await self._endings.fail(work, attempt, Fail(error))
            return
        left = 0.0 if until is None else (until - now()).total_seconds()
        await work.lease.give_back(min(max(left, _LEAST_WAIT_S), _LONGEST_WAIT_S))

    async def _tell_breaker(
        self, work: Work, attempt: Attempt, fault: Fault, retry_after_s: float | None = None
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
                await breakers.succeeded(lane.name, work.probe, began=attempt.made_at)
            case Fault.BUSY:
                pause = _BUSY_S if retry_after_s is None else min(retry_after_s, LONGEST_PAUSE_S)
                await breakers.held(lane.name, now() + timedelta(seconds=pause))
            case Fault.OURS:
                pass
            case _:  # pragma: no cover
                assert_never(fault)

    async def _stopped(self, work: Work) -> None:
        work.ending = True
        if work.stop is not Stop.ENDED:
            await self._leave(work)
            return
        work.late_until = None
        if work.attempt is not None:
            _log.info("stopped: the task has ended", **work.ids)
            attempts(work.lane.name, "ended").inc()
            await self._endings.settle(work, work.attempt)
            return
        request = work.request or read_request(work)
        decision: Decision = Drop()
        if request is not None:
            gone_on = await self._may_have_gone_on(work)
            decision = await self._decide(work, request, gone_on=gone_on)
        match decision:
            case AwaitLate() | CallOff() if request is not None:
                await self._see_to_job(work, request, decision)
            case Drop() | Start():
                await work.lease.done()
            case _:
                # By a replica that has not heard of the end.
                await work.lease.give_back(_HAND_BACK_S)

    async def _leave(self, work: Work) -> None:
        """Hand the task over to another worker: no attempt has failed by that."""
        attempt = work.attempt
        if attempt is not None and work.lease.open and not work.is_late:
            try:
                event = attempt.facts.handed_over(attempt.percent)
                await self._publisher.publish(event, budget_s=_HAND_OVER_S)
            except FAULTS as fault:
                _log.info(
                    "handed over untold; it counts as an attempt", **work.ids, reason=repr(fault)
                )
        attempts(work.lane.name, "drained").inc()
        await work.lease.give_back(_HAND_BACK_S)


async def _nobody_calls(timeout_s: float) -> None:
    await asyncio.sleep(timeout_s)
