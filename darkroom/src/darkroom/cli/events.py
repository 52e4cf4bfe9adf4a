"""``darkroom events``: what the log says, taken elsewhere and told again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click
from rich.text import Text

from contracts.generation_types import GENERATION_TYPES
from darkroom.cli import exporting, replaying, restoring, tailing
from darkroom.cli.failures import Refused
from darkroom.cli.gateway import Gateway
from darkroom.cli.invocation import Invocation, group, pass_invocation
from darkroom.cli.screen import console, plain, progress_bar, when
from darkroom.cli.selecting import Unclear, Wanted, wanted_of
from darkroom.cli.servers import run
from darkroom.cli.settings import load_settings, server_addresses
from delivery.ordered import Interrupted

_Result = TypeVar("_Result")

_ENDS = {
    "generation.completed": "green",
    "generation.failed": "red",
    "generation.timed_out": "red",
    "generation.cancelled": "yellow",
    "generation.retrying": "yellow",
}
_UNTOLD = ("provider_params", "metadata", "body_sha256", "submission", "handle", "worker")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_LAST = 20
_FILE = click.Path(dir_okay=False, path_type=Path)


@group()
def events() -> None:
    """Read the log of events, export it, and tell old events again."""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    """The options that choose events, the same for all commands."""
    for option in reversed(
        (
            click.option("--type", "type_name", help="Of tasks of this type only."),
            click.option(
                "--event", "events", multiple=True, help="Only these: completed, failed …"
            ),
            click.option("--task", "task_id", help="Of this task only."),
            click.option("--owner", help="Of tasks of this owner only."),
            click.option("--since", help="From then on: 2026-11-21T10:00:00Z, or 2h ago as 2h."),
            click.option("--until", help="Up to then, written likewise."),
            click.option("--since-sequence", type=click.IntRange(0), help="From there on."),
            click.option("--until-sequence", type=click.IntRange(0), help="Up to there."),
        )
    ):
        command = option(command)
    return command


def _wanted(asked: Mapping[str, Any]) -> Wanted:
    try:
        wanted = wanted_of(asked, datetime.now(UTC))
    except Unclear as problem:
        raise click.UsageError(str(problem)) from None
    _tell_unknown_type(wanted.tasktype)
    return wanted


def _tell_unknown_type(tasktype: str | None) -> None:
    """No reason to refuse: the log may have events of a type whose declaration is gone."""
    load_settings()  # It declares those of the deployment.
    if tasktype is not None and tasktype not in GENERATION_TYPES:
        known = ", ".join(GENERATION_TYPES)
        click.echo(f"--type {tasktype}: no such type is declared; there are {known}.", err=True)


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that were written, as JSON has them."""
    return {
        name: sorted(value) if isinstance(value, tuple) else value
        for name, value in asked.items()
        if value not in (None, ())
    }


@events.command()
@click.option("-f", "--follow", is_flag=True, help="Go on as events happen, until Ctrl-C.")
@_filters
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0),
    help=f"The last so many ({_LAST}); with a beginning (--since …), all.",
)
@pass_invocation
def tail(invocation: Invocation, /, follow: bool, lines: int | None, **asked: Any) -> None:
    """The end of the log, straight from the broker; with --json one object a line."""
    wanted = _wanted(asked)
    if lines is None and wanted.since is None and wanted.since_sequence is None:
        lines = _LAST
    show_one = _json_line if invocation.as_json else _printer()
    try:
        _run(tailing.tail(server_addresses().nats_url, wanted, lines, follow, show_one))
    except KeyboardInterrupt:
        if not follow:
            raise


@events.command()
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="Where to; - is standard output, NAME.gz is compressed.",
)
@_filters
@pass_invocation
def export(invocation: Invocation, /, output: str, **asked: Any) -> None:
    """Write events into a file, one JSON object a line, without loss."""
    wanted = _wanted(asked)
    path = None if output == "-" else Path(output)
    try:
        with progress_bar("exporting") as tell:
            done = _run(exporting.export(server_addresses().nats_url, wanted, path, tell))
    except KeyboardInterrupt:
        left = "what is there is not all" if path is None else f"{path} is as it was before"
        raise Refused(f"Interrupted: {left}. Begin it again.") from None
    if not done.events:
        click.echo("No event matches: the export is empty.", err=True)
    if path is not None and invocation.as_json:
        invocation.print_json(done.as_json())
        return
    span = f", sequences {done.first:,} to {done.last:,}" if done.first and done.last else ""
    click.echo(
        f"Exported {done.events:,} events{span}: {done.bytes:,} bytes in {done.seconds:.1f} s.",
        err=True,
    )


@events.command()
@click.option("--to", "name", metavar="NAME", help="Onto replay.NAME.<original subject>.")
@click.option("--from-file", "file", type=_FILE, help="From an export; else from the log.")
@click.option(
    "--speed",
    default="max",
    show_default=True,
    help="original, N times as fast as it happened, or max.",
)
@click.option("--delete", is_flag=True, help="Remove the replay to NAME and all that is in it.")
@click.option("--restore", is_flag=True, help="Bring a lost log back: see docs/replay.md.")
@click.option("--unbind", is_flag=True, help="With --restore: remove generators' consumers first.")
@_filters
@pass_invocation
def replay(
    invocation: Invocation,
    /,
    name: str | None,
    file: Path | None,
    speed: str,
    delete: bool,
    restore: bool,
    unbind: bool,
    **asked: Any,
) -> None:
    """Tell old events again, to a new subscriber, on subjects of their own.

    They are kept in the stream REPLAY_NAME. The same command, interrupted or repeated, goes on
    after what is there.

    With --restore, a log that was lost is brought back instead: from the copy in Postgres, or from
    an export. Nothing is done unless the log lacks the events.
    """
    given = _given(asked)
    if restore:
        if name is not None or delete or speed != "max" or given:
            raise click.UsageError(
                "--restore brings everything back, to where it was: it goes with no filter, and "
                "without --to, --speed and --delete."
            )
        _restore(invocation, file, unbind)
        return
    if unbind:
        raise click.UsageError("--unbind goes with --restore.")
    if name is None or not _NAME.fullmatch(name):
        raise click.UsageError("--to NAME says to whom: up to 32 letters, digits, - and _.")
    settings = load_settings()
    told = replaying.Replay(
        name=name,
        wanted=_wanted(asked),
        asked=given,
        file=file,
        speed=_speed(speed),
        max_age_s=settings.stream_max_age_s,
    )
    url = server_addresses(settings).nats_url
    if delete:
        _run(replaying.delete(url, told))
        if invocation.as_json:
            invocation.print_json({"stream": told.stream, "deleted": True})
        else:
            click.echo(f"Deleted {told.stream}.")
        return
    try:
        with progress_bar("replaying") as tell:
            done = _run(replaying.replay(url, told, tell))
    except KeyboardInterrupt:
        raise Refused("Interrupted. The same command goes on from there.") from None
    if not done.events:
        click.echo(f"No event matches: {done.stream} is empty.", err=True)
    if invocation.as_json:
        invocation.print_json(done.as_json())
        return
    click.echo(
        f"{done.stream} has {done.events:,} events on {done.subjects}, {done.added:,} of them "
        f"new, in {done.seconds:.1f} s."
    )


def _restore(invocation: Invocation, file: Path | None, unbind: bool) -> None:
    try:
        done = _run(restoring.restore(load_settings(), file, unbind=unbind, bar=progress_bar))
    except KeyboardInterrupt:
        raise Refused("Interrupted. The same command goes on from there.") from None
    if invocation.as_json:
        invocation.print_json(done.as_json())
        return
    click.echo(
        f"The log is back: {done.events:,} events from {done.origin}, at {done.first:,} to "
        f"{done.last:,}, in {done.seconds:.1f} s. Check it with `darkroom projection verify`."
    )


def _speed(text: str) -> float | None:
    """How many times as fast as it happened; None is as fast as it goes."""
    if text == "max":
        return None
    try:
        speed = 1.0 if text == "original" else float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise click.UsageError(f"--speed {text}: write original, max, or a number like 10.")
    return speed


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    try:
        return run(work)
    except Interrupted as problem:
        raise Refused(
            f"The log could not be read to its end ({problem.reason}). Try again."
        ) from None


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
    line.append(plain(name.removeprefix("generation.")), style=_ENDS.get(name, "bold"))
    line.append(f" {_told(event.get('data'))}")
    return line


def _told(data: Any) -> str:
    """What an event says; whoever publishes may have written anything there."""
    if not isinstance(data, Mapping):
        return ""
    said = []
    for name, value in data.items():
        if name in _UNTOLD or value in (None, "", [], {}):
            continue
        if name == "error" and isinstance(value, Mapping):
            said.append(f"{value.get('code')}: {value.get('message')}")
        elif name == "artifacts" and isinstance(value, list):
            said.append(f"artifacts={len(value)}")
        else:
            said.append(f"{name}={value}")
    return plain(" ".join(said))[:200]
