"""Following one task to its end, and saving what came of it."""

from __future__ import annotations

import mimetypes
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from darkroom.cli.failures import FOUND_SOMETHING, Unreachable
from darkroom.cli.gateway import Gateway, NotNow
from darkroom.cli.screen import console, plain

TERMINAL = ("completed", "failed", "cancelled")
INTERRUPTED = 130
_LINE_WAIT_S = 2
"""Places in the line move without a change of the task: ask again that often."""
_WAIT_S = 20
_ABSENCE_S = 60.0
_PAUSE_S = 0.5

Task = Mapping[str, Any]


def follow(gateway: Gateway, task: Task) -> Task:
    """The task once it has ended, with a progress bar until then.

    Ctrl-C leaves it, and tells how to come back: the task goes on.
    """
    task_id = task["task_id"]
    try:
        with _progress_bar() as tell:
            tell(task)
            while task["status"] not in TERMINAL:
                task = _next_change(gateway, task)
                tell(task)
    except KeyboardInterrupt:
        click.echo(f"\nThe task goes on. Come back to it with: {_come_back(task_id)}", err=True)
        sys.exit(INTERRUPTED)
    except (Unreachable, NotNow) as problem:
        raise Unreachable(
            f"{problem.message} Once it does, come back to the task: {_come_back(task_id)}"
        ) from None
    return task


def end_with(task: Task) -> None:
    """Exit 1, with the reason, unless the task is completed."""
    if task["status"] != "completed":
        reason = task["error_msg"] or f"The task is {task['status']}."
        fail(f"{plain(reason)} (darkroom tasks retry {task['task_id']})")


def fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(FOUND_SOMETHING)


def save(gateway: Gateway, task: Task, output: str) -> list[Path]:
    """Save the first result as a file, or every one into a directory."""
    into = _is_directory(output)
    place = Path(output)
    saved = []
    for number, artifact in enumerate(task["artifacts"], 1):
        if into:
            place.mkdir(parents=True, exist_ok=True)
            suffix = "" if number == 1 else f"-{number}"
            extension = mimetypes.guess_extension(artifact["content_type"]) or ""
            path = place / f"{task['task_id']}{suffix}{extension}"
        else:
            path = place
        gateway.download(artifact["url"], path)
        saved.append(path)
        if not into:
            break
    return saved


def check_output(output: str | None) -> None:
    """Refuse, before anything is submitted, a place that can't be written to."""
    if output is None or _is_directory(output):
        return
    parent = Path(output).absolute().parent
    if not parent.is_dir():
        raise click.UsageError(f"-o {output}: there is no directory {parent}.")


def _is_directory(output: str) -> bool:
    return output.endswith("/") or Path(output).is_dir()


def _come_back(task_id: str) -> str:
    return f"darkroom tasks show {task_id}"


def _next_change(gateway: Gateway, task: Task) -> Task:
    """The task once it has changed or some seconds are over; a gateway that is away may return."""
    deadline = time.monotonic() + _ABSENCE_S
    told = None
    wait_s = _LINE_WAIT_S if _is_in_line(task) else _WAIT_S
    while True:
        try:
            changed: Task = gateway.task(task["task_id"], wait=wait_s, after=task["sequence"])
        except (Unreachable, NotNow) as problem:
            if time.monotonic() > deadline:
                raise
            if problem.message != told:
                told = problem.message
                click.echo(f"Waiting: {told}", err=True)
            time.sleep(_PAUSE_S)
        else:
            return changed


def _is_in_line(task: Task) -> bool:
    return bool(task["queue_position"]) or task["attempt"] == 0


@contextmanager
def _progress_bar() -> Iterator[Callable[[Task], None]]:
    """Tells of a task on standard error: a bar in a terminal, else a line a stage."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield _line_by_stage()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        shown = bar.add_task("", total=100, note="")

        def tell(task: Task) -> None:
            bar.update(
                shown,
                description=plain(task["stage"]),
                completed=task["progress"],
                note=note_of(task),
            )

        yield tell


def _line_by_stage() -> Callable[[Task], None]:
    last = ""

    def tell(task: Task) -> None:
        nonlocal last
        now = plain(task["stage"] if task["status"] not in TERMINAL else task["status"])
        if now != last:
            click.echo(f"{task['task_id']} {now}", err=True)
        last = now

    return tell


def note_of(task: Task) -> str:
    """What the percent does not say: the place in the line, the attempt, the time left."""
    said = []
    if task["queue_position"]:
        said.append(f"number {task['queue_position']} in line")
    elif task["attempt"] > 1:
        said.append(f"attempt {task['attempt']}")
    if task["eta_seconds"]:
        said.append(f"about {task['eta_seconds']:.0f} s left")
    return ", ".join(said)
