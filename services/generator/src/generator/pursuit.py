"""One attempt at the provider: submit or resume, follow, within the provider's time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from contracts.events import Progressed, Submitting, encode
from contracts.subjects import finished_subject
from delivery.log import LogReader, LogUnavailable
from delivery.publisher import (
    EventTooLarge,
    LastSequence,
    LogFull,
    LogUnreachable,
    OutcomeUnknown,
    Publisher,
    Refused,
    WrongLastSequence,
)
from generator.attempts import (
    Failure,
    Find,
    Resume,
    Start,
    broken,
    forgotten,
    rejected,
    resubmitted,
    timed_out,
    unanswered,
    unavailable,
    unknown_submit,
    unreadable,
)
from generator.facts import now
from generator.history import read_standing
from generator.metrics import UNKNOWN_SUBMITS, provider_seconds
from generator.pace import Pace, Step, sign_of_life_s
from generator.provider import (
    Finds,
    Output,
    Progress,
    Rejected,
    StillUnknown,
    Submitted,
    Unavailable,
)
from generator.telling import Telling
from generator.work import Attempt, Lane, Work
from telemetry.logs import get_logger
from telemetry.tracing import Attributes, Kind, current_traceparent, span

_log = get_logger(__name__)

FAULTS = (OutcomeUnknown, LogUnreachable, LogFull, Refused, EventTooLarge)
"""What publishing raises once its patience is over."""
_NEVER = (Refused, EventTooLarge)
_CHATTER_BUDGET_S = 2.0
_HANDLE_PAUSE_S = 1.0
_CONFLICT_PAUSE_S = 0.02
_CONFLICT_TRIES = 50
_FIRST_LATE_PAUSE_S, _LONGEST_LATE_PAUSE_S = 1.0, 60.0
_NOTHING = Submitted()
DOUBT = "submit_unknown"
"""The name in a task's metadata while it isn't known whether its provider took it."""


class AttemptFailed(Exception):
    """The attempt came to nothing; ``failure`` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.error.message)
        self.failure = failure


class Leaving(Exception):
    """The process is about to go, and submits nothing any more."""


class Overtaken(Exception):
    """The task is not this attempt's any more; ``ended`` if it is nobody's."""

    def __init__(self, *, ended: bool) -> None:
        super().__init__(f"{ended=}")
        self.ended = ended


class Pursuit:
    """Drives providers. ``timeout_s`` is the provider's time, ``silence_s`` the reaper's.

    A generation type may have a ``silence_s`` of its own.
    """

    def __init__(
        self,
        publisher: Publisher,
        log: LogReader,
        *,
        timeout_s: float,
        silence_s: float,
        resubmits: bool = False,
    ) -> None:
        self._publisher = publisher
        self._log = log
        self._resubmits = resubmits
        self._timeout_s = timeout_s
        self._silence_s = silence_s

    def limit_s(self, lane: Lane) -> float:
        """How long an attempt may take at the provider, and so the submit alone."""
        return lane.offer.timeout_s or self._timeout_s

    async def outputs(
        self, work: Work, attempt: Attempt, decision: Start | Resume | Find
    ) -> list[Output]:
        """What the provider made.

        Raises `AttemptFailed`, `Leaving`, `Overtaken`, `LogUnavailable`, or one of `FAULTS`.
        """
        lane = work.lane
        limit = self.limit_s(lane)
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            if lane.is_remote:
                if isinstance(decision, Find):
                    await self.tell_doubt(work, attempt)
                await self._hand_over(work, attempt, decision, limit)
                if work.doubted:
                    await self._annotate(attempt, {DOUBT: None})
            elif isinstance(decision, Resume):
                attempt.submitted = decision.submitted
            with _calling("follow", lane, attempt):
                left = max(0.0, limit - (clock() - began))
                return await self._follow(lane, attempt, limit, left)
        except Rejected as refusal:
            raise AttemptFailed(rejected(refusal, attempt.number)) from refusal
        except Unavailable as trouble:
            raise AttemptFailed(unavailable(trouble, attempt.number)) from trouble
        except (AttemptFailed, Leaving, Overtaken, LogUnavailable, *FAULTS):
            raise
        except Exception as bug:
            _log.exception(
                "a provider broke",
                provider=lane.name,
                task_id=attempt.job.task_id,
                attempt=attempt.number,
            )
            raise AttemptFailed(broken(attempt.number)) from bug
        finally:
            provider_seconds(lane.name).observe(clock() - began)

    async def late_outputs(self, lane: Lane, attempt: Attempt, until: datetime) -> list[Output]:
        """What a job makes after its task has timed out; nothing if it made nothing by then."""
        pause = _FIRST_LATE_PAUSE_S
        submitted = attempt.submitted or _NOTHING
        try:
            async with asyncio.timeout(max(0.0, (until - now()).total_seconds())):
                while True:
                    try:
                        if not await lane.provider.resume(attempt.job, submitted):
                            return []
                        happenings = lane.provider.follow(attempt.job, submitted)
                        return [each async for each in happenings if isinstance(each, Output)]
                    except Rejected:
                        return []
                    except Unavailable:
                        pass
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_LATE_PAUSE_S)
        except TimeoutError:
            return []
        except Exception:  # noqa: BLE001 - a provider may raise anything
            task_id = attempt.job.task_id
            _log.exception("a provider broke, late", provider=lane.name, task_id=task_id)
            return []

    async def tell(self, attempt: Attempt, percent: int, stage: str | None) -> None:
        """Publish progress. It isn't worth waiting for: a fault is logged, and the work goes on."""
        event = attempt.facts.progressed(percent, stage)
        try:
            await self._publisher.publish(event, budget_s=_CHATTER_BUDGET_S)
        except FAULTS as fault:
            _log.warning(
                "progress can't be told",
                task_id=event.subject,
                attempt=attempt.number,
                reason=type(fault).__name__,
            )

    async def tell_doubt(self, work: Work, attempt: Attempt) -> None:
        """Tell the owner that it is being found out whether the provider took the task."""
        if not work.doubted:
            work.doubted = True
            await self._annotate(attempt, {DOUBT: {"provider": work.lane.name.upper()}})

    async def _annotate(self, attempt: Attempt, patch: dict[str, Any]) -> None:
        """Tell the owner, in the metadata; that is not worth failing for."""
        event = attempt.facts.annotated(patch)
        try:
            unended = LastSequence(0, finished_subject(event.tasktype, event.subject))
            await self._publisher.publish(event, expect=unended)
        except (WrongLastSequence, *FAULTS) as fault:
            _log.info("an annotation is not told", task_id=event.subject, reason=repr(fault))

    async def _hand_over(
        self, work: Work, attempt: Attempt, decision: Start | Resume | Find, limit: float
    ) -> None:
        """Make sure that the provider has the job, once."""
        lane = work.lane
        key = None
        if isinstance(decision, Start):
            key = decision.key
        elif isinstance(decision, Find):
            found = await self._found(lane, attempt, decision.key, limit)
            if found is not None:
                attempt.submitted = found
                await self._surely_tell(attempt, attempt.facts.submitted(found))
                return
        else:
            attempt.submitted = decision.submitted
            try:
                async with asyncio.timeout(limit) as timer:
                    known = await lane.provider.resume(attempt.job, decision.submitted)
            except TimeoutError:
                if timer.expired():
                    raise _too_slow(lane, attempt, limit) from None
                raise
            if known:
                return
            attempt.submitted = None
            if not decision.may_submit_anew:
                raise AttemptFailed(forgotten(lane.name, attempt.number))
        if work.leaving:
            raise Leaving
        await self._submit(work, attempt, key, limit)

    async def _found(
        self, lane: Lane, attempt: Attempt, key: str, limit: float
    ) -> Submitted | None:
        """The job that was perhaps submitted; None if it certainly wasn't, or may be again."""
        provider = lane.provider
        assert isinstance(provider, Finds)
        try:
            async with asyncio.timeout(limit):
                found = await provider.find(attempt.job, key)
                if found is not None:
                    _told(attempt, found)
                return found
        except Unavailable as trouble:
            failure = unanswered(unavailable(trouble, attempt.number), lane.name)
            raise AttemptFailed(failure) from trouble
        except (StillUnknown, TimeoutError) as unknown:
            if self._resubmits:
                return None
            raise AttemptFailed(unknown_submit(lane.name, attempt.number)) from unknown
        except Rejected:
            raise
        except Exception as bug:
            # To be told as any other failure it would seem to answer the submit.
            _log.exception(
                "a provider broke while it looked for a job",
                provider=lane.name,
                task_id=attempt.job.task_id,
                attempt=attempt.number,
            )
            failure = unanswered(broken(attempt.number), lane.name)
            raise AttemptFailed(failure) from bug

    async def _submit(
        self, work: Work, attempt: Attempt, known_key: str | None, limit: float
    ) -> None:
        """Hand the job over; with ``known_key``, again: what became of its submit isn't known."""
        lane = work.lane
        key = known_key or f"{attempt.job.task_id}:{attempt.number}"
        attempt.answer_told = asyncio.Event()
        await self._announce(work, attempt, attempt.facts.submitting(key))
        # Whoever stops this attempt lets the call come to its end: what it started must be known.
        attempt.submission = asyncio.create_task(_submitted(lane, attempt, key))
        try:
            async with asyncio.timeout(limit) as timer:
                answer = await asyncio.shield(attempt.submission)
        except Rejected:
            raise
        except Unavailable as trouble:
            if known_key is None:
                raise
            # It was not taken this time. Whether it was before is as unknown as it was.
            failure = unanswered(unavailable(trouble, attempt.number), lane.name)
            raise AttemptFailed(failure) from trouble
        except Exception as trouble:
            UNKNOWN_SUBMITS.labels(lane.name).inc()
            if timer.expired():
                attempt.submission.cancel()
                failure = timed_out(lane.name, limit, attempt.number, submitting=True)
            else:
                failure = unknown_submit(lane.name, attempt.number)
                _log.exception(
                    "it is not known whether a job was submitted",
                    provider=lane.name,
                    task_id=attempt.job.task_id,
                    attempt=attempt.number,
                )
            if lane.offer.key_lasts_s is not None or lane.finds:
                failure = unanswered(failure, lane.name)
            elif self._resubmits:
                failure = resubmitted(failure)
            raise AttemptFailed(failure) from trouble
        if isinstance(answer, Submitted) and isinstance(answer.handle, Mapping):
            attempt.submitted = answer
        try:
            told = _told(attempt, answer)
        except Exception as bug:
            # It was taken, and paid for: as any other failure it would be tried again.
            _log.exception(
                "a provider's submit returned what can't be told: the job can't be followed",
                provider=lane.name,
                task_id=attempt.job.task_id,
                attempt=attempt.number,
                answer=type(answer).__name__,
            )
            raise AttemptFailed(unreadable(lane.name, attempt.number)) from bug
        await self._surely_tell(attempt, told)
        attempt.answer_told.set()

    async def _announce(self, work: Work, attempt: Attempt, event: Submitting) -> None:
        """Tell that a paid call is about to be made, unless the task has gone to somebody else.

        Whoever was cut off until its lease ran out finds another's `started` behind its own.
        """
        # Between a decision and its `started` others may have told something; not where the two are
        # one step.
        expected = attempt.began if work.seen == attempt.began else None
        for _ in range(_CONFLICT_TRIES):
            if expected is None:
                standing = await read_standing(self._log, work, attempt, event.id)
                if standing.ended or standing.overtaken:
                    raise Overtaken(ended=standing.ended)
                if standing.told:
                    return
                expected = standing.last
            try:
                stored = await self._publisher.publish(event, expect=LastSequence(expected))
            except WrongLastSequence:
                # Perhaps by this event itself, whose acknowledgement was lost; on a cluster perhaps
                # by one that is in flight.
                await asyncio.sleep(_CONFLICT_PAUSE_S)
            else:
                if not stored.duplicate:
                    return
            expected = None
        raise OutcomeUnknown(event.subject)

    async def _surely_tell(self, attempt: Attempt, event: Progressed) -> None:
        """Nothing else happens until it is on the log how to go on from here."""
        while True:
            try:
                await self._publisher.publish(event)
            except FAULTS as fault:
                _log.error(
                    "a provider's handle is not on the log yet",
                    task_id=event.subject,
                    event_id=event.id,
                    attempt=attempt.number,
                    reason=repr(fault),
                )
                if isinstance(fault, _NEVER):
                    return
                await asyncio.sleep(_HANDLE_PAUSE_S)
            else:
                return

    async def _follow(
        self, lane: Lane, attempt: Attempt, limit: float, left: float
    ) -> list[Output]:
        kind = lane.kind
        clock = asyncio.get_running_loop().time
        # The last stage is ours to tell: it comes when the results are saved.
        silence_s = sign_of_life_s(kind, self._silence_s)
        pace = Pace(kind, attempt.stage, silence_s, clock())

        async def tell(step: Step) -> None:
            await self.tell(attempt, step.percent, step.stage)

        async def keep(step: Step, handle: Mapping[str, Any]) -> None:
            await telling.all_told(_CHATTER_BUDGET_S)
            event = attempt.facts.progressed(step.percent, step.stage, handle)
            await self._surely_tell(attempt, event)
            told = attempt.submitted or _NOTHING
            attempt.submitted = Submitted(told.external_task_id, handle)

        telling = Telling(tell)
        outputs: list[Output] = []
        happenings = lane.provider.follow(attempt.job, attempt.submitted or _NOTHING)
        try:
            async with asyncio.timeout(left) as timer:
                async for each in happenings:
                    if isinstance(each, Output):
                        outputs.append(each)
                        continue
                    steps = pace.steps(each.percent, each.stage, each.handle, clock())
                    attempt.percent, attempt.stage = pace.percent, pace.stage
                    for step in steps:
                        if step.handle is None:
                            telling.say(step)
                        else:
                            await keep(step, step.handle)
        except TimeoutError:
            if timer.expired():
                raise _too_slow(lane, attempt, limit) from None
            raise
        except asyncio.CancelledError:
            telling.stop()
            raise
        finally:
            await _close(happenings)
            await telling.all_told(_CHATTER_BUDGET_S)
        return outputs


def _calling(what: str, lane: Lane, attempt: Attempt) -> AbstractContextManager[str | None]:
    """A span around what a provider is asked for."""
    kind = Kind.CLIENT if lane.is_elsewhere else Kind.INTERNAL
    about: Attributes = {
        "darkroom.provider": lane.name,
        "darkroom.task.id": attempt.job.task_id,
        "darkroom.attempt": attempt.number,
    }
    return span(f"{what} {lane.name}", kind, current_traceparent(), attributes=about)


async def _submitted(lane: Lane, attempt: Attempt, key: str) -> Submitted:
    with _calling("submit", lane, attempt):
        return await lane.provider.submit(attempt.job, key)


def _told(attempt: Attempt, answer: Submitted) -> Progressed:
    """The event that tells of the job. Raises whatever is wrong with a plug-in's answer."""
    event = attempt.facts.submitted(answer)
    encode(event)
    return event


def _too_slow(lane: Lane, attempt: Attempt, limit: float) -> AttemptFailed:
    return AttemptFailed(timed_out(lane.name, limit, attempt.number, submitting=False))


async def _close(happenings: AsyncIterator[Progress | Output]) -> None:
    """Let a generator that was left in the middle clean up now, not when it is collected."""
    aclose = getattr(happenings, "aclose", None)
    if aclose is not None:
        await aclose()
