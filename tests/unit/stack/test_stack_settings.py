"""What the environment tells the supervisor."""

from pathlib import Path

import pytest

from darkroom.stack.errors import StackError
from darkroom.stack.settings import StackSettings


def test_without_variables_everything_is_embedded_on_the_usual_port() -> None:
    settings = StackSettings.from_environment({})
    assert settings == StackSettings(host="127.0.0.1", port=8400, data_dir=Path(".darkroom"))
    assert settings.url == "http://127.0.0.1:8400"


def test_an_empty_variable_counts_as_not_set() -> None:
    given = {"DARKROOM_NATS_URL": "", "DARKROOM_PORT": "", "DARKROOM_DATA_DIR": ""}
    assert StackSettings.from_environment(given) == StackSettings()


def test_existing_servers_are_taken_from_their_variables() -> None:
    settings = StackSettings.from_environment(
        {"DARKROOM_NATS_URL": "nats://n:4222", "DARKROOM_DATABASE_URL": "postgresql://p/d"}
    )
    assert (settings.nats_url, settings.database_url) == ("nats://n:4222", "postgresql://p/d")


@pytest.mark.parametrize("port", ["web", "0", "65536", "-1", "8400.5"])
def test_what_is_no_port_is_refused_with_what_to_do(port: str) -> None:
    with pytest.raises(StackError, match="give a number from 1 to 65535"):
        StackSettings.from_environment({"DARKROOM_PORT": port})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8400"),
        ("::", "http://[::1]:8400"),
        ("::1", "http://[::1]:8400"),
        ("localhost", "http://localhost:8400"),
    ],
)
def test_the_address_shown_is_one_that_can_be_opened_here(host: str, url: str) -> None:
    assert StackSettings(host=host).url == url
