"""Every setting is told in docs/configuration.md, and reaches its service in containers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

import gateway.settings
import generator.settings
import reaper.settings
import task_store.settings
from generator.catalogue import makers

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, type[BaseSettings]] = {
    "gateway": gateway.settings.Settings,
    "generator": generator.settings.Settings,
    "task-store": task_store.settings.Settings,
    "reaper": reaper.settings.Settings,
}
IN_CONTAINERS_ONLY_SO = {"data_dir", "health_host"}
"""In a container nothing lies in the data directory, and nobody else is on its loopback."""
OF_PROVIDERS: list[type[BaseSettings]] = [
    settings for _, load in makers() if (settings := getattr(load(), "settings", None)) is not None
]


def service_in_compose(name: str) -> str:
    """What docker-compose.yml says of one service."""
    text = (ROOT / "docker-compose.yml").read_text()
    found = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", text, flags=re.MULTILINE)
    assert found is not None
    return found[1]


def forwarded(name: str) -> set[str]:
    """The settings that a container of this service is given, as fields."""
    told = re.findall(r"^      DARKROOM_(\w+):", service_in_compose(name), flags=re.MULTILINE)
    return {each.lower() for each in told}


def defaults(name: str) -> dict[str, str]:
    """The default that docker-compose.yml has for each setting that a person may give."""
    found = re.findall(
        r"^      DARKROOM_(\w+): \$\{DARKROOM_\1:-(.*)\}$",
        service_in_compose(name),
        flags=re.MULTILINE,
    )
    return {field.lower(): value for field, value in found}


def test_the_providers_with_settings_are_those_that_are_built_in() -> None:
    assert len(OF_PROVIDERS) == 7


@pytest.mark.parametrize("settings", [*SERVICES.values(), *OF_PROVIDERS])
def test_every_setting_is_on_the_page(settings: type[BaseSettings]) -> None:
    rows = (ROOT / "docs" / "configuration.md").read_text().splitlines()
    told = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.partition(" | ")[0])}

    assert {name.upper() for name in settings.model_fields} <= told


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_of_a_service_reaches_its_container(name: str) -> None:
    wanted = set(SERVICES[name].model_fields) - IN_CONTAINERS_ONLY_SO

    assert wanted <= forwarded(name)


@pytest.mark.parametrize("settings", OF_PROVIDERS)
def test_every_setting_of_a_provider_reaches_the_generator(settings: type[BaseSettings]) -> None:
    assert set(settings.model_fields) <= forwarded("generator")


@pytest.mark.parametrize(
    "given",
    [
        {"breaker_threshold": "5", "breaker_cooldown_s": "60", "breaker_policy": "wait"},
        {"submit_unknown": "fail", "late_results_s": "3600", "fallbacks": "", "owner_running": ""},
    ],
)
def test_what_stands_in_the_compose_file_is_the_default(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given.items() <= defaults("generator").items()
    for name in generator.settings.Settings.model_fields:
        monkeypatch.delenv(f"DARKROOM_{name.upper()}", raising=False)
    bare = generator.settings.Settings()

    for name, value in given.items():
        monkeypatch.setenv(f"DARKROOM_{name.upper()}", value)

    assert generator.settings.Settings() == bare
