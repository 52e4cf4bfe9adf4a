"""How a task ends here: told once, its results kept or taken back, its job stopped or awaited."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from pydantic import ValidationError

from artifacts.store import ArtifactStore, StoreUnavailable
from contracts.events import Artifact, Completed, End, Erased, Event, TimedOut, decode
from contracts.subjects import finished_subject
from delivery.ends import Lost, Won, publish_end
from delivery.log import LogReader, LogUnavailable
from delivery.publisher import LastSequence, Publisher, WrongLastSequence
from generator.attempts import Fail, Policy
from generator.metrics import attempts
from generator.outputs import delete_parts, discard, parts_of, store_outputs
from generator.provider import Output, Submitted
from generator.pursuit import Pursuit
from generator.work import Attempt, Lane, Work
from telemetry.logs import get_logger

_log = get_logger(__name__)

_CANCEL_S = 10.0


class Endings:
    """What all tasks of a process are ended with."""

    def __init__(
        self,
        publisher: Publisher,
        log: LogReader,
        store: ArtifactStore,
        pursuit: Pursuit,
        policy: Policy,
    ) -> None:
        self._publisher = publisher
        self._log = log
        self._store = store
        self._pursuit = pursuit
        self._policy = policy

    async def fail(self, work: Work, attempt: Attempt, verdict: Fail) -> None:
        _log.info("failed", **work.ids, code=verdict.error.code, reason=verdict.error.message)
        kind, stage = work.lane.kind, verdict.stage
        if stage is not None:
            for passed in kind.steps_to_failure(attempt.stage, stage):
                await self._pursuit.tell(attempt, attempt.percent, passed)
                attempt.stage = passed
        # A stage that the chart has no arrow to is none; the fold then finds the one that fits.
        stage = stage if stage is not None and kind.allows(attempt.stage, stage) else None
        end = attempt.facts.failed(verdict.error, stage)
        if isinstance(await self._tell(work, end), Lost):
            await self.settle(work, attempt)
        elif verdict.error.code == "provider_timeout" and self._may_come_late(work, attempt):
            # Perhaps it was only slow: what it makes was paid for.
            work.late_until = end.time + timedelta(seconds=self._policy.late_s)
        else:
            await self.call_off(work, attempt)

    async def settle(self, work: Work, attempt: Attempt) -> None:
        """The task has ended, and not by this attempt: its job is stopped, unless it may still make
        what was paid for: then ``work.late_until`` says until when."""
        work.ending = True
        attempt.submitted = await answer_of(attempt)
        end = await self._end_of(work)
        if isinstance(end, TimedOut) and self._may_come_late(work, attempt):
            work.stop, work.late_until = None, end.time + timedelta(seconds=self._policy.late_s)
            return
        await self._tidy_up(work, attempt, end)
        if isinstance(end, Completed):
            await work.lease.done()
            await self.drop_parts(work)
        else:
            await self.call_off(work, attempt)

    async def call_off(self, work: Work, attempt: Attempt) -> None:
        """Stop the job of a task that has ended. Before that, its request is not acknowledged."""
        await self.cancel(work.lane, attempt, attempt.submitted)
        await work.lease.done()
        await self.drop_parts(work)

    async def complete(self, work: Work, end: Completed) -> None:
        """Tell the results; acknowledge once the log has an end, this or another."""
        await self._tell(work, end, end.data.artifacts)
        await work.lease.done()
        await self.drop_parts(work)

    async def _tell(self, work: Work, end: End, artifacts: tuple[Artifact, ...] = ()) -> Won | Lost:
        work.ending = True
        told = await publish_end(self._publisher, self._log, end)
        if isinstance(told, Lost):
            attempts(work.lane.name, "lost").inc()
            if told.event is None:
                _log.info("results may be referred to; they stay in the store", **work.ids)
            else:
                await discard(self._store, artifacts, kept=_artifacts_of(told.event))
        else:
            attempts(work.lane.name, "completed" if isinstance(end, Completed) else "failed").inc()
        return told

    def _may_come_late(self, work: Work, attempt: Attempt) -> bool:
        """Whether a job is at a provider that may still bring it to an end."""
        is_there = work.lane.is_remote and attempt.submitted is not None
        return is_there and self._policy.late_s > 0

    async def await_late(self, work: Work, attempt: Attempt) -> None:
        """Follow the job of a task that has timed out; what it makes is kept, and told.

        The lease is held: whoever takes the request over follows it on.
        """
        until = work.late_until
        assert until is not None
        outputs = await self._pursuit.late_outputs(work.lane, attempt, until)
        # What comes now finds for itself whether the task was erased.
        work.late_until = None
        if not outputs:
            await self.call_off(work, attempt)
            return
        await self._tell_late(work, attempt, outputs)
        await work.lease.done()
        await self.drop_parts(work)

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
            _log.info("a late result can't be kept", **work.ids, reason=type(fault).__name__)
            await discard(self._store, attempt.results)
            return
        attempts(work.lane.name, "late").inc()
        _log.info("a result came late", **work.ids)

    async def drop_parts(self, work: Work) -> None:
        """Nobody needs the intermediate files of a task that has ended."""
        attempt = work.attempt
        if attempt is not None and (keys := parts_of(attempt.submitted)):
            await delete_parts(self._store, keys)

    async def _end_of(self, work: Work) -> Event | None:
        """What the log has as the task's end; None if that can't be read."""
        try:
            told = await self._log.last(finished_subject(work.lane.kind.name, work.lease.task_id))
            return None if told is None else decode(told.payload)
        except (LogUnavailable, ValidationError) as fault:
            _log.info("the end can't be read", **work.ids, reason=type(fault).__name__)
            return None

    async def _tidy_up(self, work: Work, attempt: Attempt, end: Event | None) -> None:
        """Take back what was stored of results that the task's end does not refer to."""
        if attempt.results and end is not None:
            await discard(self._store, attempt.results, kept=_artifacts_of(end))

    async def cancel(self, lane: Lane, attempt: Attempt, submitted: Submitted | None) -> None:
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


async def answer_of(attempt: Attempt) -> Submitted | None:
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


def _artifacts_of(end: Event) -> tuple[Artifact, ...]:
    return end.data.artifacts if isinstance(end, Completed) else ()
