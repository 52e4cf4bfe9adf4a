"""A reaper that would end tasks before their provider's time is up says so at its start."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.generation_types import GENERATION_TYPES
from reaper.app import create_app
from reaper.settings import Settings


def warned(caplog: pytest.LogCaptureFixture, **settings: Any) -> list[Any]:
    """The types that a reaper with these settings warns of."""
    caplog.clear()
    create_app(Settings(**settings))
    return [vars(each)["fields"]["types"] for each in caplog.records]


async def test_timeouts_no_longer_than_a_providers_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert warned(caplog, task_timeout_s=180) == [list(GENERATION_TYPES)]
    assert warned(caplog, provider_timeout_s=300) == [list(GENERATION_TYPES)]


async def test_by_default_there_is_nothing_to_tell(caplog: pytest.LogCaptureFixture) -> None:
    assert warned(caplog) == []
