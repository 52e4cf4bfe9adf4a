"""Clients that lose their connection together do not come back together."""

from __future__ import annotations

import pytest

from gateway.routes.streams import COMES_BACK_FROM_STOPPED_MS, COMES_BACK_MS, retry


@pytest.mark.parametrize(
    ("within_ms", "chance", "told"),
    [
        (COMES_BACK_MS, 0.0, b"retry: 1000\n\n"),
        (COMES_BACK_MS, 0.25, b"retry: 1500\n\n"),
        (COMES_BACK_MS, 0.9999, b"retry: 2999\n\n"),
        (COMES_BACK_FROM_STOPPED_MS, 0.0, b"retry: 500\n\n"),
    ],
)
def test_each_is_told_its_own_time(within_ms: tuple[int, int], chance: float, told: bytes) -> None:
    assert retry(within_ms, chance) == told
