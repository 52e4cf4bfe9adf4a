"""The SQL of the task-store, kept as SQL: numbered migrations, tables, and named statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from task_store.steps import Step, steps_of


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _named(text: str, marker: str) -> dict[str, str]:
    parts = re.split(rf"^-- {marker}", text, flags=re.MULTILINE)[1:]
    named = {}
    for part in parts:
        name, _, body = part.partition("\n")
        named[name.strip()] = body.strip()
    return named


STATEMENTS: Mapping[str, str] = MappingProxyType(_named(_read("statements.sql"), "name: "))

CHECKS: Mapping[str, str] = MappingProxyType(_named(_read("checks.sql"), "name: "))

REBUILD: Mapping[str, str] = MappingProxyType(_named(_read("rebuild.sql"), "name: "))

DEAD_LETTERS: Mapping[str, str] = MappingProxyType(_named(_read("dead_letters.sql"), "name: "))

BACKUP: Mapping[str, str] = MappingProxyType(_named(_read("backup.sql"), "name: "))

ERASURE: Mapping[str, str] = MappingProxyType(_named(_read("erasure.sql"), "name: "))

ARCHIVE: Mapping[str, str] = MappingProxyType(_named(_read("archive.sql"), "name: "))

SCHEMA: Mapping[str, str] = MappingProxyType(_named(_read("schema.sql"), "name: "))

MIGRATIONS: Mapping[int, Step] = MappingProxyType(
    steps_of(_named(_read("migrations.sql"), r"(?=\d{4} )"))
)

PROJECTION_TABLES = _read("projection.sql")
