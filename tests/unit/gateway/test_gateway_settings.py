"""With which settings the gateway runs, and who is let in."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.auth import authenticator
from gateway.refusals import Refusal
from gateway.settings import BadSettings, Settings, is_loopback, load

SCOPE = {"type": "http", "method": "GET", "query_string": b""}


def keys(configured: str) -> Settings:
    return Settings(auth="keys", api_keys=SecretStr(configured))


def test_the_defaults_are_for_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PUBLIC_URL", "")
    settings = load()

    assert (settings.root_url, settings.auth) == ("http://127.0.0.1:8400", "none")
    assert settings.store_url == Path(".darkroom").resolve().joinpath("artifacts").as_uri()
    assert authenticator(settings).owner({}, SCOPE) == "local"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8400",
        "127.9.9.9",
        "localhost:8400",
        "LOCALHOST",
        "localhost.",
        "studio.localhost:8400",
        "[::1]:8400",
        "192.168.1.5:8400",
        "[2001:db8::1]",
        "gateway:8400",
        "studio.lan",
        "darkroom.example:8443",
        "Darkroom.Example",
        "",
    ],
)
def test_without_keys_we_are_known_by_our_names_and_by_any_address(host: str) -> None:
    door = authenticator(Settings(public_url="https://darkroom.example/studio"))
    assert door.owner({"host": host}, SCOPE) == "local"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8400",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8400",
        "evil_localhost.example",
        "evil．example",
        "not.darkroom.example",
        "[evil.example]",
        ":8400",
    ],
)
def test_a_name_that_was_made_to_lead_here_is_not_ours(host: str) -> None:
    """DNS rebinding: such a page sends all that ours do, but for the name."""
    sent = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    door = authenticator(Settings(public_url="https://darkroom.example"))
    for method in ("GET", "POST", "DELETE"):
        with pytest.raises(Refusal, match="DARKROOM_PUBLIC_URL") as raised:
            door.owner(sent, SCOPE | {"method": method})
        assert (raised.value.status, raised.value.code) == (403, "cross_site")
    with_key = {"host": host, "authorization": "Bearer ann-key"}
    assert authenticator(keys("ann:ann-key")).owner(with_key, SCOPE) == "ann"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "myhost"])
def test_an_open_door_is_refused(host: str) -> None:
    with pytest.raises(BadSettings, match="DARKROOM_TRUSTED_NETWORK=1"):
        Settings(host=host).check()
    Settings(host=host, trusted_network=True).check()
    Settings(host=host, auth="keys", api_keys=SecretStr("ann:k")).check()


def test_loopback_is_known_by_address_and_name() -> None:
    assert [is_loopback(each) for each in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [
        True
    ] * 4
    assert Settings(host="::1").root_url == "http://[::1]:8400"


@pytest.mark.parametrize(
    ("settings", "told"),
    [(Settings(auth="jwt"), "DARKROOM_AUTH=jwt"), (Settings(auth="keys"), "DARKROOM_API_KEYS")],
)
def test_what_can_not_be_served_is_said(settings: Settings, told: str) -> None:
    with pytest.raises(BadSettings, match=told):
        settings.check()


def test_an_unusable_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PORT", "eighty")

    with pytest.raises(BadSettings, match="DARKROOM_PORT is not usable"):
        load()


def test_origins_are_a_list() -> None:
    assert Settings(cors_origins="https://a.example, ,https://b.example").origins == [
        "https://a.example",
        "https://b.example",
    ]


def test_the_owner_is_the_keys() -> None:
    digest = hashlib.sha256(b"bob-key").hexdigest()
    door = authenticator(keys(f"ann:ann-key, bob:sha256:{digest},ann:second:key"))

    assert [
        door.owner({"authorization": each}, SCOPE)
        for each in ("Bearer ann-key", "bearer bob-key", "Bearer second:key")
    ] == ["ann", "bob", "ann"]


@pytest.mark.parametrize(
    "sent", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic ann-key"}]
)
def test_others_are_not_let_in(sent: dict[str, str]) -> None:
    with pytest.raises(Refusal) as raised:
        authenticator(keys("ann:ann-key")).owner(sent, SCOPE)
    assert (raised.value.status, raised.value.headers) == (401, {"WWW-Authenticate": "Bearer"})


@pytest.mark.parametrize("configured", ["ann", "ann:", ":key", "a b:key", "ann:key,bob"])
def test_a_malformed_key_list_is_refused(configured: str) -> None:
    with pytest.raises(BadSettings, match="DARKROOM_API_KEYS"):
        authenticator(keys(configured))
