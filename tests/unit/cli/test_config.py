"""``darkroom config`` tells everything but secrets."""

from __future__ import annotations

import json

import pytest

from darkroom.cli.servers import without_password
from unit.cli.conftest import Darkroom


def test_every_service_has_its_settings(darkroom: Darkroom) -> None:
    told = json.loads(darkroom("config", "--json").stdout)

    assert set(told) == {"darkroom", "gateway", "generator", "task-store", "reaper"}
    assert told["gateway"]["DARKROOM_PORT"] == 8400
    assert told["reaper"]["DARKROOM_TASK_TIMEOUT_S"] == 300
    assert told["darkroom"]["DARKROOM_STREAM_MAX_BYTES"] == 20 * 1024**3


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
