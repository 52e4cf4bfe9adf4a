"""Every environment variable that the generator reads."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contracts.variables import LogLevel, TypesFile
from generator.door import WhileOpen

_Seconds = Annotated[float, Field(gt=0)]
_Slots = Annotated[int, Field(ge=1, le=100_000)]


class UnknownSubmits(StrEnum):
    FAIL = "fail"
    RESUBMIT = "resubmit"


def _fallbacks(text: object) -> object:
    if not isinstance(text, str):
        return text
    rules = [rule.partition("=") for rule in text.split(";") if rule.strip()]
    return {
        name.strip().upper(): [lane.strip().lower() for lane in lanes.split(",") if lane.strip()]
        for name, _, lanes in rules
    }


Fallbacks = Annotated[Mapping[str, list[str]], NoDecode, BeforeValidator(_fallbacks)]


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
    breaker_threshold: Annotated[int, Field(ge=1)] = 5
    """Failed calls of a provider in a row, over all generators, after which it is left alone."""
    breaker_cooldown_s: _Seconds = 60
    """For how long; then one call tries it again."""
    breaker_policy: WhileOpen = WhileOpen.WAIT
    """What becomes of its tasks meanwhile."""
    submit_unknown: UnknownSubmits = UnknownSubmits.FAIL
    """What becomes of a task when nobody can tell whether its provider took it."""
    late_results_s: Annotated[float, Field(ge=0)] = 3600
    """For how long the result of a task that timed out is still waited for."""
    public_url: str | None = None
    callback_url: str | None = None
    """Where services call back; by default the public URL, if others can reach it."""
    fallbacks: Fallbacks = {}
    """``TYPE=lane,lane;…``: providers to go to, in place of those that the types name."""
    owner_running: _Slots | None = None
    """How many tasks of one owner all generators work on at once; None for as many as they can."""
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
