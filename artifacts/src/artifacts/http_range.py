"""Which part of a file an HTTP request asks for, and whether it has it already (RFC 9110). Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

_UNIT: Final = re.compile(r"\s*bytes\s*=(?P<ranges>.*)", re.IGNORECASE | re.DOTALL)
_ONE: Final = re.compile(r"[ \t]*(?P<first>[0-9]*)-(?P<last>[0-9]*)[ \t]*")
_ETAG: Final = re.compile(r'(?P<weak>W/)?(?P<tag>"[^"]*")')
_HUGE: Final = 10**18


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` up to, not including, `end` of a file of `total` bytes: a 206."""

    start: int
    end: int
    total: int

    @property
    def length(self) -> int:
        """The `Content-Length`, in bytes; never 0."""
        return self.end - self.start

    @property
    def content_range(self) -> str:
        """The `Content-Range` of the 206."""
        return f"bytes {self.start}-{self.end - 1}/{self.total}"


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """A range that lies outside a file of `total` bytes: a 416."""

    total: int

    @property
    def content_range(self) -> str:
        """The `Content-Range` of the 416."""
        return f"bytes */{self.total}"


def parse_range(header: str | None, total: int) -> Part | Unsatisfiable | None:
    """What a `Range` header asks for of a file of `total` bytes; None means the whole file, 200.

    No header, another unit, a malformed one and several ranges at once are all None, as RFC 9110
    permits: the client gets the whole and can pick for itself.
    """
    unit = _UNIT.fullmatch(header or "")
    one = _ONE.fullmatch(unit["ranges"]) if unit else None
    if one is None:
        return None
    first, last = _number(one["first"]), _number(one["last"])
    if first is None:
        return _suffix(last, total)
    if last is not None and last < first:
        return None
    if first >= total:
        return Unsatisfiable(total)
    return Part(first, total if last is None else min(last + 1, total), total)


def _suffix(length: int | None, total: int) -> Part | Unsatisfiable | None:
    if length is None:
        return None
    if length == 0:
        return Unsatisfiable(total)
    return Part(max(0, total - length), total, total) if total else None


def _number(digits: str) -> int | None:
    """Past 18 digits every number means "beyond any file"; `int` refuses very long ones."""
    if not digits:
        return None
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= 18 else _HUGE


def not_modified(
    if_none_match: str | None,
    if_modified_since: str | None,
    *,
    etag: str,
    last_modified: datetime,
) -> bool:
    """Whether a GET may be answered 304. The date counts only when no etags were sent."""
    if if_none_match is not None:
        if if_none_match.strip() == "*":
            return True
        sent = {match["tag"] for match in _ETAG.finditer(if_none_match)}
        return etag.removeprefix("W/") in sent
    since = _http_date(if_modified_since)
    return since is not None and last_modified.replace(microsecond=0) <= since


def range_applies(if_range: str | None, *, etag: str, last_modified: datetime) -> bool:
    """Whether the `Range` counts: yes without `If-Range`, else only for exactly this content.

    Etags compare strongly (a weak one never matches), a date must equal the `Last-Modified`.
    """
    if if_range is None:
        return True
    validator = if_range.strip()
    if match := _ETAG.fullmatch(validator):
        return not match["weak"] and match["tag"] == etag
    return _http_date(validator) == last_modified.replace(microsecond=0)


def http_date(moment: datetime) -> str:
    """An aware moment as HTTP writes it: `Sat, 21 Nov 2026 10:00:00 GMT`."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _http_date(header: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
