"""A variable that is there and empty, as compose files write it, is one that is not set."""

from __future__ import annotations

import pytest
from pydantic_settings import BaseSettings

import gateway.settings
import generator.settings
import reaper.settings
import task_store.settings


@pytest.mark.parametrize(
    "settings",
    [
        gateway.settings.Settings,
        generator.settings.Settings,
        reaper.settings.Settings,
        task_store.settings.Settings,
    ],
)
def test_every_service_takes_an_empty_variable_for_none(
    settings: type[BaseSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in settings.model_fields:
        monkeypatch.delenv(f"DARKROOM_{name.upper()}", raising=False)
    wanted = settings()

    for name in settings.model_fields:
        monkeypatch.setenv(f"DARKROOM_{name.upper()}", "")

    assert settings() == wanted
