"""Every environment variable that the generator reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.variables import LogLevel, TypesFile

_Seconds = Annotated[float, Field(gt=0)]
_Slots = Annotated[int, Field(ge=1, le=100_000)]


class Settings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md. Providers read their own."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    nats_url: str = "nats://127.0.0.1:4222"
    data_dir: Path = Path(".darkroom")
    artifacts_url: str | None = None
    generator_concurrency: _Slots = 4
    remote_concurrency: _Slots = 1000
    provider_timeout_s: _Seconds = 180
    provider_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    retry_base_s: _Seconds = 1
    """The pause before the second attempt; each later one is twice as long."""
    task_timeout_s: _Seconds = 300
    """The reaper's patience; a living provider is told of five times in it."""
    lease_s: _Seconds = 30
    """How long a silent generator keeps a request; the same for all generators of a lane."""
    drain_s: Annotated[float, Field(ge=0)] = 4
    """How long running tasks may go on after SIGTERM."""
    drain_submit_s: Annotated[float, Field(ge=0)] | None = None
    """How long after SIGTERM a submit in flight is waited for; None for ``drain_s``."""
    providers: str = ""
    """Names of the entry points to load, separated by commas; empty for all."""
    extra_providers: str = ""
    """``module:Class,…``: providers that are not installed, for plug-ins under development."""
    health_host: str = "127.0.0.1"
    health_port: int | None = None
    types_file: TypesFile = None
    log_level: LogLevel = "INFO"

    @property
    def store_url(self) -> str:
        """Where the artifacts are."""
        return self.artifacts_url or (self.data_dir.resolve() / "artifacts").as_uri()
