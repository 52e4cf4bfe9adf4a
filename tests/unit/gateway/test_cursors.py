"""The cursor of the history."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import task_id
from gateway.cursors import read_cursor, write_cursor
from gateway.refusals import Refusal

MOMENTS = st.datetimes(timezones=st.just(UTC))
BIG = task_id(0xABC).upper()


@given(moment=MOMENTS, uuid=st.uuids())
def test_a_cursor_comes_back_as_it_was(moment: datetime, uuid: UUID) -> None:
    place = (moment.isoformat(), str(uuid))

    assert read_cursor(write_cursor(*place)) == place


@given(text=st.text(max_size=300))
@example(text="A" * 257)
def test_anything_else_is_refused_and_never_an_error(text: str) -> None:
    with pytest.raises(Refusal, match="invalid_cursor"):
        read_cursor(text)


@pytest.mark.parametrize(
    "place",
    [
        f'["2026-11-21T10:00:00", "{task_id(1)}"]',
        f'["2026-11-21T10:00:00+00:00", "{BIG}"]',
        '["2026-11-21T10:00:00+00:00"]',
        "[1, 2]",
        "7",
        "[" * 150,
        '{"a": 1, "b": 2}',
    ],
)
def test_a_cursor_with_another_content_is_refused(place: str) -> None:
    cursor = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")

    with pytest.raises(Refusal, match="invalid_cursor"):
        read_cursor(cursor)
