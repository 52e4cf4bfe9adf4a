"""What every command can be told: the gateway's address, the key, and how to print."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import click

from darkroom.stack.errors import StackError
from darkroom.stack.settings import StackSettings

HELP_OPTION_NAMES = ["-h", "--help"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _default_url() -> str:
    told = os.environ.get("DARKROOM_URL")
    if told:
        return told
    try:
        return StackSettings.from_environment().url
    except StackError as error:
        raise click.UsageError(str(error)) from None


@dataclass
class Invocation:
    """One call of the command line; the options may stand before or after the subcommand."""

    url: str = field(default_factory=_default_url)
    api_key: str | None = field(default_factory=lambda: os.environ.get("DARKROOM_API_KEY") or None)
    as_json: bool = False

    def print_json(self, value: Any) -> None:
        """One JSON document."""
        click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_as_text))


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            setattr(ctx.ensure_object(Invocation), name, value)

    return callback


def _global_options() -> list[click.Option]:
    return [
        click.Option(
            ["--url"],
            metavar="URL",
            expose_value=False,
            callback=_remember("url"),
            help="The gateway (DARKROOM_URL; else http://127.0.0.1:8400).",
        ),
        click.Option(
            ["--api-key"],
            metavar="KEY",
            expose_value=False,
            callback=_remember("api_key"),
            help="The key to show it (DARKROOM_API_KEY).",
        ),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            expose_value=False,
            callback=_remember("as_json"),
            help="Print JSON.",
        ),
    ]


class Command(click.Command):
    """A command that takes the global options too."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params += _global_options()


class Group(click.Group):
    """A group that takes the global options too, as do its commands."""

    command_class = Command
    group_class = type

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params += _global_options()


def command(name: str | None = None, **settings: Any) -> Callable[[_Function], Command]:
    """``@command()``: a command with the global options."""
    return click.command(name, cls=Command, **settings)


def group(name: str | None = None, **settings: Any) -> Callable[[_Function], Group]:
    """``@group()``: a group with the global options."""
    return click.group(name, cls=Group, **settings)


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)
