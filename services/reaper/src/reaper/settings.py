"""Every environment variable that the reaper reads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.variables import LogLevel, TypesFile

_LONGEST_S = 1e9
"""About 30 years: far enough for "never", near enough for every calendar."""

Seconds = Annotated[float, Field(gt=0, le=_LONGEST_S, allow_inf_nan=False)]


class Settings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    nats_url: str = "nats://127.0.0.1:4222"
    task_timeout_s: Seconds = 300
    task_deadline_s: Seconds = 3600
    upload_ttl_s: Seconds = 259_200
    provider_timeout_s: Seconds = 180
    """The generators' own; read only to warn of a ``task_timeout_s`` that is not longer."""
    reaper_interval_s: Seconds = 5
    reaper_batch: Annotated[int, Field(gt=0, le=1000)] = 100
    health_host: str = "127.0.0.1"
    health_port: int | None = None
    types_file: TypesFile = None
    log_level: LogLevel = "INFO"
