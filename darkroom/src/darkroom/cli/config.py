"""``darkroom config``: the settings as the services would read them now, without secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.variables import PREFIX
from darkroom.cli.invocation import Invocation, command, pass_invocation
from darkroom.cli.screen import console, plain
from darkroom.cli.servers import without_password
from darkroom.cli.settings import CommandLineSettings, server_addresses, unusable
from gateway.settings import Settings as GatewaySettings
from generator.catalogue import makers
from generator.settings import Settings as GeneratorSettings
from reaper.settings import Settings as ReaperSettings
from task_store.settings import Settings as TaskStoreSettings

HIDDEN = "***"
OTHERS = "others"
_SERVICES: Mapping[str, type[BaseSettings]] = {
    "darkroom": CommandLineSettings,
    "gateway": GatewaySettings,
    "generator": GeneratorSettings,
    "task-store": TaskStoreSettings,
    "reaper": ReaperSettings,
}
_Settings = TypeVar("_Settings", bound=BaseSettings)
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD")


@command()
@pass_invocation
def config(invocation: Invocation) -> None:
    """Print the effective settings of every service, without secrets."""
    with _addresses_found():
        found = effective(invocation)
    if invocation.as_json:
        invocation.print_json(found)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("variable", "value", "read by"):
        table.add_column(column, overflow="fold")
    for (name, value), services in sorted(_by_value(found).items()):
        style = "bold" if name in os.environ else ""
        table.add_row(Text(name, style=style), Text(plain(value)), ", ".join(services))
    console().print(table)


def effective(invocation: Invocation) -> dict[str, dict[str, Any]]:
    """The variables of every service and provider, and their values; nobody reads `OTHERS`."""
    found = {name: _shown(settings) for name, settings in _SERVICES.items()}
    found |= {name: _shown(settings) for name, settings in _of_providers().items()}
    found["darkroom"] |= {
        f"{PREFIX}URL": without_password(invocation.url),
        f"{PREFIX}API_KEY": HIDDEN if invocation.api_key else None,
    }
    known = {variable for variables in found.values() for variable in variables}
    others = {
        name: _hidden(name, value)
        for name, value in sorted(os.environ.items())
        if name.startswith(PREFIX) and name not in known
    }
    return found | ({OTHERS: others} if others else {})


def _of_providers() -> dict[str, type[BaseSettings]]:
    """The settings of every provider that has some, whether it is offered or not."""
    extra = _loaded(GeneratorSettings).extra_providers
    found: dict[str, type[BaseSettings]] = {}
    for source, load in makers(extra=extra):
        try:
            made = load()
        except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
            click.echo(f"{source} can't be loaded: {error!r}", err=True)
            continue
        settings = getattr(made, "settings", None)
        if isinstance(settings, type) and issubclass(settings, BaseSettings):
            found[getattr(made, "name", source)] = settings
    return found


def _shown(settings_class: type[BaseSettings]) -> dict[str, Any]:
    settings = _loaded(settings_class)
    return {
        PREFIX + name.upper(): _hidden(name.upper(), getattr(settings, name))
        for name in sorted(settings_class.model_fields)
    }


def _loaded(settings_class: type[_Settings]) -> _Settings:
    try:
        return settings_class()
    except ValidationError as error:
        raise unusable(error) from None


def _hidden(name: str, value: Any) -> Any:
    """The value as it may be shown: no secrets, no passwords within addresses."""
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else None
    if isinstance(value, Mapping):
        return {key: _hidden(name, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_hidden(name, each) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET.search(name):
        return HIDDEN if str(value) else None
    return without_password(str(value))


def _by_value(found: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    merged: dict[tuple[str, str], list[str]] = {}
    for service, variables in found.items():
        for name, value in variables.items():
            text = "" if value is None else str(value)
            merged.setdefault((name, text), []).append(service)
    return merged


@contextmanager
def _addresses_found() -> Iterator[None]:
    """Where no server is named, services that `darkroom up` starts are told of its own."""
    addresses = server_addresses()
    found = {
        f"{PREFIX}NATS_URL": addresses.nats_url if addresses.embedded_nats else None,
        f"{PREFIX}NATS_MONITOR_URL": addresses.nats_monitor_url,
        f"{PREFIX}DATABASE_URL": addresses.database_url if addresses.embedded_database else None,
    }
    added = {name: url for name, url in found.items() if url is not None}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
