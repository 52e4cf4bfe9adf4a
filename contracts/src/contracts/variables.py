"""Environment variables: how every service tells of one that it can't use, and ends."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ValidationError

PREFIX = "DARKROOM_"
UNUSABLE_SETTINGS = 2
"""The exit code of a service that can't run with its settings; its last line says what to change.
Starting it again would change nothing."""

LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)
]


def unusable(error: ValidationError) -> str:
    """Which variable can't be read, and why, in one line."""
    first = error.errors(include_url=False)[0]
    name = PREFIX + "_".join(map(str, first["loc"])).upper()
    return f"{name} is not usable: {first['msg']}."
