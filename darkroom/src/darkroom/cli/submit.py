"""``darkroom submit``: from files and words to a task, and its result."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from darkroom.cli.following import check_output, end_with, follow, save
from darkroom.cli.gateway import Gateway
from darkroom.cli.invocation import Invocation, command, pass_invocation


@command()
@click.argument("type_name", metavar="TYPE")
@click.argument("prompt", required=False)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="FILE",
    help="A reference image: a file, uploaded first, or a public URL. May be repeated.",
)
@click.option("--wait", is_flag=True, help="Follow the task to its end.")
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Save the result there: a file, or a directory. Implies --wait.",
)
@click.option("--param", "pairs", multiple=True, metavar="K=V", help="One provider parameter.")
@click.option("--params", metavar="JSON", help="All provider parameters.")
@click.option("--idempotency-key", metavar="K", help="The same key gives the same task.")
@click.option("--run-at", metavar="TIME", help="Not before then, e.g. 2026-12-24T18:00+01:00.")
@pass_invocation
def submit(
    invocation: Invocation,
    type_name: str,
    prompt: str | None,
    images: tuple[str, ...],
    wait: bool,
    output: str | None,
    pairs: tuple[str, ...],
    params: str | None,
    idempotency_key: str | None,
    run_at: str | None,
) -> None:
    """Submit a task of TYPE, e.g. CREATE "a red bicycle at dawn".

    PROMPT may be - to read it from standard input. Exits 1 when the task failed (with --wait).
    """
    check_output(output)
    body: dict[str, Any] = {"type": type_name.upper().replace("-", "_")}
    if prompt is not None:
        body["prompt"] = sys.stdin.read().strip() if prompt == "-" else prompt
    parameters = provider_params(params, pairs)
    if parameters:
        body["provider_params"] = parameters
    if run_at:
        body["run_at"] = _moment(run_at).isoformat()
    files = [_existing(image) for image in images]
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    with Gateway(invocation) as gateway:
        if files:
            body["reference_images"] = [_reference(gateway, each) for each in files]
        task = gateway.post("/tasks", json=body, headers=headers)
        if wait or output is not None:
            if not invocation.as_json:
                click.echo(f"task {task['task_id']}", err=True)
            finish(gateway, invocation, task, output)
        elif invocation.as_json:
            invocation.print_json(task)
        else:
            click.echo(task["task_id"])
            click.echo(f"Follow it with: darkroom tasks show {task['task_id']} --wait", err=True)


def finish(
    gateway: Gateway, invocation: Invocation, task: dict[str, Any], output: str | None
) -> None:
    """Follow, save, print; exit 1 unless it is completed."""
    ended = follow(gateway, task)
    saved = save(gateway, ended, output) if output is not None else []
    if invocation.as_json:
        invocation.print_json({**ended, "saved": [str(path) for path in saved]})
    else:
        for line in saved or [each["url"] for each in ended["artifacts"]]:
            click.echo(line)
    end_with(ended)


def provider_params(params: str | None, pairs: tuple[str, ...]) -> dict[str, Any]:
    """One object of ``--params`` and every ``--param``; values are JSON where they can be."""
    merged: dict[str, Any] = {}
    if params is not None:
        try:
            merged = json.loads(params)
        except ValueError as error:
            raise click.UsageError(f"--params is not JSON: {error}.") from None
        if not isinstance(merged, dict):
            raise click.UsageError("--params has to be a JSON object, e.g. '{\"seed\": 7}'.")
    for pair in pairs:
        name, mark, text = pair.partition("=")
        if not mark or not name:
            raise click.UsageError(f"--param {pair}: give it as NAME=VALUE.")
        try:
            merged[name] = json.loads(text)
        except ValueError:
            merged[name] = text
    return merged


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise click.UsageError(
            f"--run-at {text}: give it as 2026-12-24T18:00 (local time), or with a zone: +01:00."
        ) from None


def _existing(image: str) -> str | Path:
    if image.startswith(("http://", "https://")):
        return image
    path = Path(image)
    if not path.is_file():
        raise click.UsageError(f"--image {image}: there is no such file.")
    return path


def _reference(gateway: Gateway, image: str | Path) -> str:
    if isinstance(image, str):
        return image
    try:
        with image.open("rb") as file:
            uploaded = gateway.post("/uploads", files={"file": (image.name, file)})
    except OSError as error:
        raise click.UsageError(f"--image {image}: {error.strerror}.") from None
    url: str = uploaded["url"]
    return url
