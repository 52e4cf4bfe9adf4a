"""One lease and what is being done about it: the state that worker, lanes and heartbeat share."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from functools import cached_property

from contracts.events import Artifact, Requested
from contracts.generation_types import GenerationType
from delivery.leases import Lease
from generator.counts import Limit
from generator.facts import Facts, now
from generator.provider import Execution, Finds, Job, Limits, Offer, Provider, Submitted
from generator.shares import Ticket

_NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Lane:
    """One generation type as one provider serves it."""

    kind: GenerationType
    provider: Provider
    offer: Offer

    @property
    def name(self) -> str:
        return self.provider.name

    @property
    def is_remote(self) -> bool:
        return self.provider.execution is Execution.REMOTE

    @property
    def is_elsewhere(self) -> bool:
        """Whether somebody else is called, who may fail as a whole: there is a breaker then."""
        return self.provider.execution is not Execution.LOCAL

    @property
    def finds(self) -> bool:
        """Whether the provider can be asked for a job of which only the key is known."""
        return isinstance(self.provider, Finds)

    @property
    def limits(self) -> Limits:
        return getattr(self.provider, "limits", _NO_LIMITS)


class Stop(Enum):
    """Why work is stopped before it came to an outcome of its own."""

    ENDED = auto()
    """The task has an end: cancelled, timed out, or told by another worker."""
    DRAINED = auto()
    """This process goes; another one takes the task up."""


@dataclass(slots=True)
class Attempt:
    """One try, in ``stage``. ``submitted`` once the provider's answer is known, or that of an
    earlier attempt; ``percent`` last heard.

    ``made_at`` the time when it was about to begin; ``began``: the sequence of its `started`.
    ``answer_told`` from the moment when a submit is announced; set once the log tells what came of
    it. ``results`` are in the store, or on their way there.
    """

    job: Job
    facts: Facts
    stage: str
    began: int = 0
    made_at: datetime = field(default_factory=now)
    submitted: Submitted | None = None
    submission: asyncio.Task[Submitted] | None = None
    answer_told: asyncio.Event | None = None
    percent: int = 0
    results: list[Artifact] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.job.attempt

    @property
    def is_unanswered(self) -> bool:
        """Whether who looked at the log now would find a submit without an answer."""
        return self.answer_told is not None and not self.answer_told.is_set()


@dataclass(eq=False)
class Work:
    """A request held by this process, from receipt to acknowledgement.

    ``task`` is set once it has a slot, ``begun`` once that runs, ``ending`` once its own end is
    being told or it is being let go of: from then on nothing stops it. ``late_until``: the task has
    timed out, and until then its job is followed, without a place; an erasure stops that.
    ``leaving`` when the process is about to go: nothing is submitted any more. ``single_broker``:
    no cluster keeps the log. ``request`` once it was read. ``doubted`` once the task's owner was
    told that it isn't known whether the provider took it. ``seen``: the sequence up to which the
    log was known when its attempt was decided on.
    ``admitting`` while it has a slot and waits to be let in. ``probe`` is its name when it tries
    whether the provider is there again, ``tried`` once the breaker has heard what came of that.
    ``inside``: the limits in whose counts it is. ``lane_since``: when the consumer that delivered
    it was made.
    """

    lane: Lane
    lease: Lease
    request: Requested | None = None
    task: asyncio.Task[None] | None = None
    attempt: Attempt | None = None
    stop: Stop | None = None
    begun: bool = False
    ending: bool = False
    late_until: datetime | None = None
    leaving: bool = False
    single_broker: bool = False
    doubted: bool = False
    seen: int = 0
    admitting: bool = False
    probe: str = ""
    tried: bool = False
    inside: tuple[Limit, ...] = ()
    lane_since: datetime | None = None

    @property
    def ticket(self) -> Ticket:
        """Its place among all that wait."""
        return self.lease.band, self.lease.sequence

    @cached_property
    def owner(self) -> str:
        """Whose task it is; empty where the request can't be read."""
        try:
            return str(json.loads(self.lease.payload)["owner"])
        except (ValueError, KeyError, TypeError):
            return ""

    @property
    def is_late(self) -> bool:
        """Whether nothing is left but to wait for what its job makes after the task's end."""
        return self.late_until is not None and self.lease.open

    @property
    def ids(self) -> dict[str, object]:
        """What a log line about it has."""
        return {
            "task_id": self.lease.task_id,
            "event_id": None if self.request is None else self.request.id,
            "correlation_id": None if self.request is None else self.request.correlation_id,
            "attempt": None if self.attempt is None else self.attempt.number,
            "provider": self.lane.name,
        }

    def adopt(self, lease: Lease) -> None:
        """The broker delivered the same request again: hold the newer lease, drop the older."""
        self.lease.abandon()
        self.lease = lease

    async def settled(self, timeout_s: float) -> bool:
        """Whether no submit is in flight; one that is has ``timeout_s`` to be answered."""
        attempt, task = self.attempt, self.task
        if attempt is None or attempt.answer_told is None or task is None:
            return True
        told = asyncio.create_task(attempt.answer_told.wait())
        await asyncio.wait({told, task}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        return task.done() or not attempt.is_unanswered

    def halt(self, reason: Stop) -> None:
        """Stop what is being done. A task that never ran can't clean up: it is told instead."""
        self.stop = reason
        if self.task is not None and (self.begun or self.admitting):
            self.task.cancel()
