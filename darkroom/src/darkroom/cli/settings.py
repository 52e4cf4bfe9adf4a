"""Every environment variable that the command line reads for itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, NamedTuple

import click
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts import variables
from contracts.subjects import StreamSpec
from darkroom.stack.addresses import discover

DEFAULT_NATS_URL = "nats://127.0.0.1:4222"
DEFAULT_DATABASE_URL = "postgresql://darkroom@127.0.0.1:5432/darkroom"


class CommandLineSettings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix=variables.PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    data_dir: Path = Path(".darkroom")
    nats_url: str | None = None
    nats_monitor_url: str | None = None
    database_url: str | None = None
    artifacts_url: str | None = None
    types_file: variables.TypesFile = None
    archive_after_s: Annotated[float, Field(ge=0)] = 604_800
    stream_max_age_s: Annotated[int, Field(gt=0)] = 2_592_000
    stream_max_bytes: Annotated[int, Field(gt=0)] = 20 * 1024**3
    stream_replicas: Annotated[int, Field(ge=1, le=5)] = 1

    @property
    def stream(self) -> StreamSpec:
        """How the log is to be kept."""
        return StreamSpec(
            max_age=timedelta(seconds=self.stream_max_age_s),
            max_bytes=self.stream_max_bytes,
            replicas=self.stream_replicas,
        )


class ServerAddresses(NamedTuple):
    """Where the servers are; ``embedded`` ones were found by the data directory."""

    nats_url: str
    database_url: str
    embedded_nats: bool
    embedded_database: bool
    nats_monitor_url: str | None


def unusable(error: ValidationError) -> click.UsageError:
    """Which variable can't be read, and why."""
    return click.UsageError(variables.unusable(error))


def load_settings() -> CommandLineSettings:
    """The settings from the environment; what is wrong with one is wrong usage."""
    try:
        return CommandLineSettings()
    except ValidationError as error:
        raise unusable(error) from None


def server_addresses(settings: CommandLineSettings | None = None) -> ServerAddresses:
    """The servers named by the settings, else those that ``darkroom up`` runs on its data."""
    settings = settings or load_settings()
    found = discover(settings.data_dir)
    return ServerAddresses(
        nats_url=settings.nats_url or found.nats_url or DEFAULT_NATS_URL,
        database_url=settings.database_url or found.database_url or DEFAULT_DATABASE_URL,
        embedded_nats=settings.nats_url is None and found.nats_url is not None,
        embedded_database=settings.database_url is None and found.database_url is not None,
        nats_monitor_url=settings.nats_monitor_url
        or (found.nats_monitor_url if settings.nats_url is None else None),
    )
