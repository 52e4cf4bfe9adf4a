"""The numbered steps of the database's schema, and which of them are due. Pure.

The code of the version before runs on a step that *expands*: it adds what nobody has to know of.
It does not run on one that *contracts*: such a step says which step code must know at least, and
is taken only when no older code is there any more. See docs/decisions/0022-expand-and-contract.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

_HEADER = re.compile(
    r"(?P<number>\d{4}) (?:expand|contract, for code that knows (?P<least>\d{4})): (?P<title>.+)"
)
_SESSION = re.compile(r"(?:task-store|projector)(?: knows (?P<known>\d+))?")


class Unclear(ValueError):
    """A step does not say what it is."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``least`` is what code must know to run on it, or 0 where all code does."""

    number: int
    title: str
    sql: str
    least: int = 0

    @property
    def contracts(self) -> bool:
        return self.least > 0


def steps_of(named: Mapping[str, str]) -> dict[int, Step]:
    """The steps by number, from their headers and bodies. Raises `Unclear`."""
    steps: dict[int, Step] = {}
    for header, sql in named.items():
        found = _HEADER.fullmatch(header)
        if found is None:
            raise Unclear(
                f"{header!r}: write NNNN expand: WHAT, or NNNN contract, for code that knows "
                "NNNN: WHAT"
            )
        number, least = int(found["number"]), int(found["least"] or 0)
        if number in steps or least > number:
            raise Unclear(f"{header!r}: each number once, for code of its time or before")
        steps[number] = Step(number, found["title"], sql, least)
    return dict(sorted(steps.items()))


def due(steps: Mapping[int, Step], applied: Collection[int], *, contract: bool) -> list[Step]:
    """What is to be applied now, in order. A new database has nobody to wait for."""
    everything = contract or not applied
    return [
        step
        for step in steps.values()
        if step.number not in applied and (everything or not step.contracts)
    ]


def lacking(steps: Mapping[int, Step], applied: Collection[int]) -> list[int]:
    """Steps without which this code does not run."""
    return [step.number for step in due(steps, applied, contract=False)]


def session_name(role: str, known: int) -> str:
    """How a session with the database is named, so that others see which code it is of."""
    return f"{role} knows {known}"


def too_old(sessions: Iterable[str], least: int) -> list[str]:
    """Those sessions of ours whose code knows less. Code of 0.1.0 did not say what it knows."""
    return [
        name
        for name in sessions
        if (found := _SESSION.fullmatch(name)) and int(found["known"] or 0) < least
    ]
