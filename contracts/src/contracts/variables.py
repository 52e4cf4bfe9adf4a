"""Environment variables: how every service tells of one that it can't use."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ValidationError

PREFIX = "DARKROOM_"

LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)
]


def unusable(error: ValidationError) -> str:
    """Which variable can't be read, and why, in one line."""
    first = error.errors(include_url=False)[0]
    name = PREFIX + "_".join(map(str, first["loc"])).upper()
    return f"{name} is not usable: {first['msg']}."
