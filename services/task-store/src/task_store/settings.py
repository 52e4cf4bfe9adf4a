"""Every environment variable that the task-store reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.variables import LogLevel, TypesFile


class Settings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    nats_url: str = "nats://127.0.0.1:4222"
    nats_monitor_url: str | None = None
    database_url: str = "postgresql://darkroom@127.0.0.1:5432/darkroom"
    health_host: str = "127.0.0.1"
    health_port: int | None = None
    data_dir: Path = Path(".darkroom")
    artifacts_url: str | None = None
    archive_after_s: Annotated[float, Field(ge=0)] = 604_800
    upload_ttl_s: Annotated[float, Field(gt=0)] = 259_200
    types_file: TypesFile = None
    log_level: LogLevel = "INFO"

    @property
    def store_url(self) -> str:
        """Where the archive goes, beside uploads and artifacts."""
        return self.artifacts_url or (self.data_dir.resolve() / "artifacts").as_uri()
