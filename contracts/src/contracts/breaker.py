"""The circuit breaker of a provider: one for all generators, kept in a bucket on the bus. Pure.

Closed, it counts failed calls in a row. At the threshold it opens: nothing is tried for the
cooldown. Then one call is the probe, and the breaker is half open until that tells: success closes
it, failure opens it for another cooldown. A probe of which nothing is heard is given up, and
another one made; whichever call succeeds then that began after the breaker opened, closes it.

Why it is our own: docs/decisions/0015-circuit-breakers.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """``threshold`` failed calls in a row open it for ``cooldown``; a probe has ``probe`` time."""

    threshold: int
    cooldown: timedelta
    probe: timedelta


class Breaker(BaseModel):
    """What the bucket holds for one provider.

    ``until``: when the cooldown ends, of an open one; when the probe is given up, of a half open
    one. ``probe`` names who makes it. ``held_until`` is the service's own wish (``Retry-After``).
    ``freed_at`` is when it last closed again, ``opened_at`` when it last opened; None, too, where a
    version wrote it that does not tell.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: BreakerState = BreakerState.CLOSED
    failures: Annotated[int, Field(ge=0)] = 0
    until: AwareDatetime | None = None
    probe: str | None = None
    held_until: AwareDatetime | None = None
    freed_at: AwareDatetime | None = None
    opened_at: AwareDatetime | None = None

    def is_blocked(self, now: datetime) -> bool:
        """Whether no call may begin now, but for the probe that is under way."""
        return self._is_open(now) or self.is_held(now)

    def is_held(self, now: datetime) -> bool:
        """Whether the service has asked to be left alone."""
        return self.held_until is not None and now < self.held_until

    def wants_probe(self, now: datetime) -> bool:
        """Whether the next call is to be a probe."""
        return self.state is not BreakerState.CLOSED and not self._is_open(now)

    def blocked_until(self, now: datetime) -> datetime | None:
        """When to look again; None if calls may begin."""
        ends = [self.until] if self._is_open(now) else []
        ends += [self.held_until] if self.is_held(now) else []
        return max((end for end in ends if end is not None), default=None)

    def served_until(self, now: datetime) -> datetime | None:
        """Up to when silence of what waits for this provider is explained; None if never."""
        if self.state is not BreakerState.CLOSED or self.is_held(now):
            return now
        known = [at for at in (self.freed_at, self.held_until) if at is not None]
        return max(known, default=None)

    def _is_open(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


def failed(breaker: Breaker, policy: BreakerPolicy, now: datetime, probe: str = "") -> Breaker:
    """After a call that failed by the provider's fault. ``probe`` is its name if it was one.

    What began before the breaker opened tells it nothing new.
    """
    if breaker.state is BreakerState.CLOSED:
        failures = breaker.failures + 1
        if failures < policy.threshold:
            return breaker.model_copy(update={"failures": failures})
        return _opened(breaker, failures, policy, now)
    if probe and probe == breaker.probe:
        return _opened(breaker, breaker.failures + 1, policy, now)
    return breaker


def succeeded(breaker: Breaker, now: datetime, probe: str = "", *, began: datetime) -> Breaker:
    """After a call that the provider answered as it should, also by refusing it.

    ``began`` before the breaker opened, it tells nothing.
    """
    if breaker.state is BreakerState.CLOSED:
        return breaker.model_copy(update={"failures": 0}) if breaker.failures else breaker
    is_probe = probe != "" and probe == breaker.probe
    if is_probe or (breaker.opened_at is not None and began > breaker.opened_at):
        return Breaker(held_until=breaker.held_until, freed_at=now)
    return breaker


def probing(breaker: Breaker, policy: BreakerPolicy, now: datetime, probe: str) -> Breaker:
    """The call of this name is the probe. Only where one is wanted: see `Breaker.wants_probe`."""
    return breaker.model_copy(
        update={"state": BreakerState.HALF_OPEN, "until": now + policy.probe, "probe": probe}
    )


def unproven(breaker: Breaker, now: datetime, probe: str) -> Breaker:
    """The probe came to nothing that tells of the provider: another one may follow at once."""
    if probe != breaker.probe:
        return breaker
    return breaker.model_copy(update={"state": BreakerState.OPEN, "until": now, "probe": None})


def held(breaker: Breaker, until: datetime) -> Breaker:
    """The service takes nothing before ``until``: that is no failure."""
    if breaker.held_until is not None and breaker.held_until >= until:
        return breaker
    return breaker.model_copy(update={"held_until": until})


def _opened(breaker: Breaker, failures: int, policy: BreakerPolicy, now: datetime) -> Breaker:
    return breaker.model_copy(
        update={
            "state": BreakerState.OPEN,
            "failures": failures,
            "until": now + policy.cooldown,
            "probe": None,
            "opened_at": now,
        }
    )
