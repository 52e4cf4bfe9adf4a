"""How many works are inside of a limit, over all generators: a share of each, valid for a while.

A generator writes what it has, never a change of it: a write of which it isn't known whether it
arrived is made good by the next. What nobody renews is free again.

Where nothing is free, the front of what waits in each generator is in its share: a place that
comes free is for whoever waits in front of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

Ticket = tuple[int, int]
"""Where a work waits: its band, and its request's sequence in the log."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one generator has inside, and the front of what waits there."""

    inside: int
    until: datetime
    front: Ticket | None = None


Shares = Mapping[str, Share]
"""Of all generators, by the name that is unique to the start of each."""


def others(shares: Shares, name: str, now: datetime, ticket: Ticket | None = None) -> int:
    """The places that other generators have, or wait for in front of this ticket (None: of all)."""
    return sum(
        share.inside + _is_in_front(share, ticket) for share in _others(shares, name, now).values()
    )


def written(shares: Shares, name: str, share: Share, now: datetime) -> Shares:
    """The shares with this one for what the generator has; no entry where it has nothing."""
    kept = _others(shares, name, now)
    if share.inside > 0 or share.front is not None:
        kept[name] = share
    return kept


def entered(
    shares: Shares,
    name: str,
    share: Share,
    ticket: Ticket,
    waiting: Iterable[Ticket],
    most: int,
    now: datetime,
) -> Shares:
    """One more inside of ``share`` if there is a place for the ticket; else it waits there.

    ``waiting``: the tickets of the generator's other works that were refused before.
    """
    if share.inside + others(shares, name, now, ticket) < most:
        after = Share(share.inside + 1, share.until, min(waiting, default=None))
    else:
        after = Share(share.inside, share.until, min((ticket, *waiting)))
    return written(shares, name, after, now)


def next_expiry(shares: Shares, name: str, now: datetime) -> datetime | None:
    """When the next share of another generator runs out, unless it is renewed."""
    return min((share.until for share in _others(shares, name, now).values()), default=None)


def read(value: bytes | None) -> Shares:
    """The shares that are in a cell. A newer version may tell more of each."""
    if not value:
        return {}
    return {
        name: Share(
            inside, datetime.fromisoformat(until), None if not front else (front[0], front[1])
        )
        for name, (inside, until, front, *_) in json.loads(value).items()
    }


def to_bytes(shares: Shares) -> bytes:
    found = {
        name: (share.inside, share.until.isoformat(), share.front) for name, share in shares.items()
    }
    return json.dumps(found).encode()


def _others(shares: Shares, name: str, now: datetime) -> dict[str, Share]:
    return {other: share for other, share in shares.items() if other != name and share.until > now}


def _is_in_front(share: Share, ticket: Ticket | None) -> bool:
    return share.front is not None and (ticket is None or share.front < ticket)
