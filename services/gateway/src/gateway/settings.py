"""Every environment variable that the gateway reads."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.variables import LogLevel, TypesFile, unusable


class BadSettings(Exception):
    """The gateway can't run with these settings; the message says what to change."""


class Settings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8400
    trusted_network: bool = False
    cors_origins: str = ""
    data_dir: Path = Path(".darkroom")
    nats_url: str = "nats://127.0.0.1:4222"
    nats_monitor_url: str | None = None
    auth: Literal["none", "keys", "jwt"] = "none"
    api_keys: SecretStr = SecretStr("")
    session_secret: SecretStr = SecretStr("")
    admins: str = ""
    streams_limit: Annotated[int, Field(ge=1)] = 10_000
    artifacts_url: str | None = None
    public_url: str | None = None
    queue_limit: Annotated[int, Field(ge=1)] = 100_000
    owner_waiting: Annotated[int, Field(ge=1)] | None = None
    fair_share: Annotated[int, Field(ge=1)] = 16
    upload_ttl_s: Annotated[float, Field(gt=0)] = 259_200
    upload_max_bytes: Annotated[int, Field(gt=0)] = 26_214_400
    upload_backlog_bytes: Annotated[int, Field(gt=0)] = 268_435_456
    types_file: TypesFile = None
    log_level: LogLevel = "INFO"

    @property
    def store_url(self) -> str:
        """Where uploads and artifacts are."""
        return self.artifacts_url or (self.data_dir.resolve() / "artifacts").as_uri()

    @property
    def root_url(self) -> str:
        """The base of the URLs handed out, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def origins(self) -> list[str]:
        """Whose pages may call from a browser."""
        return [each.strip() for each in self.cors_origins.split(",") if each.strip()]

    @property
    def pages(self) -> list[str]:
        """The origins of pages that may change things: those, and our own under its public name."""
        own = urlsplit(self.root_url)
        return [*self.origins, f"{own.scheme}://{own.netloc}"]

    @property
    def own_name(self) -> str:
        """The host of our public address."""
        return urlsplit(self.root_url).hostname or ""

    def is_admin(self, owner: str) -> bool:
        """Whether this owner may see and mend what concerns all owners."""
        return self.auth == "none" or owner in (each.strip() for each in self.admins.split(","))

    def check(self) -> None:
        """Raises `BadSettings` for what would be unsafe, or can't be served."""
        if self.auth == "jwt":
            raise BadSettings("DARKROOM_AUTH=jwt is not available yet: use keys or none.")
        if self.auth == "keys" and not self.api_keys.get_secret_value().strip():
            raise BadSettings(
                "DARKROOM_AUTH=keys needs DARKROOM_API_KEYS=owner:key (several joined by commas)."
            )
        if self.auth == "none" and not self.trusted_network and not is_loopback(self.host):
            raise BadSettings(
                f"DARKROOM_HOST={self.host} is reachable from other machines and "
                "DARKROOM_AUTH=none lets everybody in: set DARKROOM_AUTH=keys with "
                "DARKROOM_API_KEYS, or DARKROOM_TRUSTED_NETWORK=1 if only trusted clients can "
                "reach it."
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to an address bound there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load() -> Settings:
    """The settings from the environment. Raises `BadSettings`."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise BadSettings(unusable(error)) from None
    settings.check()
    return settings
