"""The cursors of the history and of live updates."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import task_id
from gateway.cursors import read_cursor, read_sequence, write_cursor
from gateway.refusals import Refusal

MOMENTS = st.datetimes(timezones=st.just(UTC))
BIG = task_id(0xABC).upper()


@given(moment=MOMENTS, uuid=st.uuids())
def test_a_cursor_comes_back_as_it_was(moment: datetime, uuid: UUID) -> None:
    place = (moment.isoformat(), str(uuid))

    assert read_cursor(write_cursor(*place)) == place


def test_a_cursor_goes_into_an_address_as_it_is() -> None:
    place = ("2026-11-21T10:00:00+00:00", task_id(1))
    cursor = write_cursor(*place)

    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert read_cursor(cursor) == place


def test_a_cursor_of_any_length_is_refused_before_it_is_read() -> None:
    with pytest.raises(Refusal, match="invalid_cursor"):
        read_cursor("A" * 257)


@given(text=st.text(max_size=300))
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


@pytest.mark.parametrize("sequence", [0, 7, 2**63 - 1])
def test_the_first_and_the_last_sequence_are_read(sequence: int) -> None:
    assert read_sequence(str(sequence), "query", "after") == sequence


@given(st.integers(0, 2**63 - 1))
def test_a_sequence_comes_back_as_it_was(sequence: int) -> None:
    assert read_sequence(str(sequence), "query", "after") == sequence


@pytest.mark.parametrize("text", ["", "x", "-1", "+1", "1.0", " 1", "１", str(2**63), "9" * 5000])
def test_what_is_no_sequence_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_sequence(text, "query", "after")

    assert refused.value.code == "invalid_cursor"
    assert refused.value.errors == ((("query", "after"), "not a sequence"),)
