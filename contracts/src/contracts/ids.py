"""Identifiers: UUIDv7 for what is new, UUIDv8 for what an idempotency key names (RFC 9562)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VARIANT_DIGITS = "89ab"


def uuid7(now: datetime, random: bytes) -> str:
    """A UUIDv7: 48 bits of Unix milliseconds, then the first 74 usable bits of ``random``.

    ``random`` has at least 10 bytes. Later ids sort after earlier ones (RFC 9562, section 5.7).
    Put together as text, which takes a third of the time of a `UUID`: every event has one.
    """
    time = f"{(now - _EPOCH) // _MILLISECOND & (2**48 - 1):012x}"
    told = random.hex()
    variant = _VARIANT_DIGITS[random[2] >> 4 & 0b11]
    return f"{time[:8]}-{time[8:]}-7{told[1:4]}-{variant}{told[5:8]}-{told[8:20]}"


def made_at(identifier: UUID) -> datetime | None:
    """When a UUIDv7 was made, by the clock of who made it; None where an id doesn't tell."""
    if identifier.version != 7:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=identifier.int >> 80)
    except OverflowError:
        return None


def uuid8(owner: str, key: str) -> UUID:
    """The task id that ``owner``'s idempotency key names, the same on every process and restart.

    UUIDv8 (RFC 9562, section 5.8) over SHA-256 of owner and key; the length prefix keeps
    ``("a", "bc")`` and ``("ab", "c")`` apart.
    """
    digest = hashlib.sha256(f"{len(owner)}:{owner}{key}".encode()).digest()
    value = int.from_bytes(digest[:16]) & ~(0xF << 76) & ~(0b11 << 62)
    return UUID(int=value | 8 << 76 | 0b10 << 62)
