"""``darkroom events``: what the log says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import click
from rich.text import Text

from darkroom.cli import tailing
from darkroom.cli.gateway import Gateway
from darkroom.cli.invocation import Invocation, group, pass_invocation
from darkroom.cli.screen import console, plain, when
from darkroom.cli.servers import run
from darkroom.cli.settings import server_addresses

_ENDS = {
    "generation.completed": "green",
    "generation.failed": "red",
    "generation.timed_out": "red",
    "generation.cancelled": "yellow",
    "generation.retrying": "yellow",
}
_UNTOLD = ("provider_params", "metadata", "body_sha256", "submission", "handle", "worker")


@group()
def events() -> None:
    """Read the log of events."""


@events.command()
@click.option("-f", "--follow", is_flag=True, help="Go on as events happen, until Ctrl-C.")
@click.option("--type", "type_name", help="Of tasks of this type only.")
@click.option("--task", "task_id", help="Of this task only.")
@click.option("--since-sequence", type=click.IntRange(0), help="Everything from there on.")
@click.option(
    "-n", "--lines", type=click.IntRange(0), default=20, show_default=True, help="The last so many."
)
@pass_invocation
def tail(
    invocation: Invocation,
    follow: bool,
    type_name: str | None,
    task_id: str | None,
    since_sequence: int | None,
    lines: int,
) -> None:
    """The end of the log, straight from the broker; with --json one object a line."""
    wanted = tailing.Wanted(
        tasktype=None if type_name is None else type_name.upper().replace("-", "_"),
        task_id=task_id,
        since=since_sequence,
        lines=lines,
        follow=follow,
    )
    show_one = _json_line if invocation.as_json else _printer()
    try:
        run(tailing.tail(server_addresses().nats_url, wanted, show_one))
    except KeyboardInterrupt:
        if not follow:
            raise


@events.command("show")
@click.argument("task_id")
@pass_invocation
def show(invocation: Invocation, task_id: str) -> None:
    """Everything that happened to one task."""
    with Gateway(invocation) as gateway:
        told = gateway.get(f"/tasks/{quote(task_id, safe='')}/events")["events"]
    if invocation.as_json:
        invocation.print_json(told)
        return
    show_one = _printer()
    for event in told:
        show_one(event)


def _json_line(event: Mapping[str, Any]) -> None:
    click.echo(json.dumps(event, ensure_ascii=False))


def _printer() -> Callable[[Mapping[str, Any]], None]:
    screen = console()

    def show_one(event: Mapping[str, Any]) -> None:
        screen.print(event_line(event), soft_wrap=True)

    return show_one


def event_line(event: Mapping[str, Any]) -> Text:
    """One event on one line: where, when, which task, what."""
    name = str(event.get("type", "undecodable"))
    line = Text()
    line.append(f"{event['sequence']:>8} ", style="dim")
    line.append(f"{when(event['logtime'])} ")
    line.append(f"{plain(event.get('subject', ''))} ", style="dim")
    line.append(name.removeprefix("generation."), style=_ENDS.get(name, "bold"))
    line.append(f" {_told(event.get('data') or {})}")
    return line


def _told(data: Mapping[str, Any]) -> str:
    said = []
    for name, value in data.items():
        if name in _UNTOLD or value in (None, "", [], {}):
            continue
        if name == "error":
            said.append(f"{value.get('code')}: {value.get('message')}")
        elif name == "artifacts":
            said.append(f"artifacts={len(value)}")
        else:
            said.append(f"{name}={value}")
    return plain(" ".join(said))[:200]
