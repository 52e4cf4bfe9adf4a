"""Ranges and conditions of a download, by RFC 9110."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.http_range import (
    Part,
    Unsatisfiable,
    http_date,
    not_modified,
    parse_range,
    range_applies,
)

MODIFIED = datetime(2026, 11, 21, 10, 0, 0, 123456, UTC)
totals = st.integers(0, 10**6)
numbers = st.integers(0, 10**7)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-99", Part(0, 100, 1000)),
        ("bytes=0-0", Part(0, 1, 1000)),
        ("bytes=-5", Part(995, 1000, 1000)),
        ("bytes=-5000", Part(0, 1000, 1000)),
        ("bytes=10-", Part(10, 1000, 1000)),
        ("bytes=990-5000", Part(990, 1000, 1000)),
        ("Bytes = 1-2", Part(1, 3, 1000)),
        (f"bytes=0-{'9' * 5000}", Part(0, 1000, 1000)),
        (f"bytes={'0' * 5000}7-7", Part(7, 8, 1000)),
        ("bytes=1000-", Unsatisfiable(1000)),
        ("bytes=-0", Unsatisfiable(1000)),
        (f"bytes={'9' * 5000}-", Unsatisfiable(1000)),
    ],
)
def test_one_range_is_a_part_or_lies_outside(header: str, expected: Part | Unsatisfiable) -> None:
    assert parse_range(header, 1000) == expected


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=1"),
        *("items=0-5", "bytes=0-1,3-4", "bytes=0-1, -1", "bytes=2000-,0-1", "bytes=--5"),
        *("bytes=+1-2", "bytes=٣-٤", "bytes=1 - 2", "bytes=0x1-2"),
    ],
)
def test_no_range_several_and_nonsense_are_the_whole_file(header: str | None) -> None:
    assert parse_range(header, 1000) is None


def test_an_empty_file_has_an_empty_end_but_no_first_byte() -> None:
    assert parse_range("bytes=-5", 0) is None
    assert parse_range("bytes=0-", 0) == Unsatisfiable(0)


def test_a_part_and_what_lies_outside_are_told_to_the_client() -> None:
    part = Part(10, 30, 1000)
    assert (part.length, part.content_range) == (20, "bytes 10-29/1000")
    assert Unsatisfiable(1000).content_range == "bytes */1000"


@given(st.text(max_size=40), totals)
def test_any_header_is_understood_or_ignored(text: str, total: int) -> None:
    for header in (text, f"bytes={text}"):
        part = parse_range(header, total)
        if isinstance(part, Part):
            assert 0 <= part.start < part.end <= part.total == total


@given(numbers, numbers, totals)
def test_a_part_holds_exactly_the_asked_bytes_that_exist(first: int, last: int, total: int) -> None:
    part = parse_range(f"bytes={first}-{last}", total)
    existing = range(total)[first : last + 1]
    if isinstance(part, Part):
        assert range(part.start, part.end) == existing
        assert part.length == len(existing) > 0
        assert part.content_range == f"bytes {existing[0]}-{existing[-1]}/{total}"
    elif isinstance(part, Unsatisfiable):
        assert not existing
        assert part.content_range == f"bytes */{total}"
    else:
        assert last < first


@given(numbers, totals)
def test_a_file_is_its_beginning_and_its_rest(at: int, total: int) -> None:
    rest = parse_range(f"bytes={at}-", total)
    beginning = parse_range(f"bytes=0-{at - 1}", total)
    if isinstance(rest, Part) and isinstance(beginning, Part):
        assert (beginning.start, beginning.end, rest.end) == (0, rest.start, total)


@pytest.mark.parametrize(
    ("header", "fresh"),
    [
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ('"a,b",W/"abc"', True),
        (" * ", True),
        ('"abcd"', False),
        ("abc", False),
        ("", False),
    ],
)
def test_a_known_etag_means_not_modified(header: str, fresh: bool) -> None:
    told = not_modified(header, None, etag='"abc"', last_modified=MODIFIED)
    assert told is fresh
    assert not_modified(header, None, etag='W/"abc"', last_modified=MODIFIED) is fresh


def test_a_date_counts_only_when_no_etag_was_sent() -> None:
    later = http_date(MODIFIED + timedelta(hours=1))
    assert not_modified(None, later, etag='"abc"', last_modified=MODIFIED)
    assert not_modified(None, http_date(MODIFIED), etag='"abc"', last_modified=MODIFIED)
    assert not not_modified('"other"', later, etag='"abc"', last_modified=MODIFIED)
    earlier = http_date(MODIFIED - timedelta(seconds=1))
    assert not not_modified(None, earlier, etag='"abc"', last_modified=MODIFIED)


@pytest.mark.parametrize("since", [None, "", "yesterday", "Sat, 99 Nov 2026 10:00:00 GMT"])
def test_a_date_that_is_none_means_send_it(since: str | None) -> None:
    assert not not_modified(None, since, etag='"abc"', last_modified=MODIFIED)


def test_a_date_of_no_known_zone_is_taken_as_utc() -> None:
    told = "Sat, 21 Nov 2026 10:00:00 -0000"
    assert not_modified(None, told, etag='"abc"', last_modified=MODIFIED)


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (None, True),
        ('"abc"', True),
        (' "abc" ', True),
        ('W/"abc"', False),
        ('"other"', False),
        ("Sat, 21 Nov 2026 10:00:00 GMT", True),
        ("Sat, 21 Nov 2026 10:00:01 GMT", False),
        ("nonsense", False),
    ],
)
def test_a_range_counts_only_for_the_content_the_client_has(
    if_range: str | None, applies: bool
) -> None:
    assert range_applies(if_range, etag='"abc"', last_modified=MODIFIED) is applies


def test_a_weak_etag_of_ours_never_matches_a_range_condition() -> None:
    assert not range_applies('"abc"', etag='W/"abc"', last_modified=MODIFIED)


def test_a_moment_is_written_as_http_wants_it() -> None:
    local = MODIFIED.astimezone(timezone(timedelta(hours=2)))
    assert http_date(local) == "Sat, 21 Nov 2026 10:00:00 GMT"
