"""The ``Prefer`` header (RFC 7240)."""

from __future__ import annotations

import pytest

from gateway.bodies import preferred_wait_s


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("respond-async, wait=0", 0),
        ('WAIT = "60" ; x=1', 60),
        ("wait=61", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait", None),
        ("wait=99999999999999999999", None),
        ("", None),
        (None, None),
    ],
)
def test_only_whole_seconds_up_to_60_are_a_wait(header: str | None, seconds: int | None) -> None:
    assert preferred_wait_s(header) == seconds
