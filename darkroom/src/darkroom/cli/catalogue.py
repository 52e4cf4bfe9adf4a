"""Which commands there are, without importing them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from darkroom.cli.invocation import Group


class Entry(NamedTuple):
    """A command: its name, where it is (``module:attribute``), and its line in the help."""

    name: str
    place: str
    summary: str


class CommandLine(Group):
    """The outermost group; a command's module is imported when the command is called."""

    def __init__(
        self, name: str, *, entries: Sequence[Entry], package: str, **settings: Any
    ) -> None:
        super().__init__(name, **settings)
        self._entries = {entry.name: entry for entry in entries}
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.place.partition(":")
        command: click.Command = getattr(
            importlib.import_module(f"{self._package}.{module}"), attribute
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in self._entries.values()])
