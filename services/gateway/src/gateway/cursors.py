"""Cursors, checked when they come back. Pure.

That of the history is opaque to callers; that of live updates is a sequence of the log.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from uuid import UUID

from gateway.refusals import Refusal

_LIMIT = 256
_LARGEST_SEQUENCE = 2**63 - 1
_SEQUENCE = re.compile(r"[0-9]{1,19}")


def write_cursor(created_at: str, task_id: str) -> str:
    """The cursor that goes on after this task."""
    place = json.dumps([created_at, task_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[str, str]:
    """The creation time and id that a cursor stands for. Raises `Refusal` ``invalid_cursor``."""
    try:
        if len(cursor) > _LIMIT:
            raise ValueError("too long")
        padded = cursor + "=" * (-len(cursor) % 4)
        created_at, task_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        moment = datetime.fromisoformat(created_at)
        if moment.tzinfo is None or str(UUID(task_id)) != task_id:
            raise ValueError("not made here")
        moment.astimezone(UTC)
    except (
        *(ValueError, TypeError, AttributeError, OverflowError, RecursionError),
        binascii.Error,
    ):
        raise Refusal(
            "invalid_cursor",
            "This cursor was not made by this server. Begin again without one.",
            errors=[(("query", "cursor"), "not a cursor")],
        ) from None
    return created_at, task_id


def read_sequence(cursor: str, *loc: str) -> int:
    """The sequence that a follower was told last. Raises `Refusal` ``invalid_cursor``."""
    if _SEQUENCE.fullmatch(cursor) is None or int(cursor) > _LARGEST_SEQUENCE:
        raise Refusal(
            "invalid_cursor",
            "This is no id of a live update: those are sequences of the log. Begin again without "
            "one.",
            errors=[(loc, "not a sequence")],
        )
    return int(cursor)
