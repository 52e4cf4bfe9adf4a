"""The figures that the requirements name are what an unconfigured system goes by."""

from __future__ import annotations

import os

import pytest

from gateway.settings import Settings as GatewaySettings
from generator.settings import Settings as GeneratorSettings
from reaper.settings import Settings as ReaperSettings

MINUTE_S = 60
DAY_S = 24 * 60 * MINUTE_S


@pytest.fixture(autouse=True)
def _nothing_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("DARKROOM_"):
            monkeypatch.delenv(name)


def test_the_waiting_times_asked_for_are_the_defaults() -> None:
    gateway, generator, reaper = GatewaySettings(), GeneratorSettings(), ReaperSettings()

    assert reaper.task_timeout_s == generator.task_timeout_s == 5 * MINUTE_S
    assert reaper.reaper_interval_s <= MINUTE_S
    assert generator.provider_timeout_s == 180
    assert (generator.provider_attempts, generator.retry_base_s) == (3, 1)
    assert reaper.upload_ttl_s == gateway.upload_ttl_s == 3 * DAY_S


def test_the_figures_of_the_circuit_breaker_asked_for_are_the_defaults() -> None:
    generator = GeneratorSettings()

    assert (generator.breaker_threshold, generator.breaker_cooldown_s) == (5, MINUTE_S)
