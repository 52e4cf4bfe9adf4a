"""Environment variables: how every service tells of one that it can't use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationError

from contracts.generation_types import BadTypes, declare, read_types

PREFIX = "DARKROOM_"

LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)
]


def _declared(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        declare(read_types(path.read_text()))
    except (OSError, UnicodeDecodeError) as fault:
        raise ValueError(f"{path} can't be read: {fault}") from None
    except BadTypes as problem:
        raise ValueError(f"{path}: {problem}") from None
    return path


TypesFile = Annotated[Path | None, AfterValidator(_declared)]
"""A TOML file of generation types: who reads the setting, knows them from then on."""


def unusable(error: ValidationError) -> str:
    """Which variable can't be read, and why, in one line."""
    first = error.errors(include_url=False)[0]
    name = PREFIX + "_".join(map(str, first["loc"])).upper()
    return f"{name} is not usable: {first['msg']}."
