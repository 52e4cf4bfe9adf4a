"""Is something wrong, and what is to be done about it? Read this first. Pure.

Each function judges one thing as it was found. `task_store.examining` finds it: for the task-store
itself, every minute, and for ``darkroom doctor``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.subjects import LaneConsumerSpec
from delivery.standing import LanePosition
from telemetry.findings import Finding

SKEW_S = 5.0
"""Clocks may be so far apart; less than any time that is measured with two of them."""
FULL = 0.9
MINIMUM_POSTGRES = (12, 0)
"""The oldest that knows all of our SQL: ``AS MATERIALIZED``."""
_EXAMPLES = 3
_BEHIND = "can't be told: the rows are behind the log"


@dataclass(frozen=True, slots=True)
class Clock:
    """Another machine's clock: ``ahead_s`` of ours, known to within ``margin_s``."""

    name: str
    ahead_s: float
    margin_s: float


def clock(
    name: str, asked: datetime, told: datetime, heard: datetime, coarse_s: float = 0
) -> Clock:
    """What a clock is like that said ``told`` between ``asked`` and ``heard`` of ours.

    ``coarse_s``: what it says is cut to so many seconds.
    """
    took_s = (heard - asked).total_seconds()
    ahead_s = (told - asked).total_seconds() - took_s / 2 + coarse_s / 2
    return Clock(name, ahead_s, (took_s + coarse_s) / 2)


def judge_clocks(clocks: Sequence[Clock]) -> Finding:
    wrong = [each for each in clocks if abs(each.ahead_s) - each.margin_s > SKEW_S]
    if wrong:
        told = ", ".join(
            f"{each.name} {abs(each.ahead_s):.1f} s {'ahead' if each.ahead_s > 0 else 'behind'}"
            for each in wrong
        )
        return Finding(
            "clocks",
            ok=False,
            detail=f"not as here: {told}; the limit is {SKEW_S:g} s",
            mend="let NTP or chrony set the clocks of all machines",
        )
    if not clocks:
        return Finding("clocks", ok=None, detail="nobody's clock could be asked")
    most = max(abs(each.ahead_s) for each in clocks)
    names = ", ".join(each.name for each in clocks)
    return Finding("clocks", ok=True, detail=f"at most {most:.1f} s apart: {names}")


def judge_log(drift: Sequence[str]) -> Finding:
    """``drift``: what of the stream is not as it must be."""
    if drift:
        return Finding("log", ok=False, detail="; ".join(drift), mend="darkroom setup")
    return Finding("log", ok=True, detail="the stream is as it must be")


def judge_room(used: int, limit: int) -> Finding:
    """How full the log is, in bytes."""
    if limit <= 0:
        return Finding("room", ok=None, detail="the log has no limit", mend="darkroom setup")
    full = used / limit >= FULL
    return Finding(
        "room",
        ok=not full,
        detail=f"the log uses {used / limit:.1%} of its bytes",
        mend="new tasks are refused: raise DARKROOM_STREAM_MAX_BYTES, then darkroom setup"
        if full
        else "",
    )


def judge_postgres(version: tuple[int, int]) -> Finding:
    name = ".".join(map(str, version))
    if version >= MINIMUM_POSTGRES:
        return Finding("postgres", ok=True, detail=name)
    needed = ".".join(map(str, MINIMUM_POSTGRES))
    return Finding(
        "postgres",
        ok=False,
        detail=f"{name} is too old: {needed} or newer is needed",
        mend="upgrade it, or set DARKROOM_DATABASE_URL to another",
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """The raw copy against the log, from ``first`` to ``last``.

    ``missing`` are sequences of which the log has an event, and the copy should; ``foreign`` those
    of which only the copy has one. ``is_all`` says that no more than these is so.
    """

    first: int
    last: int
    missing: Sequence[int] = ()
    foreign: Sequence[int] = ()
    is_all: bool = True


def judge_copy(compared: Compared) -> Finding:
    told = []
    least = "" if compared.is_all else "at least "
    if compared.missing:
        told.append(f"{least}{_some(compared.missing)} of the log are not in the raw copy")
    if compared.foreign:
        told.append(f"{_some(compared.foreign)} of the raw copy are not in the log")
    if told:
        return Finding(
            "copy",
            ok=False,
            detail="; ".join(told),
            mend="darkroom doctor --fix copies them from the log"
            if compared.missing
            else "who deleted them from the log? What it told of these tasks, workers do not know",
        )
    if not compared.is_all:
        detail = "more events came to erased tasks than can be looked at one by one"
        return Finding("copy", ok=None, detail=detail)
    if compared.last < compared.first:
        return Finding("copy", ok=True, detail="nothing to compare yet")
    detail = f"the raw copy has what the log has, from {compared.first} to {compared.last}"
    return Finding("copy", ok=True, detail=detail)


def _some(sequences: Sequence[int]) -> str:
    shown = ", ".join(map(str, sequences[:_EXAMPLES]))
    more = " …" if len(sequences) > _EXAMPLES else ""
    return f"{len(sequences):,} events ({shown}{more})"


@dataclass(frozen=True, slots=True)
class Line:
    """The live tasks of one lane, against the broker's consumer of it.

    ``dropped`` are tasks whose request is acknowledged or has left the log, as many as were looked
    for; ``given`` is how many have one that was given out, ``ahead`` that was given to nobody yet.
    ``position`` is None where the lane has no consumer.
    """

    tasktype: str
    lane: str
    position: LanePosition | None
    dropped: Sequence[str] = ()
    given: int = 0
    ahead: int = 0

    @property
    def durable(self) -> str:
        return LaneConsumerSpec(self.tasktype, self.lane).durable

    @property
    def unaccounted(self) -> int:
        """How many more have no request, at the least; which, the broker doesn't tell.

        Requests of tasks that have ended may still be out or in line: they hide as many.
        """
        if self.position is None:
            return 0
        return max(0, self.given - self.position.in_hand) + max(
            0, self.ahead - self.position.waiting
        )


def judge_leases(lines: Sequence[Line] | None) -> Finding:
    """Tasks that nobody works on and nobody will be handed."""
    if lines is None:
        return Finding("leases", ok=None, detail=_BEHIND)
    dropped = [task_id for line in lines for task_id in line.dropped]
    more = sum(line.unaccounted for line in lines)
    if not dropped and not more:
        return Finding("leases", ok=True, detail="each live task is in line or under a lease")
    lanes = sorted(line.durable for line in lines if line.dropped or line.unaccounted)
    shown = ", ".join(dropped[:_EXAMPLES]) + (" …" if len(dropped) > _EXAMPLES else "")
    named = f" ({shown})" if dropped else ""
    return Finding(
        "leases",
        ok=False,
        detail=f"at least {len(dropped) + more:,} tasks{named} have no request in "
        f"{', '.join(lanes)} any more: nobody works on them",
        mend="the reaper ends those that had begun; of the others: darkroom tasks cancel ID, "
        "darkroom tasks retry ID. Nothing is handed out again by itself: it could be paid twice",
    )


def judge_lanes(lines: Sequence[Line] | None) -> Finding:
    """Whether each lane with live tasks in it has a consumer, and that is as it must be."""
    if lines is None:
        return Finding("lanes", ok=None, detail=_BEHIND)
    told = []
    for line in lines:
        if line.position is None:
            told.append(f"{line.durable} has tasks and no consumer")
        elif line.position.drift:
            told.append(f"{line.durable}: {', '.join(line.position.drift)}")
    if told:
        mend = "darkroom setup, or start a generator that has the provider: it makes its lanes"
        return Finding("lanes", ok=False, detail="; ".join(told), mend=mend)
    return Finding("lanes", ok=True, detail=f"{len(lines)} with tasks in them, each has a consumer")
