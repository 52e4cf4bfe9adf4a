"""``darkroom config`` tells everything but secrets."""

from __future__ import annotations

import json

import pytest

from darkroom.cli.servers import without_password
from unit.cli.conftest import Darkroom

PROVIDERS = {"comfyui", "forge", "kie", "openai", "fal", "replicate", "cog"}


def test_every_service_has_its_settings(darkroom: Darkroom) -> None:
    told = json.loads(darkroom("config", "--json").stdout)

    services = {"darkroom", "gateway", "generator", "task-store", "reaper"}
    assert set(told) == services | PROVIDERS
    assert told["gateway"]["DARKROOM_PORT"] == 8400
    assert told["reaper"]["DARKROOM_TASK_TIMEOUT_S"] == 300
    assert told["darkroom"]["DARKROOM_STREAM_MAX_BYTES"] == 20 * 1024**3
    assert told["generator"]["DARKROOM_BREAKER_POLICY"] == "wait"


def test_every_provider_has_its_settings_whether_it_is_offered_or_not(darkroom: Darkroom) -> None:
    told = json.loads(darkroom("config", "--json").stdout)

    assert told["kie"]["DARKROOM_KIE_URL"] == "https://api.kie.ai"
    assert told["kie"]["DARKROOM_KIE_API_KEY"] is None
    assert told["comfyui"]["DARKROOM_COMFYUI_TEMPLATES"] is None


def test_a_provider_that_cannot_be_loaded_is_named_and_the_rest_is_told(
    darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_EXTRA_PROVIDERS", "nowhere:Model")

    ran = darkroom("config", "--json")

    assert "nowhere:Model can't be loaded" in ran.stderr
    assert json.loads(ran.stdout)["reaper"]["DARKROOM_TASK_TIMEOUT_S"] == 300


@pytest.mark.parametrize("words", [["config"], ["config", "--json"]])
def test_no_secret_is_printed(
    words: list[str], darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {
        "API_KEYS": "ann:hunter2",
        "API_KEY": "hunter2",
        "NATS_URL": "nats://hunter2@nats:4222",
        "DATABASE_URL": "postgresql://darkroom:hunter2@db/darkroom",
        "KIE_API_KEY": "hunter2",
        "REPLICATE_API_TOKEN": "hunter2",
        "FORGE_URL": "http://user:hunter2@forge:7860",
        "URL": "http://user:hunter2@gateway",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(f"DARKROOM_{name}", value)

    printed = darkroom(*words)

    assert printed.exit_code == 0, printed.output
    assert "hunter2" not in printed.output
    assert all(f"DARKROOM_{name}" in printed.output for name in secrets)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
        ("nats://token@h:1", "nats://***@h:1"),
        ("nats://u:p@h:1", "nats://u:***@h:1"),
        ("postgresql://darkroom@h/darkroom", "postgresql://darkroom@h/darkroom"),
        ("postgresql://u:p%40@h:5/d?x=1", "postgresql://u:***@h:5/d?x=1"),
        ("plain text", "plain text"),
    ],
)
def test_addresses_are_shown_without_their_passwords(url: str, shown: str) -> None:
    assert without_password(url) == shown
