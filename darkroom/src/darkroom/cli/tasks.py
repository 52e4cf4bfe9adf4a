"""``darkroom tasks``: list, show, cancel, retry."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import click

from contracts.generation_types import GENERATION_TYPES
from darkroom.cli.following import TERMINAL, check_output, save
from darkroom.cli.gateway import Gateway
from darkroom.cli.invocation import Invocation, group, pass_invocation
from darkroom.cli.pasts import task_at
from darkroom.cli.screen import console, task_lines, task_table
from darkroom.cli.submit import finish

_PAGE = 100
_STATUSES = ("pending", "processing", *TERMINAL)


@group()
def tasks() -> None:
    """List, show, cancel and retry tasks."""


@tasks.command("list")
@click.option("--type", "type_name", help=f"One of {', '.join(GENERATION_TYPES)}.")
@click.option("--status", type=click.Choice(_STATUSES, case_sensitive=False))
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--all", "everything", is_flag=True, help="No limit.")
@pass_invocation
def list_(
    invocation: Invocation,
    type_name: str | None,
    status: str | None,
    limit: int,
    everything: bool,
) -> None:
    """Tasks, newest first."""
    wanted = None if everything else limit
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    with Gateway(invocation) as gateway:
        while wanted is None or len(found) < wanted:
            page = gateway.get(
                "/tasks",
                type=None if type_name is None else type_name.upper().replace("-", "_"),
                status=status,
                limit=_PAGE if wanted is None else min(_PAGE, wanted - len(found)),
                cursor=cursor,
            )
            found += page["tasks"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    if invocation.as_json:
        invocation.print_json(found)
        return
    if not found:
        click.echo('No tasks. Submit one: darkroom submit CREATE "a red bicycle"', err=True)
        return
    console().print(task_table(found))
    if cursor is not None:
        click.echo("There are more: --limit N or --all shows them.", err=True)


@tasks.command()
@click.argument("task_id")
@click.option("--wait", is_flag=True, help="Follow it to its end.")
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Save the result there: a file, or a directory. Implies --wait.",
)
@click.option(
    "--at", "sequence", type=click.IntRange(0), help="As it was at this sequence of the log."
)
@pass_invocation
def show(
    invocation: Invocation, task_id: str, wait: bool, output: str | None, sequence: int | None
) -> None:
    """One task, whatever became of it."""
    if sequence is not None and (wait or output is not None):
        raise click.UsageError("--at shows the past: it goes with neither --wait nor --output.")
    check_output(output)
    with Gateway(invocation) as gateway:
        if sequence is not None:
            told = gateway.get(f"/tasks/{quote(task_id, safe='')}/events")["events"]
            _print(invocation, task_at(task_id, told, sequence, invocation.url.rstrip("/")))
            return
        task = gateway.task(task_id)
        if output is not None and task["status"] == "completed":
            for path in save(gateway, task, output):
                click.echo(path, err=True)
        elif wait or output is not None:
            finish(gateway, invocation, task, output)
            return
    _print(invocation, task)


@tasks.command()
@click.argument("task_id")
@pass_invocation
def cancel(invocation: Invocation, task_id: str) -> None:
    """Stop a task that has not ended."""
    with Gateway(invocation) as gateway:
        task = gateway.post(f"/tasks/{quote(task_id, safe='')}/cancel")
    if invocation.as_json:
        invocation.print_json(task)
    else:
        click.echo(f"{task['task_id']} {task['status']}")


@tasks.command()
@click.argument("task_id")
@pass_invocation
def retry(invocation: Invocation, task_id: str) -> None:
    """Submit a task that has ended once more, as a new task."""
    with Gateway(invocation) as gateway:
        task = gateway.post(f"/tasks/{quote(task_id, safe='')}/retry")
    if invocation.as_json:
        invocation.print_json(task)
    else:
        click.echo(task["task_id"])
        click.echo(f"Follow it with: darkroom tasks show {task['task_id']} --wait", err=True)


def _print(invocation: Invocation, task: dict[str, Any]) -> None:
    if invocation.as_json:
        invocation.print_json(task)
    else:
        console().print(task_lines(task))
